/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stream between capture and reader: each CPU has a ring of records for each
 * of its lanes, in memory that both have mapped.
 *
 * A lane has one writer at a time. Programs that nothing of ours can come into, for
 * neither softirq nor preemption can, or what comes waits (put_off() in bpf/step.h),
 * share one lane. Of the others, each has its own, since the kernel runs no program
 * twice at a time on a CPU. So a record takes no atomic operation that returns
 * something: Linux 5.10 has none for BPF.
 *
 * A record is ready when all of its words carry the lap in their highest bit: 1 the
 * first time around, 0 the second, and so on. So it does not matter in which order
 * they become visible to another CPU: BPF programs have no barriers on old kernels.
 * A word is written at once, and of each the reader has seen the lap before; hence
 * it sees that again, or the new one, and then it has the value, too. The writer
 * writes after a branch on the end, which the reader moves when it has read: no CPU
 * makes stores visible before it knows that they will be made.
 *
 * As model.h: compiled as BPF, as user space and in the tests.
 */
#ifndef FPSTAT_RING_H
#define FPSTAT_RING_H

#include "fpstat/stream.h"

enum fp_lane_nr {
	FP_LANE_MAIN,
	FP_LANE_EXIT, /* tracepoint kvm_exit */
	FP_LANE_RUN_END, /* tracepoint kvm_userspace_exit */
	FP_LANES,
};

/*
 * Positions: how many records there were before, since the start. All have 64 bits:
 * what BPF has to cut takes time.
 */
struct fp_lane {
	__u64 head; /* the next that is written; those before were begun */
	__u64 end; /* none from here on: what was there is read first */
	__u64 busy; /* one is being written */
	__u64 size; /* records that there is room for, a power of two .. */
	__u64 first; /* .. from this one on */
};

#define FP_LAP (1ull << 63)

/*
 * A record in the ring. Here exits, live and lost are sums since the start, modulo
 * 2^31, as is the number. Addresses and the slot are told without the highest bit:
 * it is as the next one.
 */
struct fp_slot {
	__u64 ns;
	__u64 buf;
	__u64 event; /* union fp_event_half */
	__u64 other;
	__u64 letter;
	__u64 passed; /* exits, and << 32: live */
	__u64 own; /* flags, and << 32: slot */
	__u64 order; /* lost, and << 32: number on its CPU */
};

#define FP_SLOT_WORDS (sizeof(struct fp_slot) / sizeof(__u64))

/* The second half of struct fp_event, as a number. */
union fp_event_half {
	__u64 all;
	struct {
		__u32 gen;
		__u8 kind;
		__u8 foreign;
		__u8 in_run;
		__u8 arg; /* below 128 */
	};
};

/* Tests come in here. */
#ifndef FP_RING_STEP
#define FP_RING_STEP() ((void)0)
#endif

static inline __u64 fp_ring_read(const __u64 *at)
{
	return *(const volatile __u64 *)at;
}

static inline void fp_ring_write(__u64 *at, __u64 value)
{
	FP_RING_STEP();
	*(volatile __u64 *)at = value;
}

/*
 * Begins @n records, one after the other: 1, and @pos is where the first is; or 0, there
 * is no room. The time that they get is taken later: a reader that sees no record begun
 * knows that none older than now is to come.
 */
static inline int fp_ring_begin(struct fp_lane *lane, __u64 n, __u64 *pos)
{
	if (fp_ring_read(&lane->busy))
		return 0; /* never: see above */
	fp_ring_write(&lane->busy, 1);
	*pos = fp_ring_read(&lane->head);
	if (*pos + n > fp_ring_read(&lane->end)) {
		fp_ring_write(&lane->busy, 0);
		return 0;
	}
	fp_ring_write(&lane->head, *pos + n);
	return 1;
}

/*
 * The number of a record that was begun and has its time. What comes in before is
 * older, and has a lower one; what comes in later is newer, with a higher one.
 * Only what comes in just here may have the same: then either may be first.
 */
static inline __u64 fp_ring_number(__u64 *records)
{
	__u64 number = fp_ring_read(records);

	FP_RING_STEP();
	(void)__sync_fetch_and_add(records, 1);
	return number;
}

static inline void fp_ring_end(struct fp_lane *lane)
{
	fp_ring_write(&lane->busy, 0);
}

/* Where record @pos is in the rings, and its lap. */
static inline __u64 fp_ring_at(const struct fp_lane *lane, __u64 pos)
{
	return lane->first + (pos & (lane->size - 1));
}

static inline __u64 fp_ring_lap(const struct fp_lane *lane, __u64 pos)
{
	return ((pos & lane->size) - 1) & FP_LAP;
}

/* @value is below FP_LAP; less the lap it is the same as or it, which BPF does in two. */
static inline void fp_ring_put(__u64 *word, __u64 value, __u64 lap)
{
	FP_RING_STEP();
	*(volatile __u64 *)word = value - lap;
}

/* The same for one that is not, if its highest bit can be told without. */
static inline void fp_ring_cut(__u64 *word, __u64 value, __u64 lap)
{
	fp_ring_put(word, value & ~FP_LAP, lap);
}

#endif /* FPSTAT_RING_H */
