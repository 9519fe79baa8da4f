// SPDX-License-Identifier: GPL-2.0-only
/*
 * For Perfetto and chrome://tracing, in the JSON that both read: a track for each
 * CPU, with who has its registers, and one for each vcpu, with the CPU where its
 * state is.
 */
#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fpstat/charge.h"
#include "fpstat/counters.h"
#include "fpstat/model.h"
#include "json.h"
#include "trace.h"
#include "util.h"

enum { CPUS = 1, VCPUS = 2 }; /* groups of tracks: "processes" */

enum whose { NOBODY, GUEST, USER, KERNEL };

struct owner {
	enum whose whose;
	uint32_t id; /* slot, or thread */
};

struct cpu {
	struct owner owner;
	uint64_t since;
	uint32_t thread; /* that runs, if it was seen to come */
};

struct life {
	bool live;
	bool named;
	uint32_t cpu;
	uint64_t since;
};

struct perfetto {
	struct json json;
	uint64_t last; /* ns */
	struct life life[FP_MAX_VCPUS];
	struct cpu cpu[];
};

/* ---- events ---- */

static void event(struct json *j, const char *phase, int group, uint32_t track)
{
	json__object(j, NULL);
	json__str(j, "ph", phase);
	json__u64(j, "pid", (uint64_t)group);
	json__u64(j, "tid", track);
}

static void name_it(struct json *j, const char *what, int group, uint32_t track,
		    const char *name)
{
	event(j, "M", group, track);
	json__str(j, "name", what);
	json__object(j, "args");
	json__str(j, "name", name);
	json__end(j);
	json__end(j);
}

/* Microseconds, with all digits. */
static void time_of(struct json *j, const char *key, uint64_t ns)
{
	json__double(j, key, (double)ns / 1000);
}

static void slice(struct json *j, int group, uint32_t track, const char *name,
		  uint64_t from, uint64_t to)
{
	event(j, "X", group, track);
	json__str(j, "name", name);
	time_of(j, "ts", from);
	time_of(j, "dur", sat_sub(to, from));
	json__end(j);
}

static void mark_gap(struct json *j, const struct fp_rec *rec)
{
	event(j, "i", CPUS, rec->cpu);
	json__str(j, "name", "records were lost");
	json__str(j, "s", "t");
	time_of(j, "ts", rec->ns);
	json__end(j);
}

/* ---- who has what ---- */

static void name_of(const struct export *x, const struct owner *o, char *name,
		    size_t len)
{
	char task[64];

	if (o->whose == GUEST && o->id == FP_NO_SLOT)
		snprintf(name, len, "guest");
	else if (o->whose == GUEST)
		snprintf(name, len, "vcpu %u", o->id);
	else if (o->whose == KERNEL)
		snprintf(name, len, "kernel NEON");
	else if (o->id && trace__task(x->trace, o->id, task, sizeof(task)))
		snprintf(name, len, "%s (%u)", task, o->id);
	else if (o->id)
		snprintf(name, len, "thread %u", o->id);
	else
		snprintf(name, len, "a task");
}

static void end_owner(struct export *x, uint32_t cpu, uint64_t ns)
{
	struct perfetto *p = x->own;
	struct cpu *c = &p->cpu[cpu];
	char name[128];

	if (c->owner.whose == NOBODY)
		return;
	name_of(x, &c->owner, name, sizeof(name));
	slice(&p->json, CPUS, cpu, name, c->since, ns);
	c->owner.whose = NOBODY;
}

static void set_owner(struct export *x, const struct fp_rec *rec,
		      enum whose whose, uint32_t id)
{
	struct perfetto *p = x->own;
	struct cpu *c = &p->cpu[rec->cpu];

	if (c->owner.whose == whose && c->owner.id == id)
		return;
	end_owner(x, rec->cpu, rec->ns);
	c->owner = (struct owner){ whose, id };
	c->since = rec->ns;
}

static void end_life(struct perfetto *p, uint32_t slot, uint64_t ns)
{
	struct life *l = &p->life[slot];
	char name[32];

	if (!l->live)
		return;
	snprintf(name, sizeof(name), "live on CPU %u", l->cpu);
	slice(&p->json, VCPUS, slot, name, l->since, ns);
	l->live = false;
}

static void begin_life(struct perfetto *p, const struct fp_rec *rec)
{
	struct life *l = &p->life[rec->slot];
	char name[32];

	if (!l->named) {
		snprintf(name, sizeof(name), "vcpu %u", rec->slot);
		name_it(&p->json, "thread_name", VCPUS, rec->slot, name);
	}
	*l = (struct life){ true, true, rec->cpu, rec->ns };
}

static void follow_vcpu(struct perfetto *p, const struct fp_rec *rec,
			uint32_t ops)
{
	if (ops & (FP_OP_GUEST_SAVE | FP_OP_GUEST_LOAD) ||
	    rec->ev.kind == FP_EV_VCPU_END)
		end_life(p, rec->slot, rec->ns);
	if (ops & FP_OP_GUEST_LOAD)
		begin_life(p, rec);
}

static bool takes_neon(const struct fp_rec *rec)
{
	return (rec->ev.kind == FP_EV_NEON_TASK ||
		rec->ev.kind == FP_EV_NEON_SOFTIRQ) &&
	       !(rec->flags & FP_REC_NO_STEP);
}

static void record(struct export *x, const struct fp_rec *rec, uint32_t step)
{
	struct perfetto *p = x->own;
	uint32_t ops = FP_OPS(step);
	struct cpu *c;

	if (rec->cpu >= x->cpus)
		return;
	c = &p->cpu[rec->cpu];
	p->last = rec->ns > p->last ? rec->ns : p->last;
	if (rec->flags & FP_REC_GAP) {
		end_owner(x, rec->cpu, rec->ns);
		mark_gap(&p->json, rec);
	}
	if (rec->slot < FP_MAX_VCPUS)
		follow_vcpu(p, rec, ops);
	if (rec->ev.kind == FP_EV_SWITCH)
		c->thread = rec->ev.gen;
	if (ops & (FP_OP_GUEST_LOAD | FP_OP_LIVE))
		set_owner(x, rec, GUEST, rec->slot);
	else if (ops & FP_OP_USER_LOAD)
		set_owner(x, rec, USER, c->thread);
	else if (takes_neon(rec))
		set_owner(x, rec, KERNEL, 0);
}

/* ---- the file ---- */

static int begin(struct export *x)
{
	struct perfetto *p =
		calloc(1, sizeof(*p) + x->cpus * sizeof(p->cpu[0]));
	char name[32];
	uint32_t i;

	if (!p)
		return -ENOMEM;
	x->own = p;
	json__init(&p->json, x->out);
	json__object(&p->json, NULL);
	json__str(&p->json, "displayTimeUnit", "ns");
	json__array(&p->json, "traceEvents");
	name_it(&p->json, "process_name", CPUS, 0, "FP registers of CPUs");
	name_it(&p->json, "process_name", VCPUS, 0, "FP states of vcpus");
	for (i = 0; i < x->cpus; i++) {
		snprintf(name, sizeof(name), "CPU %u", i);
		name_it(&p->json, "thread_name", CPUS, i, name);
	}
	return 0;
}

/* What is still there lasts to the end of the trace. */
static void end(struct export *x)
{
	struct perfetto *p = x->own;
	uint32_t i;

	for (i = 0; i < x->cpus; i++)
		end_owner(x, i, p->last);
	for (i = 0; i < FP_MAX_VCPUS; i++)
		end_life(p, i, p->last);
	json__end(&p->json);
	json__end(&p->json);
	free(p);
}

const struct export_format export_perfetto = {
	.name = "perfetto",
	.what = "a track for each CPU and for each vcpu",
	.begin = begin,
	.record = record,
	.end = end,
};
