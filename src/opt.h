/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands and options are declared once, as tables. The parser, the help and
 * the lists in error messages all come from them.
 */
#ifndef FPSTAT_OPT_H
#define FPSTAT_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum opt_type {
	OPT_FLAG, /* bool */
	OPT_STRING, /* const char * */
	OPT_SECONDS, /* double, OPT_SECONDS_MIN and up */
	OPT_COUNT, /* unsigned long, 1 and up */
	OPT_PERCENT, /* double, a share: above 0, at most 1 */
	OPT_BYTES, /* uint64_t, such as 10M: see units.h */
	OPT_HELP,
	OPT_VERSION,
};

#define OPT_SECONDS_MIN 0.1
#define OPT_SECONDS_MAX 86400.0

struct opt {
	char letter; /* 0: there is only the long name */
	const char *name;
	enum opt_type type;
	size_t offset; /* into the config of the command */
	const char *arg; /* what the help calls its argument */
	const char *help;
	bool test; /* for tests: listed after the others */
};

#define OPT_COMMON                                                             \
	{ .letter = 'h',                                                       \
	  .name = "help",                                                      \
	  .type = OPT_HELP,                                                    \
	  .help = "show this help" },                                          \
	{                                                                      \
		.letter = 'V', .name = "version", .type = OPT_VERSION,         \
		.help = "show the version"                                     \
	}

struct command {
	const char *name;
	const char *args; /* after [OPTION]... */
	const char *summary; /* one line */
	const char *text; /* paragraphs, or NULL */
	const struct opt *opts; /* the last row has no name */
	/* more of the help, from other tables; or NULL */
	void (*more_help)(FILE *out);
	int (*run)(const struct command *cmd, int argc, char **argv);
};

/* What is left when the options have been parsed. */
struct opt_rest {
	int argc;
	char **argv; /* ends with a NULL */
	bool after_dashes; /* argv[] came after "--" */
	int code; /* when there is nothing more to do: the exit code */
};

/*
 * Fills @config. Returns false if the command is done already: --help, or a
 * mistake, which has been told to the user.
 */
bool opt__parse(const struct command *cmd, int argc, char **argv, void *config,
		struct opt_rest *rest);
void opt__help(FILE *out, const struct command *cmd);
/* "fpstat CMD: ...", then the options that exist; returns EXIT_USAGE. */
int opt__usage_error(const struct command *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Words of @text, wrapped at 79 columns, all lines but the first indented. */
void opt__wrap(FILE *out, int indent, const char *text);
void opt__version(FILE *out);

#endif /* FPSTAT_OPT_H */
