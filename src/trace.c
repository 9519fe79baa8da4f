// SPDX-License-Identifier: GPL-2.0-only
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cost.h"
#include "snapshot.h"
#include "trace_counters.h"
#include "trace_meta.h"
#include "trace_text.h"
#include "util.h"

#define NAMES 65536 /* at most; whoever comes later has none */

struct name {
	bool function;
	uint64_t id;
	char name[64];
};

struct trace {
	int fd;
	struct trace_reader *reader;
	struct snapshot host;
	struct trace_about about;
	struct cost cost;
	char why[128]; /* of cost */
	int foreign_bit;
	struct name *names;
	size_t nr_names, room;
	struct snapshot before, after;
	bool counted; /* there are these two, and .. */
	bool settled; /* .. no record came since; when they came .. */
	uint64_t lost; /* .. so many had been lost */
	uint64_t records;
};

/* ---- what it is about ---- */

static const char *read_meta(struct trace *t)
{
	int kind = trace_reader__next(t->reader), err;
	const char *text;
	size_t len;

	if (kind != TRACE_META)
		return "it is damaged, or cut, at its beginning";
	text = trace_reader__data(t->reader, &len);
	err = trace_counters__get(&t->host, text, len);
	if (err)
		return strerror(-err);
	if (!t->host.cpus)
		return "it does not say how many CPUs there were";
	t->foreign_bit =
		(int)trace_meta__num(text, len, "host", "foreign_bit", 64);
	if (t->foreign_bit < 0 || t->foreign_bit > 63)
		t->foreign_bit = -1;
	t->about.monotonic =
		trace_meta__num(text, len, "clock", "monotonic", 0);
	t->about.realtime = trace_meta__num(text, len, "clock", "realtime", 0);
	trace_meta__str(text, len, "host", "name", t->about.host,
			sizeof(t->about.host));
	trace_meta__str(text, len, "trace", "command", t->about.command,
			sizeof(t->about.command));
	trace_meta__cost(text, len, &t->cost, t->why, sizeof(t->why));
	return NULL;
}

static const char *open_trace(struct trace *t, const char *path, char *why,
			      size_t len)
{
	bool standard = !strcmp(path, "-");

	t->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
			   open(path, O_RDONLY | O_CLOEXEC);
	if (t->fd < 0)
		return strerror(errno);
	t->reader = trace_reader__new(t->fd, why, len);
	return t->reader ? read_meta(t) : why;
}

struct trace *trace__open(const char *path, char *why, size_t len)
{
	struct trace *t = calloc(1, sizeof(*t));
	const char *wrong = "out of memory";
	char text[128];

	if (t) {
		t->fd = -1;
		wrong = open_trace(t, path, text, sizeof(text));
	}
	if (!wrong)
		return t;
	snprintf(why, len, "cannot read %s: %s",
		 strcmp(path, "-") ? path : "standard input", wrong);
	trace__close(t);
	return NULL;
}

/* What is of one section. */
static void forget(struct trace *t)
{
	snapshot__free(&t->host);
	snapshot__free(&t->before);
	snapshot__free(&t->after);
	free(t->names);
	*t = (struct trace){ .fd = t->fd, .reader = t->reader };
}

void trace__close(struct trace *t)
{
	if (!t)
		return;
	forget(t);
	trace_reader__free(t->reader);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

int trace__next(struct trace *t, char *why, size_t len)
{
	const char *wrong;
	int kind = 1;

	if (!trace_reader__more(t->reader))
		return 0;
	forget(t);
	wrong = read_meta(t);
	if (!wrong)
		return 1;
	snprintf(why, len, "section %u is left out: %s", trace__section(t),
		 wrong);
	while (kind > 0 && !trace_reader__more(t->reader))
		kind = trace_reader__next(t->reader);
	return kind < 0 ? kind : -EBADMSG;
}

/* ---- blocks ---- */

static struct name *new_name(struct trace *t)
{
	size_t room = t->room ? 2 * t->room : 64;
	struct name *names;

	if (t->nr_names == t->room) {
		names = room <= NAMES ?
				reallocarray(t->names, room, sizeof(*names)) :
				NULL;
		if (!names)
			return NULL;
		t->names = names;
		t->room = room;
	}
	t->names[t->nr_names] = (struct name){};
	return &t->names[t->nr_names++];
}

static void read_name(struct name *n, struct trace_span line)
{
	struct trace_pair p;

	while (trace_text__pair(&line, &p)) {
		if (trace_text__is(p.key, "name"))
			trace_text__value(&p, n->name, sizeof(n->name));
		else if (trace_text__is(p.key, n->function ? "address" : "tid"))
			(void)trace_text__u64(&p, &n->id);
	}
}

static int read_names(struct trace *t, const char *text, size_t len)
{
	struct trace_span all = { text, text + len }, line, what;
	struct name *n;
	bool function;

	while (trace_text__next(&all, &line, &what)) {
		function = trace_text__is(what, "function");
		if (!function && !trace_text__is(what, "task"))
			continue;
		n = new_name(t);
		if (!n)
			return 0; /* numbers will do */
		n->function = function;
		read_name(n, line);
	}
	return 0;
}

static int read_counters(struct trace *t, const char *text, size_t len)
{
	size_t second = trace_counters__second(text, len);
	struct snapshot before, after;
	int err = trace_counters__get(&before, text, second);

	if (err)
		return err;
	err = trace_counters__get(&after, text + second, len - second);
	if (err) {
		snapshot__free(&before);
		return err;
	}
	snapshot__free(&t->before);
	snapshot__free(&t->after);
	t->before = before;
	t->after = after;
	t->counted = t->settled = true;
	t->lost = trace_reader__health(t->reader).lost;
	return 0;
}

/* Analyses know all kinds that there are: of others they can't make sense. */
static int read_batch(const struct fp_rec *rec, int n,
		      int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	int i, err = 0;

	for (i = 0; i < n && !err; i++)
		err = rec[i].ev.kind < FP_EV_MAX ? fn(ctx, &rec[i]) :
						   -EPROTONOSUPPORT;
	return err;
}

static int read_records(struct trace *t,
			int (*fn)(void *ctx, const struct fp_rec *rec),
			void *ctx)
{
	const struct fp_rec *rec;
	int n, err;

	t->settled = false;
	while ((n = trace_reader__records(t->reader, &rec)) > 0) {
		err = read_batch(rec, n, fn, ctx);
		if (err)
			return err;
		t->records += (uint64_t)n;
		t->host.t = trace__time(t, rec[n - 1].ns);
	}
	return 0;
}

static int read_block(struct trace *t, int kind,
		      int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	const char *text;
	size_t len;

	if (kind == TRACE_EVENTS)
		return read_records(t, fn, ctx);
	text = trace_reader__data(t->reader, &len);
	if (kind == TRACE_NAMES)
		return read_names(t, text, len);
	return kind == TRACE_COUNTERS ? read_counters(t, text, len) : 0;
}

int trace__drain(struct trace *t,
		 int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	int kind = 0, err = 0;

	while (!err && (kind = trace_reader__next(t->reader)) > 0)
		err = read_block(t, kind, fn, ctx);
	t->host.dt = t->host.t;
	return err ? err : kind;
}

/* ---- what is known ---- */

const struct trace_about *trace__about(const struct trace *t)
{
	return &t->about;
}

unsigned int trace__section(const struct trace *t)
{
	return trace_reader__section(t->reader);
}

const struct snapshot *trace__host(const struct trace *t)
{
	return &t->host;
}

int trace__foreign_bit(const struct trace *t)
{
	return t->foreign_bit;
}

double trace__time(const struct trace *t, uint64_t ns)
{
	return (double)sat_sub(ns, t->about.monotonic) / 1e9;
}

const struct cost *trace__cost(const struct trace *t)
{
	return &t->cost;
}

const struct snapshot *trace__before(const struct trace *t)
{
	return t->counted ? &t->before : NULL;
}

const struct snapshot *trace__after(const struct trace *t)
{
	return t->counted ? &t->after : NULL;
}

bool trace__settled(const struct trace *t)
{
	return t->settled && t->lost == trace_reader__health(t->reader).lost;
}

struct trace_health trace__health(const struct trace *t)
{
	return trace_reader__health(t->reader);
}

uint64_t trace__records(const struct trace *t)
{
	return t->records;
}

uint64_t trace__bytes(const struct trace *t)
{
	return trace_reader__bytes(t->reader);
}

/* The last that was told: numbers are used again. */
static bool find_name(const struct trace *t, bool function, uint64_t id,
		      char *name, size_t len)
{
	size_t i;

	for (i = t->nr_names; i-- > 0;) {
		if (t->names[i].function == function && t->names[i].id == id) {
			snprintf(name, len, "%s", t->names[i].name);
			return true;
		}
	}
	return false;
}

bool trace__function(const struct trace *t, uint64_t address, char *name,
		     size_t len)
{
	return find_name(t, true, address, name, len);
}

bool trace__task(const struct trace *t, uint32_t tid, char *name, size_t len)
{
	return find_name(t, false, tid, name, len);
}
