// SPDX-License-Identifier: GPL-2.0-only
/*
 * Of a file, what lies before a part is skipped; of standard input, all is read. Both
 * come to the same, also where a save that was skipped is not decided yet, or it is not
 * known whose the first exits are.
 */
#include "test.h"

#include <stdio.h>

#include "offline.h"
#include "trace_sample.h"

#define SLOT 3
#define TASK 0x1000
#define VCPU 0x2000
#define NEON 0x3000
#define KTHREAD 0x4000
#define OTHER 0x5000
#define ELSEWHERE 0x6000 /* on CPU 1 */

static const char meta[] =
	"trace format=1\nhost kernel=6.1 mode=vhe backend=bpf cpus=2\n"
	"clock monotonic=1 realtime=0\n";
/* As they were before the records that precede them were read, and after. */
#define COUNTERS(before, after) "counters ns=0\n" before "counters ns=0\n" after
#define HERE "vcpu slot=3 gen=1 vm=a\n"
#define ENDED "vcpu slot=3 gen=1 vm=a ended=1\n"
#define COMES "vcpu slot=4 gen=1 vm=b\n"

static void put_after(struct trace_writer *w, uint32_t exits, unsigned int ms,
		      uint32_t slot, uint8_t kind, uint64_t buf, bool foreign,
		      bool in_run)
{
	struct fp_rec rec = {
		.ns = ms * 1000000ull,
		.slot = slot,
		.cpu = buf == ELSEWHERE,
		.exits = exits,
		.ev = {
			.buf = buf,
			.kind = kind,
			.foreign = foreign,
			.in_run = in_run,
		},
	};

	assert_int_equal(trace_writer__record(w, &rec), 0);
}

static void put(struct trace_writer *w, unsigned int ms, uint32_t slot,
		uint8_t kind, uint64_t buf, bool foreign, bool in_run)
{
	put_after(w, 0, ms, slot, kind, buf, foreign, in_run);
}

/* ---- a save that is not decided yet ---- */

static void of_task(struct trace_writer *w)
{
	put(w, 1000, FP_NO_SLOT, FP_EV_LOAD, TASK, true, false);
	put(w, 1001, FP_NO_SLOT, FP_EV_SAVE, TASK, false, false);
}

static void of_host(struct trace_writer *w)
{
	put(w, 1000, FP_NO_SLOT, FP_EV_LOAD, TASK, true, false);
	put(w, 1001, SLOT, FP_EV_VLOAD, TASK, false, false);
	put(w, 1002, SLOT, FP_EV_SAVE, TASK, false, true);
}

static void of_guest(struct trace_writer *w)
{
	of_host(w);
	put(w, 1003, SLOT, FP_EV_BIND_VCPU, VCPU, true, true);
	put(w, 1004, SLOT, FP_EV_SAVE, TASK, false, true);
}

static void of_kernel(struct trace_writer *w)
{
	put(w, 1000, FP_NO_SLOT, FP_EV_NEON_TASK, 0, true, false);
	put(w, 1001, FP_NO_SLOT, FP_EV_SAVE, TASK, true, false);
	put(w, 1002, FP_NO_SLOT, FP_EV_BIND_KERNEL, NEON, false, false);
}

enum { OF_TASK, OF_HOST, OF_GUEST, OF_KERNEL, KINDS };

static void (*const saves[KINDS])(struct trace_writer *w) = {
	[OF_TASK] = of_task,
	[OF_HOST] = of_host,
	[OF_GUEST] = of_guest,
	[OF_KERNEL] = of_kernel,
};

/* ---- what its CPU does from then on ---- */

/* What says nothing of the registers. */
static void mumbles(struct trace_writer *w)
{
	put(w, 2500, FP_NO_SLOT, FP_EV_SWITCH, KTHREAD, true, false);
	put(w, 2501, FP_NO_SLOT, FP_EV_SAVE, KTHREAD, true, false);
}

static void loads(struct trace_writer *w)
{
	put(w, 2500, FP_NO_SLOT, FP_EV_LOAD, OTHER, true, false);
}

static void clobbers(struct trace_writer *w)
{
	put(w, 3500, FP_NO_SLOT, FP_EV_NEON_SOFTIRQ, OTHER, true, false);
	put(w, 3501, FP_NO_SLOT, FP_EV_SAVE, OTHER, true, false);
}

/* In a KVM_RUN that goes on for long, guest after guest exit, until a softirq comes. */
static void exits_before(struct trace_writer *w)
{
	loads(w);
	put_after(w, 5, 2600, SLOT, FP_EV_NEON_SOFTIRQ, NEON, true, true);
}

static void exits_inside(struct trace_writer *w)
{
	put_after(w, 5, 3500, SLOT, FP_EV_NEON_SOFTIRQ, NEON, true, true);
}

static void runs_once_more(struct trace_writer *w)
{
	loads(w);
	put(w, 2600, SLOT, FP_EV_VLOAD, OTHER, true, false);
}

/* ---- it is read ---- */

struct scene {
	const char *counters; /* a second before the part; NULL: SLOT is there */
	void (*before)(struct trace_writer *w);
	void (*inside)(struct trace_writer *w);
	bool idle; /* there is no record in the part, or after it */
	bool cut; /* the trace has no end */
};

static void put_text(struct trace_writer *w, enum trace_kind kind,
		     const char *text)
{
	assert_int_equal(trace_writer__flush(w), 0);
	assert_int_equal(trace_writer__text(w, kind, text, strlen(text)), 0);
}

static int write_trace(const struct scene *s, int kind)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	struct trace_writer *w = trace_writer__new(fd);

	assert_non_null(w);
	put_text(w, TRACE_META, meta);
	put(w, 500, SLOT, FP_EV_VLOAD, TASK, true, false);
	saves[kind](w);
	put(w, 1500, FP_NO_SLOT, FP_EV_LOAD, ELSEWHERE, true, false);
	put_text(w, TRACE_COUNTERS,
		 s->counters ? s->counters : COUNTERS(HERE, HERE));
	put(w, 2400, FP_NO_SLOT, FP_EV_LOAD, ELSEWHERE, true, false);
	if (s->before)
		s->before(w);
	if (s->inside)
		s->inside(w);
	if (!s->idle)
		put(w, 4500, FP_NO_SLOT, FP_EV_LOAD, ELSEWHERE, true, false);
	assert_int_equal(s->cut ? trace_writer__flush(w) : trace_writer__end(w),
			 0);
	trace_writer__free(w);
	return fd;
}

/* Of a part. */
struct said {
	unsigned int records; /* that were read for it */
	unsigned int messages;
	size_t vcpus;
	uint64_t exits;
	struct snap_ops ops[KINDS];
};

static int begin(struct offline *o)
{
	struct said *said = o->ctx;

	said->records = 0; /* it may begin once more */
	return 0;
}

static int feed(struct offline *o, const struct fp_rec *rec, uint32_t step)
{
	struct said *said = o->ctx;

	(void)rec;
	(void)step;
	said->records++;
	return 0;
}

static int print(struct offline *o, struct view *v)
{
	struct said *said = o->ctx;
	struct snap_vcpu all;

	snapshot__total(v->s, &all);
	said->vcpus = v->s->nr_vcpus;
	said->exits = all.exits;
	said->ops[OF_TASK] = v->s->task;
	said->ops[OF_HOST] = all.host;
	said->ops[OF_GUEST] = all.guest;
	said->ops[OF_KERNEL] = v->s->kernel_neon;
	return 0;
}

static unsigned int count_lines(int fd)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	unsigned int lines = 0;

	while (n-- > 0)
		lines += text[n] == '\n';
	return lines;
}

static struct said read_part(const char *input)
{
	struct said said = {};
	int messages = memfd_create("messages", MFD_CLOEXEC);
	int standard = dup(STDERR_FILENO);

	dup2(messages, STDERR_FILENO);
	assert_int_equal(offline__run(&(struct offline){
				 .input = input,
				 .from = 3,
				 .to = 4,
				 .ctx = &said,
				 .begin = begin,
				 .feed = feed,
				 .print = print,
			 }),
			 0);
	dup2(standard, STDERR_FILENO);
	said.messages = count_lines(messages);
	close(standard);
	close(messages);
	return said;
}

/* Of a file; from standard input it is the same. */
static struct said read_scene(const struct scene *s, int kind, bool skips)
{
	int fd = write_trace(s, kind);
	struct said said, all;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	said = read_part(path);
	lseek(fd, 0, SEEK_SET);
	dup2(fd, STDIN_FILENO);
	all = read_part("-");
	close(fd);
	assert_memory_equal(said.ops, all.ops, sizeof(all.ops));
	assert_int_equal(said.messages, all.messages);
	assert_int_equal(said.vcpus, all.vcpus);
	assert_int_equal(said.exits, all.exits);
	assert_int_equal(said.records < all.records, skips);
	return said;
}

static void read_kinds(const struct scene *s, uint64_t pending, uint64_t needed,
		       bool skips)
{
	const struct snap_xfer *x;
	struct said said;
	int kind;

	for (kind = 0; kind < KINDS; kind++) {
		said = read_scene(s, kind, skips);
		x = &said.ops[kind].save;
		assert_int_equal(x->done, 0);
		assert_int_equal(x->pending, pending);
		assert_int_equal(x->needed, needed);
		assert_int_equal(said.messages, s->cut);
	}
}

static void stays_pending(void **state)
{
	(void)state;
	read_kinds(&(struct scene){}, 1, 0, false);
	read_kinds(&(struct scene){ .before = mumbles }, 1, 0, false);
	read_kinds(&(struct scene){ .idle = true }, 1, 0, false);
}

static void decided_in_part(void **state)
{
	(void)state;
	read_kinds(&(struct scene){ .inside = clobbers }, 0, 1, false);
	read_kinds(&(struct scene){ .before = mumbles, .inside = clobbers }, 0,
		   1, false);
}

static void decided_before(void **state)
{
	(void)state;
	read_kinds(&(struct scene){ .before = loads }, 0, 0, true);
}

/*
 * Whether a vcpu came, or went, before or after the counters were reached is not known
 * where they were taken meanwhile.
 */
static void came_or_went(void **state)
{
	(void)state;
	read_kinds(&(struct scene){ .counters = COUNTERS(HERE, ENDED),
				    .before = runs_once_more },
		   0, 0, false);
	read_kinds(&(struct scene){ .counters = COUNTERS(HERE, HERE COMES),
				    .before = loads },
		   0, 0, false);
	read_kinds(&(struct scene){ .counters = COUNTERS(ENDED COMES, ENDED),
				    .before = loads },
		   0, 0, false);
	read_kinds(&(struct scene){ .counters = COUNTERS(ENDED, COMES),
				    .before = loads },
		   0, 0, false);
	read_kinds(&(struct scene){ .counters = COUNTERS(ENDED, ENDED),
				    .before = loads },
		   0, 0, true);
}

/* Of a KVM_RUN that began before what was read. */
static void exits(void **state)
{
	const struct scene before = { .before = exits_before,
				      .inside = clobbers };
	const struct scene inside = { .before = loads, .inside = exits_inside };

	(void)state;
	assert_int_equal(read_scene(&before, OF_HOST, true).exits, 0);
	assert_int_equal(read_scene(&inside, OF_HOST, false).exits, 5);
}

/* However often it is read. */
static void said_once(void **state)
{
	(void)state;
	read_kinds(&(struct scene){ .cut = true }, 1, 0, false);
	read_kinds(&(struct scene){ .before = loads, .cut = true }, 0, 0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays_pending),
		cmocka_unit_test(decided_in_part),
		cmocka_unit_test(decided_before),
		cmocka_unit_test(came_or_went),
		cmocka_unit_test(exits),
		cmocka_unit_test(said_once),
	};

	return cmocka_run_group_tests_name("offline", tests, NULL, NULL);
}
