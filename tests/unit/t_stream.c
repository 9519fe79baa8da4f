// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rings, with the writer's own code, which is interrupted after each step: what
 * is read is whole, in order, and counted to the unit.
 */
#include "test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

static void step(void);
#define FP_RING_STEP() step()

#include "fpstat/counters.h"
#include "stream.h"

enum {
	CPUS = 3,
	MAX = 4096,
	STEPS = 12, /* of a record .. */
	PAIR = 21, /* .. and of two */
	ALL = 256, /* sets of its words */
};

/* One record that was made or lost, by its number in fp_rec.other. */
struct made {
	uint64_t began, ended; /* times of the machine .. */
	unsigned int first, last; /* .. and steps */
	unsigned int cpu;
	uint64_t lost_before; /* records there */
	bool lost;
	bool read;
};

static struct machine {
	struct fp_percpu cpus[CPUS];
	struct fp_slot *rings;
	struct stream *stream;
	uint64_t clock;
	unsigned int steps;
	struct made made[MAX];
	uint64_t nr_made;
	/* Of what was read: */
	uint64_t newest; /* time at which the newest began */
	unsigned int newest_on[CPUS]; /* step at which it began there */
	uint64_t lost_on[CPUS], told_on[CPUS];
	uint64_t records, exits, live, lost;
	void (*interrupt)(void); /* at each step, or NULL */
} m;

/* Rings of @size records. */
static void start(uint32_t size)
{
	free(m.rings);
	stream__free(m.stream);
	memset(&m, 0, sizeof(m));
	m.clock = 1000;
	m.rings = calloc(CPUS * FP_LANES * size, sizeof(*m.rings));
	assert_non_null(m.rings);
	m.stream = stream__new(m.cpus, CPUS, m.rings, size);
	assert_non_null(m.stream);
}

static void step(void)
{
	void (*interrupt)(void) = m.interrupt;

	m.steps++;
	m.interrupt = NULL;
	if (interrupt)
		interrupt();
	m.interrupt = interrupt;
}

static struct fp_slot *slot(unsigned int cpu, unsigned int lane, uint32_t pos)
{
	return &m.rings[fp_ring_at(&m.cpus[cpu].lane[lane], pos)];
}

/* A kernel address that depends on @n. */
static uint64_t address(uint64_t n)
{
	return 0xffff800000000000ull + 64 * n;
}

/* One more that will be made or lost on @cpu. */
static struct made *more(unsigned int cpu)
{
	struct made *made = &m.made[m.nr_made++];

	assert_true(m.nr_made <= MAX);
	made->cpu = cpu;
	made->began = m.clock;
	made->first = ++m.steps;
	return made;
}

static void lose(struct made *made)
{
	made->lost = true;
	m.cpus[made->cpu].lost++;
}

/* As record() in bpf/record.h: of one that was begun. */
static void fill(struct made *made, const struct fp_lane *lane, uint64_t pos,
		 uint64_t ns)
{
	uint64_t nr = (uint64_t)(made - m.made);
	struct fp_percpu *c = &m.cpus[made->cpu];
	union fp_event_half half = { .gen = ~(uint32_t)nr,
				     .kind = FP_EV_SAVE,
				     .foreign = 1,
				     .arg = 127 };
	struct fp_slot *to = &m.rings[fp_ring_at(lane, pos)];
	uint64_t lap = fp_ring_lap(lane, pos), passed, lost;

	fp_ring_put(&to->ns, ns, lap);
	passed = c->passed;
	made->lost_before = c->lost;
	lost = c->lost;
	fp_ring_put(&to->order,
		    fp_ring_number(&c->records) << 33 >> 1 | (__u32)lost, lap);
	fp_ring_cut(&to->passed, passed, lap);
	fp_ring_cut(&to->buf, address(nr), lap);
	fp_ring_put(&to->event, half.all, lap);
	fp_ring_cut(&to->other, nr, lap);
	fp_ring_cut(&to->letter, address(nr) | FP_NOTE_MOVED, lap);
	fp_ring_cut(&to->own, (nr % 2 ? nr : ~nr) << 32 | FP_REC_REVOKE, lap);
	made->ended = m.clock;
	made->last = m.steps;
}

static void make(unsigned int cpu, unsigned int nr_lane)
{
	struct fp_lane *lane = &m.cpus[cpu].lane[nr_lane];
	struct made *made = more(cpu);
	__u64 pos;

	if (!fp_ring_begin(lane, 1, &pos)) {
		lose(made);
		return;
	}
	fill(made, lane, pos, m.clock);
	fp_ring_end(lane);
}

/* Two that are begun at once, and have one time. */
static void make_pair(unsigned int cpu)
{
	struct fp_lane *lane = &m.cpus[cpu].lane[FP_LANE_MAIN];
	struct made *first = more(cpu), *second;
	uint64_t ns;
	__u64 pos;

	if (!fp_ring_begin(lane, 2, &pos)) {
		lose(first);
		make(cpu, FP_LANE_MAIN);
		return;
	}
	second = more(cpu);
	ns = m.clock;
	fill(first, lane, pos, ns);
	fill(second, lane, pos + 1, ns);
	fp_ring_end(lane);
}

/* ---- what is read ---- */

static int take(void *ctx, const struct fp_rec *r)
{
	struct made *made = &m.made[r->other];

	(void)ctx;
	assert_true(r->other < m.nr_made);
	assert_false(made->read);
	assert_false(made->lost);
	made->read = true;
	assert_int_equal(r->cpu, made->cpu);
	assert_int_equal(r->ev.buf, address(r->other));
	assert_int_equal(r->letter, address(r->other) | FP_NOTE_MOVED);
	assert_int_equal(r->ev.gen, (uint32_t)~r->other);
	assert_int_equal(r->slot,
			 (uint32_t)(r->other % 2 ? r->other : ~r->other));
	assert_int_equal(r->ev.kind, FP_EV_SAVE);
	assert_int_equal(r->ev.foreign, 1);
	assert_int_equal(r->ev.arg, 127);
	assert_int_equal(r->flags, FP_REC_REVOKE | (r->lost ? FP_REC_GAP : 0));
	/* Nothing that ended before it began is still to come. */
	if (made->ended) {
		assert_true(made->ended >= m.newest);
		assert_true(made->last >= m.newest_on[r->cpu]);
	}
	if (made->began > m.newest)
		m.newest = made->began;
	if (made->first > m.newest_on[r->cpu])
		m.newest_on[r->cpu] = made->first;
	/* What was lost before it is told by then. */
	m.told_on[r->cpu] += r->lost;
	if (made->lost_before > m.lost_on[r->cpu])
		m.lost_on[r->cpu] = made->lost_before;
	assert_int_equal(m.told_on[r->cpu], m.lost_on[r->cpu]);
	m.records++;
	m.exits += r->exits;
	m.live += r->live;
	m.lost += r->lost;
	return 0;
}

static void drain(void)
{
	assert_int_equal(stream__drain_until(m.stream, m.clock, take, NULL), 0);
}

/* All is read now, and it is all that was made. */
static void finish(void)
{
	uint64_t exits = 0, live = 0, lost = 0, left_out = 0, i;
	struct fp_rec rest;

	m.clock++;
	drain();
	for (i = 0; i < CPUS; i++) {
		rest = stream__rest(m.stream, (unsigned int)i);
		assert_int_equal(rest.flags,
				 FP_REC_NO_STEP | FP_REC_NO_JUDGE |
					 (rest.lost ? FP_REC_GAP : 0));
		m.exits += rest.exits;
		m.live += rest.live;
		m.lost += rest.lost;
		exits += m.cpus[i].exits;
		live += m.cpus[i].live;
		lost += m.cpus[i].lost;
	}
	for (i = 0; i < m.nr_made; i++) {
		left_out += m.made[i].lost;
		assert_true(m.made[i].read || m.made[i].lost);
	}
	assert_int_equal(m.exits, exits);
	assert_int_equal(m.live, live);
	assert_int_equal(m.lost, lost);
	assert_int_equal(lost, left_out);
	assert_int_equal(m.records + lost, m.nr_made);
}

/* ---- one CPU, interrupted ---- */

static unsigned int at, inner_at; /* how many steps are left until then */
static bool pairs;
static bool reading;

static void drain_at(void)
{
	if (reading)
		drain();
}

static void softirq(void)
{
	drain_at();
	if (inner_at-- == 0) {
		m.clock++;
		m.cpus[0].exits += 2;
		m.cpus[0].live++;
		make(0, FP_LANE_MAIN);
		make(0, FP_LANE_MAIN);
	}
}

/* Another task comes in, where that is possible, and makes records, too. */
static void preempt(void)
{
	drain_at();
	if (at-- == 0) {
		if (pairs)
			make_pair(0);
		else
			make(0, FP_LANE_MAIN);
		m.clock++;
		m.interrupt = softirq;
		make(0, FP_LANE_EXIT);
		m.interrupt = NULL;
		m.cpus[0].exits++;
		make(0, FP_LANE_MAIN);
	}
}

/* With that many records before, in that many lanes: laps are old, new and in between. */
static void start_after(unsigned int before, unsigned int lanes)
{
	unsigned int i;

	start(8);
	for (i = 0; i < before; i++) {
		make(0, i % lanes);
		m.clock++;
		drain();
	}
}

static void interrupt_at(unsigned int step, unsigned int inner_step,
			 unsigned int before)
{
	start_after(before, FP_LANES);
	at = step;
	inner_at = inner_step;
	m.interrupt = preempt;
	make(0, FP_LANE_RUN_END);
	m.interrupt = NULL;
	make(1, FP_LANE_MAIN);
	make(0, FP_LANE_MAIN);
	finish();
	assert_int_equal(m.lost, 0);
}

/* Each step of one lane, and of the one that came into it. */
static void interrupted(void **state)
{
	unsigned int i, k, n = 0;

	(void)state;
	for (i = 0; i <= STEPS; i++) {
		for (k = 0; k <= STEPS; k++) {
			pairs = n / 17 % 2;
			reading = false;
			interrupt_at(i, k, n % 17);
			reading = true;
			interrupt_at(i, k, n++ % 17);
		}
	}
}

/* Each step of two that are begun at once: what comes in is in between, or after. */
static void come_between(void)
{
	drain_at();
	if (at-- == 0) {
		m.clock++;
		make(1, FP_LANE_MAIN);
		m.clock++;
	}
}

static void pair(void **state)
{
	unsigned int i, before;

	(void)state;
	reading = true;
	for (i = 0; i <= PAIR; i++) {
		for (before = 0; before < 17; before++) {
			start_after(before, 1);
			at = i;
			m.interrupt = come_between;
			make_pair(0);
			m.interrupt = NULL;
			finish();
			assert_int_equal(m.lost, 0);
		}
	}
}

/* There is room for one of them: it is the second that gets it. */
static void half_a_pair(void **state)
{
	(void)state;
	start(2);
	make(0, FP_LANE_MAIN);
	make_pair(0);
	assert_true(m.made[1].lost);
	assert_false(m.made[2].lost);
	finish();
	assert_int_equal(m.lost, 1);
}

/* Nothing may come into the main lane. If it does, it is lost, and known to be. */
static void come_in(void)
{
	if (at-- == 0)
		make(0, FP_LANE_MAIN);
}

static void busy(void **state)
{
	unsigned int i, lost = 0;

	(void)state;
	for (i = 0; i <= STEPS; i++) {
		start(8);
		at = i;
		m.interrupt = come_in;
		make(0, FP_LANE_MAIN);
		m.interrupt = NULL;
		finish();
		lost += (unsigned int)m.lost;
	}
	assert_int_equal(lost, STEPS - 1);
}

/* ---- what becomes visible in whatever order ---- */

/* Of record @pos only some words are seen. */
static void subset(uint32_t pos, unsigned int words)
{
	struct fp_slot *to = slot(0, FP_LANE_MAIN, pos), was, is;
	uint64_t before = m.records;
	unsigned int i;

	was = *to;
	make(0, FP_LANE_MAIN);
	is = *to;
	m.clock++;
	for (i = 0; i < FP_SLOT_WORDS; i++) {
		if (!(words >> i & 1))
			((__u64 *)to)[i] = ((__u64 *)&was)[i];
	}
	drain();
	assert_int_equal(m.records, before + (words == ALL - 1));
	assert_int_equal(stream__until(m.stream) == m.clock, words == ALL - 1);
	/* What is newer waits for it. */
	make(1, FP_LANE_MAIN);
	m.clock++;
	*to = is;
	drain();
	assert_int_equal(m.records, before + 2);
}

static void torn(void **state)
{
	unsigned int words, lap;

	(void)state;
	for (words = 0; words < ALL; words++) {
		start(2);
		for (lap = 0; lap < 7; lap++)
			subset(lap, words);
		finish();
	}
}

/* One of several is not seen yet; what is older than that may be read. */
static void hole(void **state)
{
	struct fp_slot is, *to;
	unsigned int i, k;

	(void)state;
	for (k = 0; k < 4; k++) {
		start(4);
		for (i = 0; i < 4; i++) {
			make(0, FP_LANE_MAIN);
			m.clock++;
			make(1, FP_LANE_MAIN);
			m.clock++;
		}
		to = slot(0, FP_LANE_MAIN, k);
		is = *to;
		memset(to, 0, sizeof(*to));
		drain();
		assert_in_range(m.records, 0, 2 * k);
		*to = is;
		finish();
	}
}

static int count_gaps(void *ctx, const struct fp_rec *r)
{
	*(unsigned int *)ctx += r->flags & FP_REC_GAP && !r->lost;
	return 0;
}

/* One that nobody could see in time is out of order: that is a gap. */
static void late(void **state)
{
	struct fp_lane *lane;
	unsigned int gaps = 0;

	(void)state;
	start(4);
	make(0, FP_LANE_MAIN);
	lane = &m.cpus[0].lane[FP_LANE_MAIN];
	lane->head--;
	m.clock++;
	stream__drain_until(m.stream, m.clock, count_gaps, &gaps);
	assert_int_equal(gaps, 0);
	lane->head++;
	stream__drain_until(m.stream, m.clock, count_gaps, &gaps);
	assert_int_equal(gaps, 1);
}

/* ---- several CPUs ---- */

static uint64_t dice_state;

static unsigned int dice(unsigned int n)
{
	dice_state =
		dice_state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(dice_state >> 33) % n;
}

static unsigned int depth; /* of interrupts */
static bool under_way[CPUS][FP_LANES];

static void make_somewhere(void);

/* Whatever can happen at a step: time goes on, it is read, others make records. */
static void anything(void)
{
	unsigned int what = dice(24);

	if (what < 6)
		m.clock++;
	else if (what == 6)
		drain();
	else if (what == 7 && depth < 4)
		make_somewhere();
	else if (what == 8 && !dice(20))
		stream__stop(m.stream, !dice(8));
}

static void make_somewhere(void)
{
	unsigned int cpu = dice(CPUS), lane = dice(FP_LANES), k;

	/* On its own CPU nothing that came in is interrupted by what it came into. */
	for (k = 0; k <= lane; k++) {
		if (under_way[cpu][k])
			return;
	}
	under_way[cpu][lane] = true;
	depth++;
	m.cpus[cpu].exits += dice(3);
	m.cpus[cpu].live += dice(2);
	m.interrupt = anything;
	if (lane == FP_LANE_MAIN && !dice(3))
		make_pair(cpu);
	else
		make(cpu, lane);
	m.interrupt = NULL;
	depth--;
	under_way[cpu][lane] = false;
}

static void random_machine(uint32_t size, uint64_t seed)
{
	unsigned int i;

	start(size);
	dice_state = seed;
	for (i = 0; i < 1000; i++) {
		anything();
		m.clock += !dice(8);
		make_somewhere();
	}
	finish();
}

static void many(void **state)
{
	uint64_t seed, lost = 0;

	(void)state;
	for (seed = 0; seed < 240; seed++) {
		random_machine(1u << seed % 8, seed);
		lost += m.lost;
		assert_true(m.records > 100);
	}
	assert_true(lost > 100);
}

/* ---- exits and losses that have no record ---- */

/* A record came meanwhile: what is told now ends there. */
static void rest(void **state)
{
	struct fp_rec r;

	(void)state;
	start(1);
	make(0, FP_LANE_MAIN);
	m.clock++;
	m.cpus[0].exits = 3;
	drain();
	m.clock++;
	m.cpus[0].exits = 5;
	make(0, FP_LANE_RUN_END);
	m.cpus[0].exits = 9;
	make(0, FP_LANE_RUN_END);
	r = stream__rest(m.stream, 0);
	assert_int_equal(r.exits, 5);
	assert_int_equal(r.lost, 0);
	m.exits = r.exits;
	finish();
	assert_int_equal(m.exits, 9);
	assert_int_equal(m.lost, 1);
	r = stream__rest(m.stream, 0);
	assert_int_equal(r.exits | r.live | r.lost, 0);
}

/* Where exits have no hook, the next record tells more than the sums do until then. */
static void read_on_demand(void **state)
{
	struct fp_rec r;

	(void)state;
	start(4);
	m.cpus[0].exits = 3;
	make(0, FP_LANE_MAIN);
	m.clock++;
	drain();
	m.cpus[0].passed_read = 5 | 2ull << 32;
	r = stream__rest(m.stream, 0);
	assert_int_equal(r.exits, 2);
	assert_int_equal(r.live, 2);
	m.exits += r.exits;
	m.live += r.live;
	m.cpus[0].exits = 6;
	m.cpus[0].live = 2;
	make(0, FP_LANE_MAIN);
	m.clock++;
	drain();
	assert_int_equal(m.exits, 6);
	finish(); /* what was read is older now */
}

/* ---- equally old ---- */

static int lower_first(void *ctx, const struct fp_rec *r)
{
	unsigned int *next = ctx;

	assert_int_equal(r->cpu, (*next)++);
	return 0;
}

static void same_time(void **state)
{
	unsigned int next = 0, i;

	(void)state;
	start(4);
	for (i = CPUS; i-- > 0;)
		make(i, FP_LANE_MAIN);
	stream__drain_until(m.stream, m.clock, lower_first, &next);
	assert_int_equal(next, 0);
	stream__drain_until(m.stream, m.clock + 1, lower_first, &next);
	assert_int_equal(next, CPUS);
}

/* ---- no room for a while ---- */

static void stopped(void **state)
{
	unsigned int i;

	(void)state;
	start(16);
	make(0, FP_LANE_MAIN);
	stream__stop(m.stream, true);
	for (i = 0; i < 3; i++) {
		make(0, i);
		m.clock++;
		drain();
		stream__stop(m.stream, true);
	}
	assert_int_equal(m.records, 1);
	assert_int_equal(m.cpus[0].lost, 3);
	stream__stop(m.stream, false);
	for (i = 0; i < 40; i++) {
		make(0, FP_LANE_MAIN);
		m.clock++;
		drain();
		assert_int_equal(m.lost, 3);
	}
	finish();
}

/* ---- whoever reads may have enough ---- */

static int only_one(void *ctx, const struct fp_rec *r)
{
	take(ctx, r);
	return 7;
}

static void ended(void **state)
{
	(void)state;
	start(8);
	make(0, FP_LANE_MAIN);
	make(1, FP_LANE_MAIN);
	m.clock++;
	assert_int_equal(stream__drain_until(m.stream, m.clock, only_one, NULL),
			 7);
	assert_int_equal(m.records, 1);
	finish();
}

/* Sums and numbers that begin anew at 2^31. */
static void large_sums(void **state)
{
	unsigned int i;

	(void)state;
	start(4);
	for (i = 0; i < 40; i++) {
		m.cpus[0].exits += 0x30000000;
		m.cpus[0].live += 0x2fffffff;
		m.cpus[0].records += 0x10000000;
		make(0, i % FP_LANES);
		m.clock++;
		drain();
		assert_int_equal(m.exits, (i + 1) * 0x30000000ull);
		assert_int_equal(m.live, (i + 1) * 0x2fffffffull);
	}
	start(4);
	m.cpus[0].records = 0x7fffffff;
	make(0, FP_LANE_RUN_END);
	make(0, FP_LANE_MAIN);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupted), cmocka_unit_test(pair),
		cmocka_unit_test(half_a_pair), cmocka_unit_test(busy),
		cmocka_unit_test(torn),	       cmocka_unit_test(hole),
		cmocka_unit_test(late),	       cmocka_unit_test(many),
		cmocka_unit_test(rest),	       cmocka_unit_test(same_time),
		cmocka_unit_test(ended),       cmocka_unit_test(large_sums),
		cmocka_unit_test(stopped),     cmocka_unit_test(read_on_demand),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	stream__free(m.stream);
	free(m.rings);
	return failed;
}
