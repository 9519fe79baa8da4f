// SPDX-License-Identifier: GPL-2.0-only
/*
 * tests/model/fp.dot is the automaton: each step from each state that boot leads to.
 * FPSTAT_GOLDEN=write writes it anew: read the difference.
 *
 * A state is what is bound on a CPU. An edge has the events that lead along it, and what
 * they move; "foreign": TIF_FOREIGN_FPSTATE is set. What does neither is left out, and so
 * is what can't happen unless an event was missed.
 */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "fpstat/model.h"
#include "util.h"

#define DOT "tests/model/fp.dot"
#define STATES 5
#define MINDS 1024
#define LABELS 512

static const char *const states[STATES] = {
	[FP_BOUND_UNKNOWN] = "unknown", [FP_BOUND_NONE] = "none",
	[FP_BOUND_TASK] = "task",	[FP_BOUND_VCPU] = "vcpu",
	[FP_BOUND_KERNEL] = "kernel",
};

static const char *const kinds[] = {
#define X(id, name, where) name,
	FP_EVENT_MAP(X)
#undef X
};

static const struct {
	__u32 op;
	const char *says;
} moves[] = {
	{ FP_OP_GUEST_SAVE, "guest saved" },
	{ FP_OP_USER_SAVE, "task saved" },
	{ FP_OP_KERNEL_SAVE, "kernel saved" },
	{ FP_OP_GUEST_LOAD, "guest loaded" },
	{ FP_OP_USER_LOAD, "task loaded" },
	{ FP_OP_KERNEL_LOAD, "kernel loaded" },
	{ FP_OP_LIVE, "guest live" },
	{ FP_OP_UNDECIDED, "undecided" },
};

static struct fp_cpu mind[MINDS];
static unsigned int minds;
/* By edge, in the order in which they are found. */
static char label[STATES][STATES][LABELS];

static void know(const struct fp_cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < minds; i++) {
		if (!memcmp(&mind[i], cpu, sizeof(*cpu)))
			return;
	}
	assert_true(minds < MINDS);
	mind[minds++] = *cpu;
}

static bool has(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (; (text = strstr(text, line)); text++) {
		if (!text[n] || text[n] == '\\')
			return true;
	}
	return false;
}

/* @flag: that TIF_FOREIGN_FPSTATE is set makes a difference. */
static void draw(__u8 from, __u8 to, const struct fp_event *ev, bool flag,
		 __u32 ops)
{
	char line[96], *text = label[from][to];
	const char *with = ": ";
	size_t i, n;

	n = (size_t)snprintf(line, sizeof(line), "%s%s", kinds[ev->kind],
			     flag ? ", foreign" : "");
	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (!(ops & moves[i].op))
			continue;
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s", with,
				      moves[i].says);
		with = ", ";
	}
	if ((from == to && *with == ':') || has(text, line))
		return;
	assert_true(strlen(text) + n + 3 < LABELS);
	if (*text)
		strcat(text, "\\n");
	strcat(text, line);
}

static void step(struct fp_cpu cpu, const struct fp_event *ev)
{
	struct fp_cpu other = cpu;
	struct fp_event clear = *ev;
	__u8 from = cpu.bound;
	__u32 ops = FP_OPS(fp_step(&cpu, ev));
	bool same;

	assert_false(ops & ~fp_ops_of(ev->kind));
	if (ops & FP_OP_MISSED)
		return;
	clear.foreign = 0;
	same = FP_OPS(fp_step(&other, &clear)) == ops &&
	       other.bound == cpu.bound;
	draw(from, cpu.bound, ev, !same, ops);
	know(&cpu);
}

/* All that can be said of an event, of two buffers. */
static void step_all(const struct fp_cpu *from, __u8 kind)
{
	unsigned int i;

	for (i = 0; i < 2 * 2 * 2 * 3; i++) {
		const struct fp_event ev = {
			.buf = 1 + i % 2,
			.kind = kind,
			.foreign = i / 2 % 2,
			.in_run = i / 4 % 2,
			.arg = (__u8)(i / 8),
		};

		if (kind == FP_EV_NEON_NEST && !ev.arg)
			continue; /* it always is a softirq */
		step(*from, &ev);
	}
}

static void print(FILE *to)
{
	unsigned int a, b;

	fputs("// SPDX-License-Identifier: GPL-2.0-only\n"
	      "// What is bound on a CPU, and what events move: by tests/unit/t_dot.c\n"
	      "digraph state_automaton {\n"
	      "\tcenter = true;\n"
	      "\tsize = \"11,7\";\n"
	      "\t{node [shape = plaintext, style=invis, label=\"\"] \"__init_unknown\"};\n"
	      "\t{node [shape = circle] \"unknown\"};\n",
	      to);
	for (a = FP_BOUND_NONE; a < STATES; a++)
		fprintf(to, "\t{node [shape = circle] \"%s\"};\n", states[a]);
	fputs("\t\"__init_unknown\" -> \"unknown\";\n", to);
	for (a = 0; a < STATES; a++) {
		for (b = 0; b < STATES; b++) {
			if (*label[a][b])
				fprintf(to,
					"\t\"%s\" -> \"%s\" [ label = \"%s\" ];\n",
					states[a], states[b], label[a][b]);
		}
	}
	fputs("\t{ rank = min ;\n"
	      "\t\t\"__init_unknown\";\n"
	      "\t\t\"unknown\";\n"
	      "\t}\n"
	      "}\n",
	      to);
}

static void the_file_is_the_automaton(void **state)
{
	const char *golden = getenv("FPSTAT_GOLDEN");
	char want[8192] = "", found[8192] = "";
	unsigned int i;
	__u8 kind;
	FILE *f;

	(void)state;
	know(&(struct fp_cpu){});
	for (i = 0; i < minds; i++) {
		for (kind = 0; kind < FP_EV_MAX; kind++)
			step_all(&mind[i], kind);
	}
	f = fmemopen(want, sizeof(want) - 1, "w");
	assert_non_null(f);
	print(f);
	fclose(f);
	if (golden && !strcmp(golden, "write")) {
		f = fopen(DOT, "w");
		assert_non_null(f);
		fputs(want, f);
		fclose(f);
	}
	assert_true(fps_read_file(DOT, found, sizeof(found)) > 0);
	assert_string_equal(found, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_the_automaton),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
