// SPDX-License-Identifier: GPL-2.0-only
/*
 * For Perfetto and chrome://tracing, in the JSON that both read: a track for each
 * CPU, with who has its registers, and one for each vcpu, with the CPU where its
 * state is; and what was moved, as counters that grow.
 *
 * How they read numbers: a group is a process, a track is a thread. Thread 0, or one
 * that another process has, too, is mixed up with others; one whose number is its
 * process's comes first. And times become doubles: when a host is up for 100 days,
 * its own are off by some ns, so that slices overlap. Therefore tracks have high
 * numbers, and the time is 0 where the trace begins.
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
#include "snapshot.h"
#include "totals.h"
#include "trace.h"
#include "util.h"

enum group { CPUS = 1, VCPUS, COUNTERS }; /* of tracks, for each section */

enum { TRACKS = 100000 }; /* more than a group has */

/* Counters are told after so many slices, or such a time: the file stays small. */
enum { SAMPLE = 32 };
#define SAMPLE_NS 1000000000ull
#define NEVER UINT64_MAX

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
	unsigned int groups; /* of the sections before */
	uint64_t first; /* when the first section began, ns since 1970 */
	uint64_t begin; /* of this section, by the clock of its host .. */
	uint64_t after; /* .. and by which time after the first, ns */
	uint64_t last; /* of the section, ns */
	struct totals totals; /* up to then */
	unsigned int slices; /* since they were told .. */
	uint64_t untold; /* .. and when the first record was, or NEVER */
	struct life life[FP_MAX_VCPUS];
	struct cpu *cpu;
};

/* ---- events ---- */

static struct json *event(struct perfetto *p, const char *phase,
			  enum group group, uint32_t track)
{
	uint64_t pid = p->groups + group;
	struct json *j = &p->json;

	json__object(j, NULL);
	json__str(j, "ph", phase);
	json__u64(j, "pid", pid);
	json__u64(j, "tid", pid * TRACKS + track);
	return j;
}

static void name_it(struct perfetto *p, const char *what, enum group group,
		    uint32_t track, const char *name)
{
	struct json *j = event(p, "M", group, track);

	json__str(j, "name", what);
	json__object(j, "args");
	json__str(j, "name", name);
	json__end(j);
	json__end(j);
}

/* Else the busiest group is the first. */
static void sort_group(struct perfetto *p, enum group group)
{
	struct json *j = event(p, "M", group, 0);

	json__str(j, "name", "process_sort_index");
	json__object(j, "args");
	json__u64(j, "sort_index", p->groups + group);
	json__end(j);
	json__end(j);
}

/* A negative time would be dropped: what was there before begins with the trace. */
static uint64_t time_of(const struct perfetto *p, uint64_t ns)
{
	return sat_sub(ns, p->begin) + p->after;
}

static void slice(struct perfetto *p, enum group group, uint32_t track,
		  const char *name, uint64_t from, uint64_t to)
{
	struct json *j = event(p, "X", group, track);

	p->slices++;
	json__str(j, "name", name);
	json__us(j, "ts", time_of(p, from));
	json__us(j, "dur", sat_sub(time_of(p, to), time_of(p, from)));
	json__end(j);
}

static void mark_gap(struct perfetto *p, const struct fp_rec *rec)
{
	struct json *j = event(p, "i", CPUS, rec->cpu);

	json__str(j, "name", "records were lost");
	json__str(j, "s", "t");
	json__us(j, "ts", time_of(p, rec->ns));
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
	slice(p, CPUS, cpu, name, c->since, ns);
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
	slice(p, VCPUS, slot, name, l->since, ns);
	l->live = false;
}

static void begin_life(struct perfetto *p, const struct fp_rec *rec)
{
	struct life *l = &p->life[rec->slot];
	char name[32];

	if (!l->named) {
		snprintf(name, sizeof(name), "vcpu %u", rec->slot);
		name_it(p, "thread_name", VCPUS, rec->slot, name);
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

/* ---- counters ---- */

static void begin_counters(struct perfetto *p, const char *whose)
{
	struct json *j = event(p, "C", COUNTERS, 0);

	json__str(j, "name", whose);
	json__us(j, "ts", time_of(p, p->last));
	json__object(j, "args");
}

static void end_counters(struct perfetto *p)
{
	json__end(&p->json);
	json__end(&p->json);
}

static void put_ops(struct json *j, const struct totals_ops *o, bool judged)
{
	json__u64(j, "saves", o->saves);
	json__u64(j, "loads", o->loads);
	if (!judged)
		return;
	json__u64(j, "redundant saves", o->redundant_saves);
	json__u64(j, "redundant loads", o->redundant_loads);
}

/*
 * Most kernels with pKVM hide guests, and so what these do to the registers of
 * others. Which ones, the counters say: they come later.
 */
static bool sees_guests(const struct trace *t)
{
	const struct snapshot *after = trace__after(t);

	return strcmp(trace__host(t)->mode, "pkvm") != 0 ||
	       (after && !snapshot__guests_hidden(after));
}

static void put_counters(struct export *x)
{
	struct perfetto *p = x->own;
	const struct totals *t = &p->totals;
	bool seen = sees_guests(x->trace);

	begin_counters(p, "guest");
	json__u64(&p->json, "exits", t->exits);
	if (seen) {
		json__u64(&p->json, "live entries", t->live);
		put_ops(&p->json, &t->guest, true);
	}
	end_counters(p);
	begin_counters(p, "host");
	put_ops(&p->json, &t->host, seen);
	end_counters(p);
	begin_counters(p, "other");
	put_ops(&p->json, &t->other, seen);
	end_counters(p);
	p->slices = 0;
	p->untold = NEVER;
}

/* What was counted before a record that comes at @ns. */
static void tell_counters(struct export *x, uint64_t ns)
{
	const struct perfetto *p = x->own;

	if (p->slices >= SAMPLE || sat_sub(ns, p->untold) >= SAMPLE_NS)
		put_counters(x);
}

/* ---- records ---- */

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
	tell_counters(x, rec->ns);
	totals__add(&p->totals, rec, x->replay);
	if (p->untold == NEVER)
		p->untold = rec->ns;
	c = &p->cpu[rec->cpu];
	p->last = rec->ns > p->last ? rec->ns : p->last;
	if (rec->flags & FP_REC_GAP) {
		end_owner(x, rec->cpu, rec->ns);
		mark_gap(p, rec);
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

static int open_file(struct export *x)
{
	struct perfetto *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	x->own = p;
	json__init(&p->json, x->out);
	json__object(&p->json, NULL);
	json__str(&p->json, "displayTimeUnit", "ns");
	json__array(&p->json, "traceEvents");
	return 0;
}

/* Several hosts are on one scale; the one that began first comes first. */
static void set_clock(struct perfetto *p, const struct trace_about *a)
{
	if (!p->first)
		p->first = a->realtime;
	p->begin = a->monotonic;
	p->after = sat_sub(a->realtime, p->first);
}

static void name_group(const struct export *x, enum group group,
		       const char *what)
{
	const char *host = trace__about(x->trace)->host;
	char name[128];

	if (trace__section(x->trace))
		snprintf(name, sizeof(name), "%s: %s", host, what);
	else
		snprintf(name, sizeof(name), "%s", what);
	name_it(x->own, "process_name", group, 0, name);
	sort_group(x->own, group);
}

static int begin(struct export *x)
{
	struct perfetto *p = x->own;
	char name[32];
	uint32_t i;

	p->cpu = calloc(x->cpus, sizeof(p->cpu[0]));
	if (!p->cpu || totals__init(&p->totals, x->cpus))
		return -ENOMEM;
	set_clock(p, trace__about(x->trace));
	name_group(x, CPUS, "FP registers of CPUs");
	name_group(x, VCPUS, "FP states of vcpus");
	name_group(x, COUNTERS, "FP saves and loads");
	for (i = 0; i < x->cpus; i++) {
		snprintf(name, sizeof(name), "CPU %u", i);
		name_it(p, "thread_name", CPUS, i, name);
	}
	p->last = p->begin;
	put_counters(x);
	return 0;
}

/* What is still there lasts to the end of the trace. */
static int end(struct export *x)
{
	struct perfetto *p = x->own;
	uint32_t i;

	for (i = 0; i < x->cpus; i++)
		end_owner(x, i, p->last);
	for (i = 0; i < FP_MAX_VCPUS; i++)
		end_life(p, i, p->last);
	if (p->untold != NEVER)
		put_counters(x);
	free(p->cpu);
	p->cpu = NULL;
	totals__free(&p->totals);
	memset(p->life, 0, sizeof(p->life));
	p->groups += COUNTERS;
	return 0;
}

static void close_file(struct export *x)
{
	struct perfetto *p = x->own;

	if (!p)
		return;
	json__end(&p->json);
	json__end(&p->json);
	totals__free(&p->totals);
	free(p->cpu);
	free(p);
}

const struct export_format export_perfetto = {
	.name = "perfetto",
	.what = "a track for each CPU and for each vcpu, and counters",
	.open = open_file,
	.begin = begin,
	.record = record,
	.end = end,
	.close = close_file,
};
