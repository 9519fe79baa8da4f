// SPDX-License-Identifier: GPL-2.0-only
#include "owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"
#include "util.h"

struct seen {
	struct snap_cpu is;
	uint64_t buf; /* whose it is: a thread number is used again */
	uint64_t ns; /* when it was looked at */
};

struct owners {
	unsigned int nr_cpus;
	struct seen *cpus;
	bool *online;
};

struct owners *owners__new(unsigned int cpus)
{
	struct owners *o = calloc(1, sizeof(*o));
	unsigned int i;

	if (!o)
		return NULL;
	o->nr_cpus = cpus;
	o->cpus = calloc(cpus, sizeof(*o->cpus));
	o->online = calloc(cpus, sizeof(*o->online));
	if (!o->cpus || !o->online) {
		owners__free(o);
		return NULL;
	}
	for (i = 0; i < cpus; i++) {
		o->cpus[i].is.cpu = i;
		o->online[i] = true;
	}
	return o;
}

void owners__free(struct owners *o)
{
	if (!o)
		return;
	free(o->cpus);
	free(o->online);
	free(o);
}

void owners__set_node(struct owners *o, uint32_t cpu, uint32_t node)
{
	o->cpus[cpu].is.node = node;
}

bool *owners__online(struct owners *o)
{
	return o->online;
}

/* What the kernel has bound, unless the registers hold something else. */
static enum snap_owner owner(const struct fp_cpu *m, const struct fp_judge *j)
{
	switch (m->bound) {
	case FP_BOUND_VCPU:
		return SNAP_OWNER_GUEST;
	case FP_BOUND_KERNEL:
		return SNAP_OWNER_KERNEL;
	case FP_BOUND_TASK:
		if (j->held == FP_HELD_UNKNOWN ||
		    (j->held == FP_HELD_STATE && j->buf == m->buf))
			return SNAP_OWNER_TASK;
		return SNAP_OWNER_NONE;
	case FP_BOUND_NONE:
		return SNAP_OWNER_NONE;
	default:
		return SNAP_OWNER_UNKNOWN;
	}
}

/* Since the last look it was as it was then; time offline is nobody's. */
static void pass(struct seen *c, uint64_t ns)
{
	if (c->ns && c->is.owner != SNAP_OWNER_OFFLINE)
		c->is.held[c->is.owner] += sat_sub(ns, c->ns);
	if (ns > c->ns)
		c->ns = ns;
}

void owners__look(struct owners *o, uint32_t cpu, const struct fp_cpu *model,
		  const struct fp_judge *judge, uint32_t slot, uint64_t ns)
{
	struct seen *c = &o->cpus[cpu];
	enum snap_owner now = o->online[cpu] ? owner(model, judge) :
					       SNAP_OWNER_OFFLINE;
	bool known = c->is.owner != SNAP_OWNER_UNKNOWN;

	pass(c, ns);
	if (known && (now != c->is.owner || model->buf != c->buf))
		c->is.changes++;
	c->buf = model->buf;
	c->is.owner = now;
	c->is.slot = slot;
	c->is.tid = now == SNAP_OWNER_TASK ? model->gen : 0;
}

int owners__read(const struct owners *o, uint64_t ns, struct snapshot *s)
{
	struct seen c;
	unsigned int i;

	s->owners = calloc(o->nr_cpus, sizeof(*s->owners));
	if (!s->owners)
		return -ENOMEM;
	s->nr_owners = o->nr_cpus;
	for (i = 0; i < o->nr_cpus; i++) {
		c = o->cpus[i];
		pass(&c, ns);
		s->owners[i] = c.is;
	}
	return 0;
}
