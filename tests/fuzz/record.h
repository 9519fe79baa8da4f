/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eight bytes as a record, with contexts, CPUs and vcpus that are few, so that they
 * meet.
 */
#ifndef FPSTAT_FUZZ_RECORD_H
#define FPSTAT_FUZZ_RECORD_H

#include <stdint.h>
#include <linux/types.h>

#include "fpstat/charge.h"
#include "fpstat/stream.h"

enum { FUZZ_CPUS = 3, FUZZ_SLOTS = 4, FUZZ_RECORD = 8 };

/* One more than there are of each: that is none, or none that can be. */
static inline struct fp_rec fuzz_record(const uint8_t *d, uint64_t ns)
{
	uint32_t slot = d[2] % (FUZZ_SLOTS + 1);

	return (struct fp_rec){
		.ns = ns + d[7] % 16 * 100000000ull,
		.ev = {
			.buf = (d[3] % 8) * 0x1000ull,
			.gen = d[4] % 4,
			.kind = d[0] % FP_EV_MAX,
			.foreign = d[4] >> 2 & 1,
			.in_run = d[4] >> 3 & 1,
			.arg = d[4] >> 4 & 3,
		},
		.other = (d[5] % 8) * 0x1000ull,
		.letter = d[5] & 0x80 ? (d[5] % 8) * 0x1000ull + d[5] / 32 % 4 : 0,
		.slot = slot == FUZZ_SLOTS ? FP_NO_SLOT : slot,
		.cpu = d[1] % (FUZZ_CPUS + 1),
		.exits = d[6] % 8,
		.live = d[6] / 8 % 8,
		.flags = d[7] / 16,
	};
}

#endif /* FPSTAT_FUZZ_RECORD_H */
