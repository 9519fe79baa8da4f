/* SPDX-License-Identifier: GPL-2.0-only */
/* How often the registers of each CPU changed hands, in the last intervals. */
#ifndef FPSTAT_TOP_HISTORY_H
#define FPSTAT_TOP_HISTORY_H

#include <stddef.h>

struct paint;
struct snapshot;

enum { HISTORY = 32 };

struct history {
	size_t nr_cpus;
	float (*rate)[HISTORY]; /* changes a second, by CPU; a ring */
	size_t nr; /* intervals ever */
};

/* @h starts zeroed. Without memory there is no history. */
void history__add(struct history *h, const struct snapshot *interval);
void history__free(struct history *h);
/* The last one, and the largest that is kept, of all CPUs. */
double history__last(const struct history *h, size_t cpu);
double history__max(const struct history *h);
/* The last @width bars of @cpu, with the newest last. */
void history__bars(const struct history *h, const struct paint *on, size_t cpu,
		   int width, char *text, size_t len);

#endif /* FPSTAT_TOP_HISTORY_H */
