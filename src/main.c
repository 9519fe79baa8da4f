// SPDX-License-Identifier: GPL-2.0-only
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "exit.h"
#include "util.h"

static const struct command *const commands[] = {
	&cmd_top,
	&cmd_stat,
	&cmd_record,
	&cmd_report,
	&cmd_whatif,
	&cmd_check,
	&cmd_explain,
	&cmd_export,
	&cmd_merge,
	&cmd_doctor,
};

static void list_commands(FILE *out)
{
	size_t i;

	fputs("\nCommands:\n", out);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		fprintf(out, "  %-10s  ", commands[i]->name);
		opt__wrap(out, 14, commands[i]->summary);
	}
}

static void help(FILE *out)
{
	fputs("Usage: fpstat [COMMAND] [OPTION]...\n\n", out);
	opt__wrap(out, 0,
		  "Shows what KVM on arm64 does with the floating point "
		  "registers: each save and each load, of which guest, and "
		  "why. Without a command: fpstat top.");
	list_commands(out);
	fputs("\nOptions:\n"
	      "  -h, --help              show this help\n"
	      "  -V, --version           show the version\n"
	      "\n'fpstat COMMAND --help' tells more.\n\n"
	      "Exit status: 0 fine, 1 a rule was violated, 2 usage, 3 this "
	      "machine lacks\nsomething, 4 data was lost (--strict).\n",
	      out);
}

static int unknown(const char *name)
{
	fprintf(stderr, "fpstat: unknown command '%s'\n", name);
	list_commands(stderr);
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	size_t i;

	/* Options without a command are those of top. */
	if (argc < 2)
		return cmd_top.run(&cmd_top, argc, argv);
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		help(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		opt__version(stdout);
		return EXIT_FINE;
	}
	if (argv[1][0] == '-')
		return cmd_top.run(&cmd_top, argc, argv);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i]->name))
			return commands[i]->run(commands[i], argc - 1,
						argv + 1);
	}
	return unknown(argv[1]);
}

int main(int argc, char **argv)
{
	int code;

	/* Only what a character is: numbers keep their decimal point. */
	setlocale(LC_CTYPE, "");
	code = run(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		fps_err("cannot write to standard output");
		return code ? code : EXIT_ENV;
	}
	return code;
}
