/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a view sees: all numbers of one moment, and nothing of where they come
 * from. A source fills it, snapshot__delta() turns two into an interval.
 */
#ifndef FPSTAT_SNAPSHOT_H
#define FPSTAT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "budget.h"
#include "fpstat/counters.h"

/* A number that this host cannot show: printed as "n/a", null in JSON. */
#define SNAP_NA UINT64_MAX

/*
 * Operations of one kind on one kind of context. Conservation, always:
 * done + pending_before == needed + redundant + pending + unknown.
 * clean, unclobbered and dead say why a save was redundant; loads have none.
 */
struct snap_xfer {
	uint64_t done;
	uint64_t needed;
	uint64_t redundant;
	uint64_t clean;
	uint64_t unclobbered;
	uint64_t dead;
	uint64_t pending; /* a level, not a rate */
	uint64_t pending_before; /* where the interval begins; or 0 */
	uint64_t unknown;
	uint64_t bytes; /* SNAP_NA if the format was not seen */
	uint64_t irqoff; /* with interrupts off; SNAP_NA if not known */
};

struct snap_ops {
	struct snap_xfer save;
	struct snap_xfer load;
};

/*
 * Reads the counters of capture, which go on counting meanwhile. @bytes: what
 * one transfer moves if they don't say that it was more, or SNAP_NA.
 */
struct snap_ops snap_ops__read(const struct fp_ops *ops, uint64_t bytes);
/* Nothing is known of what these moved: all of it is unknown. */
void snap_ops__unjudge(struct snap_ops *ops);
/* @a += @b; what cannot be shown makes a sum that cannot be shown. */
void snap_ops__add(struct snap_ops *a, const struct snap_ops *b);

/*
 * How many were redundant, and of saves and loads together: which share of all
 * that are decided, in hundredths of a percent. At least: what is unknown may
 * have been redundant, too. SNAP_NA where more is unknown than known.
 */
uint64_t snap_xfer__redundant(const struct snap_xfer *x);
uint64_t snap_xfer__share(const struct snap_xfer *x);
uint64_t snap_ops__share(const struct snap_ops *ops);

/* Bytes that one of them moved, in the mean; @one: if there was none, or n/a. */
uint64_t snap_xfer__size(const struct snap_xfer *x, uint64_t one);

enum snap_vcpu_state { SNAP_VCPU_LIVE, SNAP_VCPU_ENDED };

struct snap_vcpu {
	/* identity: (slot, gen) is unique for the life of the source */
	uint32_t slot;
	uint32_t gen;
	enum snap_vcpu_state state;
	char vm[64]; /* sanitised name */
	uint32_t vm_pid;
	uint32_t vcpu_id;
	uint32_t tid;
	uint32_t guest_bytes; /* one transfer of the guest's state */

	uint64_t runs; /* KVM_RUN calls */
	uint64_t exits; /* guest exits */
	uint64_t guest_runs_live; /* entries with live state; SNAP_NA: pKVM */
	struct snap_ops guest; /* .done == SNAP_NA: not observable (pKVM) */
	struct snap_ops host;
	/* live loads of others that its vcpu_load() made necessary; in .task, too */
	uint64_t collateral;
	uint64_t cause[FP_CAUSE_MAX]; /* losses of live guest state */
};

/* What would have been moved if nothing redundant had been: host and guest. */
struct snap_oracle {
	uint64_t save;
	uint64_t load;
};

/*
 * From an exit with live guest state to the next entry: how often there was
 * such a time, and in how many of them NEON took the registers.
 */
struct snap_window {
	uint64_t n;
	uint64_t hit_softirq;
	uint64_t hit_task;
};

/* All of these are SNAP_NA where the guest is not observable. */
struct snap_oracle snap_vcpu__oracle(const struct snap_vcpu *v);
struct snap_window snap_vcpu__window(const struct snap_vcpu *v);

enum snap_policy {
	SNAP_POLICY_UNKNOWN,
	SNAP_POLICY_MARTIN,
	SNAP_POLICY_EAGER_HOST,
	SNAP_POLICY_PKVM,
};

/* Who owns the registers of a CPU: whose newest state they hold. */
#define SNAP_OWNER_MAP(X)                                                      \
	X(UNKNOWN, "unknown", "nothing was seen of this CPU yet")              \
	X(NONE, "none", "what is there belongs to nobody any more")            \
	X(TASK, "task", "a host task, or the host thread of a vcpu")           \
	X(GUEST, "guest", "a vcpu's guest")                                    \
	X(KERNEL, "kernel", "a section of kernel-mode NEON that was preempted") \
	X(OFFLINE, "offline", "the CPU is switched off")

enum snap_owner {
#define X(id, name, what) SNAP_OWNER_##id,
	SNAP_OWNER_MAP(X)
#undef X
	SNAP_OWNERS
};

/* Live it is looked at some 20 times a second, in a trace at each record. */
struct snap_cpu {
	uint32_t cpu;
	uint32_t node;
	enum snap_owner owner; /* now */
	uint32_t slot; /* of the vcpu that is in its registers .. */
	uint32_t tid; /* .. or the thread */
	uint64_t held[SNAP_OWNERS]; /* ns online, by owner */
	uint64_t changes; /* of owner, that were seen */
};

struct snapshot {
	double t; /* seconds since the source was opened */
	double dt; /* length of the interval; == t when cumulative */

	/* host */
	char kernel[72];
	const char *mode; /* "vhe" "nvhe" "hvhe" "pkvm" "unknown" */
	enum snap_policy policy;
	const char *backend; /* "bpf" */
	uint32_t cpus;
	uint32_t sve_vl; /* bytes, 0 without SVE */
	uint64_t lost; /* events of the stream that were lost */
	uint64_t missed; /* probe hits that the kernel dropped */
	uint64_t dropped; /* those of them that the kernel tells */
	char missed_by[64]; /* those of which programs, and what else shows it */
	uint64_t undecided; /* live guest states older than the capture */
	uint64_t impossible; /* values lost: events were */
	uint64_t pending; /* undecided saves, as their CPUs say; a level */
	/* what fpstat costs, as measured last (see overhead.h), or SNAP_NA */
	uint64_t bpf_ns; /* in its BPF programs, each second .. */
	uint64_t self_ns; /* .. and in this process */
	uint32_t online; /* CPUs whose time it takes */
	enum budget_shed shed; /* what --budget does without */

	/* all that is not charged to a vcpu */
	struct snap_ops task;
	struct snap_ops kernel_neon;
	struct snap_ops efi;
	uint64_t events[FP_EV_MAX]; /* how often each kind was seen */

	/* vcpus whose row was given up to keep memory flat, summed */
	uint64_t folded;
	struct snap_vcpu folded_sum;

	size_t nr_vcpus;
	struct snap_vcpu *vcpus; /* by vm_pid, vcpu_id, gen; owned */

	size_t nr_owners; /* CPUs, or 0: it is not known who owns them */
	struct snap_cpu *owners; /* by number; owned */
};

/* snapshot__free() takes NULL and what calloc() gave. */
void snapshot__free(struct snapshot *s);
/* Copies rows and all. Returns 0 or -ENOMEM; @dst holds nothing of value. */
int snapshot__copy(struct snapshot *dst, const struct snapshot *src);
/*
 * @out = @now - @before, row by row; a row that is new counts from 0, a row
 * that has gone is dropped. Levels (pending) are those of @now. @before may be
 * NULL. Returns 0 or -ENOMEM.
 */
int snapshot__delta(struct snapshot *out, const struct snapshot *now,
		    const struct snapshot *before);
/* The row of the same vcpu as @v's, or NULL. */
const struct snap_vcpu *snapshot__find(const struct snapshot *s,
				       const struct snap_vcpu *v);
/* Leaves out rows of those that ended and, in this interval, moved nothing. */
void snapshot__drop_ended(struct snapshot *s);
/* Sums of all vcpus, folded ones included. */
void snapshot__total(const struct snapshot *s, struct snap_vcpu *total);
/* What programs and process take each second, as a share of the time of @cpus. */
double snapshot__share(double bpf_ns, double self_ns, uint32_t cpus);
/* What fpstat costs, as a share of the time of all CPUs; < 0: n/a. */
double snapshot__overhead(const struct snapshot *s);
/* What an exit pays for being counted, with all that happens around it; < 0: n/a. */
double snapshot__ns_per_exit(const struct snapshot *s);
/* Hypervisor code moves a protected guest's state: what nobody sees is n/a. */
void snapshot__hide_guests(struct snapshot *s);
/* Can this host not see its guests' registers? Then no number of theirs is one. */
bool snapshot__guests_hidden(const struct snapshot *s);
/* All that is charged to no vcpu; EFI is left out where it cannot be told. */
struct snap_ops snapshot__other(const struct snapshot *s);
/* All there is: vcpus, guest and host, and others. */
struct snap_ops snapshot__all(const struct snapshot *s);
/* Is there anything to tell that no row tells? (Vcpus may be untracked.) */
bool snapshot__has_folded(const struct snapshot *s);
/* The vcpu that is in @slot now, or NULL. */
const struct snap_vcpu *snapshot__in_slot(const struct snapshot *s,
					  uint32_t slot);
const char *snap_owner__name(enum snap_owner owner);
const char *snap_owner__what(enum snap_owner owner);
const char *snap_policy__name(enum snap_policy p);
/* Of enum fp_cause. */
const char *snap_cause__name(int cause);
/* Of enum fp_event_kind; "unknown" if it is none. */
const char *snap_event__name(unsigned int kind);

#endif /* FPSTAT_SNAPSHOT_H */
