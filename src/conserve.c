// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>

#include "conserve.h"
#include "snapshot.h"

struct place {
	const char *record; /* "vcpu" "ended" "other" */
	const struct snap_vcpu *vcpu; /* or NULL */
	const char *ops; /* "guest" "host" "task" "kernel" "efi" */
};

/*
 * What has no verdict is the rest, as it was read: if there are too many
 * verdicts, that rest is a huge number, with which the sum holds again.
 */
static bool holds(const struct snap_xfer *x)
{
	uint64_t all = x->done + x->pending_before;

	if (x->done == SNAP_NA)
		return true;
	return x->pending <= all && x->unknown <= all &&
	       all == x->needed + x->redundant + x->pending + x->unknown &&
	       x->redundant >= x->clean + x->unclobbered + x->dead;
}

static bool xfer(const struct snap_xfer *x, const struct place *at,
		 const char *dir, char *why, size_t len)
{
	char who[128] = "";

	if (holds(x))
		return true;
	if (at->vcpu)
		snprintf(who, sizeof(who), " %s/%u (pid %u)", at->vcpu->vm,
			 at->vcpu->vcpu_id, at->vcpu->vm_pid);
	snprintf(why, len,
		 "conservation broken in %s%s: %s.%s: done %" PRIu64
		 " + pending before %" PRIu64 " is not needed %" PRIu64
		 " + redundant %" PRIu64 " + pending %" PRIu64
		 " + unknown %" PRIu64,
		 at->record, who, at->ops, dir, x->done, x->pending_before,
		 x->needed, x->redundant, x->pending, x->unknown);
	return false;
}

static bool ops(const struct snap_ops *o, const struct place *at, char *why,
		size_t len)
{
	return xfer(&o->save, at, "save", why, len) &&
	       xfer(&o->load, at, "load", why, len);
}

static bool vcpu(const struct snap_vcpu *v, const char *record, char *why,
		 size_t len)
{
	return ops(&v->guest, &(struct place){ record, v, "guest" }, why,
		   len) &&
	       ops(&v->host, &(struct place){ record, v, "host" }, why, len);
}

bool conserve__check(const struct snapshot *s, char *why, size_t len)
{
	struct place task = { "other", NULL, "task" };
	struct place kernel = { "other", NULL, "kernel" };
	struct place efi = { "other", NULL, "efi" };
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		if (!vcpu(&s->vcpus[i], "vcpu", why, len))
			return false;
	}
	return vcpu(&s->folded_sum, "ended", why, len) &&
	       ops(&s->task, &task, why, len) &&
	       ops(&s->kernel_neon, &kernel, why, len) &&
	       ops(&s->efi, &efi, why, len);
}
