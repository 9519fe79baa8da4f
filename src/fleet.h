/* SPDX-License-Identifier: GPL-2.0-only */
/* What the hosts of a merged trace come to, each and all together. */
#ifndef FPSTAT_FLEET_H
#define FPSTAT_FLEET_H

#include <stddef.h>

#include "snapshot.h"

struct fleet_host {
	char name[72];
	size_t sections;
	size_t vcpus; /* rows, of all sections */
	struct snap_vcpu sum; /* n/a if it is in one of them */
};

struct fleet {
	struct fleet_host *host; /* owned; as they came first */
	size_t nr;
};

/* A zeroed one is empty. */
void fleet__free(struct fleet *f);
/* A section of the host @name. 0 or -ENOMEM. */
int fleet__add(struct fleet *f, const char *name, const struct snapshot *s);
/* Its name is "total". */
struct fleet_host fleet__total(const struct fleet *f);

#endif /* FPSTAT_FLEET_H */
