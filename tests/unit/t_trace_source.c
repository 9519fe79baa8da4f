// SPDX-License-Identifier: GPL-2.0-only
/* A trace as a source: what it says of itself, and what it does not let pass. */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "cost.h"
#include "snapshot.h"
#include "trace.h"
#include "trace_sample.h"

static const char meta[] =
	"trace format=1 command=a\\040b\n"
	"host name=\\033[2J kernel=6.1 mode=vhe backend=bpf cpus=2 foreign_bit=3\n"
	"clock monotonic=1000000000 realtime=5\n"
	"cost hot.save=1500 hot.load=2000 cold.save=3000 cold.load=4000\n";

struct written {
	char path[32];
	int fd;
	struct trace_writer *w;
};

static struct written begin(const char *text)
{
	struct written t = { .path = "/tmp/fpstat-trace-XXXXXX" };

	t.fd = mkstemp(t.path);
	t.w = trace_writer__new(t.fd);
	assert_non_null(t.w);
	assert_int_equal(
		trace_writer__text(t.w, TRACE_META, text, strlen(text)), 0);
	return t;
}

static void put(struct written *t, uint8_t kind, uint64_t ns)
{
	struct fp_rec rec = { .ev.kind = kind, .ns = ns };

	assert_int_equal(trace_writer__record(t->w, &rec), 0);
}

static void put_text(struct written *t, enum trace_kind kind, const char *text)
{
	assert_int_equal(trace_writer__flush(t->w), 0);
	assert_int_equal(trace_writer__text(t->w, kind, text, strlen(text)), 0);
}

static struct trace *end(struct written *t)
{
	char why[256];
	struct trace *trace;

	assert_int_equal(trace_writer__end(t->w), 0);
	trace_writer__free(t->w);
	close(t->fd);
	trace = trace__open(t->path, why, sizeof(why));
	unlink(t->path);
	return trace;
}

static int count(void *ctx, const struct fp_rec *rec)
{
	(void)rec;
	return ++*(int *)ctx == 1000 ? 7 : 0;
}

static void about(void **state)
{
	struct written t = begin(meta);
	struct trace *trace;
	char name[64];
	int n = 0;

	(void)state;
	put_text(&t, TRACE_NAMES,
		 "function address=7 name=f\ntask tid=7 name=\\033t\n"
		 "task tid=8\nother tid=9 name=x\nfunction address=7 name=g\n");
	put(&t, FP_EV_SAVE, 3000000000);
	trace = end(&t);
	assert_non_null(trace);
	assert_int_equal(trace__drain(trace, count, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(trace__about(trace)->host, "?[2J");
	assert_string_equal(trace__about(trace)->command, "a b");
	assert_int_equal(trace__about(trace)->realtime, 5);
	assert_int_equal(trace__host(trace)->cpus, 2);
	assert_true(trace__host(trace)->t == 2.0);
	assert_true(trace__time(trace, 0) == 0.0);
	assert_int_equal(trace__foreign_bit(trace), 3);
	assert_null(trace__cost(trace)->why);
	assert_true(trace__cost(trace)->hot.save == 1.5);
	assert_true(trace__function(trace, 7, name, sizeof(name)));
	assert_string_equal(name, "g");
	assert_true(trace__task(trace, 7, name, sizeof(name)));
	assert_string_equal(name, "?t");
	assert_false(trace__task(trace, 9, name, sizeof(name)));
	assert_null(trace__after(trace));
	assert_false(trace__settled(trace));
	trace__close(trace);
	trace__close(NULL);
}

static void settled(void **state)
{
	struct written t = begin(meta);
	struct trace *trace;
	int n = 0;

	(void)state;
	put(&t, FP_EV_SAVE, 1);
	put_text(&t, TRACE_COUNTERS, "counters lost=1\ncounters lost=2\n");
	trace = end(&t);
	assert_int_equal(trace__drain(trace, count, &n), 0);
	assert_true(trace__settled(trace));
	assert_int_equal(trace__before(trace)->lost, 1);
	assert_int_equal(trace__after(trace)->lost, 2);
	trace__close(trace);

	t = begin(meta);
	put_text(&t, TRACE_COUNTERS, "counters\ncounters\n");
	put(&t, FP_EV_SAVE, 1);
	trace = end(&t);
	assert_int_equal(trace__drain(trace, count, &n), 0);
	assert_false(trace__settled(trace));
	assert_non_null(trace__after(trace));
	trace__close(trace);
}

static struct trace *drained(struct written *t)
{
	struct trace *trace = end(t);
	int n = 0;

	assert_non_null(trace);
	assert_int_equal(trace__drain(trace, count, &n), 0);
	return trace;
}

/* The first counters, if no record comes before them, are those of its beginning. */
static void middle(void **state)
{
	static const char in_the_middle[] = "trace middle=1\nhost cpus=2\n";
	struct written t = begin(in_the_middle);
	struct trace *trace;

	(void)state;
	put_text(&t, TRACE_COUNTERS, "counters lost=1\ncounters lost=2\n");
	put(&t, FP_EV_SAVE, 1);
	put_text(&t, TRACE_COUNTERS, "counters lost=3\ncounters lost=4\n");
	put_text(&t, TRACE_COUNTERS, "counters lost=5\ncounters lost=6\n");
	trace = drained(&t);
	assert_true(trace__middle(trace));
	assert_true(trace__settled(trace));
	assert_int_equal(trace__since(trace)->lost, 2);
	assert_int_equal(trace__after(trace)->lost, 6);
	trace__close(trace);

	t = begin(in_the_middle);
	put(&t, FP_EV_SAVE, 1);
	put_text(&t, TRACE_COUNTERS, "counters lost=3\ncounters lost=4\n");
	trace = drained(&t);
	assert_null(trace__since(trace));
	assert_false(trace__settled(trace));
	trace__close(trace);

	t = begin("trace\nhost cpus=2\n");
	put_text(&t, TRACE_COUNTERS, "counters lost=1\ncounters lost=2\n");
	trace = drained(&t);
	assert_false(trace__middle(trace));
	assert_null(trace__since(trace));
	assert_true(trace__settled(trace));
	trace__close(trace);
}

static int drain(void (*put_more)(struct written *t))
{
	struct written t = begin(meta);
	struct trace *trace;
	int n = 0, err;

	put_more(&t);
	trace = end(&t);
	assert_non_null(trace);
	err = trace__drain(trace, count, &n);
	trace__close(trace);
	return err;
}

static void unknown_kind(struct written *t)
{
	put(t, FP_EV_MAX, 1);
}

static void many(struct written *t)
{
	int i;

	for (i = 0; i < 2000; i++)
		put(t, FP_EV_SAVE, 1);
}

static void bad_counters(struct written *t)
{
	put_text(t, TRACE_COUNTERS, "counters\ncounters lost=x\n");
}

static void bad_names(struct written *t)
{
	put_text(t, TRACE_NAMES, "function name\ntask\n=\n\n");
}

static void not_let_pass(void **state)
{
	(void)state;
	assert_int_equal(drain(unknown_kind), -EPROTONOSUPPORT);
	assert_int_equal(drain(many), 7);
	assert_int_equal(drain(bad_counters), -EBADMSG);
	assert_int_equal(drain(bad_names), 0);
}

static void none(void **state)
{
	struct written t;

	(void)state;
	t = begin("host cpus=0\n");
	assert_null(end(&t));
	t = begin("host cpus=99999999\n");
	assert_null(end(&t));
	t = begin("");
	assert_null(end(&t));
	t = begin("host cpus=1 foreign_bit=77\n");
	{
		struct trace *trace = end(&t);

		assert_int_equal(trace__foreign_bit(trace), -1);
		assert_non_null(trace__cost(trace)->why);
		trace__close(trace);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(about),  cmocka_unit_test(settled),
		cmocka_unit_test(middle), cmocka_unit_test(not_let_pass),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests_name("trace_source", tests, NULL, NULL);
}
