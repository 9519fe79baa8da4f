// SPDX-License-Identifier: GPL-2.0-only
/* fpstat export: a trace in the formats of others. */
#include <stddef.h>
#include <string.h>
#include <linux/types.h>

#include "cmd.h"
#include "exit.h"
#include "export.h"
#include "fpstat/stream.h"
#include "offline.h"
#include "recount.h"
#include "trace.h"
#include "util.h"

struct export_config {
	const char *output;
	bool strict;
};

#define AT(field) offsetof(struct export_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(output), .arg = "FILE",
	  .help = "write to FILE, not to standard output; for ctf, a directory "
		  "that is new or empty" },
	{ .name = "strict", .offset = AT(strict),
	  .help = "exit with 4 if anything was lost, missed or undecided, or is "
		  "missing in the trace" },
	OPT_COMMON,
	{}
};
/* clang-format on */

static const struct export_format *const formats[] = {
	&export_csv,
	&export_ndjson,
	&export_perfetto,
	&export_ctf,
};

struct export_run {
	const struct export_format *format;
	bool opened;
	struct export x;
};

static const struct export_format *by_name(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	}
	return NULL;
}

static int fail(const struct offline *o, int err)
{
	if (!err)
		return 0;
	fps_err("cannot write %s: %s",
		o->output ? o->output : "standard output", strerror(-err));
	return EXIT_ENV;
}

static int open_format(struct offline *o)
{
	struct export_run *r = o->ctx;

	r->opened = true;
	r->x.out = o->out;
	r->x.output = o->output;
	r->x.trace = o->trace;
	return r->format->open ? fail(o, r->format->open(&r->x)) : 0;
}

static int begin(struct offline *o)
{
	struct export_run *r = o->ctx;
	int code = r->opened ? 0 : open_format(o);

	r->x.cpus = trace__host(o->trace)->cpus;
	if (!code && r->format->begin)
		code = fail(o, r->format->begin(&r->x));
	return code;
}

static int feed(struct offline *o, const struct fp_rec *rec, uint32_t step)
{
	struct export_run *r = o->ctx;

	r->x.replay = recount__replay(o->recount);
	r->format->record(&r->x, rec, step);
	return 0;
}

static int end(struct offline *o, struct view *v)
{
	struct export_run *r = o->ctx;

	(void)v;
	return r->format->end ? fail(o, r->format->end(&r->x)) : 0;
}

static void close_format(struct offline *o)
{
	struct export_run *r = o->ctx;

	if (r->opened && r->format->close)
		r->format->close(&r->x);
}

static void list_formats(FILE *out)
{
	size_t i;

	fputs("\nFormats:\n", out);
	for (i = 0; i < ARRAY_SIZE(formats); i++)
		fprintf(out, "  %-11s %s\n", formats[i]->name,
			formats[i]->what);
}

static int export_main(const struct command *cmd, int argc, char **argv)
{
	struct export_config cfg = {};
	struct export_run r = {};
	struct opt_rest rest;
	int code;

	if (!opt__parse(cmd, argc, argv, &cfg, &rest))
		return rest.code;
	if (rest.argc != 2)
		return opt__usage_error(cmd, "a format and a trace are wanted");
	r.format = by_name(rest.argv[0]);
	if (!r.format) {
		code = opt__usage_error(cmd, "there is no format '%s'",
					rest.argv[0]);
		list_formats(stderr);
		return code;
	}
	if (r.format->directory && !cfg.output)
		return opt__usage_error(cmd,
					"%s is a directory: --output is "
					"missing",
					r.format->name);
	return offline__run(&(struct offline){
		.input = rest.argv[1],
		.output = cfg.output,
		.directory = r.format->directory,
		.strict = cfg.strict,
		.ctx = &r,
		.begin = begin,
		.feed = feed,
		.print = end,
		.finish = close_format,
	});
}

const struct command cmd_export = {
	.name = "export",
	.args = "FORMAT FILE",
	.summary = "Print a trace in the formats of others.",
	.text = "Each record, as it is read: memory stays flat however long the "
		"trace is. FILE is a trace of fpstat record, or - for standard "
		"input.",
	.opts = opts,
	.more_help = list_formats,
	.run = export_main,
};
