// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "opt.h"
#include "units.h"
#include "version.h"

#define OPTS_MAX 32
#define LONG_BASE 256 /* what getopt returns for row 0 */
#define HELP_COLUMN 26
#define LINE 79

void opt__version(FILE *out)
{
	fprintf(out, "fpstat %s\n", FPSTAT_VERSION);
}

void opt__wrap(FILE *out, int indent, const char *text)
{
	int at = indent, n;

	while (*text) {
		n = (int)strcspn(text, " \n");
		if (at > indent && at + 1 + n > LINE) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
		}
		at += fprintf(out, "%s%.*s", at > indent ? " " : "", n, text);
		text += n;
		if (*text == '\n') {
			fprintf(out, "\n%*s", text[1] == '\n' ? 0 : indent, "");
			at = indent;
		}
		if (*text)
			text++;
	}
	fputc('\n', out);
}

static void print_opt(FILE *out, const struct opt *o)
{
	char left[80];

	snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", o->letter ? '-' : ' ',
		 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
		 o->arg ? " " : "", o->arg ? o->arg : "");
	fprintf(out, "%-*s", HELP_COLUMN - 2, left);
	fputs(strlen(left) > HELP_COLUMN - 2 ? "\n" : "  ", out);
	if (strlen(left) > HELP_COLUMN - 2)
		fprintf(out, "%*s", HELP_COLUMN, "");
	opt__wrap(out, HELP_COLUMN, o->help);
}

static void print_opts(FILE *out, const struct command *cmd, bool test)
{
	const struct opt *o;
	bool title = false;

	for (o = cmd->opts; o->name; o++) {
		if (o->test != test)
			continue;
		if (!title)
			fputs(test ? "\nOptions for tests:\n" : "\nOptions:\n",
			      out);
		title = true;
		print_opt(out, o);
	}
}

void opt__help(FILE *out, const struct command *cmd)
{
	fprintf(out, "Usage: fpstat %s [OPTION]...%s%s\n\n", cmd->name,
		*cmd->args ? " " : "", cmd->args);
	opt__wrap(out, 0, cmd->summary);
	if (cmd->text) {
		fputc('\n', out);
		opt__wrap(out, 0, cmd->text);
	}
	print_opts(out, cmd, false);
	if (cmd->more_help)
		cmd->more_help(out);
	print_opts(out, cmd, true);
}

int opt__usage_error(const struct command *cmd, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "fpstat %s: ", cmd->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nUsage: fpstat %s [OPTION]...%s%s\n", cmd->name,
		*cmd->args ? " " : "", cmd->args);
	print_opts(stderr, cmd, false);
	print_opts(stderr, cmd, true);
	return EXIT_USAGE;
}

/* Digits and at most one point: no sign, no exponent, no "nan". */
static bool parse_number(const char *arg, double *out)
{
	size_t n = strspn(arg, "0123456789");

	if (arg[n] == '.')
		n += 1 + strspn(arg + n + 1, "0123456789");
	if (arg[n] || n > 20 || !strpbrk(arg, "0123456789"))
		return false;
	*out = strtod(arg, NULL);
	return true;
}

static bool parse_seconds(const char *arg, double *out)
{
	return parse_number(arg, out) && *out >= OPT_SECONDS_MIN &&
	       *out <= OPT_SECONDS_MAX;
}

static bool parse_percent(const char *arg, double *out)
{
	double percent;

	if (!parse_number(arg, &percent) || percent <= 0 || percent > 100)
		return false;
	*out = percent / 100;
	return true;
}

static bool parse_count(const char *arg, unsigned long *out)
{
	if (!*arg || arg[strspn(arg, "0123456789")])
		return false;
	errno = 0;
	*out = strtoul(arg, NULL, 10);
	return !errno && *out >= 1;
}

/* Returns -1 to go on, else the exit code. */
static int apply(const struct command *cmd, const struct opt *o,
		 const char *arg, char *config)
{
	void *at = config + o->offset;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)at = true;
		return -1;
	case OPT_STRING:
		*(const char **)at = arg;
		return -1;
	case OPT_SECONDS:
		if (parse_seconds(arg, at))
			return -1;
		return opt__usage_error(
			cmd, "--%s wants seconds between %g and %g, not '%s'",
			o->name, OPT_SECONDS_MIN, OPT_SECONDS_MAX, arg);
	case OPT_COUNT:
		if (parse_count(arg, at))
			return -1;
		return opt__usage_error(
			cmd, "--%s wants a number from 1 up, not '%s'", o->name,
			arg);
	case OPT_PERCENT:
		if (parse_percent(arg, at))
			return -1;
		return opt__usage_error(
			cmd,
			"--%s wants a percentage above 0, up to 100, not '%s'",
			o->name, arg);
	case OPT_BYTES:
		if (units__bytes(arg, at))
			return -1;
		return opt__usage_error(
			cmd, "--%s wants a size such as 10M or 1G, not '%s'",
			o->name, arg);
	case OPT_HELP:
		opt__help(stdout, cmd);
		return EXIT_FINE;
	case OPT_VERSION:
		opt__version(stdout);
		return EXIT_FINE;
	}
	return -1;
}

static const struct opt *by_code(const struct command *cmd, int code)
{
	const struct opt *o;

	if (code >= LONG_BASE)
		return &cmd->opts[code - LONG_BASE];
	for (o = cmd->opts; o->name; o++) {
		if (code && o->letter == code)
			return o;
	}
	return NULL;
}

static void to_getopt(const struct command *cmd, char *letters,
		      struct option *longs)
{
	const struct opt *o;
	int i;

	letters += sprintf(letters, "+:"); /* stop at the first operand */
	for (o = cmd->opts, i = 0; o->name && i < OPTS_MAX; o++, i++) {
		longs[i] = (struct option){ o->name, o->arg ? 1 : 0, NULL,
					    LONG_BASE + i };
		if (o->letter)
			letters += sprintf(letters, "%c%s", o->letter,
					   o->arg ? ":" : "");
	}
	longs[i] = (struct option){};
}

static int complain(const struct command *cmd, int what, char **argv)
{
	const struct opt *o = by_code(cmd, optopt);
	const char *word = argv[optind - 1];

	if (what == ':')
		return opt__usage_error(cmd, "--%s needs an argument (%s)",
					o->name, o->arg);
	if (o)
		return opt__usage_error(cmd, "--%s takes no argument", o->name);
	if (optopt)
		return opt__usage_error(cmd, "unknown option -%c", optopt);
	return opt__usage_error(cmd, "unknown option %s", word);
}

bool opt__parse(const struct command *cmd, int argc, char **argv, void *config,
		struct opt_rest *rest)
{
	struct option longs[OPTS_MAX + 1];
	char letters[2 * OPTS_MAX + 3];
	int c;

	to_getopt(cmd, letters, longs);
	optind = 0; /* start over: tests parse more than once */
	opterr = 0;
	rest->code = -1;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			rest->code = complain(cmd, c, argv);
		else
			rest->code =
				apply(cmd, by_code(cmd, c), optarg, config);
		if (rest->code >= 0)
			return false;
	}
	rest->argc = argc - optind;
	rest->argv = argv + optind;
	rest->after_dashes = optind > 1 && !strcmp(argv[optind - 1], "--");
	return true;
}
