// SPDX-License-Identifier: GPL-2.0-only
#include "trace_meta.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>

#include "capture.h"
#include "machine.h"
#include "snapshot.h"
#include "trace_block.h"
#include "trace_text.h"
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

static void put_clock(FILE *out, const char *key, clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	trace_text__num(out, key,
			(uint64_t)ts.tv_sec * 1000000000 +
				(uint64_t)ts.tv_nsec);
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

char *trace_meta__put(const struct capture *c, const struct snapshot *s,
		      const char *command, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	bool bad;

	if (!out)
		return NULL;
	trace_text__line(out, "trace");
	trace_text__num(out, "format", TRACE_VERSION);
	trace_text__str(out, "fpstat", FPSTAT_VERSION);
	if (command)
		trace_text__str(out, "command", command);
	put_host(out, c, s);
	trace_text__line(out, "clock");
	put_clock(out, "monotonic", CLOCK_MONOTONIC);
	put_clock(out, "realtime", CLOCK_REALTIME);
	put_probes(out, c);
	put_facts(out);
	fputc('\n', out);
	bad = ferror(out);
	if (!fclose(out) && !bad)
		return text;
	free(text);
	return NULL;
}
