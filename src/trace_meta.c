// SPDX-License-Identifier: GPL-2.0-only
#include "trace_meta.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>

#include "capture.h"
#include "cost.h"
#include "machine.h"
#include "snapshot.h"
#include "trace_block.h"
#include "trace_text.h"
#include "util.h"
#include "version.h"

static void put_host(FILE *out, const struct capture *c,
		     const struct snapshot *s)
{
	struct utsname u;

	trace_text__line(out, "host");
	if (!uname(&u)) {
		trace_text__str(out, "name", u.nodename);
		trace_text__str(out, "machine", u.machine);
	}
	trace_text__str(out, "kernel", s->kernel);
	trace_text__str(out, "mode", s->mode);
	trace_text__str(out, "backend", s->backend);
	trace_text__num(out, "cpus", s->cpus);
	trace_text__num(out, "sve_vl", s->sve_vl);
	trace_text__num(out, "foreign_bit", (uint64_t)capture__foreign_bit(c));
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void put_clock(FILE *out, uint64_t begin)
{
	uint64_t ago = now(CLOCK_MONOTONIC) - begin;

	trace_text__line(out, "clock");
	trace_text__num(out, "monotonic", begin);
	trace_text__num(out, "realtime", now(CLOCK_REALTIME) - ago);
}

static void put_probes(FILE *out, const struct capture *c)
{
	const struct capture_hook *h;
	size_t i, nr = capture__hooks(c, &h);

	for (i = 0; i < nr; i++) {
		trace_text__line(out, "probe");
		trace_text__str(out, "name", h[i].name);
		trace_text__str(out, "what", h[i].what);
		if (h[i].mechanism)
			trace_text__str(out, "mechanism", h[i].mechanism);
		else if (h[i].why)
			trace_text__str(out, "why", h[i].why);
	}
}

static void put_facts(FILE *out)
{
	struct fact facts[MACHINE_FACTS] = {};
	int i;

	machine__facts(facts, "");
	for (i = 0; i < MACHINE_FACTS; i++) {
		trace_text__line(out, "fact");
		trace_text__str(out, "name", facts[i].json);
		trace_text__str(out, "value", facts[i].value);
		trace_text__num(out, "ok", facts[i].ok);
	}
}

/* Picoseconds. */
static const char *const costs[] = { "hot.save", "hot.load", "cold.save",
				     "cold.load" };

static void put_cost(FILE *out, const struct cost *c)
{
	const double ns[] = { c->hot.save, c->hot.load, c->cold.save,
			      c->cold.load };
	size_t i;

	trace_text__line(out, "cost");
	if (c->why)
		trace_text__str(out, "why", c->why);
	for (i = 0; !c->why && i < ARRAY_SIZE(costs); i++)
		trace_text__num(out, costs[i], (uint64_t)(ns[i] * 1000));
}

char *trace_meta__put(const struct trace_meta *m, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	trace_text__line(out, "trace");
	trace_text__num(out, "format", TRACE_VERSION);
	trace_text__str(out, "fpstat", FPSTAT_VERSION);
	if (m->command)
		trace_text__str(out, "command", m->command);
	if (m->number)
		trace_text__num(out, "capture", m->number);
	if (m->part)
		trace_text__num(out, "part", m->part);
	if (m->middle)
		trace_text__num(out, "middle", 1);
	put_host(out, m->capture, m->host);
	put_clock(out, m->begin);
	put_cost(out, m->cost);
	put_probes(out, m->capture);
	put_facts(out);
	return trace_text__end(out, &text);
}

/* ---- reading ---- */

/* The first pair of that @name on a line about @what. */
static bool find(const char *text, size_t len, const char *what,
		 const char *name, struct trace_pair *p)
{
	struct trace_span all = { text, text + len }, line, word;

	while (trace_text__next(&all, &line, &word)) {
		while (trace_text__is(word, what) &&
		       trace_text__pair(&line, p)) {
			if (trace_text__is(p->key, name))
				return true;
		}
	}
	return false;
}

uint64_t trace_meta__num(const char *text, size_t len, const char *what,
			 const char *name, uint64_t missing)
{
	struct trace_pair p;
	uint64_t n;

	if (find(text, len, what, name, &p) && trace_text__u64(&p, &n))
		return n;
	return missing;
}

void trace_meta__str(const char *text, size_t len, const char *what,
		     const char *name, char *value, size_t value_len)
{
	struct trace_pair p;

	value[0] = '\0';
	if (find(text, len, what, name, &p))
		trace_text__value(&p, value, value_len);
}

void trace_meta__cost(const char *text, size_t len, struct cost *cost,
		      char *why, size_t why_len)
{
	double *const ns[] = { &cost->hot.save, &cost->hot.load,
			       &cost->cold.save, &cost->cold.load };
	uint64_t n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(costs); i++) {
		n = trace_meta__num(text, len, "cost", costs[i], UINT64_MAX);
		if (n == UINT64_MAX)
			cost->why = "the trace does not say it";
		*ns[i] = (double)n / 1000;
	}
	trace_meta__str(text, len, "cost", "why", why, why_len);
	if (*why)
		cost->why = why;
}
