// SPDX-License-Identifier: GPL-2.0-only
#include "format.h"

#include <stdlib.h>
#include <string.h>

#include "fpstat/model.h"

/* By a hash of their buffers; one that comes upon another is forgotten. */
enum { TASKS_LOG = 12, TASKS = 1 << TASKS_LOG };

struct task {
	uint64_t buf;
	uint32_t gen;
	uint8_t memory; /* enum format: what the next load would take */
	bool plain; /* TIF_SVE is clear: an SVE instruction would trap */
	bool traps; /* it did, and perhaps converts the state in memory */
	bool forks; /* the next save is that of a system call */
};

struct formats {
	struct task task[TASKS];
};

struct formats *formats__new(void)
{
	return calloc(1, sizeof(struct formats));
}

void formats__free(struct formats *f)
{
	free(f);
}

static struct task *task_of(struct formats *f, const struct fp_event *ev)
{
	uint64_t hash = ev->buf * 0x9e3779b97f4a7c15ull;
	struct task *t = &f->task[hash >> (64 - TASKS_LOG)];

	/* Who does it to another thread does not know its number. */
	if (t->buf != ev->buf || (ev->gen && t->gen != ev->gen))
		*t = (struct task){ .buf = ev->buf, .gen = ev->gen };
	return t;
}

static enum format found(const struct fp_rec *r)
{
	if (r->other == FP_BYTES_UNSEEN || !r->other)
		return FORMAT_UNKNOWN;
	return r->other == FP_FPSIMD_BYTES ? FORMAT_FPSIMD : FORMAT_SVE;
}

/*
 * Of one that may have SVE it can't be told whether it is in a system call: the
 * entry is no place for a probe.
 */
static enum format before_save(const struct task *t, const struct fp_event *ev)
{
	return t->plain || t->forks || ev->in_run ? FORMAT_FPSIMD :
						    FORMAT_UNKNOWN;
}

static void on_save(struct task *t, const struct fp_rec *r, uint32_t ops,
		    struct format_said *said)
{
	if (ops & FP_OP_USER_SAVE) {
		said->found = found(r);
		said->foretold = before_save(t, &r->ev);
		t->memory = said->found;
	}
	t->forks = false;
}

static void on_load(struct task *t, const struct fp_rec *r,
		    struct format_said *said)
{
	said->found = found(r);
	said->foretold = t->memory;
	t->memory = said->found;
	t->plain = said->found == FORMAT_FPSIMD;
}

static void on_own(struct task *t, const struct fp_rec *r, uint32_t ops,
		   struct format_said *said)
{
	t->traps = false;
	switch (r->ev.kind) {
	case FP_EV_LOAD:
		if (ops & FP_OP_USER_LOAD)
			on_load(t, r, said);
		break;
	case FP_EV_FORK:
		t->forks = true;
		break;
	case FP_EV_VLOAD: /* whoever saves it: inside KVM_RUN */
		if (!r->ev.foreign)
			t->memory = FORMAT_FPSIMD;
		break;
	case FP_EV_SVE_TRAP:
		t->traps = true;
		t->plain = false;
		break;
	case FP_EV_EXEC:
		t->memory = FORMAT_FPSIMD;
		t->plain = true;
		break;
	case FP_EV_RESTORE:
	case FP_EV_SIGRETURN:
	case FP_EV_SET_VL:
	case FP_EV_PTRACE:
	case FP_EV_SME_TRAP: /* another value, in a format that nobody told */
		t->memory = FORMAT_UNKNOWN;
		break;
	case FP_EV_TASK_END:
		*t = (struct task){};
		break;
	default:
		break;
	}
}

/* Those that name a thread, by its own buffer. */
static bool of_task(const struct fp_rec *r)
{
	switch (r->ev.kind) {
	case FP_EV_SAVE:
	case FP_EV_LOAD:
	case FP_EV_VLOAD:
	case FP_EV_FORK:
	case FP_EV_PRESERVE:
	case FP_EV_RESTORE:
	case FP_EV_SIGRETURN:
	case FP_EV_FLUSH_TASK:
	case FP_EV_PTRACE:
	case FP_EV_EXEC:
	case FP_EV_TASK_END:
	case FP_EV_SVE_TRAP:
	case FP_EV_SME_TRAP:
	case FP_EV_SET_VL:
		return true;
	default:
		return false;
	}
}

void formats__step(struct formats *f, const struct fp_rec *r, uint32_t step,
		   struct format_said *said)
{
	uint32_t ops = FP_OPS(step);
	struct task *t;

	*said = (struct format_said){};
	if (r->flags & FP_REC_GAP)
		memset(f, 0, sizeof(*f));
	if (!of_task(r))
		return;
	t = task_of(f, &r->ev);
	if (r->ev.kind == FP_EV_SAVE) {
		on_save(t, r, ops, said);
	} else if (r->ev.kind == FP_EV_FLUSH_TASK) {
		if (t->traps)
			t->memory = FORMAT_SVE;
		t->traps = false;
	} else {
		on_own(t, r, ops, said);
	}
	said->told = ops & (FP_OP_USER_SAVE | FP_OP_USER_LOAD) && r->other;
}
