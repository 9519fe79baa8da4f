// SPDX-License-Identifier: GPL-2.0-only
/* The text in traces: words, and a snapshot there and back. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "snapshot.h"
#include "trace_block.h"
#include "trace_counters.h"
#include "trace_text.h"

static struct trace_span span(const char *text)
{
	return (struct trace_span){ text, text + strlen(text) };
}

static void lines(void **state)
{
	struct trace_span text = span("one a=1 b=2=3 nothing  c=\n\ntwo"), line,
			  what;
	struct trace_pair p;
	char value[8];
	uint64_t n;

	(void)state;
	assert_true(trace_text__next(&text, &line, &what));
	assert_true(trace_text__is(what, "one"));
	assert_true(trace_text__pair(&line, &p));
	assert_true(trace_text__is(p.key, "a"));
	assert_true(trace_text__u64(&p, &n) && n == 1);
	assert_true(trace_text__pair(&line, &p));
	assert_true(trace_text__is(p.key, "b"));
	assert_true(trace_text__is(p.value, "2=3"));
	assert_false(trace_text__u64(&p, &n));
	assert_true(trace_text__pair(&line, &p));
	assert_true(trace_text__is(p.key, "c"));
	trace_text__value(&p, value, sizeof(value));
	assert_string_equal(value, "");
	assert_false(trace_text__u64(&p, &n));
	assert_false(trace_text__pair(&line, &p));
	assert_true(trace_text__next(&text, &line, &what));
	assert_true(trace_text__is(what, ""));
	assert_true(trace_text__next(&text, &line, &what));
	assert_true(trace_text__is(what, "two"));
	assert_false(trace_text__pair(&line, &p));
	assert_false(trace_text__next(&text, &line, &what));
}

static struct trace_pair pair(const char *value)
{
	return (struct trace_pair){ .value = span(value) };
}

static void numbers(void **state)
{
	struct trace_pair p;
	uint64_t n;

	(void)state;
	p = pair("18446744073709551615");
	assert_true(trace_text__u64(&p, &n));
	assert_int_equal(n, UINT64_MAX);
	p = pair("18446744073709551616");
	assert_false(trace_text__u64(&p, &n));
	p = pair("99999999999999999999");
	assert_false(trace_text__u64(&p, &n));
	p = pair("-1");
	assert_false(trace_text__u64(&p, &n));
}

static void value_is(const char *written, const char *want)
{
	struct trace_pair p = pair(written);
	char value[8];

	trace_text__value(&p, value, sizeof(value));
	assert_string_equal(value, want);
}

/* They may be printed. */
static void values(void **state)
{
	(void)state;
	value_is("a\\040b", "a b");
	value_is("\\303\\244", "\303\244");
	value_is("\\033[2J", "?[2J");
	value_is("\\0", "\\0");
	value_is("\\777", "\\777");
	value_is("\\08", "\\08");
	value_is("123456789", "1234567");
}

static void escapes(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	trace_text__line(f, "a");
	trace_text__str(f, "k", "x y\n\\\177\303");
	trace_text__line(f, "b");
	trace_text__num(f, "n", UINT64_MAX);
	fclose(f);
	assert_string_equal(text, "a k=x\\040y\\012\\134\\177\303\n"
				  "b n=18446744073709551615");
	free(text);
}

/* ---- snapshots ---- */

/* Each number another one. */
static void fill_xfer(struct snap_xfer *x, uint64_t *n)
{
	uint64_t *at = &x->done;

	for (; at <= &x->irqoff; at++)
		*at = (*n)++;
	x->pending_before = 0;
}

static void fill_ops(struct snap_ops *o, uint64_t *n)
{
	fill_xfer(&o->save, n);
	fill_xfer(&o->load, n);
}

static struct snap_vcpu some_vcpu(uint64_t *n, const char *vm)
{
	struct snap_vcpu v = { .slot = (uint32_t)(*n)++,
			       .gen = (uint32_t)(*n)++,
			       .state = SNAP_VCPU_ENDED,
			       .vm_pid = (uint32_t)(*n)++,
			       .vcpu_id = (uint32_t)(*n)++,
			       .tid = (uint32_t)(*n)++,
			       .guest_bytes = (uint32_t)(*n)++,
			       .runs = (*n)++,
			       .exits = (*n)++,
			       .guest_runs_live = SNAP_NA,
			       .collateral = (*n)++ };
	int i;

	strcpy(v.vm, vm);
	fill_ops(&v.guest, n);
	fill_ops(&v.host, n);
	for (i = 0; i < FP_CAUSE_MAX; i++)
		v.cause[i] = (*n)++;
	return v;
}

static void there_and_back(void **state)
{
	struct snapshot empty = { .mode = "vhe", .backend = "bpf" };
	uint64_t n = UINT32_MAX / 2;
	struct snap_vcpu rows[40];
	struct snapshot s = { .t = 1.5,
			      .dt = 1.5,
			      .kernel = "6.1.0-44-arm64",
			      .mode = "nvhe",
			      .policy = SNAP_POLICY_MARTIN,
			      .backend = "bpf",
			      .cpus = 7,
			      .sve_vl = 64,
			      .lost = 1,
			      .missed = 2,
			      .undecided = 3,
			      .impossible = 4,
			      .pending = 5,
			      .bpf_ns = 123456,
			      .self_ns = 654321,
			      .online = 3,
			      .folded = 6,
			      .nr_vcpus = 40,
			      .vcpus = rows };
	const struct snapshot *const both[] = { &empty, &s };
	struct snapshot back;
	char *text;
	size_t len, second;
	int i;

	(void)state;
	fill_ops(&s.task, &n);
	fill_ops(&s.kernel_neon, &n);
	s.efi.save.done = SNAP_NA;
	for (i = 0; i < FP_EV_MAX; i++)
		s.events[i] = n++;
	memset(rows, 0, sizeof(rows));
	rows[0] = some_vcpu(&n, "\303\244 b=\\c");
	rows[39] = some_vcpu(&n, "z");
	s.folded_sum = some_vcpu(&n, "");
	text = trace_counters__put(both, 2, &len);
	assert_non_null(text);
	second = trace_counters__second(text, len);
	assert_int_equal(trace_counters__get(&back, text, second), 0);
	assert_int_equal(back.nr_vcpus, 0);
	assert_int_equal(
		trace_counters__get(&back, text + second, len - second), 0);
	assert_string_equal(back.mode, s.mode);
	assert_string_equal(back.backend, s.backend);
	assert_int_equal(back.nr_vcpus, 40);
	assert_memory_equal(back.vcpus, rows, sizeof(rows));
	snapshot__free(&back);
	back.mode = s.mode;
	back.backend = s.backend;
	s.vcpus = NULL;
	s.nr_vcpus = 0;
	assert_memory_equal(&back, &s, sizeof(s));
	free(text);
}

static int get(const char *text)
{
	struct snapshot s;
	int err = trace_counters__get(&s, text, strlen(text));

	snapshot__free(&s);
	return err;
}

static void hostile(void **state)
{
	struct snapshot s;
	char *text;
	size_t i, len = 7 * 3 * FP_MAX_VCPUS;

	(void)state;
	assert_int_equal(get(""), 0);
	assert_int_equal(trace_counters__second("counters a\nx", 12), 12);
	assert_int_equal(get("counters new=thing\nnews a=b\nvcpu\n"), 0);
	assert_int_equal(get("counters lost=-1"), -EBADMSG);
	assert_int_equal(get("vcpu slot=4294967296"), -EBADMSG);
	assert_int_equal(get("vcpu slot=na"), -EBADMSG);
	assert_int_equal(get("counters cpus=65537"), -EBADMSG);
	assert_int_equal(get("counters ns=x"), -EBADMSG);
	assert_int_equal(trace_counters__get(&s, "counters mode=evil", 18), 0);
	assert_string_equal(s.mode, "unknown");
	text = malloc(len + 1);
	assert_non_null(text);
	for (i = 0; i < len; i += 7)
		strcpy(text + i, "vcpu x\n");
	assert_int_equal(get(text), -EBADMSG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),	  cmocka_unit_test(numbers),
		cmocka_unit_test(values),	  cmocka_unit_test(escapes),
		cmocka_unit_test(there_and_back), cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests_name("trace_text", tests, NULL, NULL);
}
