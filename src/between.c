// SPDX-License-Identifier: GPL-2.0-only
#include "between.h"

#include <inttypes.h>
#include <stdio.h>

#include "snapshot.h"

struct doubt {
	char *why;
	size_t len;
	const char *who;
};

static bool between(const struct doubt *d, const char *what, uint64_t low,
		    uint64_t n, uint64_t high)
{
	if (low <= n && n <= high)
		return true;
	snprintf(d->why, d->len,
		 "the stream says %" PRIu64 " %s of %s, the counters say "
		 "%" PRIu64,
		 n, what, d->who, high);
	return false;
}

static bool ops_between(const struct doubt *d, const struct snap_ops *low,
			const struct snap_ops *n, const struct snap_ops *high)
{
#define BETWEEN(what, field) between(d, what, low->field, n->field, high->field)
	return BETWEEN("saves", save.done) && BETWEEN("loads", load.done) &&
	       BETWEEN("needed saves", save.needed) &&
	       BETWEEN("clean saves", save.clean) &&
	       BETWEEN("unclobbered saves", save.unclobbered) &&
	       BETWEEN("dead saves", save.dead) &&
	       BETWEEN("unknown saves", save.unknown) &&
	       BETWEEN("needed loads", load.needed) &&
	       BETWEEN("live loads", load.redundant);
#undef BETWEEN
}

static bool vcpu_between(const struct doubt *d, const struct snap_vcpu *low,
			 const struct snap_vcpu *n,
			 const struct snap_vcpu *high)
{
	struct doubt of = *d;
	char who[128];
	int i;

	for (i = 0; i < FP_CAUSE_MAX; i++) {
		if (!between(d, snap_cause__name(i), low->cause[i], n->cause[i],
			     high->cause[i]))
			return false;
	}
	of.who = who;
	snprintf(who, sizeof(who), "guest %s", d->who);
	if (!ops_between(&of, &low->guest, &n->guest, &high->guest))
		return false;
	snprintf(who, sizeof(who), "host of %s", d->who);
	return ops_between(&of, &low->host, &n->host, &high->host) &&
	       between(d, "exits", low->exits, n->exits, high->exits) &&
	       between(d, "live entries", low->guest_runs_live,
		       n->guest_runs_live, high->guest_runs_live);
}

/* One that is not in @s began later. */
static struct snap_vcpu row_of(const struct snapshot *s,
			       const struct snap_vcpu *v)
{
	size_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		if (s->vcpus[i].slot == v->slot && s->vcpus[i].gen == v->gen)
			return s->vcpus[i];
	}
	return (struct snap_vcpu){};
}

bool between__check(const struct snapshot *low, const struct snapshot *n,
		    const struct snapshot *high, char *why, size_t len)
{
	struct doubt task = { why, len, "tasks" };
	struct doubt kernel = { why, len, "kernel NEON" };
	size_t i;

	for (i = 0; i < n->nr_vcpus; i++) {
		const struct snap_vcpu *v = &n->vcpus[i];
		struct snap_vcpu first = row_of(low, v);
		struct doubt d = { why, len, NULL };
		char who[96];

		snprintf(who, sizeof(who), "%s/%u", v->vm, v->vcpu_id);
		d.who = who;
		if (!vcpu_between(&d, &first, v, &high->vcpus[i]))
			return false;
	}
	return ops_between(&task, &low->task, &n->task, &high->task) &&
	       ops_between(&kernel, &low->kernel_neon, &n->kernel_neon,
			   &high->kernel_neon);
}
