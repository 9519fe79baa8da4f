// SPDX-License-Identifier: GPL-2.0-only
/* The self-proof: decisions of the kernel beside what its policy foretold. */
#include <inttypes.h>

#include "json.h"
#include "view.h"
#include "whatif.h"

static bool met(const struct prove_kind *k)
{
	return k->found[PROVE_NOTHING] || k->found[PROVE_USER] ||
	       k->found[PROVE_GUEST] || k->unsure || k->differs;
}

/* ---- on paper ---- */

static void summary(FILE *out, const struct prove *p)
{
	uint64_t same = 0, unsure = 0, differs = 0;
	int i;

	for (i = 0; i < FP_EV_MAX; i++) {
		const struct prove_kind *k = prove__kind(p, i);

		same += k->found[PROVE_NOTHING] + k->found[PROVE_USER] +
			k->found[PROVE_GUEST];
		unsure += k->unsure;
		differs += k->differs;
	}
	if (same || unsure || differs)
		fprintf(out,
			"\nDecisions of this kernel that its own policy foretold: %" PRIu64
			"; open: %" PRIu64 "; wrong: %" PRIu64 "\n",
			same, unsure, differs);
}

/* What the kernel found in the registers, at each kind of event. */
static void kinds(FILE *out, const struct prove *p)
{
	int i, lines = 0;

	for (i = 0; i < FP_EV_MAX; i++) {
		const struct prove_kind *k = prove__kind(p, i);

		if (!met(k))
			continue;
		if (!lines++)
			fputs("  AT           NOTHING       USER      GUEST       OPEN      WRONG\n",
			      out);
		fprintf(out,
			"  %-12s %7" PRIu64 " %10" PRIu64 " %10" PRIu64
			" %10" PRIu64 " %10" PRIu64 "\n",
			snap_event__name(i), k->found[PROVE_NOTHING],
			k->found[PROVE_USER], k->found[PROVE_GUEST], k->unsure,
			k->differs);
	}
}

static bool any_format(const struct prove_format *k)
{
	return k->fpsimd || k->sve || k->unsure || k->differs;
}

/* Nothing on a host without SVE: there is one format. */
static void format_summary(FILE *out, const struct prove *p)
{
	const struct prove_format *s = prove__format(p, FP_EV_SAVE);
	const struct prove_format *l = prove__format(p, FP_EV_LOAD);

	if (any_format(s) || any_format(l))
		fprintf(out,
			"Formats of user states that were foretold: %" PRIu64
			"; open: %" PRIu64 "; wrong: %" PRIu64 "\n",
			s->fpsimd + s->sve + l->fpsimd + l->sve,
			s->unsure + l->unsure, s->differs + l->differs);
}

static void formats(FILE *out, const struct prove *p)
{
	static const enum fp_event_kind kinds[] = { FP_EV_SAVE, FP_EV_LOAD };
	int i, lines = 0;

	for (i = 0; i < 2; i++) {
		const struct prove_format *k = prove__format(p, kinds[i]);

		if (!any_format(k))
			continue;
		if (!lines++)
			fputs("  OF A          FPSIMD        SVE                  OPEN      WRONG\n",
			      out);
		fprintf(out,
			"  %-12s %7" PRIu64 " %10" PRIu64 " %21" PRIu64
			" %10" PRIu64 "\n",
			snap_event__name(kinds[i]), k->fpsimd, k->sve,
			k->unsure, k->differs);
	}
}

static void first(FILE *out, const struct prove *p)
{
	const struct prove_first *f = prove__first(p);
	unsigned int i;

	if (!f->record)
		return;
	fprintf(out,
		"The first is record %" PRIu64
		" of the stream: found %s, foretold %s. Before it, on CPU %u:\n",
		f->record, prove_found__name(f->found),
		prove_found__name(f->foretold), f->events[0].cpu);
	for (i = 0; i < f->nr_events; i++) {
		const struct fp_rec *r = &f->events[i];

		fprintf(out,
			"  %.9f %-13s %016" PRIx64 "%s%s, %u exits, %u live\n",
			(double)r->ns / 1e9, snap_event__name(r->ev.kind),
			(uint64_t)r->ev.buf, r->ev.foreign ? " foreign" : "",
			r->ev.in_run ? " in KVM_RUN" : "", r->exits, r->live);
	}
}

void view_prove__print(FILE *out, const struct view *v, bool each)
{
	const struct prove *p = whatif__proof(v->whatif);

	summary(out, p);
	if (each)
		kinds(out, p);
	format_summary(out, p);
	if (each)
		formats(out, p);
	first(out, p);
}

/* ---- NDJSON ---- */

static void kind(struct json *j, const struct view *v, int i)
{
	const struct prove_kind *k = prove__kind(whatif__proof(v->whatif), i);

	if (!met(k))
		return;
	json__object(j, NULL);
	json__str(j, "type", "decision");
	json__double(j, "t", v->s->t);
	json__str(j, "event", snap_event__name(i));
	json__u64(j, "nothing", k->found[PROVE_NOTHING]);
	json__u64(j, "user", k->found[PROVE_USER]);
	json__u64(j, "guest", k->found[PROVE_GUEST]);
	json__u64(j, "open", k->unsure);
	json__u64(j, "wrong", k->differs);
	json__end(j);
}

static void format_json(struct json *j, const struct view *v,
			enum fp_event_kind kind)
{
	const struct prove_format *k =
		prove__format(whatif__proof(v->whatif), kind);

	if (!any_format(k))
		return;
	json__object(j, NULL);
	json__str(j, "type", "format");
	json__double(j, "t", v->s->t);
	json__str(j, "event", snap_event__name(kind));
	json__u64(j, "fpsimd", k->fpsimd);
	json__u64(j, "sve", k->sve);
	json__u64(j, "open", k->unsure);
	json__u64(j, "wrong", k->differs);
	json__end(j);
}

static void event(struct json *j, const struct fp_rec *r)
{
	json__object(j, NULL);
	json__double(j, "ts", (double)r->ns / 1e9);
	json__str(j, "event", snap_event__name(r->ev.kind));
	json__u64(j, "buf", r->ev.buf);
	json__bool(j, "foreign", r->ev.foreign);
	json__bool(j, "in_run", r->ev.in_run);
	json__u64(j, "other", r->other);
	json__u64(j, "flags", r->flags);
	json__u64(j, "exits", r->exits);
	json__u64(j, "live", r->live);
	json__end(j);
}

static void first_json(struct json *j, const struct view *v)
{
	const struct prove_first *f = prove__first(whatif__proof(v->whatif));
	unsigned int i;

	if (!f->record)
		return;
	json__object(j, NULL);
	json__str(j, "type", "wrong");
	json__double(j, "t", v->s->t);
	json__u64(j, "record", f->record);
	json__u64(j, "cpu", f->events[0].cpu);
	json__str(j, "found", prove_found__name(f->found));
	json__str(j, "foretold", prove_found__name(f->foretold));
	json__array(j, "events");
	for (i = 0; i < f->nr_events; i++)
		event(j, &f->events[i]);
	json__end(j);
	json__end(j);
}

void view_prove__json(struct json *j, const struct view *v)
{
	int i;

	for (i = 0; i < FP_EV_MAX; i++)
		kind(j, v, i);
	format_json(j, v, FP_EV_SAVE);
	format_json(j, v, FP_EV_LOAD);
	first_json(j, v);
}
