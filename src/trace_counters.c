// SPDX-License-Identifier: GPL-2.0-only
#include "trace_counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"
#include "trace_block.h"
#include "trace_text.h"
#include "util.h"

#define ROWS_MAX (2 * FP_MAX_VCPUS)

enum type { U64, U32, TEXT };

struct field {
	const char *key;
	enum type type;
	size_t offset;
	size_t size; /* of a text */
};

/* clang-format off */
#define FIELD(type, of, key, member) { key, type, offsetof(of, member), sizeof(((of *)0)->member) }
#define N(key, member) FIELD(U64, struct snap_vcpu, key, member)
#define XFER(key, of, member)                                                  \
	FIELD(U64, of, key ".done", member.done),                              \
	FIELD(U64, of, key ".needed", member.needed),                          \
	FIELD(U64, of, key ".redundant", member.redundant),                    \
	FIELD(U64, of, key ".clean", member.clean),                            \
	FIELD(U64, of, key ".unclobbered", member.unclobbered),                \
	FIELD(U64, of, key ".dead", member.dead),                              \
	FIELD(U64, of, key ".pending", member.pending),                        \
	FIELD(U64, of, key ".unknown", member.unknown),                        \
	FIELD(U64, of, key ".bytes", member.bytes),                            \
	FIELD(U64, of, key ".irqoff", member.irqoff)
#define OPS(key, of, member)                                                   \
	XFER(key ".save", of, member.save),                                    \
	XFER(key ".load", of, member.load)

static const struct field vcpu_fields[] = {
	FIELD(U32, struct snap_vcpu, "slot", slot),
	FIELD(U32, struct snap_vcpu, "gen", gen),
	FIELD(TEXT, struct snap_vcpu, "vm", vm),
	FIELD(U32, struct snap_vcpu, "vm_pid", vm_pid),
	FIELD(U32, struct snap_vcpu, "vcpu", vcpu_id),
	FIELD(U32, struct snap_vcpu, "tid", tid),
	FIELD(U32, struct snap_vcpu, "ended", state),
	FIELD(U32, struct snap_vcpu, "guest_bytes", guest_bytes),
	N("runs", runs),
	N("exits", exits),
	N("guest_runs_live", guest_runs_live),
	N("collateral", collateral),
	OPS("guest", struct snap_vcpu, guest),
	OPS("host", struct snap_vcpu, host),
#define X(id, str) N("cause." str, cause[FP_CAUSE_##id]),
	FP_CAUSE_MAP(X)
#undef X
	{}
};

static const struct field host_fields[] = {
	FIELD(TEXT, struct snapshot, "kernel", kernel),
	FIELD(U32, struct snapshot, "cpus", cpus),
	FIELD(U32, struct snapshot, "sve_vl", sve_vl),
	FIELD(U64, struct snapshot, "lost", lost),
	FIELD(U64, struct snapshot, "missed", missed),
	FIELD(U64, struct snapshot, "undecided", undecided),
	FIELD(U64, struct snapshot, "impossible", impossible),
	FIELD(U64, struct snapshot, "pending", pending),
	FIELD(U64, struct snapshot, "folded", folded),
	FIELD(U64, struct snapshot, "overhead.bpf", bpf_ns),
	FIELD(U64, struct snapshot, "overhead.self", self_ns),
	FIELD(U32, struct snapshot, "overhead.cpus", online),
	OPS("task", struct snapshot, task),
	OPS("kernel", struct snapshot, kernel_neon),
	OPS("efi", struct snapshot, efi),
#define X(id, str, where) FIELD(U64, struct snapshot, "events." str, events[FP_EV_##id]),
	FP_EVENT_MAP(X)
#undef X
	{}
};
/* clang-format on */

/* A word of few. */
static const char *const modes[] = { "unknown", "vhe", "nvhe", "hvhe", "pkvm" };
static const char *const backends[] = { "unknown", "bpf" };

/* ---- writing ---- */

static uint64_t number(const struct field *f, const void *of)
{
	const char *at = (const char *)of + f->offset;
	uint64_t n = 0;

	if (f->type == U64)
		memcpy(&n, at, sizeof(n));
	else
		n = *(const uint32_t *)at;
	return n;
}

static void put_fields(FILE *out, const struct field *f, const void *of)
{
	for (; f->key; f++) {
		const char *text = (const char *)of + f->offset;

		if (f->type == TEXT && *text)
			trace_text__str(out, f->key, text);
		else if (f->type == TEXT)
			continue;
		else if (f->type == U64 && number(f, of) == SNAP_NA)
			trace_text__str(out, f->key, "na");
		else if (number(f, of))
			trace_text__num(out, f->key, number(f, of));
	}
}

static void put_snapshot(FILE *out, const struct snapshot *s)
{
	size_t i;

	trace_text__line(out, "counters");
	trace_text__num(out, "ns", (uint64_t)(s->t * 1e9));
	trace_text__str(out, "mode", s->mode);
	trace_text__str(out, "policy", snap_policy__name(s->policy));
	trace_text__str(out, "backend", s->backend);
	put_fields(out, host_fields, s);
	for (i = 0; i < s->nr_vcpus; i++) {
		trace_text__line(out, "vcpu");
		put_fields(out, vcpu_fields, &s->vcpus[i]);
	}
	trace_text__line(out, "folded");
	put_fields(out, vcpu_fields, &s->folded_sum);
}

char *trace_counters__put(const struct snapshot *const s[], int nr, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	int i;

	if (!out)
		return NULL;
	for (i = 0; i < nr; i++)
		put_snapshot(out, s[i]);
	return trace_text__end(out, &text);
}

/* ---- reading ---- */

size_t trace_counters__second(const char *text, size_t len)
{
	static const char begin[] = "\ncounters ";
	const char *at = memmem(text, len, begin, sizeof(begin) - 1);

	return at ? (size_t)(at + 1 - text) : len;
}

/* False if it is not what the field can have. */
static bool get_field(const struct field *f, void *of,
		      const struct trace_pair *p)
{
	char *at = (char *)of + f->offset;
	uint64_t n;

	if (f->type == TEXT) {
		trace_text__value(p, at, f->size);
		return true;
	}
	if (f->type == U64 && trace_text__is(p->value, "na"))
		n = SNAP_NA;
	else if (!trace_text__u64(p, &n) || (f->type == U32 && n > UINT32_MAX))
		return false;
	if (f->type == U64)
		memcpy(at, &n, sizeof(n));
	else
		*(uint32_t *)at = (uint32_t)n;
	return true;
}

static bool get_pair(const struct field *f, void *of,
		     const struct trace_pair *p)
{
	for (; f->key; f++) {
		if (trace_text__is(p->key, f->key))
			return get_field(f, of, p);
	}
	return true; /* of a newer fpstat */
}

static const char *one_of(const char *const *words, size_t nr,
			  const struct trace_pair *p)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (trace_text__is(p->value, words[i]))
			return words[i];
	}
	return words[0];
}

static enum snap_policy policy(const struct trace_pair *p)
{
	enum snap_policy i;

	for (i = SNAP_POLICY_UNKNOWN; i <= SNAP_POLICY_PKVM; i++) {
		if (trace_text__is(p->value, snap_policy__name(i)))
			return i;
	}
	return SNAP_POLICY_UNKNOWN;
}

static bool get_host(struct snapshot *s, const struct trace_pair *p)
{
	uint64_t ns;

	if (trace_text__is(p->key, "mode")) {
		s->mode = one_of(modes, ARRAY_SIZE(modes), p);
	} else if (trace_text__is(p->key, "backend")) {
		s->backend = one_of(backends, ARRAY_SIZE(backends), p);
	} else if (trace_text__is(p->key, "policy")) {
		s->policy = policy(p);
	} else if (trace_text__is(p->key, "ns")) {
		if (!trace_text__u64(p, &ns))
			return false;
		s->t = s->dt = (double)ns / 1e9;
	} else {
		return get_pair(host_fields, s, p);
	}
	return true;
}

static struct snap_vcpu *add_row(struct snapshot *s, size_t *room)
{
	struct snap_vcpu *rows;

	if (s->nr_vcpus == *room) {
		*room = *room ? 2 * *room : 16;
		rows = reallocarray(s->vcpus, *room, sizeof(*rows));
		if (!rows)
			return NULL;
		s->vcpus = rows;
	}
	rows = &s->vcpus[s->nr_vcpus++];
	*rows = (struct snap_vcpu){};
	return rows;
}

static int get_line(struct snapshot *s, struct trace_span line,
		    struct trace_span what, size_t *room)
{
	struct snap_vcpu *row = &s->folded_sum;
	bool ok = true, host = trace_text__is(what, "counters") ||
			       trace_text__is(what, "host");
	struct trace_pair p;

	if (trace_text__is(what, "vcpu")) {
		row = s->nr_vcpus < ROWS_MAX ? add_row(s, room) : NULL;
		if (!row)
			return s->nr_vcpus < ROWS_MAX ? -ENOMEM : -EBADMSG;
	} else if (!host && !trace_text__is(what, "folded")) {
		return 0;
	}
	while (ok && trace_text__pair(&line, &p))
		ok = host ? get_host(s, &p) : get_pair(vcpu_fields, row, &p);
	row->state = row->state ? SNAP_VCPU_ENDED : SNAP_VCPU_LIVE;
	return ok && s->cpus <= TRACE_CPUS ? 0 : -EBADMSG;
}

int trace_counters__get(struct snapshot *s, const char *text, size_t len)
{
	struct trace_span all = { text, text + len }, line, what;
	size_t room = 0;
	int err = 0;

	*s = (struct snapshot){
		.mode = modes[0],
		.backend = backends[0],
		.bpf_ns = SNAP_NA,
		.self_ns = SNAP_NA,
	};
	while (!err && trace_text__next(&all, &line, &what))
		err = get_line(s, line, what, &room);
	if (err)
		snapshot__free(s);
	return err;
}
