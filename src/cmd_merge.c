// SPDX-License-Identifier: GPL-2.0-only
/* fpstat merge: traces of several hosts, or parts of one, as one file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "exit.h"
#include "trace_merge.h"
#include "util.h"

struct merge_config {
	const char *output;
	bool strict;
};

#define AT(field) offsetof(struct merge_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(output), .arg = "FILE",
	  .help = "write the trace to FILE; - is standard output" },
	{ .name = "strict", .offset = AT(strict),
	  .help = "exit with 4 if anything is missing in a trace" },
	OPT_COMMON,
	{}
};
/* clang-format on */

struct merge_run {
	struct merge_config cfg;
	const char *name; /* of the output, for messages */
	char **paths;
	int nr;
	struct trace_parts parts;
	FILE *out;
};

/* ---- the traces ---- */

/* Which of the first @nr inputs is that file, or NULL. */
static const char *find_file(const struct merge_run *r, int nr,
			     const struct stat *file)
{
	struct stat st;
	int i;

	for (i = 0; i < nr; i++) {
		if (!stat(r->paths[i], &st) && st.st_dev == file->st_dev &&
		    st.st_ino == file->st_ino)
			return r->paths[i];
	}
	return NULL;
}

/* Is any of them there twice, by its name or by what is in it? */
static int look_for_twins(struct merge_run *r)
{
	const struct trace_part *a, *b;
	const char *other;
	struct stat st;
	int i;

	for (i = 1; i < r->nr; i++) {
		other = stat(r->paths[i], &st) ? NULL : find_file(r, i, &st);
		if (!other)
			continue;
		fps_err("%s and %s are the same file: name it once", other,
			r->paths[i]);
		return EXIT_USAGE;
	}
	a = trace_parts__twice(&r->parts, &b);
	if (!a)
		return 0;
	fps_err("%s and %s have the same records, which would count twice: "
		"leave one of them out",
		a->path, b->path);
	return EXIT_USAGE;
}

static int look_at_all(struct merge_run *r)
{
	char why[512];
	int i;

	for (i = 0; i < r->nr; i++) {
		if (!trace_parts__add(&r->parts, r->paths[i], why, sizeof(why)))
			continue;
		fps_err("%s", why);
		return EXIT_ENV;
	}
	return look_for_twins(r);
}

/* What can be read of it is taken. Returns whether that is all. */
static bool tell_health(const struct trace_part *part)
{
	const struct trace_health *h = &part->health;

	if (h->damaged)
		fps_err("%s is damaged in %" PRIu64
			" places, the first is at byte %" PRIu64 ": %" PRIu64
			" records are missing",
			part->path, h->damaged, h->offset, h->lost);
	if (h->cut)
		fps_err("%s has no end: what came then is missing", part->path);
	if (part->missing)
		fps_err("%s was cut when it was merged already: %u sections of "
			"it are missing",
			part->path, part->missing);
	return !h->damaged && !h->cut && !part->missing;
}

/* ---- the output ---- */

static int cannot_write(const struct merge_run *r)
{
	fps_err("cannot write %s: %s", r->name, strerror(errno));
	return EXIT_ENV;
}

/* As private as a trace is. What was there stays until all is known to be well. */
static int open_output(struct merge_run *r)
{
	bool standard = !strcmp(r->cfg.output, "-");
	const char *input;
	struct stat st;
	int fd = standard ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) :
			    open(r->cfg.output, O_WRONLY | O_CREAT | O_CLOEXEC,
				 0600);

	r->name = standard ? "standard output" : r->cfg.output;
	r->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!r->out || fstat(fd, &st))
		return cannot_write(r);
	input = find_file(r, r->nr, &st);
	if (input) {
		fps_err("cannot write %s: it is %s, one of the traces", r->name,
			input);
		return EXIT_USAGE;
	}
	if (!standard && ftruncate(fd, 0) && S_ISREG(st.st_mode))
		return cannot_write(r);
	return 0;
}

static int copy_all(struct merge_run *r)
{
	const struct trace_part *part;
	size_t i;
	int err;

	for (i = 0; i < r->parts.nr; i++) {
		part = &r->parts.part[i];
		err = trace_part__copy(part, i + 1 < r->parts.nr, r->out);
		if (ferror(r->out))
			return cannot_write(r);
		if (!err)
			continue;
		fps_err("cannot read %s: %s", part->path, strerror(-err));
		return EXIT_ENV;
	}
	return fflush(r->out) ? cannot_write(r) : 0;
}

/* One that lacks hosts, and does not say so, is worse than none. */
static void remove_output(const struct merge_run *r)
{
	struct stat st;

	if (strcmp(r->cfg.output, "-") && !fstat(fileno(r->out), &st) &&
	    S_ISREG(st.st_mode))
		unlink(r->cfg.output);
}

static int write_all(struct merge_run *r)
{
	int code = open_output(r), copied = code ? code : copy_all(r);

	if (!code && copied)
		remove_output(r);
	if (r->out && fclose(r->out) && !copied)
		copied = cannot_write(r);
	return copied;
}

static int merge(struct merge_run *r)
{
	bool whole = true;
	int code = look_at_all(r);
	size_t i;

	if (code)
		return code;
	trace_parts__sort(&r->parts);
	for (i = 0; i < r->parts.nr; i++)
		whole &= tell_health(&r->parts.part[i]);
	code = write_all(r);
	return !code && r->cfg.strict && !whole ? EXIT_LOST : code;
}

static int merge_main(const struct command *cmd, int argc, char **argv)
{
	struct merge_run r = {};
	struct opt_rest rest;
	int code;

	if (!opt__parse(cmd, argc, argv, &r.cfg, &rest))
		return rest.code;
	if (!rest.argc)
		return opt__usage_error(cmd, "no trace is given");
	if (!r.cfg.output)
		return opt__usage_error(cmd, "--output is missing");
	if (!strcmp(r.cfg.output, "-") && isatty(STDOUT_FILENO))
		return opt__usage_error(cmd, "a trace is not for a terminal");
	r.paths = rest.argv;
	r.nr = rest.argc;
	code = merge(&r);
	trace_parts__free(&r.parts);
	return code;
}

const struct command cmd_merge = {
	.name = "merge",
	.args = "FILE...",
	.summary = "Make one trace of several.",
	.text = "Of several hosts, or of one host one after the other. What reads "
		"a trace does with each what it does with it alone: fpstat "
		"report prints one report after the other.",
	.opts = opts,
	.run = merge_main,
};
