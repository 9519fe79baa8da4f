// SPDX-License-Identifier: GPL-2.0-only
/* fpstat check: does this kernel keep the rules that FP state depends on? */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checking.h"
#include "cmd.h"
#include "cost.h"
#include "count.h"
#include "exit.h"
#include "klog.h"
#include "offline.h"
#include "recorder.h"
#include "rules.h"
#include "trace.h"
#include "trace_meta.h"
#include "util.h"
#include "view_check.h"

#define SHOWN 3 /* violations of one rule; all are counted */
#define FLIGHT 10.0 /* seconds */
#define FLIGHT_BYTES (64ull << 20) /* of memory */

/* On a host with guests these have something to say all the time. */
#define REQUIRED "I2,I5,I6,I8,I16,I20"

struct check_config {
	struct count_config count;
	double duration;
	bool json, tap, junit, list;
	const char *require;
	const char *trace;
	double flight;
	const char *read;
};

#define AT(field) offsetof(struct check_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'd', .name = "duration", .type = OPT_SECONDS,
	  .offset = AT(duration), .arg = "S",
	  .help = "stop after S seconds" },
	{ .letter = 'j', .name = "json", .offset = AT(json),
	  .help = "print one JSON object a line (see fpstat-check(8))" },
	{ .name = "tap", .offset = AT(tap),
	  .help = "print a line for each rule at the end, for test harnesses" },
	{ .name = "junit", .offset = AT(junit),
	  .help = "the same as XML" },
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(count.output), .arg = "FILE",
	  .help = "write to FILE, not to standard output" },
	{ .letter = 't', .name = "trace", .type = OPT_STRING,
	  .offset = AT(trace), .arg = "FILE",
	  .help = "at the first violation, write a trace of what happened "
		  "before it" },
	{ .name = "flight", .type = OPT_SECONDS, .offset = AT(flight),
	  .arg = "S", .help = "of the last S seconds (default 10)" },
	{ .name = "entries", .offset = AT(count.capture.entries),
	  .help = "look at each guest entry and each exit, which costs more" },
	{ .name = "require", .type = OPT_STRING, .offset = AT(require),
	  .arg = "LIST",
	  .help = "rules that must have been asked for a pass, with commas "
		  "(default " REQUIRED ")" },
	{ .letter = 'r', .name = "read", .type = OPT_STRING,
	  .offset = AT(read), .arg = "FILE",
	  .help = "check a trace; - is standard input" },
	{ .name = "list", .offset = AT(list),
	  .help = "list the rules: - is what nobody at EL1 can see" },
	{ .name = "strict", .offset = AT(count.strict),
	  .help = "exit with 4 if it is no pass: a required rule was not asked, "
		  "or anything was lost, missed or undecided" },
	{ .name = "budget", .type = OPT_PERCENT,
	  .offset = AT(count.capture.budget), .arg = "PERCENT",
	  .help = "cost no more of the time of all CPUs than that: record "
		  "nothing meanwhile, then check nothing (counters stay exact)" },
	OPT_COMMON,
	{}
};
/* clang-format on */

struct check_run {
	struct check_config cfg;
	enum check_format format;
	struct checking checking;
	struct check_names names;
	struct check_verdict verdict;
	FILE *out;
	/* the flight recorder, with --trace */
	struct recorder *recorder;
	struct cost cost;
	double begun, counted;
	enum { KEEPING, BROKEN, WRITTEN } flight;
};

/* ---- what is told ---- */

static char *as_text(const struct violation *v, const struct check_names *names)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	view_check__violation(out, CHECK_TEXT, v, names);
	fclose(out);
	return text;
}

/* TAP and JUnit have it in the end, where its rule comes. */
static void on_violation(void *ctx, const struct violation *v)
{
	struct check_run *r = ctx;
	struct check_row *row = &r->verdict.row[v->rule];

	if (r->recorder && r->flight == KEEPING) {
		r->flight = BROKEN;
		recorder__hold(r->recorder, UINT64_MAX); /* until it is written */
	}
	if (row->broken++ >= SHOWN)
		return;
	if (r->format == CHECK_TAP || r->format == CHECK_JUNIT) {
		if (!row->evidence)
			row->evidence = as_text(v, &r->names);
		return;
	}
	view_check__violation(r->out, r->format, v, &r->names);
	fflush(r->out);
}

static void free_run(struct check_run *r)
{
	int i;

	for (i = 0; i < FP_RULES; i++)
		free(r->verdict.row[i].evidence);
	checking__close(&r->checking);
	recorder__free(r->recorder);
}

/* ---- the flight recorder ---- */

static int open_recorder(struct check_run *r)
{
	int err;

	if (!r->cfg.trace)
		return 0;
	r->recorder = recorder__new(-1);
	if (!r->recorder)
		return -ENOMEM;
	cost__measure(&r->cost);
	err = recorder__keep(r->recorder, (uint64_t)(r->cfg.flight * 1e9),
			     FLIGHT_BYTES);
	r->begun = r->counted = fps_clock();
	return err;
}

static int feed(void *ctx, const struct fp_rec *rec)
{
	struct check_run *r = ctx;
	int err = r->recorder && r->flight != WRITTEN ?
			  recorder__feed(r->recorder, rec) :
			  0;

	return err ? err : check__feed(r->checking.check, rec);
}

/* What is kept begins with counters, so there must be some all the time. */
static int take_counters(struct count *c)
{
	struct check_run *r = c->ctx;
	int err, code = session__record(&c->ses, r->recorder, false, 1, feed, r,
					&err);

	r->counted = fps_clock();
	return err ? count__fail(c, strerror(-err)) : code;
}

static int write_flight(struct count *c)
{
	struct check_run *r = c->ctx;
	const struct trace_meta m = {
		.capture = c->ses.cap,
		.host = &c->ses.now,
		.cost = &r->cost,
		.begin = (uint64_t)(r->begun * 1e9),
	};
	int fd = open(r->cfg.trace, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0600);
	int err = fd < 0 ? -errno : recorder__dump(r->recorder, fd, m);

	r->flight = WRITTEN;
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	if (err) {
		fps_err("cannot write %s: %s", r->cfg.trace, strerror(-err));
		return EXIT_ENV;
	}
	r->verdict.trace = r->cfg.trace;
	return 0;
}

static int fly(struct count *c)
{
	struct check_run *r = c->ctx;
	double every = r->cfg.flight / 8 < 1 ? r->cfg.flight / 8 : 1;
	int code = 0;

	if (!r->recorder || r->flight == WRITTEN)
		return 0;
	if (r->flight == BROKEN || fps_clock() - r->counted >= every)
		code = take_counters(c);
	return !code && r->flight == BROKEN ? write_flight(c) : code;
}

/* ---- live ---- */

static int open_check(struct count *c)
{
	struct check_run *r = c->ctx;
	int err;

	if (r->checking.check)
		return 0;
	r->out = c->out;
	r->checking.ses = &c->ses;
	r->checking.check = check__new(c->ses.now.cpus, on_violation, r);
	r->names = checking__names(&r->checking);
	err = r->checking.check ? open_recorder(r) : -ENOMEM;
	return err ? count__fail(c, strerror(-err)) : 0;
}

static int drain(struct count *c)
{
	struct check_run *r = c->ctx;
	int err, code = open_check(c);

	if (code)
		return code;
	err = checking__drain(&r->checking, feed, r);
	return err ? count__fail(c, strerror(-err)) : fly(c);
}

static void take_rows(struct check_run *r, const struct capture *cap)
{
	uint64_t asked[FP_RULES] = {};
	int i;

	if (cap)
		capture__asked(cap, asked);
	for (i = 0; i < FP_RULES; i++) {
		struct check_row *row = &r->verdict.row[i];

		row->asked = check__asked(r->checking.check, i) + asked[i];
		row->cannot = NULL;
		if (cap)
			row->cannot = capture__cannot(cap, i);
		else if (!(rules[i].how & RULE_STREAM))
			row->cannot = "a trace does not tell";
	}
	if (cap && r->checking.klog < 0)
		r->verdict.row[FP_RULE_I23].cannot = "/dev/kmsg can't be read";
	r->verdict.records = check__records(r->checking.check);
}

static int print(struct count *c, bool mark)
{
	struct check_run *r = c->ctx;
	const struct snapshot *start = &c->ses.start, *now = &c->ses.now;
	int code = drain(c);

	if (!code)
		code = session__sample(&c->ses, mark);
	if (code)
		return code;
	take_rows(r, c->ses.cap);
	r->verdict.lost = sat_sub(now->lost, start->lost);
	r->verdict.dropped = sat_sub(now->dropped, start->dropped);
	r->verdict.t = now->t;
	view_check__verdict(c->out, r->format, &r->verdict);
	c->doubt = check_verdict__void(&r->verdict);
	return 0;
}

static int check_live(struct check_run *r, char **argv)
{
	struct count count = {
		.cfg = &r->cfg.count,
		.ctx = r,
		.print = print,
		.tick = drain,
	};
	int code;

	r->checking.klog = klog__open();
	code = count__run(&count, argv);
	if (code != EXIT_ENV && check_verdict__broken(&r->verdict))
		return EXIT_VIOLATION;
	return code;
}

/* ---- of a trace ---- */

static double trace_time(void *ctx, uint64_t ns)
{
	const struct offline *o = ctx;

	return trace__time(o->trace, ns);
}

static int begin_trace(struct offline *o)
{
	struct check_run *r = o->ctx;

	check__free(r->checking.check); /* of the section before */
	r->out = o->out;
	r->names = (struct check_names){ .time = trace_time, .ctx = o };
	r->checking.check = check__new(trace__host(o->trace)->cpus, on_violation, r);
	if (r->checking.check)
		return 0;
	fps_err("out of memory");
	return EXIT_ENV;
}

static int feed_trace(struct offline *o, const struct fp_rec *rec,
		      uint32_t step)
{
	const struct check_run *r = o->ctx;

	(void)step;
	return check__feed(r->checking.check, rec);
}

static int print_trace(struct offline *o, struct view *v)
{
	struct check_run *r = o->ctx;

	take_rows(r, NULL);
	r->verdict.lost = v->s->lost;
	r->verdict.dropped = v->s->dropped;
	r->verdict.t = v->s->t;
	view_check__verdict(o->out, r->format, &r->verdict);
	if (check_verdict__broken(&r->verdict))
		return EXIT_VIOLATION;
	return r->cfg.count.strict && check_verdict__void(&r->verdict) ?
		       EXIT_LOST :
		       0;
}

static int check_trace(const struct command *cmd, struct check_run *r,
		       struct opt_rest *rest)
{
	struct offline o = {
		.input = r->cfg.read,
		.output = r->cfg.count.output,
		.strict = r->cfg.count.strict,
		.ctx = r,
		.begin = begin_trace,
		.feed = feed_trace,
		.print = print_trace,
	};
	const char *live = r->cfg.trace	       ? "--trace" :
			   r->cfg.duration > 0 ? "--duration" :
						 NULL;

	return offline__operands(cmd, rest, live) ? offline__run(&o) :
						    rest->code;
}

/* ---- options ---- */

static int parse_format(const struct command *cmd, struct check_run *r)
{
	const struct check_config *cfg = &r->cfg;

	if (cfg->json + cfg->tap + cfg->junit > 1)
		return opt__usage_error(
			cmd, "--json, --tap and --junit don't go together");
	r->format = cfg->json  ? CHECK_JSON :
		    cfg->tap   ? CHECK_TAP :
		    cfg->junit ? CHECK_JUNIT :
				 CHECK_TEXT;
	if (cfg->flight > 0 && !cfg->trace)
		return opt__usage_error(cmd, "--flight is of --trace");
	return 0;
}

static int parse_required(const struct command *cmd, struct check_run *r)
{
	const char *list = r->cfg.require ? r->cfg.require : REQUIRED;
	enum fp_rule rule;
	char id[8];
	size_t len;

	for (; list; list = list[len] ? list + len + 1 : NULL) {
		len = strcspn(list, ",");
		snprintf(id, sizeof(id), "%.*s", (int)len, list);
		rule = rule__by_id(id);
		if (rule == FP_RULES)
			return opt__usage_error(cmd, "there is no rule '%.*s'",
						(int)len, list);
		if (rules[rule].how == RULE_NEVER)
			return opt__usage_error(cmd, "%s is never asked: %s",
						id, rules[rule].guards);
		r->verdict.required |= 1u << rule;
	}
	return 0;
}

static int check_main(const struct command *cmd, int argc, char **argv)
{
	struct check_run r = {
		.cfg.count.capture = { .stream = true, .check = true },
		.checking.klog = -1,
	};
	struct opt_rest rest;
	int code;

	if (!opt__parse(cmd, argc, argv, &r.cfg, &rest) ||
	    (!r.cfg.read && !count__operands(cmd, &rest)))
		return rest.code;
	code = parse_format(cmd, &r);
	if (!code)
		code = parse_required(cmd, &r);
	if (code)
		return code;
	if (r.cfg.list) {
		view_check__list(stdout);
		return EXIT_FINE;
	}
	r.cfg.flight = r.cfg.flight > 0 ? r.cfg.flight : FLIGHT;
	r.cfg.count.interval = r.cfg.duration;
	r.cfg.count.count = r.cfg.duration > 0;
	if (r.cfg.read)
		code = check_trace(cmd, &r, &rest);
	else
		code = check_live(&r, rest.argc ? rest.argv : NULL);
	free_run(&r);
	return code;
}

const struct command cmd_check = {
	.name = "check",
	.args = "[-- CMD [ARG]...]",
	.summary = "Catch a kernel that corrupts FP state.",
	.text = "Follows each change of ownership while CMD runs, or until it "
		"is interrupted, and tells of each that breaks a rule, at once, "
		"with what led there. fpstat explain tells what a rule says. "
		"The verdict at the end is clean, broken, or void: what had to "
		"be asked was not, or something was lost. SIGUSR1 makes it "
		"print what it has up to now.",
	.opts = opts,
	.run = check_main,
};
