/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The judge: was a save or load needed? One struct fp_judge per CPU, one step
 * per event, after fp_step() has said what the event moved.
 *
 * It knows what the registers of its CPU hold, whatever the kernel thinks of
 * them: bound is what the kernel's records say, held is what is there. A flush
 * unbinds and moves nothing.
 *
 *   needed       another context took the registers (or somebody read the copy
 *                in memory) before the owner ran again; the registers did not
 *                hold what was loaded
 *   clean        memory had this value already
 *   unclobbered  the owner ran again from registers that held its value all
 *                the time
 *   dead         the value was thrown away: nobody wanted the copy
 *   live         the registers held the newest value: nothing to load
 *
 * A save is decided by what happens next. Until then the registers of the CPU
 * that made it still hold the value, so a CPU has at most one undecided save,
 * and this is the place for it. Redundant transfers could be left out all
 * together, and every owner still finds its value.
 *
 * Assumed where no hook can see it: a task that was current while bound has run
 * in user mode before its next event, unless it is inside KVM_RUN.
 *
 * As model.h: compiled as BPF, as user space and in the tests. No libc, no
 * helper, no loop, no allocation.
 */
#ifndef FPSTAT_JUDGE_H
#define FPSTAT_JUDGE_H

#include "fpstat/model.h"

/* Those below FP_VERDICTS are counted; a load that has none is unknown. */
enum fp_verdict {
	FP_VERDICT_NONE,
	FP_VERDICT_NEEDED,
	FP_VERDICT_CLEAN,
	FP_VERDICT_UNCLOBBERED,
	FP_VERDICT_DEAD,
	FP_VERDICT_UNKNOWN,
	FP_VERDICT_LOAD_NEEDED,
	FP_VERDICT_LOAD_LIVE,
	FP_VERDICTS,
	FP_VERDICT_PENDING = FP_VERDICTS, /* a save, not decided yet */
};

static inline int fp_redundant(__u8 verdict)
{
	return verdict == FP_VERDICT_CLEAN ||
	       verdict == FP_VERDICT_UNCLOBBERED ||
	       verdict == FP_VERDICT_DEAD || verdict == FP_VERDICT_LOAD_LIVE;
}

enum fp_held {
	FP_HELD_UNKNOWN, /* nothing seen on this CPU yet */
	FP_HELD_GARBAGE,
	FP_HELD_STATE, /* the newest value of buf, gen */
	FP_HELD_DEAD, /* a state that nobody will use again */
};

/* What comes right after the next save, as the event before it tells. */
enum fp_after {
	FP_AFTER_NONE,
	FP_AFTER_CLOBBER, /* NEON, power off */
	FP_AFTER_READ, /* fork, signal frame */
	FP_AFTER_EDIT, /* read, converted in memory, written there */
	FP_AFTER_GONE, /* overwritten in memory */
	FP_AFTER_STRUCK, /* the same, but NEON comes first */
	FP_AFTER_DOUBT, /* perhaps a clobber */
};

/*
 * A letter to the CPU that may hold a state, written where the state is read,
 * loaded or dies: its buffer, and in the low bits why. Buffers are aligned.
 */
#define FP_NOTE_READ 1ull
#define FP_NOTE_GONE 2ull
#define FP_NOTE_MOVED (FP_NOTE_READ | FP_NOTE_GONE)

/* Is the kernel's record of where the held state is bound still there? */
enum fp_record {
	FP_RECORD_KEPT,
	FP_RECORD_WIPED, /* a flush: a load elsewhere would not send a letter */
	FP_RECORD_LOST, /* and it was switched out since */
};

/* Verdicts at one event: on the undecided save, on its own save and load. */
struct fp_verdicts {
	__u8 old;
	__u8 save;
	__u8 load;
	__u8 resumed; /* the load of a kernel state, by the switch before */
	__u8 impossible; /* a value was lost: a hook must have been dropped */
	__u8 pad[3];
} __attribute__((aligned(8))); /* so that it is one word to clear */

struct fp_judge {
	__u64 buf; /* the state that is held */
	__u64 note; /* written by other CPUs */
	__u64 letter; /* the note that this step has found */
	__u64 switching; /* buffer of the task that was switched out last */
	__u64 resume; /* kernel NEON state that the last switch loaded */
	__u32 gen;
	__u32 slot; /* the vcpu that the undecided save is charged to */
	__u8 who; /* of which counters: the caller's */
	__u8 held; /* enum fp_held */
	__u8 dirty; /* the registers are newer than memory */
	__u8 pending; /* a save of them is not decided yet */
	__u8 after; /* enum fp_after */
	__u8 record; /* enum fp_record */
	__u8 busy; /* for the caller: a step is under way */
	__u8 pad;
	struct fp_verdicts is; /* what the last step said */
};

static inline void fp_judge_decide(struct fp_judge *j, __u8 verdict)
{
	if (!j->pending)
		return;
	j->pending = 0;
	/* Not if and else: BPF can't choose between two addresses. */
	if (j->is.save == FP_VERDICT_PENDING) { /* just made */
		j->is.save = verdict;
		verdict = j->is.old;
	}
	j->is.old = verdict;
}

static inline int fp_judge_holds(const struct fp_judge *j, __u64 buf, __u32 gen)
{
	return j->held == FP_HELD_STATE && j->buf == buf && j->gen == gen;
}

/* The same for who has no generation at hand: letters, events in memory. */
static inline int fp_judge_holds_any(const struct fp_judge *j, __u64 buf)
{
	return fp_judge_holds(j, buf, j->gen);
}

static inline void fp_judge_hold(struct fp_judge *j, __u8 held, __u64 buf,
				 __u32 gen)
{
	j->held = held;
	j->buf = buf;
	j->gen = gen;
	j->dirty = 0;
	j->record = FP_RECORD_KEPT;
}

static inline void fp_judge_clobber(struct fp_judge *j)
{
	fp_judge_decide(j, FP_VERDICT_NEEDED);
	if (j->dirty && j->held == FP_HELD_STATE)
		j->is.impossible = 1;
	fp_judge_hold(j, FP_HELD_GARBAGE, 0, 0);
}

static inline void fp_judge_gone(struct fp_judge *j)
{
	fp_judge_decide(j, FP_VERDICT_DEAD);
	fp_judge_hold(j, FP_HELD_GARBAGE, 0, 0);
}

/* The registers of this CPU got a new newest value of (buf, gen). */
static inline void fp_judge_run(struct fp_judge *j, __u64 buf, __u32 gen)
{
	if (fp_judge_holds(j, buf, gen)) {
		fp_judge_decide(j, FP_VERDICT_UNCLOBBERED);
	} else {
		/* How it got here was not seen. */
		fp_judge_decide(j, FP_VERDICT_UNKNOWN);
		fp_judge_hold(j, FP_HELD_STATE, buf, gen);
	}
	j->dirty = 1;
}

/* What the registers hold was saved. */
static inline void fp_judge_save(struct fp_judge *j)
{
	if (j->held == FP_HELD_DEAD) {
		j->is.save = FP_VERDICT_DEAD;
	} else if (j->held != FP_HELD_STATE) {
		j->is.save = FP_VERDICT_UNKNOWN;
	} else if (!j->dirty) {
		j->is.save = FP_VERDICT_CLEAN;
	} else {
		j->is.save = FP_VERDICT_PENDING;
		j->pending = 1;
		j->dirty = 0;
	}
}

/* (buf, gen) was loaded, and runs. */
FP_INLINE void fp_judge_load(struct fp_judge *j, __u64 buf, __u32 gen)
{
	int same = fp_judge_holds(j, buf, gen);

	if (j->held == FP_HELD_UNKNOWN) {
		j->is.load = FP_VERDICT_NONE;
	} else if (!same) {
		j->is.load = FP_VERDICT_LOAD_NEEDED;
		fp_judge_clobber(j);
	} else if (j->record == FP_RECORD_LOST) {
		j->is.load = FP_VERDICT_NONE;
		fp_judge_decide(j, FP_VERDICT_UNKNOWN);
		fp_judge_hold(j, FP_HELD_UNKNOWN, 0, 0);
	} else {
		j->is.load = FP_VERDICT_LOAD_LIVE;
		j->is.impossible |= j->dirty; /* older than what it overwrote */
	}
	fp_judge_run(j, buf, gen);
	j->record = FP_RECORD_KEPT;
	j->after = FP_AFTER_NONE;
}

static inline void fp_judge_read(struct fp_judge *j, __u64 buf)
{
	if (fp_judge_holds_any(j, buf))
		fp_judge_decide(j, FP_VERDICT_NEEDED);
}

/* The copy in memory is converted. */
static inline void fp_judge_edit(struct fp_judge *j, __u64 buf)
{
	fp_judge_read(j, buf);
	if (fp_judge_holds_any(j, buf))
		fp_judge_gone(j);
}

static inline void fp_judge_after(struct fp_judge *j, const struct fp_event *ev,
				  int guest)
{
	__u8 after = j->after;

	if (!after)
		return;
	if (ev->buf == j->switching)
		return; /* what is announced is for the next task */
	j->after = FP_AFTER_NONE;
	switch (after) {
	case FP_AFTER_CLOBBER:
		fp_judge_clobber(j);
		break;
	case FP_AFTER_DOUBT:
		fp_judge_decide(j, FP_VERDICT_UNKNOWN);
		fp_judge_hold(j, FP_HELD_UNKNOWN, 0, 0);
		break;
	case FP_AFTER_READ:
		fp_judge_read(j, ev->buf);
		break;
	case FP_AFTER_EDIT:
		fp_judge_edit(j, ev->buf);
		break;
	case FP_AFTER_GONE:
	case FP_AFTER_STRUCK:
		if (j->held == FP_HELD_STATE && (j->buf == ev->buf || guest))
			fp_judge_gone(j);
		else if (after == FP_AFTER_STRUCK)
			fp_judge_clobber(j);
		break;
	default:
		break;
	}
}

/* The kernel state that the switch before has loaded runs. */
FP_COLD void fp_judge_resumed(struct fp_judge *j)
{
	__u64 buf = j->resume;

	j->resume = 0;
	fp_judge_load(j, buf, 0);
	j->is.resumed = j->is.load;
	j->is.load = FP_VERDICT_NONE;
	/* Nobody sees where its section ends, and what it leaves is garbage. */
	fp_judge_hold(j, FP_HELD_GARBAGE, 0, 0);
}

/* The switch, which may not have been seen, tells first what it loads, then it saves. */
static inline void fp_judge_resume(struct fp_judge *j,
				   const struct fp_event *ev)
{
	if (!j->resume || (ev->kind == FP_EV_BIND_KERNEL && !ev->arg) ||
	    (ev->kind == FP_EV_SAVE &&
	     (ev->buf == j->switching || !j->switching)))
		return;
	fp_judge_resumed(j);
}

static inline void fp_judge_on_save(struct fp_judge *j,
				    const struct fp_event *ev, __u32 ops)
{
	if (ops & FP_OP_USER_SAVE) {
		/* Out of nothing that is known: its task may be dead, or NEON begin. */
		if (!ev->in_run && j->held != FP_HELD_UNKNOWN &&
		    !(j->held == FP_HELD_DEAD && j->buf == ev->buf))
			fp_judge_run(j, ev->buf, ev->gen);
		fp_judge_save(j);
	} else if (ops & FP_OP_GUEST_SAVE) {
		fp_judge_save(j);
	} else if (ops & FP_OP_UNDECIDED) {
		j->dirty = 0; /* whosever it was, memory has it now */
	}
	fp_judge_after(j, ev, !!(ops & FP_OP_GUEST_SAVE));
}

static inline void fp_judge_on_guest(struct fp_judge *j,
				     const struct fp_event *ev, __u32 ops)
{
	if (ops & FP_OP_USER_SAVE)
		fp_judge_save(j);
	if (ops & FP_OP_GUEST_LOAD)
		fp_judge_load(j, ev->buf, ev->gen);
	else
		fp_judge_run(j, ev->buf, ev->gen);
}

/*
 * A kernel NEON section is switched out, or a softirq takes the registers from
 * it and gives them back.
 */
static inline void fp_judge_on_neon(struct fp_judge *j,
				    const struct fp_event *ev)
{
	if (ev->arg) {
		j->after = FP_AFTER_NONE;
		j->is.save = FP_VERDICT_NEEDED;
		j->is.load = FP_VERDICT_LOAD_NEEDED;
		return;
	}
	/* Else the same switch may have loaded another one, unseen. */
	if (j->held != FP_HELD_UNKNOWN)
		fp_judge_run(j, ev->buf, 0);
	fp_judge_save(j);
}

static inline void fp_judge_letter(struct fp_judge *j)
{
	__u64 note = j->letter;

	if (!note)
		return;
	j->letter = 0;
	if (!fp_judge_holds_any(j, note & ~FP_NOTE_MOVED))
		return;
	/* Loaded elsewhere, and what it should be was never saved here. */
	if ((note & FP_NOTE_MOVED) == FP_NOTE_MOVED && j->dirty)
		j->is.impossible = 1;
	if (note & FP_NOTE_READ) {
		fp_judge_decide(j, FP_VERDICT_NEEDED);
		/* Perhaps by a flush as well, and then no load elsewhere tells. */
		j->record = FP_RECORD_LOST;
	}
	if (note & FP_NOTE_GONE)
		fp_judge_gone(j);
}

/*
 * Writes to the CPU of @j what happens elsewhere to the state in @buf. The first
 * thing that happens decides, so one that is gone stays gone.
 */
static inline void fp_judge_tell(struct fp_judge *j, __u64 buf, __u64 why)
{
	if (fp_judge_holds_any(j, buf) && !(j->note & FP_NOTE_GONE))
		j->note = buf | (j->note & FP_NOTE_READ) | why;
}

static inline void fp_judge_take_letter(struct fp_judge *j)
{
	j->letter = j->note;
	if (j->letter)
		j->note = 0;
}

/* An event of current itself: was it in user mode before? */
static inline int fp_judge_came_from_user(const struct fp_event *ev)
{
	switch (ev->kind) {
	case FP_EV_FORK:
	case FP_EV_PRESERVE:
	case FP_EV_RESTORE:
	case FP_EV_EXEC:
	case FP_EV_TASK_END:
	case FP_EV_SVE_TRAP:
	case FP_EV_SME_TRAP:
	case FP_EV_SET_VL:
	case FP_EV_VLOAD:
		return !ev->foreign && !ev->in_run;
	default:
		return 0;
	}
}

/* An event was not seen: neither what it moved is known, nor what is held. */
static inline void fp_judge_doubt(struct fp_judge *j)
{
	fp_judge_decide(j, FP_VERDICT_UNKNOWN);
	fp_judge_hold(j, FP_HELD_UNKNOWN, 0, 0);
	j->is.load = FP_VERDICT_NONE;
}

/*
 * Would @ev change anything? Not if the guest was entered with its state live
 * once more.
 */
static inline int fp_judge_knows(const struct fp_judge *j,
				 const struct fp_event *ev, __u32 step)
{
	return step == FP_OP_LIVE && fp_judge_holds(j, ev->buf, ev->gen) &&
	       j->dirty && !j->pending && !j->letter && !j->resume;
}

/*
 * One step with the letter that was taken. For who records it, or goes by a record;
 * all others call fp_judge().
 */
static inline void fp_judge_step(struct fp_judge *j, const struct fp_event *ev,
				 __u32 step)
{
	int mine;

	j->is = (struct fp_verdicts){};
	fp_judge_letter(j);
	fp_judge_resume(j, ev);
	if (fp_judge_came_from_user(ev))
		fp_judge_run(j, ev->buf, ev->gen);
	mine = fp_judge_holds_any(j, ev->buf);
	switch (ev->kind) {
	case FP_EV_SAVE:
		fp_judge_on_save(j, ev, FP_OPS(step));
		break;
	case FP_EV_LOAD:
		fp_judge_load(j, ev->buf, ev->gen);
		break;
	case FP_EV_BIND_VCPU:
		fp_judge_on_guest(j, ev, FP_OPS(step));
		break;
	case FP_EV_BIND_KERNEL:
	case FP_EV_NEON_NEST:
		fp_judge_on_neon(j, ev);
		break;
	case FP_EV_SWITCH:
		j->switching = ev->buf;
		j->after = FP_AFTER_NONE;
		if (mine && j->record)
			j->record = FP_RECORD_LOST;
		break;
	case FP_EV_RESUME_KERNEL:
		j->resume = ev->buf;
		break;
	case FP_EV_VLOAD:
		if (!ev->in_run)
			j->after = FP_AFTER_NONE;
		else if (j->after == FP_AFTER_CLOBBER) /* is the next save */
			j->after = FP_AFTER_DOUBT; /* kernel_neon_begin()'s? */
		break;
	case FP_EV_NEON_TASK:
	case FP_EV_NEON_SOFTIRQ:
	case FP_EV_CPU_PM:
		j->after = j->after == FP_AFTER_GONE ? FP_AFTER_STRUCK :
						       FP_AFTER_CLOBBER;
		break;
	case FP_EV_FORK:
	case FP_EV_PRESERVE:
		if (j->after != FP_AFTER_GONE)
			j->after = FP_AFTER_READ;
		if (ev->foreign && j->after == FP_AFTER_READ)
			fp_judge_read(j, ev->buf); /* may save nothing */
		if (mine && !j->record)
			j->record = FP_RECORD_WIPED;
		break;
	case FP_EV_RESTORE:
		j->after = FP_AFTER_GONE;
		break;
	case FP_EV_SET_VL:
		j->after = FP_AFTER_EDIT;
		break;
	case FP_EV_SVE_TRAP:
	case FP_EV_SME_TRAP:
		j->after = ev->foreign ? FP_AFTER_NONE : FP_AFTER_EDIT;
		if (ev->foreign)
			fp_judge_edit(j, ev->buf);
		break;
	case FP_EV_FLUSH_TASK:
		if (mine && !j->record)
			j->record = FP_RECORD_WIPED;
		break;
	case FP_EV_SIGRETURN:
	case FP_EV_EXEC:
		if (mine)
			fp_judge_gone(j);
		break;
	case FP_EV_TASK_END:
		if (mine) {
			fp_judge_gone(j);
			fp_judge_hold(j, FP_HELD_DEAD, ev->buf, ev->gen);
		}
		break;
	case FP_EV_VCPU_RESET:
		/* Inside KVM_RUN its state is saved first. */
		if (mine && j->dirty)
			j->after = FP_AFTER_GONE;
		else if (mine)
			fp_judge_gone(j);
		break;
	case FP_EV_CPU_DEAD:
		fp_judge_clobber(j);
		break;
	default:
		break;
	}
	if (j->is.impossible)
		fp_judge_doubt(j);
}

/* @step: what fp_step() answered to @ev. The verdicts are in @j->is. */
static inline void fp_judge(struct fp_judge *j, const struct fp_event *ev,
			    __u32 step)
{
	fp_judge_take_letter(j);
	fp_judge_step(j, ev, step);
}

#endif /* FPSTAT_JUDGE_H */
