// SPDX-License-Identifier: GPL-2.0-only
#include "fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fleet__free(struct fleet *f)
{
	free(f->host);
	*f = (struct fleet){};
}

static struct fleet_host *host_of(struct fleet *f, const char *name)
{
	struct fleet_host *host;
	size_t i;

	for (i = 0; i < f->nr; i++) {
		if (!strcmp(f->host[i].name, name))
			return &f->host[i];
	}
	host = reallocarray(f->host, f->nr + 1, sizeof(*host));
	if (!host)
		return NULL;
	f->host = host;
	host += f->nr++;
	*host = (struct fleet_host){};
	snprintf(host->name, sizeof(host->name), "%s", name);
	return host;
}

static void add(struct fleet_host *h, size_t sections, size_t vcpus,
		struct snap_vcpu sum)
{
	const struct snapshot both = {
		.folded_sum = h->sum,
		.nr_vcpus = 1,
		.vcpus = &sum,
	};

	h->sections += sections;
	h->vcpus += vcpus;
	snapshot__total(&both, &h->sum);
}

int fleet__add(struct fleet *f, const char *name, const struct snapshot *s)
{
	struct fleet_host *host = host_of(f, *name ? name : "unknown");
	struct snap_vcpu sum;

	if (!host)
		return -ENOMEM;
	snapshot__total(s, &sum);
	add(host, 1, s->nr_vcpus, sum);
	return 0;
}

struct fleet_host fleet__total(const struct fleet *f)
{
	struct fleet_host total = { .name = "total" };
	size_t i;

	for (i = 0; i < f->nr; i++)
		add(&total, f->host[i].sections, f->host[i].vcpus,
		    f->host[i].sum);
	return total;
}
