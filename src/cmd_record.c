// SPDX-License-Identifier: GPL-2.0-only
/* fpstat record: the stream, as a file that can be read elsewhere. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "count.h"
#include "recording.h"
#include "units.h"

#define PART_MIN 4096 /* bytes */
#define PARTS 8 /* that have room in --max-size */
#define RING_MAX 4096 /* pages */

struct record_config {
	struct recording_config to;
	double duration;
	const char *rotate;
	unsigned long ring; /* pages */
};

#define AT(field) offsetof(struct record_config, field)

/* clang-format off */
static const struct opt opts[] = {
	{ .letter = 'o', .name = "output", .type = OPT_STRING,
	  .offset = AT(to.output), .arg = "FILE",
	  .help = "write the trace to FILE; - is standard output" },
	{ .letter = 'd', .name = "duration", .type = OPT_SECONDS,
	  .offset = AT(duration), .arg = "S",
	  .help = "stop after S seconds" },
	{ .name = "rotate", .type = OPT_STRING, .offset = AT(rotate),
	  .arg = "SIZE|TIME",
	  .help = "begin a new part (FILE.1, FILE.2 ..) when the last one has "
		  "SIZE (10M, 1G), or after TIME (30s, 5m, 1h)" },
	{ .name = "max-size", .type = OPT_BYTES, .offset = AT(to.max_size),
	  .arg = "SIZE",
	  .help = "remove the oldest parts, so that all have at most SIZE; "
		  "without a size in --rotate, a part has an eighth of it" },
	{ .name = "flight", .type = OPT_SECONDS, .offset = AT(to.flight),
	  .arg = "S",
	  .help = "keep what happened in the last S seconds in memory, and "
		  "write that on SIGUSR1, SIGUSR2 and at the end" },
	{ .name = "check", .offset = AT(to.check),
	  .help = "with --flight: check the rules, as fpstat check does, and "
		  "write it when one is broken for the first time, too" },
	{ .name = "strict", .offset = AT(to.count.strict),
	  .help = "exit with 4 if anything was lost, missed or undecided" },
	{ .name = "all-exits", .offset = AT(to.count.capture.all_exits),
	  .help = "record each guest entry, and each exit with its reason, "
		  "and not only how many there were" },
	{ .name = "budget", .type = OPT_PERCENT,
	  .offset = AT(to.count.capture.budget), .arg = "PERCENT",
	  .help = "cost no more of the time of all CPUs than that: record "
		  "nothing meanwhile (counters stay exact)" },
	OPT_COMMON,
	{ .name = "ring", .type = OPT_COUNT, .offset = AT(ring), .arg = "PAGES",
	  .test = true,
	  .help = "have room for so many pages of records, a power of two, in "
		  "each ring, where fpstat has as many as it needs" },
	{}
};
/* clang-format on */

/* To be freed. */
static char *join(char **argv)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (; *argv; argv++)
		fprintf(out, "%s%s", ftell(out) ? " " : "", *argv);
	fclose(out);
	return text;
}

static int parse_rotate(const struct command *cmd, struct record_config *cfg)
{
	uint64_t ns;

	if (!cfg->rotate)
		return 0;
	if (units__ns(cfg->rotate, &ns))
		cfg->to.part_seconds = (double)ns / 1e9;
	else if (!units__bytes(cfg->rotate, &cfg->to.part_bytes))
		return opt__usage_error(cmd,
					"--rotate wants a size such as 10M or "
					"1G, or a time such as 30s, 5m or 1h, "
					"not '%s'",
					cfg->rotate);
	return 0;
}

/* Sizes of parts; 0, or the exit code. */
static int parse_sizes(const struct command *cmd, struct record_config *cfg)
{
	struct recording_config *to = &cfg->to;
	int code = parse_rotate(cmd, cfg);

	if (code)
		return code;
	if (!to->part_bytes)
		to->part_bytes = to->max_size / PARTS;
	else if (to->max_size && to->part_bytes > to->max_size / 2)
		return opt__usage_error(
			cmd, "--max-size wants room for two parts of --rotate");
	if ((to->max_size || to->part_bytes) && to->part_bytes < PART_MIN)
		return opt__usage_error(cmd,
					"parts are too small: --rotate has %d "
					"bytes or more, --max-size %d",
					PART_MIN, PARTS * PART_MIN);
	return 0;
}

/* Of the rings; 0, or the exit code. */
static int parse_ring(const struct command *cmd, struct record_config *cfg)
{
	if (cfg->ring > RING_MAX || cfg->ring & (cfg->ring - 1))
		return opt__usage_error(cmd,
					"--ring wants a power of two of pages, "
					"at most %d",
					RING_MAX);
	cfg->to.count.capture.ring =
		(uint32_t)cfg->ring * (uint32_t)sysconf(_SC_PAGESIZE);
	return 0;
}

static int check_output(const struct command *cmd,
			const struct record_config *cfg)
{
	const struct recording_config *to = &cfg->to;
	const char *in_parts = cfg->rotate  ? "--rotate" :
			       to->max_size ? "--max-size" :
					      NULL;
	bool standard = to->output && !strcmp(to->output, "-");

	if (!to->output)
		return opt__usage_error(cmd, "--output is missing");
	if (to->check && !(to->flight > 0))
		return opt__usage_error(cmd, "--check is of --flight");
	if (in_parts && to->flight > 0)
		return opt__usage_error(
			cmd, "--flight and %s don't go together", in_parts);
	if (standard && (in_parts || to->flight > 0))
		return opt__usage_error(
			cmd, "%s wants a file: standard output has no parts",
			in_parts ? in_parts : "--flight");
	if (standard && isatty(STDOUT_FILENO))
		return opt__usage_error(cmd, "a trace is not for a terminal");
	return 0;
}

static int record_main(const struct command *cmd, int argc, char **argv)
{
	struct record_config cfg = { .to.count.capture.stream = true };
	struct opt_rest rest;
	char *command;
	int code;

	if (!opt__parse(cmd, argc, argv, &cfg, &rest) ||
	    !count__operands(cmd, &rest))
		return rest.code;
	code = check_output(cmd, &cfg);
	if (!code)
		code = parse_sizes(cmd, &cfg);
	if (!code)
		code = parse_ring(cmd, &cfg);
	if (code)
		return code;
	cfg.to.count.interval = cfg.duration;
	cfg.to.count.count = cfg.duration > 0;
	cfg.to.count.capture.check = cfg.to.check;
	cfg.to.command = command = rest.argc ? join(rest.argv) : NULL;
	code = recording__run(&cfg.to, rest.argc ? rest.argv : NULL);
	free(command);
	return code;
}

const struct command cmd_record = {
	.name = "record",
	.args = "[-- CMD [ARG]...]",
	.summary = "Write each change of ownership to a file.",
	.text = "Records while CMD runs, or until it is interrupted. The "
		"trace can be read on any machine, by fpstat whatif and "
		"fpstat stat; it is complete up to a second before fpstat is "
		"killed, whatever kills it. SIGUSR1 makes it write what it "
		"has up to now.",
	.opts = opts,
	.run = record_main,
};
