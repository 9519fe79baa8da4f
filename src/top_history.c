// SPDX-License-Identifier: GPL-2.0-only
#include "top_history.h"

#include <stdlib.h>
#include <string.h>

#include "paint.h"
#include "snapshot.h"
#include "util.h"

void history__add(struct history *h, const struct snapshot *s)
{
	size_t i;

	if (h->nr_cpus != s->nr_owners) {
		history__free(h);
		h->rate = calloc(s->nr_owners + 1, sizeof(*h->rate));
		h->nr_cpus = h->rate ? s->nr_owners : 0;
	}
	for (i = 0; i < h->nr_cpus; i++)
		h->rate[i][h->nr % HISTORY] =
			s->dt > 0 ?
				(float)((double)s->owners[i].changes / s->dt) :
				0;
	h->nr++;
}

void history__free(struct history *h)
{
	free(h->rate);
	*h = (struct history){};
}

double history__last(const struct history *h, size_t cpu)
{
	return h->nr && cpu < h->nr_cpus ?
		       (double)h->rate[cpu][(h->nr - 1) % HISTORY] :
		       0;
}

double history__max(const struct history *h)
{
	double max = 0;
	size_t i, j;

	for (i = 0; i < h->nr_cpus; i++) {
		for (j = 0; j < HISTORY; j++) {
			if ((double)h->rate[i][j] > max)
				max = (double)h->rate[i][j];
		}
	}
	return max;
}

void history__bars(const struct history *h, const struct paint *on, size_t cpu,
		   int width, char *text, size_t len)
{
	double max = history__max(h), x;
	int i;

	text[0] = '\0';
	for (i = width; i > 0; i--) {
		x = 0;
		if (cpu < h->nr_cpus && (size_t)i <= h->nr && i <= HISTORY)
			x = (double)h->rate[cpu][(h->nr - (size_t)i) % HISTORY];
		if (strlen(text) + 4 < len)
			strcat(text, ink__bar(on, x, max));
	}
}
