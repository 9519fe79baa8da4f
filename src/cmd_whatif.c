// SPDX-License-Identifier: GPL-2.0-only
/* fpstat whatif: what other policies would have moved, from the same needs. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "cost.h"
#include "count.h"
#include "culprit.h"
#include "exit.h"
#include "offline.h"
#include "param.h"
#include "recount.h"
#include "trace.h"
#include "util.h"
#include "view.h"
#include "view_sum.h"
#include "whatif.h"
#include "whatif_sum.h"

struct whatif_config {
	struct count_config count;
	bool json;
	bool vcpus;
	const char *policies; /* names, with commas */
	const char *sweep; /* name of a parameter */
	const char *read;
};

#define AT(field) offsetof(struct whatif_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'j', .name = "json", .offset = AT(json),
	  .help = "print one JSON object a line (see fpstat-whatif(8))" },
	{ .name = "policy", .type = OPT_STRING, .offset = AT(policies),
	  .arg = "LIST",
	  .help = "only these policies, with commas between them" },
	{ .name = "sweep", .type = OPT_STRING, .offset = AT(sweep),
	  .arg = "NAME",
	  .help = "print a row for each of many values of this parameter" },
	{ .letter = 'v', .name = "vcpus", .offset = AT(vcpus),
	  .help = "print a table for each vcpu, and decisions by kind, too" },
	{ .letter = 'r', .name = "read", .type = OPT_STRING,
	  .offset = AT(read), .arg = "FILE",
	  .help = "do it for a trace; - is standard input" },
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(count.output), .arg = "FILE",
	  .help = "write to FILE, not to standard output" },
	{ .name = "strict", .offset = AT(count.strict),
	  .help = "exit with 4 if anything was lost, missed or undecided, or "
		  "the stream and the counters differ" },
	{ .name = "budget", .type = OPT_PERCENT,
	  .offset = AT(count.capture.budget), .arg = "PERCENT",
	  .help = "cost no more of the time of all CPUs than that: follow "
		  "nothing meanwhile (counters stay exact)" },
	OPT_COMMON,
	{}
};
/* clang-format on */

struct whatif_run {
	struct whatif_config cfg;
	struct whatif *whatif;
	uint32_t policies; /* bit per policy */
	struct params params;
	struct cost cost;
	struct whatif_sum hosts[WHATIF_ROWS]; /* of a merged trace */
};

static const char wider[] = "intervals are wider by what these may have told";
static const char nothing[] = "what policies would have moved is n/a";

static int feed(void *ctx, const struct fp_rec *rec)
{
	return whatif__feed(ctx, rec);
}

static bool new_whatif(struct whatif_run *r, unsigned int cpus,
		       struct blame_namer namer)
{
	r->whatif = whatif__new(cpus, namer);
	return r->whatif && !whatif__sweep(r->whatif, cpus, &r->params);
}

static int open_whatif(struct count *c)
{
	struct whatif_run *r = c->ctx;
	struct blame_namer namer = { .name = culprit__name };

	if (r->whatif || new_whatif(r, c->ses.now.cpus, namer))
		return 0;
	return count__fail(c, "out of memory");
}

static int drain(struct count *c)
{
	struct whatif_run *r = c->ctx;
	int err, code = open_whatif(c);

	if (code)
		return code;
	err = capture__drain(c->ses.cap, feed, r->whatif);
	return err ? count__fail(c, strerror(-err)) : 0;
}

static bool fits(struct count *c, char *why, size_t len)
{
	const struct snapshot *now = &c->ses.now, *delta = &c->ses.interval;
	const struct whatif_run *r = c->ctx;

	return recount__agrees(whatif__recount(r->whatif), now, delta, why,
			       len) &&
	       whatif__proves(r->whatif, now, delta, why, len);
}

static void tell_doubt(struct count *c, const char *why)
{
	const struct whatif_run *r = c->ctx;
	bool lost = c->ses.now.lost;

	c->doubt = true;
	if (!lost)
		whatif__miss(r->whatif);
	fps_err("%s: %s", why, lost ? wider : nothing);
}

/*
 * Reads the stream, and the counters before and after. A step on another CPU may
 * be recorded and not yet counted.
 */
static int settle(struct count *c, bool mark)
{
	enum { TRIES = 100 };
	const struct whatif_run *r = c->ctx;
	char why[256];
	int i, code, err;

	for (i = 0; i < TRIES; i++) {
		code = session__surround(&c->ses, mark, feed, r->whatif, &err);
		if (err)
			return count__fail(c, strerror(-err));
		if (code || fits(c, why, sizeof(why)))
			return code;
		if (c->ses.now.lost)
			break; /* for good */
	}
	tell_doubt(c, why);
	return 0;
}

static int print_view(const struct whatif_run *r, FILE *out, struct view *v)
{
	v->whatif = r->whatif;
	v->policies = r->policies;
	v->params = &r->params;
	if (r->cfg.json)
		view_json__print(out, v);
	else
		view_whatif__print(out, v, r->cfg.vcpus);
	return 0;
}

static int print(struct count *c, bool mark)
{
	struct whatif_run *r = c->ctx;
	struct view v = { .cost = &r->cost };
	int code = open_whatif(c);

	if (!code)
		code = settle(c, mark);
	if (code)
		return code;
	session__view(&c->ses, &v);
	v.s = &c->ses.now;
	return print_view(r, c->out, &v);
}

/* ---- of a trace ---- */

static int begin_trace(struct offline *o)
{
	struct whatif_run *r = o->ctx;

	whatif__free(r->whatif); /* of the section before */
	if (new_whatif(r, trace__host(o->trace)->cpus,
		       (struct blame_namer){ culprit__name, o->trace })) {
		o->whatif = r->whatif;
		return 0;
	}
	fps_err("out of memory");
	return EXIT_ENV;
}

/* Its own policy must come to what that kernel did. */
static void check_trace(struct offline *o, struct whatif *w)
{
	bool middle = trace__middle(o->trace);
	char why[256];

	if (!trace__settled(o->trace) || whatif__missed(w) ||
	    whatif__proves(w, middle ? &o->now : &o->last, &o->delta, why,
			   sizeof(why)))
		return;
	fps_err("%s%s", o->where, why);
	o->whole = false;
	whatif__miss(w);
}

static int print_trace(struct offline *o, struct view *v)
{
	struct whatif_run *r = o->ctx;
	struct whatif_sum sum;
	int i;

	if (o->differs || trace__health(o->trace).lost)
		whatif__miss(r->whatif);
	check_trace(o, r->whatif);
	if (trace__middle(o->trace)) {
		fps_err("%s%s begins in the middle of a capture: intervals are "
			"wider by what is not known of its beginning",
			o->where, fps_input(o->input));
		o->whole = false;
	}
	if (whatif__missed(r->whatif))
		fps_err("%s%s", o->where, nothing);
	else if (o->now.lost && o->now.lost != SNAP_NA)
		fps_err("%s%s", o->where, wider);
	for (i = 0; v->section && i < WHATIF_ROWS; i++) {
		sum = whatif_sum__row(r->whatif, v->s, NULL, i);
		whatif_sum__add(&r->hosts[i], &sum);
	}
	v->cost = trace__cost(o->trace);
	if (r->cfg.json)
		view_json__section(o->out, v);
	else
		view_text__section(o->out, v);
	return print_view(r, o->out, v);
}

static void sum_hosts(struct offline *o, const struct fleet *f)
{
	const struct whatif_run *r = o->ctx;

	if (r->cfg.json) {
		view_fleet__json(o->out, f);
		view_json__hosts(o->out, r->hosts, r->policies);
	} else {
		view_fleet__print(o->out, f);
		view_whatif__hosts(o->out, r->hosts, r->policies);
	}
}

static int read_trace(const struct command *cmd, struct whatif_run *r,
		      struct opt_rest *rest)
{
	struct offline o = {
		.input = r->cfg.read,
		.output = r->cfg.count.output,
		.strict = r->cfg.count.strict,
		.ctx = r,
		.begin = begin_trace,
		.print = print_trace,
		.sum = sum_hosts,
	};

	return offline__operands(cmd, rest, NULL) ? offline__run(&o) :
						    rest->code;
}

static void list_policies(FILE *out)
{
	int i;

	fputs("\nPolicies:\n", out);
	for (i = 0; i < POLICY_MAX; i++)
		fprintf(out, "  %-13s %s\n", policy__name(i), policy__what(i));
	for (i = 0; i < PARAM_KINDS; i++)
		fprintf(out, "  %s=%-*s %s\n", param__name(i),
			12 - (int)strlen(param__name(i)), param__arg(i),
			param__what(i));
}

static bool one_policy(const char *name, size_t len, uint32_t *set)
{
	char copy[32];
	enum policy p;

	snprintf(copy, sizeof(copy), "%.*s", (int)len, name);
	p = len < sizeof(copy) ? policy__by_name(copy) : POLICY_MAX;
	if (p == POLICY_MAX)
		return false;
	*set |= 1u << p;
	return true;
}

static int no_policy(const struct command *cmd, const char *name, size_t len)
{
	int code = opt__usage_error(cmd, "there is no policy '%.*s'", (int)len,
				    name);

	list_policies(stderr);
	return code;
}

/* NAME=VALUE; 0, or the exit code. */
static int one_param(const struct command *cmd, const char *text, size_t len,
		     struct params *params)
{
	size_t name = strcspn(text, "=,"), value = name + (text[name] == '=');
	struct param p = { .kind = param__by_name(text, name) };

	if (p.kind == PARAM_KINDS)
		return no_policy(cmd, text, len);
	if (!param__parse(&p, text + value, len - value))
		return opt__usage_error(cmd, "'%.*s': %s is %s", (int)len, text,
					param__arg(p.kind),
					param__allowed(p.kind));
	if (!params__add(params, &p))
		return opt__usage_error(cmd, "more than %d parameters",
					PARAMS_SELECTED);
	return 0;
}

/* 0, or the exit code. */
static int parse_policies(const struct command *cmd, struct whatif_run *r)
{
	const char *list = r->cfg.policies;
	size_t len;
	int code = 0;

	if (!list) /* but a curve alone has this kernel beside it */
		r->policies = r->cfg.sweep ? 0 : (1u << POLICY_MAX) - 1;
	for (; list && !code; list = list[len] ? list + len + 1 : NULL) {
		len = strcspn(list, ",");
		if (!one_policy(list, len, &r->policies))
			code = one_param(cmd, list, len, &r->params);
	}
	return code;
}

/* The same. */
static int parse_sweep(const struct command *cmd, struct whatif_run *r)
{
	const char *name = r->cfg.sweep;
	enum param_kind kind;

	if (!name)
		return 0;
	kind = param__by_name(name, strlen(name));
	if (kind == PARAM_KINDS)
		return opt__usage_error(cmd,
					"there is no parameter '%s': it is %s "
					"or %s",
					name, param__name(PARAM_FLUSH_AFTER),
					param__name(PARAM_KEEP));
	params__add_curve(&r->params, kind);
	return 0;
}

static int whatif_main(const struct command *cmd, int argc, char **argv)
{
	struct whatif_run r = { .cfg.count.capture.stream = true };
	struct count count = {
		.cfg = &r.cfg.count,
		.ctx = &r,
		.print = print,
		.tick = drain,
	};
	struct opt_rest rest;
	int code;

	if (!opt__parse(cmd, argc, argv, &r.cfg, &rest) ||
	    (!r.cfg.read && !count__operands(cmd, &rest)))
		return rest.code;
	code = parse_policies(cmd, &r);
	if (!code)
		code = parse_sweep(cmd, &r);
	if (code)
		return code;
	if (r.cfg.read) {
		code = read_trace(cmd, &r, &rest);
	} else {
		cost__measure(&r.cost);
		code = count__run(&count, rest.argc ? rest.argv : NULL);
	}
	whatif__free(r.whatif);
	return code;
}

const struct command cmd_whatif = {
	.name = "whatif",
	.args = "[-- CMD [ARG]...]",
	.summary = "Print what other policies would have saved and loaded.",
	.text = "Follows each change of ownership while CMD runs, or until it "
		"is interrupted, and then prints, for what happened to the "
		"vcpus, what this kernel moved, what of that was needed, and "
		"what each policy would have moved. A number that nobody can "
		"know exactly is an interval. SIGUSR1 makes it print what it "
		"has up to now.",
	.opts = opts,
	.more_help = list_policies,
	.run = whatif_main,
};
