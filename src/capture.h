/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live source: loads the BPF programs, keeps them attached, and reads
 * their counters through mapped memory, without a system call.
 */
#ifndef FPSTAT_CAPTURE_H
#define FPSTAT_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "fpstat/rule.h"

struct snapshot;
struct capture;
struct fp_rec;

struct capture_opts {
	/*
	 * Attach the witness programs too: kvm_entry, fpsimd_thread_switch and
	 * friends count again what the counting set counts, so that a test can
	 * compare the two.
	 */
	bool witness;
	/*
	 * Frame the count with sethostname(2) (the name stays as it is), so
	 * that a log kept outside of this machine can be cut at the same point.
	 */
	bool mark;
	bool stream; /* for capture__drain() */
	bool check; /* for capture__facts() */
	bool entries; /* .. that looks at each guest entry and each exit, too */
	bool all_exits; /* each guest entry and exit is a record of it */
	/*
	 * Share of the time of all CPUs that may be spent. Over it, the stream and then
	 * the checker do without: what is left out is lost, and counted as that.
	 * 0: no limit.
	 */
	double budget;
	uint32_t ring; /* bytes of each, a power of two of pages; 0: enough */
};

/* One probe of the allow-list, for doctor. Strings live as long as @c. */
struct capture_hook {
	const char *name; /* kernel function or tracepoint */
	const char *what; /* what it tells us */
	const char *mechanism; /* "fentry" "kprobe" "raw_tp", or NULL */
	const char *why; /* if not attached: the reason */
	bool required;
};

/*
 * Says why this machine can't capture, or returns 0. @why gets one sentence
 * that names what is missing and what to do instead. Returns -ENOTSUP.
 */
int capture__possible(char *why, size_t len);

/*
 * Calibrates, loads and attaches. On failure returns NULL, sets errno, and
 * puts one sentence into @why.
 */
struct capture *capture__open(const struct capture_opts *opts, char *why,
			      size_t len);
/* Detaches everything. NULL is fine. */
void capture__close(struct capture *c);

/*
 * Cumulative numbers since capture__open(). Rows of vcpus that ended are in
 * the first snapshots after their end, then given up: see capture__keep().
 * Returns 0 or a negative errno. snapshot__free() releases what @s owns.
 */
int capture__read(struct capture *c, struct snapshot *s);

/*
 * How many ended vcpus stay as rows of their own before they are folded into
 * one sum, the oldest first; the default is 1024.
 */
void capture__keep(struct capture *c, size_t ended);

/*
 * Must be called at least ten times a second while open: recycles the slots of
 * ended vcpus and hands free ones to the CPUs. Cheap.
 */
void capture__tick(struct capture *c);

/*
 * Hands the records of the stream that came since the last call to @fn, in the order
 * that stream.h tells; to be called as often as capture__tick(). A value that is not 0 ends it.
 * Returns that value, or 0.
 */
int capture__drain(struct capture *c,
		   int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx);
/*
 * All that was begun until now, and the exits and losses that wait for a record. One
 * that is under way for long is left out, and what came after it.
 */
int capture__drain_all(struct capture *c,
		       int (*fn)(void *ctx, const struct fp_rec *rec),
		       void *ctx);

/*
 * When the budget let nothing be recorded, the last time, up to now if it is not over;
 * in ns. False: it always did.
 */
bool capture__pause(const struct capture *c, uint64_t *from, uint64_t *to);

/*
 * What was seen of the kernel's own variables (see watch.h), with opts.check: to be
 * called before capture__drain(), and as often. 0 or a negative errno.
 */
int capture__facts(struct capture *c,
		   void (*fn)(void *ctx, const struct fp_fact *fact),
		   void *ctx);
/* How often they looked; and what they can't see, as watch__cannot(). */
void capture__asked(const struct capture *c, uint64_t asked[FP_RULES]);
const char *capture__cannot(const struct capture *c, enum fp_rule rule);
void capture__set_eager(struct capture *c, bool eager);

/*
 * Issues the mark (see struct capture_opts) and reads @s like capture__read(),
 * at a moment when no counter moves: @s holds exactly what happened up to the
 * mark. Returns how many marks have been made so far, or a negative errno.
 */
int capture__mark(struct capture *c, struct snapshot *s);

/* The allow-list as it was used on this kernel. */
size_t capture__hooks(const struct capture *c, const struct capture_hook **h);

/*
 * Whether it is seen in which format user states are moved: always that of FPSIMD
 * without SVE; with SVE, TIF_SVE must have been found.
 */
bool capture__sees_formats(const struct capture *c);

/* Calibrated TIF_FOREIGN_FPSTATE, as a bit number. */
int capture__foreign_bit(const struct capture *c);

struct witness {
	uint64_t exits; /* tracepoint kvm_entry */
	uint64_t live; /* entries with live state, seen at the entry */
	uint64_t binds; /* exits with live state, seen at the bind */
	uint64_t switch_saves; /* saves at fpsimd_thread_switch() */
	uint64_t counted_switch_saves; /* the same, as counted */
	uint64_t neon; /* kernel_neon_begin() */
	uint64_t last_state_checked; /* shadow against last.st */
	uint64_t last_state_differs;
	bool last_state_readable;
};
/*
 * As of the last read or mark. Returns 0, or -ENOENT if the witness programs
 * are not attached.
 */
int capture__witness(struct capture *c, struct witness *w);

#endif /* FPSTAT_CAPTURE_H */
