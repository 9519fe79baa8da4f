// SPDX-License-Identifier: GPL-2.0-only
/* fpstat doctor: what this machine can and cannot show, and why. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "exit.h"
#include "json.h"
#include "loop.h"
#include "machine.h"
#include "session.h"
#include "util.h"

#define LOOK_EVERY 0.1

struct doctor_config {
	bool json;
	double wait;
};

#define AT(field) offsetof(struct doctor_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'j', .name = "json", .offset = AT(json),
	  .help = "print one JSON object" },
	{ .letter = 'w', .name = "wait", .type = OPT_SECONDS,
	  .offset = AT(wait), .arg = "S",
	  .help = "look for a running guest for S seconds at most "
		  "(default 2)" },
	OPT_COMMON,
	{}
};
/* clang-format on */

struct doctor {
	const struct doctor_config *cfg;
	struct fact facts[MACHINE_FACTS];
	struct session ses;
	struct loop *loop;
	double since;
	int code;
};

static void look(void *ctx)
{
	struct doctor *d = ctx;

	d->code = session__sample(&d->ses, false);
	if (d->code || d->ses.now.policy != SNAP_POLICY_UNKNOWN ||
	    fps_clock() - d->since >= d->cfg->wait)
		loop__stop(d->loop);
}

static void on_signal(void *ctx, const struct signalfd_siginfo *si)
{
	struct doctor *d = ctx;

	(void)si;
	loop__stop(d->loop);
}

/* Running guests show by what they do which policy the kernel follows. */
static int watch_guests(struct doctor *d)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, 0 };
	sigset_t mask;
	int err;

	d->since = fps_clock();
	d->loop = loop__new(signals, &mask, on_signal, d);
	err = d->loop ? 0 : -errno;
	if (!err)
		err = loop__every(d->loop, SESSION_TICK, session__tick,
				  &d->ses);
	if (err >= 0)
		err = loop__every(d->loop, LOOK_EVERY, look, d);
	if (err >= 0)
		err = loop__run(d->loop);
	loop__free(d->loop);
	if (err >= 0)
		return d->code;
	snprintf(d->ses.why, sizeof(d->ses.why), "cannot wait: %s",
		 strerror(-err));
	return EXIT_ENV;
}

static const char *policy_text(const struct snapshot *s)
{
	switch (s->policy) {
	case SNAP_POLICY_MARTIN:
		return "martin: the host's state stays in the registers until "
		       "the guest wants them";
	case SNAP_POLICY_EAGER_HOST:
		return "eager-host: vcpu_load saves the host's state";
	case SNAP_POLICY_PKVM:
		return "pkvm: decided at EL2, out of sight; guest columns are "
		       "n/a";
	default:
		break;
	}
	if (s->nr_vcpus)
		return "unknown (vcpus ran, but did nothing that tells: use FP "
		       "in a guest and ask again)";
	return "unknown (no vcpu ran while I looked: start a guest and ask "
	       "again)";
}

static void line(const char *name, const char *value)
{
	printf("%-14s  %s\n", name, value);
}

static void print_hooks(const struct doctor *d)
{
	const struct capture_hook *h;
	size_t n = capture__hooks(d->ses.cap, &h), i;
	int width = 10;

	for (i = 0; i < n; i++) {
		if ((int)strlen(h[i].name) > width)
			width = (int)strlen(h[i].name);
	}
	printf("\n%-*s  %-10s  %s\n", width, "hook", "attached", "tells");
	for (i = 0; i < n; i++) {
		printf("%-*s  %-10s  %s", width, h[i].name,
		       h[i].mechanism ? h[i].mechanism : "no", h[i].what);
		if (!h[i].mechanism)
			printf(" (%s: %s)",
			       h[i].required ? "required" : "optional",
			       h[i].why ? h[i].why : "reason unknown");
		putchar('\n');
	}
}

static void print_text(const struct doctor *d)
{
	const struct snapshot *s = &d->ses.now;
	const struct fact *f;
	char text[64];
	int bit;

	for (f = d->facts; f < d->facts + MACHINE_FACTS; f++)
		printf("%-14s  %s%s%s\n", f->name, f->value, f->ok ? "" : ": ",
		       f->ok ? "" : f->advice);
	if (*d->ses.why) {
		printf("%-14s  not possible: %s\n", "live capture", d->ses.why);
		return;
	}
	line("live capture", "works");
	line("backend", s->backend);
	line("mode", s->mode);
	line("policy", policy_text(s));
	bit = capture__foreign_bit(d->ses.cap);
	snprintf(text, sizeof(text), "TIF_FOREIGN_FPSTATE is bit %d", bit);
	line("calibrated", bit < 0 ? "TIF_FOREIGN_FPSTATE not found" : text);
	snprintf(text, sizeof(text), "%u bits%s", s->sve_vl * 8,
		 capture__sees_formats(d->ses.cap) ?
			 "" :
			 ", TIF_SVE not found: bytes of tasks are n/a");
	line("SVE", s->sve_vl ? text : "none");
	snprintf(text, sizeof(text), "%zu vcpus seen", s->nr_vcpus);
	line("guests", text);
	snprintf(text, sizeof(text), "%llu missed, %llu lost, %llu undecided",
		 (unsigned long long)s->missed, (unsigned long long)s->lost,
		 (unsigned long long)s->undecided);
	line("so far", text);
	print_hooks(d);
}

static void json_capture(struct json *j, const struct doctor *d)
{
	const struct snapshot *s = &d->ses.now;
	int bit = capture__foreign_bit(d->ses.cap);
	const struct capture_hook *h;
	size_t n = capture__hooks(d->ses.cap, &h), i;

	json__str(j, "backend", s->backend);
	json__str(j, "mode", s->mode);
	json__str(j, "policy", snap_policy__name(s->policy));
	json__count(j, "foreign_bit", bit < 0 ? SNAP_NA : (uint64_t)bit);
	json__u64(j, "sve_vl", s->sve_vl);
	json__u64(j, "vcpus", s->nr_vcpus);
	json__count(j, "missed", s->missed);
	json__count(j, "lost", s->lost);
	json__count(j, "undecided", s->undecided);
	json__array(j, "hooks");
	for (i = 0; i < n; i++) {
		json__object(j, NULL);
		json__str(j, "name", h[i].name);
		json__str(j, "what", h[i].what);
		json__str(j, "mechanism", h[i].mechanism);
		json__str(j, "why", h[i].mechanism ? NULL : h[i].why);
		json__bool(j, "required", h[i].required);
		json__end(j);
	}
	json__end(j);
}

static void print_json(const struct doctor *d)
{
	const struct fact *f;
	struct json j;

	json__init(&j, stdout);
	json__object(&j, NULL);
	json__str(&j, "type", "doctor");
	json__object(&j, "machine");
	for (f = d->facts; f < d->facts + MACHINE_FACTS; f++) {
		json__object(&j, f->json);
		json__str(&j, "value", f->value);
		json__bool(&j, "ok", f->ok);
		json__str(&j, "advice", f->ok ? NULL : f->advice);
		json__end(&j);
	}
	json__end(&j);
	json__bool(&j, "possible", !*d->ses.why);
	json__str(&j, "why", *d->ses.why ? d->ses.why : NULL);
	if (!*d->ses.why)
		json_capture(&j, d);
	json__end(&j);
}

static int examine(struct doctor *d)
{
	struct capture_opts none = {};
	int code;

	machine__facts(d->facts, "");
	code = session__open(&d->ses, &none);
	if (!code)
		code = session__begin(&d->ses, false);
	if (!code)
		code = watch_guests(d);
	if (d->cfg->json)
		print_json(d);
	else
		print_text(d);
	return code;
}

static int doctor_main(const struct command *cmd, int argc, char **argv)
{
	struct doctor_config cfg = { .wait = 2 };
	struct doctor d = { .cfg = &cfg };
	struct opt_rest rest;
	int code;

	if (!opt__parse(cmd, argc, argv, &cfg, &rest))
		return rest.code;
	if (rest.argc)
		return opt__usage_error(cmd, "unknown operand '%s'",
					rest.argv[0]);
	code = examine(&d);
	session__close(&d.ses);
	return code;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.args = "",
	.summary = "Say what this machine can and cannot show, and why.",
	.text = "Looks at the machine, attaches everything that fpstat would "
		"attach, and watches for a moment: a running guest shows "
		"which policy the kernel follows. Exit status 3 if live "
		"capture is not possible here.",
	.opts = opts,
	.run = doctor_main,
};
