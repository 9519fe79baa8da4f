/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters as they lie in the memory that capture (BPF) and reader share.
 *
 * Both are arrays that the reader maps: it looks nothing up with bpf(2), since
 * the kernel drops kprobe programs on a CPU that is inside a map operation
 * (bpf_prog_active, kernel/trace/bpf_trace.c). Every counter only grows. A slot is written by the CPU that
 * runs the vcpu, and by softirqs there; additions are atomic.
 */
#ifndef FPSTAT_COUNTERS_H
#define FPSTAT_COUNTERS_H

#include "fpstat/charge.h"
#include "fpstat/judge.h"
#include "fpstat/ring.h"
#include "fpstat/rule.h"

#define FP_MAX_VCPUS 8192 /* live at one time, and not yet harvested */
#define FP_FREE_RING 64 /* free slots at hand per CPU; power of two */
#define FP_COMM_LEN 16
#define FP_NO_CPU 0xffffffffU

/* Those that have no verdict: saves are pending, loads unknown. */
struct fp_ops {
	__u64 save;
	__u64 load;
	__u64 verdict[FP_VERDICTS];
	/* Of user states on a host with SVE: bytes beyond FPSIMD's. */
	__u64 save_more;
	__u64 load_more;
	__u64 unseen; /* of these nobody knows */
};

_Static_assert(FP_VERDICTS == 8, "BPF masks an index of verdicts with 7");

enum fp_slot_state { FP_SLOT_FREE, FP_SLOT_LIVE, FP_SLOT_DEAD };

/*
 * Exits at which nothing changes are one addition, in a row of the CPU that is found
 * without a look-up. They are of the one vcpu that is counted here.
 */
struct fp_quiet {
	/*
	 * It is loaded, and known to be live, or by its flags to be away: these, or'ed
	 * to this, are all ones at such an exit. 0: none is.
	 */
	__u64 open;
	/* Now and then one more, while nobody is counted here. */
	__u64 live;
	__u64 away;
} __attribute__((aligned(64)));

#define FP_MAX_CPUS 4096 /* rows; a power of two */
#define FP_QUIET_LIVE (~0ull) /* whatever the flags */

/*
 * A vcpu's share of a column is a word: below, the CPU where it is counted now, plus 1,
 * or 0; above, what it is without that CPU's count. So it begins and ends to be counted
 * there in one store, which moves nothing, and whoever reads it finds the sum. Before
 * the CPU counts another exit it enters a guest, and KVM has a full barrier there
 * (smp_store_mb() of vcpu->mode): nobody sees that exit in a share that has ended.
 */
#define FP_QUIET_SHIFT 16

static inline __u32 fp_quiet_at(__u64 share)
{
	return share & ((1 << FP_QUIET_SHIFT) - 1);
}

static inline __u64 fp_quiet_begin(__u64 share, __u32 cpu, __u64 exits)
{
	return share - (exits << FP_QUIET_SHIFT) + cpu + 1;
}

/* The sum, with @exits of the CPU where it is counted. */
static inline __u64 fp_quiet_sum(__u64 share, __u64 exits)
{
	if (fp_quiet_at(share))
		share += exits << FP_QUIET_SHIFT;
	return share >> FP_QUIET_SHIFT;
}

static inline __u64 fp_quiet_end(__u64 share, __u64 exits)
{
	return fp_quiet_sum(share, exits) << FP_QUIET_SHIFT;
}

/* Not ~0: where KVM's count was cleared, exits_before is a little less than 0. */
#define FP_EXITS_UNKNOWN (1ull << 63)

/* One vcpu. The reader owns a FREE slot, capture owns a LIVE or DEAD one. */
struct fp_vcpu {
	__u64 vcpu; /* struct kvm_vcpu *, an identity only */
	__u64 buf; /* its FP buffer, as fpsimd_last_state.st names it */
	__u64 thread; /* struct task_struct * that called KVM_RUN last */
	__u64 task; /* the same while it is inside KVM_RUN, else 0 */
	__u64 owed; /* the same while its next load is charged here, else 0 */
	__u32 gen; /* grows each time the slot is taken */
	__u32 state; /* enum fp_slot_state */
	__u32 vcpu_id;
	__u32 vm_pid;
	__u32 tid;
	__u32 sve_vl; /* bytes moved depend on it; 0: FPSIMD */
	__u32 slot; /* its own number */
	__u32 home; /* CPU where its registers were live last */
	char comm[FP_COMM_LEN]; /* of the VMM process */

	__u64 runs;
	__u64 exits;
	__u64 exits_read; /* the same, if the reader has them counted; or more */
	/* Those of KVM's count that are in neither; or FP_EXITS_UNKNOWN, until the next. */
	__u64 exits_before;
	__u64 runs_live;
	/* Its shares of fp_quiet. Only the CPU where it is counted writes them, or runs. */
	__u64 quiet_live;
	__u64 quiet_away;
	__u64 collateral; /* loads of others that only its load made necessary */
	struct fp_ops guest;
	struct fp_ops host;
	__u64 cause[FP_CAUSE_SLOTS]; /* saves of the guest's state, by cause */
};

/* An event that a softirq brought while an exit was being settled. */
struct fp_later {
	__u64 buf;
	__u64 event; /* the second half of struct fp_event */
	__u64 other; /* what its record tells, and the bytes of a user state */
	__u32 slot;
	__u32 pad;
};

#define FP_LATER 64 /* power of two */

/*
 * TIF_FOREIGN_FPSTATE of current, where saves and loads follow from it: as it is after
 * the hook before. MAYBE: of one that was switched in while it was not known whose
 * state was bound here last.
 */
enum fp_foreign {
	FP_FOREIGN_UNKNOWN,
	FP_FOREIGN_CLEAR,
	FP_FOREIGN_SET,
	FP_FOREIGN_MAYBE,
};

/* .. and what a hook of current has announced that is not known to have happened. */
enum fp_ahead {
	FP_AHEAD_NOTHING,
	FP_AHEAD_NEON, /* a save and a flush: kernel_neon_begin() .. */
	FP_AHEAD_SAVE, /* .. or inside the kernel, which current does not leave before */
	FP_AHEAD_COPY, /* a save: fpsimd_preserve_current_state() */
	FP_AHEAD_EDIT, /* a save, if fpsimd_flush_task_state() is next */
	FP_AHEAD_FLUSH, /* fpsimd_flush_task_state() */
	FP_AHEAD_LOAD, /* fpsimd_update_current_state() */
};

/* Two records that are begun at once: see record_pair() in bpf/record.h. */
enum fp_pair {
	FP_PAIR_NONE,
	FP_PAIR_NEXT, /* both are to come, */
	FP_PAIR_BEGUN, /* the second one is */
};

/* A function of the kernel, by addresses. */
struct fp_code {
	__u64 from;
	__u64 to; /* what it is to do happens there */
	__u64 end;
};

#define FP_CALLERS 127 /* of a stack: as many as the kernel tells by default */

enum fp_loading { FP_LOADING_NOT, FP_LOADING_FIRST, FP_LOADING_AGAIN };

/* One CPU: its automaton, and what is charged to no vcpu. */
struct fp_percpu {
	struct fp_cpu model;
	struct fp_judge judge;
	__u32 cpu; /* its own number */
	__u32 slot; /* vcpu that was loaded here last, or FP_NO_SLOT */
	__u32 enabled; /* capture is, and this CPU has seen it */
	__u32 free_head; /* capture takes here .. */
	__u32 free_tail; /* .. the reader puts here */
	__u32 nested; /* the last NEON section in a softirq seemed nested */
	__u32 unbound_by; /* slot of the vcpu_load() since the last load */
	__u32 saved_outside; /* a user state, since a KVM_RUN ended here */
	__u64 bytes; /* of the user state that is just being moved, or 0 */
	union {
		struct {
			__u8 loading; /* enum fp_loading: a vcpu_load(), no event yet */
			__u8 settling; /* softirqs come in, and put events off */
			__u8 quiet; /* the next exit may be: fp_quiet.open */
			__u8 ahead; /* enum fp_ahead */
			__u32 quiet_slot; /* who is counted there, plus 1; or 0 */
		};
		__u64 under_way; /* all of these, or 0 */
	};
	__u32 gone; /* TIF_FOREIGN_FPSTATE was set after vcpu_load(), or is since */
	__u32 later_head;
	__u32 later_tail;
	__u32 later_full; /* this section is not put off: nothing is new in it */
	/* quiet_exits(), plus 1, when a softirq settled the exit that kvm_exit is to tell */
	__u64 settled;
	__u64 begins; /* task that has not saved yet in kernel_neon_begin() */
	__u32 free[FP_FREE_RING];

	struct fp_ops task;
	struct fp_ops kernel;
	struct fp_ops efi;
	struct fp_ops guest; /* of vcpus that found no free slot */
	__u64 missed; /* contradictions: a hook must have been dropped */
	__u64 impossible; /* a value was lost: so was an event */
	__u64 undecided; /* entries that began before capture did */
	__u64 no_slot; /* vcpus that found no free slot */
	__u64 untracked_exits; /* exits of vcpus without a slot */
	__u64 events[FP_EV_MAX];

	/* Saves and loads without a hook, of current. */
	__u32 foreign; /* enum fp_foreign */
	__u64 returns; /* where the function that has announced returns to */
	__u64 last; /* fpsimd_last_state.st, while it is a task's */
	__u64 flags_then; /* as the hook before found them */
	/* Format of its state in memory, before softirqs saved it that put that off. */
	__u32 was_sve;
	__u32 home; /* CPU where its state was bound last */
	__u8 need_kind; /* what happens to its state: an event .. */
	__u8 need_why; /* .. what another CPU that may hold it is told: FP_NOTE_.. */
	__u8 need_ahead; /* .. and what comes next: enum fp_ahead */
	__u32 save_slot; /* who pays for the save that is announced .. */
	__u64 save_bytes;
	struct fp_event save; /* .. which is this */

	/* The stream. */
	__u64 other; /* what its next record is to tell */
	__u64 pair; /* enum fp_pair .. */
	__u64 pair_pos; /* .. where the second goes .. */
	__u64 pair_ns; /* .. and its time */
	/*
	 * Where exits have no hook: the vcpu that is loaded here, or 0, and those of
	 * KVM's count that are not in the exits below. These grow when it goes.
	 */
	__u64 running;
	__u64 exits_before;
	__u64 lost; /* records that found no room */
	union {
		struct {
			__u32 exits;
			__u32 live; /* entries that have no record */
		};
		__u64 passed; /* both */
	};
	__u64 passed_quiet; /* live ones are fp_quiet.live, too: up to when it was asked */
	__u64 passed_read; /* the same, with exits that no record has told yet */
	__u64 flags; /* of the next record */
	__u64 records; /* made, and their order */
	struct fp_lane lane[FP_LANES];

	struct fp_later later[FP_LATER]; /* large, so that the rest is near */
	__u64 callers[FP_CALLERS]; /* of a softirq's kernel_neon_begin() */

	/* The witness programs, and what they compare with. */
	__u64 user_saves;
	__u64 w_entries;
	__u64 w_live;
	__u64 w_binds; /* of guests' states */
	__u64 w_neon;
	__u64 w_switch_saves; /* as the flag at the switch foretold */
	__u64 w_switch_counted; /* as they were counted in between */
	__u64 w_before, w_foretold;
	__u64 w_last_checked;
	__u64 w_last_differs;

	/* The rules, see bpf/live_rules.h. */
	__u64 last_at; /* address of fpsimd_last_state, 0: not looked for yet */
	__u64 owner_at; /* .. of kvm_host_data */
	__u64 loaded; /* vcpu, from vcpu_load() to a switch or the end of KVM_RUN */
	__u64 loaded_exits; /* its exits then, or when its registers were taken */
	__u64 asked[FP_RULES]; /* how often each could have been broken */
};

#endif /* FPSTAT_COUNTERS_H */
