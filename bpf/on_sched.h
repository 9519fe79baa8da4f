/* SPDX-License-Identifier: GPL-2.0-only */
/* The scheduler: a task switch, and the end of a task. */
#ifndef FPSTAT_ON_SCHED_H
#define FPSTAT_ON_SCHED_H

#include "account.h"
#include "kernel.h"
#include "live_rules.h"
#include "maps.h"
#include "on_neon.h"
#include "step.h"
#include "usual.h"

#include <bpf/bpf_tracing.h>

static __always_inline int on_switch(void *ctx, bool preempted,
				     const struct task_struct *prev, __u64 next,
				     bool infer_it, bool checking)
{
	struct fp_percpu *c = this_cpu();
	struct fp_event ev = { .kind = FP_EV_SWITCH };
	struct fp_vcpu *v = NULL;

	if (!c)
		return 0;
	if (checking)
		rule_switch(ctx, c);
	else if (!infer_it && plain_switch(c, task_buf(prev)))
		return 0;
	if (infer_it)
		infer(c->cpu);
	ADD(c->events[FP_EV_SWITCH], 1);
	ev.buf = task_buf(prev);
	if (streaming) {
		v = runs_now();
		ev.in_run = !!v;
		ev.foreign = foreign();
		ev.gen = BPF_CORE_READ((const struct task_struct *)next, pid);
		if (task_state(prev) == TASK_DEAD)
			c->flags |= FP_REC_LAST;
	}
	if (current_loaded_vcpu())
		ev.arg = preempted || task_state(prev) == TASK_RUNNING;
	leave_begin(c, (__u64)prev);
	on_telling_event(c, v, &ev, task_buf((const struct task_struct *)next));
	if (infer_it)
		infer_switch(c, prev, (const struct task_struct *)next);
	end_exits(c);
	resume_begin(c, next);
	resume_kernel(c, next);
	if (c->quiet_slot) /* it may go to another CPU */
		count_quiet(c->cpu, FP_NO_SLOT);
	return 0;
}

static __always_inline int on_raw_switch(struct bpf_raw_tracepoint_args *ctx,
					 bool checking)
{
	return on_switch(ctx, ctx->args[0], (const void *)ctx->args[1],
			 ctx->args[2], false, checking);
}

CHECKED("raw_tp/sched_switch", sched_switch, on_raw_switch,
	struct bpf_raw_tracepoint_args)

/* Where saves and loads are inferred. The tasks can be read where they lie. */
SEC("tp_btf/sched_switch")
int switch_infer(unsigned long long *ctx)
{
	const struct task_struct *prev = (const void *)ctx[1];
	const struct task_struct *next = (const void *)ctx[2];
	struct fp_percpu *c = this_cpu();

	if (!c || usual_switch(c, prev, next))
		return 0;
	return on_switch(ctx, ctx[0], current_task(), as_number(next), true,
			 false);
}

#endif /* FPSTAT_ON_SCHED_H */
