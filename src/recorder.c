// SPDX-License-Identifier: GPL-2.0-only
#include "recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "fpstat/counters.h"
#include "fpstat/stream.h"
#include "names.h"
#include "trace_counters.h"
#include "trace_meta.h"
#include "trace_ring.h"
#include "trace_text.h"
#include "trace_writer.h"

#define NAMES 4096 /* that are remembered as told; a power of two */

enum whose { NOBODY, FUNCTION, TASK };

struct told {
	enum whose whose;
	uint64_t id;
};

struct recorder {
	struct trace_writer *w;
	struct trace_ring *ring; /* or NULL: into a file */
	uint64_t records, bytes; /* of the parts before */
	void (*before)(void *ctx, uint64_t bytes);
	void *ctx;
	struct told told[NAMES];
	size_t nr_told;
	bool known[FP_MAX_VCPUS]; /* by slot: its vcpu was seen before */
	bool strangers;
};

struct recorder *recorder__new(int fd)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (r)
		r->w = trace_writer__new(fd);
	if (r && r->w)
		return r;
	recorder__free(r);
	return NULL;
}

void recorder__free(struct recorder *r)
{
	if (!r)
		return;
	trace_writer__free(r->w);
	trace_ring__free(r->ring);
	free(r);
}

static int put_meta(struct trace_writer *w, const struct trace_meta *m)
{
	size_t len;
	char *text = trace_meta__put(m, &len);
	int err = text ? trace_writer__text(w, TRACE_META, text, len) : -ENOMEM;

	free(text);
	return err;
}

int recorder__begin(struct recorder *r, const struct trace_meta *m)
{
	return put_meta(r->w, m);
}

/* ---- names ---- */

static void tell_all_anew(struct recorder *r)
{
	memset(r->told, 0, sizeof(r->told));
	r->nr_told = 0;
}

/* Remembers it; when there is no room, everything is told once more. */
static bool is_new(struct recorder *r, enum whose whose, uint64_t id)
{
	size_t i = (size_t)(id * 0x9e3779b97f4a7c15ull >> 40) % NAMES;

	for (; r->told[i].whose != NOBODY; i = (i + 1) % NAMES) {
		if (r->told[i].whose == whose && r->told[i].id == id)
			return false;
	}
	if (r->nr_told == NAMES / 2)
		tell_all_anew(r);
	r->told[i] = (struct told){ whose, id };
	r->nr_told++;
	return true;
}

static int tell(struct recorder *r, enum whose whose, uint64_t id)
{
	char *text = NULL, name[256];
	size_t len;
	FILE *out;
	int err;

	if (!is_new(r, whose, id))
		return 0;
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	if (whose == FUNCTION) {
		names__function(id, name, sizeof(name));
		trace_text__line(out, "function");
		trace_text__num(out, "address", id);
	} else {
		names__task((uint32_t)id, name, sizeof(name));
		trace_text__line(out, "task");
		trace_text__num(out, "tid", id);
	}
	trace_text__str(out, "name", name);
	if (!trace_text__end(out, &text))
		return -ENOMEM;
	err = trace_writer__text(r->w, TRACE_NAMES, text, len);
	free(text);
	return err;
}

/* Who may have taken the registers from a guest. */
static int tell_names(struct recorder *r, const struct fp_rec *rec)
{
	switch (rec->ev.kind) {
	case FP_EV_NEON_TASK:
	case FP_EV_NEON_SOFTIRQ:
		return rec->other ? tell(r, FUNCTION, rec->other) : 0;
	case FP_EV_SWITCH:
		return rec->ev.in_run ? tell(r, TASK, rec->ev.gen) : 0;
	default:
		return 0;
	}
}

/* ---- records ---- */

static void look_for_strangers(struct recorder *r, const struct fp_rec *rec)
{
	if (rec->slot >= FP_MAX_VCPUS)
		return;
	if (rec->ev.kind == FP_EV_VCPU_END) {
		r->known[rec->slot] = false;
	} else if (rec->ev.kind == FP_EV_VLOAD && !r->known[rec->slot]) {
		r->known[rec->slot] = true;
		r->strangers = true;
	}
}

int recorder__feed(void *recorder, const struct fp_rec *rec)
{
	struct recorder *r = recorder;
	int err = tell_names(r, rec);

	look_for_strangers(r, rec);
	return err ? err : trace_writer__record(r->w, rec);
}

int recorder__flush(struct recorder *r)
{
	return trace_writer__flush(r->w);
}

int recorder__counters(struct recorder *r, const struct snapshot *before,
		       const struct snapshot *after)
{
	const struct snapshot *const both[] = { before, after };
	size_t len;
	char *text = trace_counters__put(both, 2, &len);
	int err = text ? recorder__flush(r) : -ENOMEM;

	if (!err)
		err = trace_writer__text(r->w, TRACE_COUNTERS, text, len);
	r->strangers &= !!err;
	if (r->ring) /* what was told may be forgotten from here on */
		tell_all_anew(r);
	free(text);
	return err;
}

int recorder__end(struct recorder *r)
{
	return r->ring ? 0 : trace_writer__end(r->w);
}

/* ---- parts ---- */

void recorder__before(struct recorder *r, void (*fn)(void *ctx, uint64_t bytes),
		      void *ctx)
{
	r->before = fn;
	r->ctx = ctx;
	trace_writer__before(r->w, fn, ctx);
}

int recorder__next(struct recorder *r, int fd)
{
	struct trace_writer *w = trace_writer__new(fd);

	if (!w)
		return -ENOMEM;
	r->records += trace_writer__records(r->w);
	r->bytes += trace_writer__bytes(r->w);
	trace_writer__free(r->w);
	trace_writer__before(w, r->before, r->ctx);
	r->w = w;
	tell_all_anew(r);
	return 0;
}

uint64_t recorder__part_bytes(const struct recorder *r)
{
	return trace_writer__bytes(r->w);
}

/* ---- in memory ---- */

int recorder__keep(struct recorder *r, uint64_t ns, uint64_t bytes)
{
	r->ring = trace_ring__new(ns, bytes);
	if (!r->ring)
		return -ENOMEM;
	trace_writer__keep(r->w, r->ring);
	return 0;
}

void recorder__hold(struct recorder *r, uint64_t ns)
{
	trace_ring__hold(r->ring, ns);
}

int recorder__dump(struct recorder *r, int fd, struct trace_meta m)
{
	struct trace_writer *w = trace_writer__new(fd);
	int err = w ? 0 : -ENOMEM;

	m.middle = trace_ring__forgot(r->ring);
	if (m.middle)
		m.begin = trace_ring__first(r->ring)->block.end;
	if (!err)
		err = put_meta(w, &m);
	if (!err)
		err = trace_writer__copy(w, r->ring);
	if (!err)
		err = trace_writer__end(w);
	trace_writer__free(w);
	return err;
}

bool recorder__has_strangers(const struct recorder *r)
{
	return r->strangers;
}

uint64_t recorder__records(const struct recorder *r)
{
	return r->records + trace_writer__records(r->w);
}

uint64_t recorder__bytes(const struct recorder *r)
{
	return r->bytes + trace_writer__bytes(r->w);
}
