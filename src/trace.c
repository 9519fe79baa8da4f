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
#include "trace_index.h"
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
	bool middle; /* it begins in the middle of a capture .. */
	bool dated; /* .. and it is known with which counters */
	struct snapshot since;
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
	t->middle = trace_meta__num(text, len, "trace", "middle", 0);
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
	snprintf(why, len, "cannot read %s: %s", fps_input(path), wrong);
	trace__close(t);
	return NULL;
}

/* What is of one section. */
static void forget(struct trace *t)
{
	snapshot__free(&t->host);
	snapshot__free(&t->since);
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

int trace__next_section(struct trace *t, char *why, size_t len)
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
	if (!t->middle || t->dated || t->records || t->lost)
		return 0;
	t->dated = true;
	return snapshot__copy(&t->since, &t->after);
}

static int skip_to(struct trace *t, const struct trace_place *p)
{
	int err = trace_reader__seek(t->reader, p);

	t->middle = true;
	return err ? err : 1;
}

int trace__skip(struct trace *t, double until)
{
	uint64_t begin = t->about.monotonic, ns = UINT64_MAX;
	const struct trace_place *p;
	struct trace_index x = {};
	int err;

	if (until <= 0 || !fps_is_file(t->fd))
		return 0;
	if (until < (double)(UINT64_MAX - begin) / 1e9)
		ns = begin + (uint64_t)(until * 1e9);
	err = trace_index__read(&x, t->fd, trace_reader__start(t->reader));
	p = err ? NULL : trace_index__find(&x, TRACE_COUNTERS, ns);
	if (p && p->first && p->offset > trace_reader__bytes(t->reader))
		err = skip_to(t, p);
	trace_index__free(&x);
	return err;
}

int trace__next(struct trace *t)
{
	int kind = trace_reader__next(t->reader), err = 0;
	const char *text;
	size_t len;

	if (kind <= 0)
		return kind;
	text = trace_reader__data(t->reader, &len);
	if (kind == TRACE_EVENTS)
		t->settled = false;
	else if (kind == TRACE_NAMES)
		err = read_names(t, text, len);
	else if (kind == TRACE_COUNTERS)
		err = read_counters(t, text, len);
	return err ? err : kind;
}

/* Analyses know all kinds that there are: of others they can't make sense. */
int trace__batch(struct trace *t, const struct fp_rec **rec)
{
	int i, n = trace_reader__records(t->reader, rec);

	for (i = 0; i < n; i++) {
		if ((*rec)[i].ev.kind >= FP_EV_MAX)
			return -EPROTONOSUPPORT;
	}
	if (n <= 0)
		return n;
	t->records += (uint64_t)n;
	t->host.t = t->host.dt = trace__time(t, (*rec)[n - 1].ns);
	return n;
}

void trace__dont_wait(struct trace *t)
{
	trace_reader__dont_wait(t->reader);
}

int trace__fd(const struct trace *t)
{
	return t->fd;
}

static int drain_block(struct trace *t,
		       int (*fn)(void *ctx, const struct fp_rec *rec),
		       void *ctx)
{
	const struct fp_rec *rec;
	int i, n, err = 0;

	while (!err && (n = trace__batch(t, &rec)) != 0) {
		err = n < 0 ? n : 0;
		for (i = 0; i < n && !err; i++)
			err = fn(ctx, &rec[i]);
	}
	return err;
}

int trace__drain(struct trace *t,
		 int (*fn)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	int kind = 0, err = 0;

	while (!err && (kind = trace__next(t)) > 0) {
		if (kind == TRACE_EVENTS)
			err = drain_block(t, fn, ctx);
	}
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

/* The index comes last, and its header says when the last record was. */
double trace__length(const struct trace *t)
{
	struct trace_block index;
	uint64_t offset;

	if (!trace_index__at_end(t->fd, &offset, &index))
		return 0;
	return trace__time(t, index.end);
}

double trace__block_end(const struct trace *t)
{
	return trace__time(t, trace_reader__block(t->reader)->end);
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
	return t->settled && t->lost == trace_reader__health(t->reader).lost &&
	       t->middle == t->dated;
}

bool trace__middle(const struct trace *t)
{
	return t->middle;
}

const struct snapshot *trace__since(const struct trace *t)
{
	return t->dated ? &t->since : NULL;
}

struct trace_health trace__health(const struct trace *t)
{
	return trace_reader__health(t->reader);
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
