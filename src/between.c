// SPDX-License-Identifier: GPL-2.0-only
#include "between.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/types.h>

#include "fpstat/counters.h"
#include "replay.h"
#include "snapshot.h"

static bool between(const struct between *b, const char *who, const char *what,
		    uint64_t n, uint64_t high, uint64_t grew)
{
	if (n <= high && high - n <= grew)
		return true;
	snprintf(b->why, b->len,
		 "the stream says %" PRIu64
		 " %s of %s, the counters say %" PRIu64,
		 n, what, who, high);
	return false;
}

/* What both sides know. */
static bool bytes(const struct between *b, const char *who, const char *what,
		  uint64_t n, uint64_t high, uint64_t grew)
{
	return n == SNAP_NA || high == SNAP_NA || grew == SNAP_NA ||
	       between(b, who, what, n, high, grew);
}

bool between__ops(const struct between *b, const char *who,
		  const struct fp_ops *counted, const struct snap_ops *high,
		  const struct snap_ops *grew, uint64_t size)
{
	const struct snap_ops n = snap_ops__read(counted, size);

#define BETWEEN(what, field)                                                   \
	between(b, who, what, n.field, high->field, grew->field)
	return BETWEEN("saves", save.done) && BETWEEN("loads", load.done) &&
	       BETWEEN("needed saves", save.needed) &&
	       BETWEEN("clean saves", save.clean) &&
	       BETWEEN("unclobbered saves", save.unclobbered) &&
	       BETWEEN("dead saves", save.dead) &&
	       BETWEEN("unknown saves", save.unknown) &&
	       BETWEEN("needed loads", load.needed) &&
	       BETWEEN("live loads", load.redundant) &&
#undef BETWEEN
	       bytes(b, who, "bytes saved", n.save.bytes, high->save.bytes,
		     grew->save.bytes) &&
	       bytes(b, who, "bytes loaded", n.load.bytes, high->load.bytes,
		     grew->load.bytes);
}

bool between__vcpu(const struct between *b, const struct replay_vcpu *n,
		   const struct snap_vcpu *high, const struct snap_vcpu *grew)
{
	static const struct replay_vcpu none;
	char who[128], what[160];
	int i;

	if (!n)
		n = &none;
	snprintf(who, sizeof(who), "%s/%u", high->vm, high->vcpu_id);
	for (i = 0; i < FP_CAUSE_MAX; i++) {
		snprintf(what, sizeof(what), "guest saves (%s)",
			 snap_cause__name(i));
		if (!between(b, who, what, n->cause[i], high->cause[i],
			     grew->cause[i]))
			return false;
	}
	snprintf(what, sizeof(what), "guest of %s", who);
	if (!between__ops(b, what, &n->guest, &high->guest, &grew->guest,
			  SNAP_NA))
		return false;
	snprintf(what, sizeof(what), "host of %s", who);
	return between__ops(b, what, &n->host, &high->host, &grew->host,
			    FP_FPSIMD_BYTES) &&
	       between(b, who, "exits", n->exits, high->exits, grew->exits) &&
	       between(b, who, "live entries", n->runs_live,
		       high->guest_runs_live, grew->guest_runs_live);
}
