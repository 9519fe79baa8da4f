// SPDX-License-Identifier: GPL-2.0-only
/* fpstat report: all that a trace tells. */
#include <stddef.h>
#include <linux/types.h>

#include "cmd.h"
#include "conserve.h"
#include "exit.h"
#include "fpstat/stream.h"
#include "offline.h"
#include "report.h"
#include "trace.h"
#include "util.h"
#include "view_report.h"
#include "view_sum.h"

struct report_config {
	bool json;
	double from;
	double to;
	const char *output;
	bool strict;
};

#define AT(field) offsetof(struct report_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'j', .name = "json", .offset = AT(json),
	  .help = "print one JSON object a line (see fpstat-report(8))" },
	{ .name = "from", .type = OPT_SECONDS, .offset = AT(from), .arg = "S",
	  .help = "only what happened S seconds after the trace began, or later" },
	{ .name = "to", .type = OPT_SECONDS, .offset = AT(to), .arg = "S",
	  .help = "only what happened up to S seconds after the trace began" },
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(output), .arg = "FILE",
	  .help = "write to FILE, not to standard output" },
	{ .name = "strict", .offset = AT(strict),
	  .help = "exit with 4 if anything was lost, missed or undecided, or is "
		  "missing in the trace" },
	OPT_COMMON,
	{}
};
/* clang-format on */

struct report_run {
	struct report_config cfg;
	struct report *report;
};

static int begin(struct offline *o)
{
	struct report_run *r = o->ctx;

	report__free(r->report); /* of the section before */
	r->report = report__new(trace__host(o->trace)->cpus);
	if (r->report)
		return 0;
	fps_err("out of memory");
	return EXIT_ENV;
}

static int feed(struct offline *o, const struct fp_rec *rec, uint32_t step)
{
	struct report_run *r = o->ctx;

	report__feed(r->report, rec, step, o->inside);
	o->unsure |= report__headless(r->report);
	return 0;
}

/* Those that are of interest. */
static uint64_t count_records(const struct report *r, unsigned int cpus)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < cpus; i++)
		sum += report__cpu(r, i)->records;
	return sum;
}

static int print(struct offline *o, struct view *v)
{
	struct report_run *r = o->ctx;
	struct trace_health health = trace__health(o->trace);
	bool part = o->from > 0 || o->to > 0;
	double end = trace__host(o->trace)->t;
	char why[512];
	struct view_report report = {
		.view = v,
		.report = r->report,
		.about = trace__about(o->trace),
		.records = count_records(r->report, o->now.cpus),
		.bytes = part ? SNAP_NA : trace__bytes(o->trace),
		.from = o->from,
		.to = o->to > 0 && o->to < end ? o->to : end,
		.missing = health.lost,
		.cut = health.cut,
		.agrees = o->whole,
	};

	if (!conserve__check(&o->now, why, sizeof(why)))
		report.broken = why;
	if (r->cfg.json)
		view_report__json(o->out, &report);
	else
		view_report__print(o->out, &report);
	return report.broken ? EXIT_VIOLATION : 0;
}

static void sum(struct offline *o, const struct fleet *f)
{
	const struct report_run *r = o->ctx;

	if (r->cfg.json)
		view_fleet__json(o->out, f);
	else
		view_fleet__print(o->out, f);
}

static int report_main(const struct command *cmd, int argc, char **argv)
{
	struct report_run r = {};
	struct opt_rest rest;
	int code;

	if (!opt__parse(cmd, argc, argv, &r.cfg, &rest))
		return rest.code;
	if (rest.argc != 1)
		return opt__usage_error(cmd, "exactly one trace is wanted");
	if (r.cfg.to > 0 && r.cfg.to <= r.cfg.from)
		return opt__usage_error(cmd, "--to is not after --from");
	code = offline__run(&(struct offline){
		.input = rest.argv[0],
		.output = r.cfg.output,
		.strict = r.cfg.strict,
		.from = r.cfg.from,
		.to = r.cfg.to,
		.ctx = &r,
		.begin = begin,
		.feed = feed,
		.print = print,
		.sum = sum,
	});
	report__free(r.report);
	return code;
}

const struct command cmd_report = {
	.name = "report",
	.args = "FILE",
	.summary = "Print all that a trace tells.",
	.text = "What it is and whether it is whole; what was saved and loaded, "
		"by vcpu, VM, CPU and cause; how long the state of a guest "
		"stayed in the registers. FILE is a trace of fpstat record, or "
		"- for standard input.",
	.opts = opts,
	.run = report_main,
};
