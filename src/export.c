// SPDX-License-Identifier: GPL-2.0-only
/* One line for each record: as it is, and what it moved. */
#include "export.h"

#include <inttypes.h>

#include "fpstat/charge.h"
#include "fpstat/model.h"
#include "json.h"
#include "snapshot.h"
#include "trace.h"
#include "util.h"

static const struct {
	uint32_t op;
	const char *name;
} ops[] = {
	{ FP_OP_GUEST_SAVE, "guest_save" },
	{ FP_OP_GUEST_LOAD, "guest_load" },
	{ FP_OP_USER_SAVE, "user_save" },
	{ FP_OP_USER_LOAD, "user_load" },
	{ FP_OP_KERNEL_SAVE, "kernel_save" },
	{ FP_OP_KERNEL_LOAD, "kernel_load" },
};

const char *export__cause(uint32_t step)
{
	if (!(FP_OPS(step) & FP_OP_GUEST_SAVE) ||
	    FP_CAUSE(step) >= FP_CAUSE_MAX)
		return NULL;
	return snap_cause__name((int)FP_CAUSE(step));
}

/* ---- CSV ---- */

static int open_csv(struct export *x)
{
	size_t i;

	fputs("ns,cpu,kind,buf,gen,other,slot,foreign,in_run,arg,exits,live,gap,lost",
	      x->out);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		fprintf(x->out, ",%s", ops[i].name);
	fputs(",cause,host,section\n", x->out);
	return 0;
}

/* A name may have a comma in it. */
static void quote(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void csv(struct export *x, const struct fp_rec *r, uint32_t step)
{
	const char *why = export__cause(step);
	size_t i;

	fprintf(x->out, "%" PRIu64 ",%u,%s,0x%" PRIx64 ",%u,0x%" PRIx64 ",",
		(uint64_t)r->ns, r->cpu, snap_event__name(r->ev.kind),
		(uint64_t)r->ev.buf, r->ev.gen, (uint64_t)r->other);
	if (r->slot != FP_NO_SLOT)
		fprintf(x->out, "%u", r->slot);
	fprintf(x->out, ",%u,%u,%u,%u,%u,%d,%u", r->ev.foreign, r->ev.in_run,
		r->ev.arg, r->exits, r->live, !!(r->flags & FP_REC_GAP),
		r->lost);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		fprintf(x->out, ",%d", !!(FP_OPS(step) & ops[i].op));
	fprintf(x->out, ",%s,", why ? why : "");
	quote(x->out, trace__about(x->trace)->host);
	fprintf(x->out, ",%u\n", trace__section(x->trace));
}

const struct export_format export_csv = {
	.name = "csv",
	.what = "a line for each record, with a title",
	.open = open_csv,
	.record = csv,
};

/* ---- NDJSON ---- */

static void ndjson(struct export *x, const struct fp_rec *r, uint32_t step)
{
	const char *why = export__cause(step);
	struct json j;
	size_t i;

	json__init(&j, x->out);
	json__object(&j, NULL);
	json__u64(&j, "ns", r->ns);
	json__u64(&j, "cpu", r->cpu);
	json__str(&j, "kind", snap_event__name(r->ev.kind));
	json__u64(&j, "buf", r->ev.buf);
	json__u64(&j, "gen", r->ev.gen);
	json__u64(&j, "other", r->other);
	json__count(&j, "slot", r->slot == FP_NO_SLOT ? SNAP_NA : r->slot);
	json__bool(&j, "foreign", r->ev.foreign);
	json__bool(&j, "in_run", r->ev.in_run);
	json__u64(&j, "arg", r->ev.arg);
	json__u64(&j, "exits", r->exits);
	json__u64(&j, "live", r->live);
	json__bool(&j, "gap", r->flags & FP_REC_GAP);
	json__u64(&j, "lost", r->lost);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		json__bool(&j, ops[i].name, FP_OPS(step) & ops[i].op);
	if (why)
		json__str(&j, "cause", why);
	else
		json__null(&j, "cause");
	json__str(&j, "host", trace__about(x->trace)->host);
	json__u64(&j, "section", trace__section(x->trace));
	json__end(&j);
}

const struct export_format export_ndjson = {
	.name = "ndjson",
	.what = "a JSON object a line for each record",
	.record = ndjson,
};
