// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "exit.h"
#include "opt.h"

struct config {
	bool flag, other;
	const char *string;
	double seconds;
	unsigned long count;
};

#define AT(field) offsetof(struct config, field)

static const struct opt opts[] = {
	{ .letter = 'f', .name = "flag", .offset = AT(flag), .help = "a flag" },
	{ .name = "other", .offset = AT(other), .help = "for a test",
	  .test = true },
	{ .letter = 's', .name = "string", .type = OPT_STRING,
	  .offset = AT(string), .arg = "TEXT", .help = "some text" },
	{ .letter = 'i', .name = "interval", .type = OPT_SECONDS,
	  .offset = AT(seconds), .arg = "S", .help = "some seconds" },
	{ .letter = 'c', .name = "count", .type = OPT_COUNT,
	  .offset = AT(count), .arg = "N", .help = "some number" },
	OPT_COMMON,
	{}
};

static const struct command cmd = {
	.name = "try", .args = "[-- CMD]", .summary = "Tries.", .opts = opts,
};

static struct config cfg;
static struct opt_rest rest;

/* Parses words; what goes to stderr lands in said[]. */
static char said[4096];

static bool parse(const char *words)
{
	char *argv[16], copy[256], *save, *w;
	int argc = 0, real = dup(2), pipe_fd[2];
	ssize_t n;
	bool ok;

	snprintf(copy, sizeof(copy), "try %s", words);
	for (w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	memset(&cfg, 0, sizeof(cfg));
	assert_int_equal(pipe(pipe_fd), 0);
	dup2(pipe_fd[1], 2);
	ok = opt__parse(&cmd, argc, argv, &cfg, &rest);
	dup2(real, 2);
	close(real);
	close(pipe_fd[1]);
	n = read(pipe_fd[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	close(pipe_fd[0]);
	return ok;
}

static void takes_all_forms(void **state)
{
	(void)state;
	assert_true(parse("-f -i 2.5 --count=7 --string x --other"));
	assert_true(cfg.flag && cfg.other);
	assert_true(cfg.seconds == 2.5);
	assert_int_equal(cfg.count, 7);
	assert_int_equal(rest.argc, 0);
	assert_true(parse("-fc3 -i.5"));
	assert_int_equal(cfg.count, 3);
	assert_true(cfg.seconds == 0.5);
}

static void leaves_the_command_alone(void **state)
{
	(void)state;
	assert_true(parse("-f -- cmd -c nonsense"));
	assert_true(rest.after_dashes);
	assert_int_equal(rest.argc, 3);
	assert_int_equal(cfg.count, 0);
	assert_true(parse("-f cmd -c nonsense"));
	assert_false(rest.after_dashes);
	assert_int_equal(rest.argc, 3);
	assert_true(parse("--"));
	assert_true(rest.after_dashes);
	assert_int_equal(rest.argc, 0);
}

static void refuses_bad_values(void **state)
{
	static const char *const bad[] = {
		"-i 0", "-i -1", "-i nan", "-i inf", "-i 1e3", "-i 0x1",
		"-i 1.2.3", "-i .", "-i 1s", "-i 0.01", "-i 86401",
		"-i 99999999999999999999999", "-c 0", "-c -1", "-c 1.5",
		"-c x", "-c 99999999999999999999999", "-c 0x10",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse(bad[i]));
		assert_int_equal(rest.code, EXIT_USAGE);
		assert_non_null(strstr(said, " wants "));
	}
}

static void lists_what_exists(void **state)
{
	static const char *const bad[] = {
		"--unknown", "-x", "-fx", "--flag=1", "-i", "--interval",
		"--unknown=3",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse(bad[i]));
		assert_int_equal(rest.code, EXIT_USAGE);
		assert_non_null(strstr(said, "fpstat try: "));
		assert_non_null(strstr(said, "--interval S"));
		assert_non_null(strstr(said, "--other"));
	}
	parse("--unknown");
	assert_non_null(strstr(said, "unknown option --unknown\n"));
	parse("-fx");
	assert_non_null(strstr(said, "unknown option -x\n"));
	parse("-i");
	assert_non_null(strstr(said, "--interval needs an argument (S)"));
	parse("--flag=1");
	assert_non_null(strstr(said, "--flag takes no argument"));
}

static void help_comes_from_the_table(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	char *line, *save;

	(void)state;
	opt__help(out, &cmd);
	fclose(out);
	assert_non_null(strstr(text, "Usage: fpstat try [OPTION]... [-- CMD]"));
	assert_non_null(strstr(text, "  -i, --interval S        some seconds"));
	assert_true(strstr(text, "Options for tests:") <
		    strstr(text, "      --other"));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		assert_true(strlen(line) < 80);
	free(text);
}

static void wraps_words(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	opt__wrap(out, 70, "aaaa bbbb cccccccccccccccc d\ne");
	fclose(out);
	assert_string_equal(text, "aaaa bbbb\n"
		"                                                          "
		"            cccccccccccccccc\n"
		"                                                          "
		"            d\n"
		"                                                          "
		"            e\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all_forms),
		cmocka_unit_test(leaves_the_command_alone),
		cmocka_unit_test(refuses_bad_values),
		cmocka_unit_test(lists_what_exists),
		cmocka_unit_test(help_comes_from_the_table),
		cmocka_unit_test(wraps_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
