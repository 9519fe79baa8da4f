// SPDX-License-Identifier: GPL-2.0-only
/* fpstat stat: numbers for scripts, and for people who wait for a command. */
#include <stddef.h>

#include "cmd.h"
#include "count.h"
#include "exit.h"
#include "offline.h"
#include "view.h"
#include "view_sum.h"

struct stat_config {
	struct count_config count;
	const char *read;
	bool recorded;
	bool json;
};

#define AT(field) offsetof(struct stat_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'j', .name = "json", .offset = AT(json),
	  .help = "print one JSON object a line (see fpstat-stat(8))" },
	{ .letter = 'i', .name = "interval", .type = OPT_SECONDS,
	  .offset = AT(count.interval), .arg = "S",
	  .help = "print every S seconds what happened since the last time "
		  "(default without CMD: 1)" },
	{ .letter = 'c', .name = "count", .type = OPT_COUNT,
	  .offset = AT(count.count), .arg = "N",
	  .help = "stop after N intervals" },
	{ .letter = 'r', .name = "read", .type = OPT_STRING,
	  .offset = AT(read), .arg = "FILE",
	  .help = "print what happened in a trace; - is standard input" },
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(count.output), .arg = "FILE",
	  .help = "write to FILE, not to standard output" },
	{ .name = "strict", .offset = AT(count.strict),
	  .help = "exit with 4 if anything was lost, missed or undecided" },
	OPT_COMMON,
	{ .name = "recorded", .offset = AT(recorded), .test = true,
	  .help = "with --read: the counters that the kernel had, where fpstat "
		  "counts anew what the records tell" },
	{ .name = "witness", .offset = AT(count.capture.witness), .test = true,
	  .help = "count some things a second time, by other means, and print "
		  "both" },
	{ .name = "mark", .offset = AT(count.capture.mark), .test = true,
	  .help = "call sethostname(2) exactly where the count begins and "
		  "where it ends; the name stays" },
	{}
};
/* clang-format on */

static int print_view(const struct stat_config *cfg, FILE *out,
		      const struct view *v)
{
	if (cfg->json)
		view_json__print(out, v);
	else
		view_text__print(out, v);
	return 0;
}

static int print(struct count *c, bool mark)
{
	struct view v = {};
	int code = session__sample(&c->ses, mark);

	if (code)
		return code;
	session__view(&c->ses, &v);
	return print_view(c->ctx, c->out, &v);
}

static int print_trace(struct offline *o, struct view *v)
{
	const struct stat_config *cfg = o->ctx;

	if (cfg->json)
		view_json__section(o->out, v);
	else
		view_text__section(o->out, v);
	return print_view(o->ctx, o->out, v);
}

static void sum(struct offline *o, const struct fleet *f)
{
	const struct stat_config *cfg = o->ctx;

	if (cfg->json)
		view_fleet__json(o->out, f);
	else
		view_fleet__print(o->out, f);
}

static int read_trace(const struct command *cmd, struct stat_config *cfg,
		      struct opt_rest *rest)
{
	struct offline o = {
		.input = cfg->read,
		.output = cfg->count.output,
		.strict = cfg->count.strict,
		.recorded = cfg->recorded,
		.ctx = cfg,
		.print = print_trace,
		.sum = sum,
	};
	const char *live = cfg->count.interval ? "--interval" :
			   cfg->count.count    ? "--count" :
						 NULL;

	return offline__operands(cmd, rest, live) ? offline__run(&o) :
						    rest->code;
}

static int stat_main(const struct command *cmd, int argc, char **argv)
{
	struct stat_config cfg = {};
	struct count count = { .cfg = &cfg.count, .ctx = &cfg, .print = print };
	struct opt_rest rest;

	if (!opt__parse(cmd, argc, argv, &cfg, &rest))
		return rest.code;
	if (cfg.read)
		return read_trace(cmd, &cfg, &rest);
	if (!count__operands(cmd, &rest))
		return rest.code;
	if (cfg.count.count && rest.argc && !cfg.count.interval)
		return opt__usage_error(cmd, "--count needs --interval when "
					     "there is a command");
	if (!rest.argc && !cfg.count.interval)
		cfg.count.interval = 1;
	return count__run(&count, rest.argc ? rest.argv : NULL);
}

const struct command cmd_stat = {
	.name = "stat",
	.args = "[-- CMD [ARG]...]",
	.summary = "Print numbers: once around a command, or per interval.",
	.text = "With CMD and without --interval, counts while CMD runs and "
		"prints one set of records when it has ended; its exit status "
		"is passed on. Otherwise prints what happened in each "
		"interval, until it is interrupted. SIGUSR1 makes it print "
		"what happened since the last time, at once.",
	.opts = opts,
	.run = stat_main,
};
