/* SPDX-License-Identifier: GPL-2.0-only */
/* A vcpu's share of the exits that are counted by CPU: see struct fp_quiet. */
#ifndef FPSTAT_QUIET_H
#define FPSTAT_QUIET_H

#include <stddef.h>

#include "fpstat/counters.h"
#include "util.h"

/* What it is now; it never shrinks. @rows: of the CPUs, @column: in them. */
static inline uint64_t quiet__read(const struct fp_quiet *rows, size_t column,
				   const __u64 *share)
{
	uint64_t now, exits;
	uint32_t at;

	do {
		now = counter__read(share);
		at = fp_quiet_at(now);
		exits = at ? counter__read((const char *)&rows[at - 1] + column) :
			     0;
	} while (counter__read(share) != now);
	return fp_quiet_sum(now, exits);
}

static inline uint64_t quiet__live(const struct fp_quiet *rows,
				   const struct fp_vcpu *v)
{
	return quiet__read(rows, offsetof(struct fp_quiet, live),
			   &v->quiet_live);
}

static inline uint64_t quiet__away(const struct fp_quiet *rows,
				   const struct fp_vcpu *v)
{
	return quiet__read(rows, offsetof(struct fp_quiet, away),
			   &v->quiet_away);
}

#endif /* FPSTAT_QUIET_H */
