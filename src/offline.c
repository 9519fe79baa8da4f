// SPDX-License-Identifier: GPL-2.0-only
#include "offline.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <linux/types.h>

#include "cmd.h"
#include "exit.h"
#include "fpstat/judge.h"
#include "recount.h"
#include "replay.h"
#include "trace.h"
#include "util.h"
#include "whatif.h"

#define AGAIN 1 /* what was skipped is needed after all */

static int fail(int err)
{
	fps_err("%s", strerror(-err));
	return EXIT_ENV;
}

static int open_trace(struct offline *o)
{
	char why[256];

	o->trace = trace__open(o->input, why, sizeof(why));
	if (o->trace)
		return 0;
	fps_err("%s", why);
	return EXIT_ENV;
}

static int open_both(struct offline *o)
{
	int code = open_trace(o);

	o->warm = 1;
	if (code || o->directory)
		return code;
	o->out = o->output ? fopen(o->output, "we") : stdout;
	if (o->out)
		return 0;
	fps_err("cannot write %s: %s", o->output, strerror(errno));
	return EXIT_ENV;
}

static bool is_part(const struct offline *o)
{
	return o->from > 0 || o->to > 0;
}

static const struct recount *counted(const struct offline *o)
{
	return o->whatif ? whatif__recount(o->whatif) : o->recount;
}

/* What comes before a message about a trace, if it is a part of a merged one. */
static void locate(const struct trace *t, char *where, size_t len)
{
	if (trace__section(t))
		snprintf(where, len, "section %u (%s): ", trace__section(t),
			 trace__about(t)->host);
}

/*
 * Before what is of interest it reads a while longer: for what the registers hold is
 * known when something has happened to them.
 */
static int skip(struct offline *o)
{
	if (o->from <= 0 || trace__section(o->trace) || !strcmp(o->input, "-"))
		return 0;
	return trace__skip(o->trace, o->from - o->warm);
}

static int begin_section(struct offline *o)
{
	int code;

	locate(o->trace, o->where, sizeof(o->where));
	o->begun = o->ended = o->fed = o->plain = o->differs = false;
	o->inside = !is_part(o);
	o->unsure = false;
	code = o->begin ? o->begin(o) : 0;
	if (code || o->whatif)
		return code;
	o->skipped = skip(o);
	if (o->skipped < 0)
		return fail(o->skipped);
	o->recount = recount__new(trace__host(o->trace)->cpus);
	return o->recount ? 0 : fail(-ENOMEM);
}

static void end_section(struct offline *o)
{
	recount__free(o->recount);
	o->recount = NULL;
	snapshot__free(&o->now);
	snapshot__free(&o->last);
	snapshot__free(&o->delta);
	snapshot__free(&o->first);
	snapshot__free(&o->until);
	snapshot__free(&o->part);
}

static int close_both(struct offline *o, int code)
{
	bool bad = o->out && ferror(o->out);

	if (o->finish)
		o->finish(o);
	fleet__free(&o->fleet);
	trace__close(o->trace);
	if (!o->out || o->out == stdout)
		return code; /* main() looks at it */
	if (!fclose(o->out) && !bad)
		return code;
	fps_err("cannot write %s", o->output);
	return EXIT_ENV;
}

/*
 * Is it known of each CPU what it holds? Where it is not, a save that was skipped may
 * be pending, and no record that comes would decide it.
 */
static bool all_known(const struct offline *o)
{
	const struct replay *r = recount__replay(o->recount);
	const struct replay_cpu *c;
	uint32_t i;

	for (i = 0; (c = replay__cpu(r, i)); i++) {
		if (c->judge.held == FP_HELD_UNKNOWN)
			return false;
	}
	return true;
}

/* What happened up to the record that comes. */
static int look(struct offline *o, double t, struct snapshot *s)
{
	int err = recount__alone(counted(o), trace__host(o->trace), s);

	s->t = s->dt = t;
	return err;
}

static int begin_part(struct offline *o, double t)
{
	o->begun = true;
	o->unsure |= o->skipped && !all_known(o);
	o->unpaid = replay__unpaid(recount__replay(counted(o)));
	return look(o, t, &o->first);
}

/* But for the last counters: they have all names. */
static int skip_rest(struct offline *o)
{
	int err = trace__skip(o->trace, INFINITY);

	return err < 0 ? err : 0;
}

/* All records are counted; of two times it is known how far that was. */
static int watch_time(struct offline *o, const struct fp_rec *rec)
{
	double t = trace__time(o->trace, rec->ns);
	int err = 0;

	if (!o->begun && t >= o->from)
		err = begin_part(o, o->from);
	if (!err && !o->ended && o->to > 0 && t > o->to) {
		o->ended = true;
		err = look(o, o->to, &o->until);
		if (!err && o->skipped)
			err = skip_rest(o);
	}
	o->inside = o->begun && !o->ended;
	return err;
}

/*
 * The counters were taken before and after the records that precede them were read:
 * do they agree on who has a slot? If not, it is not known who had it in between.
 */
static bool same_lives(const struct snapshot *before,
		       const struct snapshot *after)
{
	size_t i;

	for (i = 0; i < after->nr_vcpus; i++) {
		const struct snap_vcpu *v = &after->vcpus[i];
		const struct snap_vcpu *was = snapshot__find(before, v);

		if (!was || was->state != v->state)
			return false;
	}
	return before->nr_vcpus == after->nr_vcpus;
}

/* Counters came before the first record, or should have. */
static int begin_in_middle(struct offline *o)
{
	const struct snapshot *since = trace__since(o->trace);

	if (trace__middle(o->trace) && o->whatif)
		return whatif__begin(o->whatif, since);
	if (since) {
		recount__begin(o->recount, since);
		o->unsure |= o->skipped &&
			     !same_lives(trace__before(o->trace), since);
	}
	return 0;
}

/* Did something happen on its CPU that no record that was read tells? */
static bool is_headless(const struct offline *o, const struct fp_rec *rec,
			uint32_t step)
{
	return rec->flags & FP_REC_GAP || step & FP_OP_UNDECIDED ||
	       replay__unpaid(recount__replay(o->recount)) != o->unpaid;
}

static int count(struct offline *o, const struct fp_rec *rec)
{
	uint32_t step = recount__step(o->recount, rec);
	int err;

	o->unsure |= o->inside && o->skipped && is_headless(o, rec, step);
	err = o->feed ? o->feed(o, rec, step) : 0;
	return !err && o->skipped && o->unsure ? AGAIN : err;
}

/* The first record, or one of a part. */
static __attribute__((cold)) int look_up(struct offline *o,
					 const struct fp_rec *rec)
{
	int err = o->fed ? 0 : begin_in_middle(o);

	o->fed = true;
	o->plain = !is_part(o);
	return err || o->plain ? err : watch_time(o, rec);
}

static int feed(void *ctx, const struct fp_rec *rec)
{
	struct offline *o = ctx;
	int err = o->plain ? 0 : look_up(o, rec);

	if (err)
		return err;
	return o->whatif ? whatif__feed(o->whatif, rec) : count(o, rec);
}

/* ---- what it came to ---- */

/* Says it, and that the trace is not whole. */
#define DOUBT(o, fmt, ...)                                                     \
	((o)->whole = false, fps_err("%s" fmt, (o)->where, ##__VA_ARGS__))

bool offline__whole(const char *input, const struct trace *t)
{
	struct trace_health h = trace__health(t);
	char where[OFFLINE_WHERE] = "";

	locate(t, where, sizeof(where));
	if (h.damaged)
		fps_err("%s%s is damaged in %" PRIu64
			" places, the first is at byte %" PRIu64 ": %" PRIu64
			" records are missing",
			where, fps_input(input), h.damaged, h.offset, h.lost);
	if (h.cut)
		fps_err("%s%s has no end: what happened after %.3f s is missing",
			where, fps_input(input), trace__host(t)->t);
	if (h.alone)
		fps_err("%s%s was cut: the sections after this one are missing",
			where, fps_input(input));
	return !h.damaged && !h.cut && !h.alone;
}

static void differ(struct offline *o, const char *why, uint64_t lost)
{
	o->differs = !lost;
	DOUBT(o, "%s: these are the counters of the kernel", why);
}

/* The counters of the kernel are there, and tell of all records. */
static int take_settled(struct offline *o)
{
	const struct snapshot *after = trace__after(o->trace);
	char why[256];

	if (o->recorded || snapshot__guests_hidden(after))
		return snapshot__copy(&o->now, after);
	if (after->lost)
		DOUBT(o,
		      "%" PRIu64 " records of the stream were lost: these are "
		      "the counters of the kernel",
		      after->lost);
	else if (!trace__health(o->trace).lost &&
		 !recount__agrees(counted(o), after, &o->delta, why,
				  sizeof(why)))
		differ(o, why, 0);
	else if (!trace__health(o->trace).lost)
		return recount__again(counted(o), after, &o->now);
	return snapshot__copy(&o->now, after);
}

/* What happened on each CPU before is not known: nothing can be counted anew. */
static int take_middle(struct offline *o)
{
	char why[256];
	const struct snapshot *after = trace__after(o->trace);
	int err = snapshot__delta(&o->now, after, trace__since(o->trace));

	if (!err)
		err = snapshot__delta(&o->delta, after,
				      trace__before(o->trace));
	if (!err && !trace__health(o->trace).lost &&
	    !recount__can_be(counted(o), &o->now, why, sizeof(why)))
		differ(o, why, o->now.lost);
	return err;
}

static int take_counters(struct offline *o)
{
	const struct snapshot *after = trace__after(o->trace);
	int err;

	o->whole = offline__whole(o->input, o->trace);
	if (!trace__settled(o->trace)) {
		o->whole = false;
		err = recount__alone(counted(o), trace__host(o->trace),
				     &o->now);
		if (!err && after)
			recount__name(&o->now, after);
		return err;
	}
	if (trace__middle(o->trace))
		return take_middle(o);
	err = snapshot__delta(&o->delta, after, trace__before(o->trace));
	if (!err)
		err = take_settled(o);
	if (!err)
		err = snapshot__copy(&o->last, after);
	return err;
}

static bool any_unknown(const struct snap_ops *o)
{
	return o->save.unknown || o->load.unknown;
}

/* Is a part what it were if all before had been read, too? */
static bool is_sure(const struct offline *o)
{
	struct snap_vcpu all;

	snapshot__total(&o->part, &all);
	return o->fed && !o->unsure && !any_unknown(&all.guest) &&
	       !any_unknown(&all.host) && !any_unknown(&o->part.task) &&
	       !any_unknown(&o->part.kernel_neon);
}

static int take_part(struct offline *o)
{
	const struct snapshot *known = trace__after(o->trace);
	double end = trace__host(o->trace)->t;
	int err = 0;

	if (!o->ended)
		err = look(o, end, &o->until);
	if (!err && !o->begun)
		err = begin_part(o, end);
	if (!err && known) {
		recount__name(&o->first, known);
		recount__name(&o->until, known);
	}
	if (!err)
		err = snapshot__delta(&o->part, &o->until, &o->first);
	if (err)
		return err;
	snapshot__drop_ended(&o->part);
	return o->skipped && !is_sure(o) ? AGAIN : 0;
}

/* In place of all of it. */
static void use_part(struct offline *o)
{
	snapshot__free(&o->now);
	o->now = o->part;
	o->part = (struct snapshot){};
}

/* From its beginning, or from a time that is further from what is of interest. */
static int read_again(struct offline *o)
{
	end_section(o);
	trace__close(o->trace);
	o->warm *= 16;
	return open_trace(o);
}

static bool lost(const struct offline *o)
{
	const struct snapshot *s = &o->now;

	return !o->whole || s->lost || s->missed || s->undecided;
}

int offline__unreadable(const char *input, const struct trace *t, int err)
{
	char where[OFFLINE_WHERE] = "";

	locate(t, where, sizeof(where));
	fps_err("%scannot read %s: %s", where, fps_input(input),
		err == -EPROTONOSUPPORT ?
			"it has events that only a newer fpstat knows" :
			strerror(-err));
	return EXIT_ENV;
}

static int read_section(struct offline *o)
{
	struct view v = { .s = &o->now };
	int err, code = begin_section(o);

	if (code)
		return code;
	err = trace__drain(o->trace, feed, o);
	if (err < 0)
		return offline__unreadable(o->input, o->trace, err);
	if (!err && is_part(o))
		err = take_part(o);
	if (err == AGAIN) {
		code = read_again(o);
		return code ? code : read_section(o);
	}
	if (!err)
		err = take_counters(o);
	if (err)
		return fail(err);
	if (is_part(o))
		use_part(o);
	v.foreign_bit = trace__foreign_bit(o->trace);
	v.section = trace__section(o->trace);
	v.host = trace__about(o->trace)->host;
	code = o->print(o, &v);
	if (v.section && fleet__add(&o->fleet, v.host, &o->now))
		return fail(-ENOMEM);
	if (!code && o->strict && lost(o))
		return EXIT_LOST;
	return code;
}

/* Are there sections between number @before and this one? */
static bool missing(const struct offline *o, unsigned int before)
{
	unsigned int section = trace__section(o->trace);

	if (section <= before + 1)
		return false;
	fps_err("%s: %u sections before number %u are missing",
		fps_input(o->input), section - before - 1, section);
	return true;
}

/* Goes on to the next section, over those that nobody can read. */
static bool next(struct offline *o, int *code)
{
	unsigned int before;
	bool whole = true;
	char why[256];
	int found;

	do {
		before = trace__section(o->trace);
		found = trace__next_section(o->trace, why, sizeof(why));
		whole &= found >= 0 && !missing(o, before);
		if (found < 0)
			fps_err("%s: %s", fps_input(o->input), why);
		if (found < 0 && found != -EBADMSG)
			*code = EXIT_ENV;
	} while (found < 0);
	if (!whole && o->strict && !*code)
		*code = EXIT_LOST;
	return found;
}

/* What went wrong first is told. */
static int read_all(struct offline *o)
{
	int code = missing(o, 0) && o->strict ? EXIT_LOST : 0, section;

	do {
		section = read_section(o);
		end_section(o);
		code = code ? code : section;
	} while (section != EXIT_ENV && next(o, &code));
	if (o->sum && fleet__total(&o->fleet).sections > 1)
		o->sum(o, &o->fleet);
	return code;
}

int offline__run(struct offline *o)
{
	int code = open_both(o);

	return close_both(o, code ? code : read_all(o));
}

bool offline__operands(const struct command *cmd, struct opt_rest *rest,
		       const char *live)
{
	if (rest->argc || rest->after_dashes)
		rest->code = opt__usage_error(
			cmd, "--read and a command don't go together");
	else if (live)
		rest->code = opt__usage_error(
			cmd, "--read and %s don't go together", live);
	else
		return true;
	return false;
}
