// SPDX-License-Identifier: GPL-2.0-only
/* What happened at an event, in words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flow.h"
#include "fpstat/judge.h"
#include "fpstat/model.h"
#include "top.h"

void top_event__who(const struct flow_event *e, const struct top_shown *in,
		    char *text, size_t len)
{
	const struct snap_vcpu *v = NULL;
	uint32_t tid = e->rec.ev.gen;
	const char *name;

	if (e->rec.slot != FP_NO_SLOT && in->stream)
		v = snapshot__in_slot(in->stream, e->rec.slot);
	name = in->flow ? flow__task_name(in->flow, tid) : NULL;
	if (v)
		snprintf(text, len, "%s/%" PRIu32, v->vm, v->vcpu_id);
	else if (e->rec.slot != FP_NO_SLOT)
		snprintf(text, len, "vcpu in slot %" PRIu32, e->rec.slot);
	else if (name)
		snprintf(text, len, "%s", name);
	else
		snprintf(text, len, "thread %" PRIu32, tid);
}

static const char *whose(const struct flow_event *e, uint32_t guest,
			 uint32_t kernel)
{
	if (e->ops & guest)
		return "guest";
	if (e->ops & kernel)
		return "kernel";
	return e->rec.slot == FP_NO_SLOT ? "task" : "host";
}

enum {
	SAVES = FP_OP_GUEST_SAVE | FP_OP_USER_SAVE | FP_OP_KERNEL_SAVE,
	LOADS = FP_OP_GUEST_LOAD | FP_OP_USER_LOAD | FP_OP_KERNEL_LOAD,
};

void top_event__what(const struct flow_event *e, char *text, size_t len)
{
	const char *why =
		e->ops & SAVES && e->cause ? snap_cause__name(e->cause) : "";
	size_t n = 0;

	text[0] = '\0';
	if (e->ops & SAVES)
		n = (size_t)snprintf(text, len, "save %s%s%s",
				     whose(e, FP_OP_GUEST_SAVE,
					   FP_OP_KERNEL_SAVE),
				     *why ? ": " : "", why);
	if (e->ops & LOADS && n < len)
		snprintf(text + n, len - n, "%sload %s", n ? ", " : "",
			 whose(e, FP_OP_GUEST_LOAD, FP_OP_KERNEL_LOAD));
	if (e->ops & FP_OP_LIVE)
		snprintf(text, len, "still live");
	if (e->ops & FP_OP_UNDECIDED)
		snprintf(text, len, "older than the capture");
}

static const char *of_save(const struct flow_event *e)
{
	switch (e->save) {
	case FP_VERDICT_NEEDED:
		return "needed: others took the registers, or read the copy";
	case FP_VERDICT_CLEAN:
		return "redundant: memory had this value already";
	case FP_VERDICT_UNCLOBBERED:
		return "redundant: nobody took the registers before it ran again";
	case FP_VERDICT_DEAD:
		return "redundant: the value was thrown away";
	case FP_VERDICT_PENDING:
		return "open: who runs here next will tell";
	default:
		return "unknown: what the registers held was not seen";
	}
}

static const char *of_load(const struct flow_event *e)
{
	switch (e->load) {
	case FP_VERDICT_LOAD_NEEDED:
		return "needed: the registers held something else";
	case FP_VERDICT_LOAD_LIVE:
		return "redundant: the registers still held it";
	default:
		return "unknown: what the registers held was not seen";
	}
}

void top_event__verdict(const struct flow_event *e, char *text, size_t len)
{
	size_t n = 0;

	text[0] = '\0';
	if (e->ops & SAVES)
		n = (size_t)snprintf(text, len, "%s", of_save(e));
	if (e->ops & SAVES && e->decided_by && n < len)
		n += (size_t)snprintf(text + n, len - n, " (%s)",
				      snap_event__name(e->decided_by));
	if (e->ops & LOADS && n < len)
		snprintf(text + n, len - n, "%s%s", n ? "; " : "", of_load(e));
}
