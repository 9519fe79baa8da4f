// SPDX-License-Identifier: GPL-2.0-only
/* Traces: what was written is read, and what was cut or damaged is told. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <zstd.h>

#include "trace_index.h"
#include "trace_pack.h"
#include "trace_sample.h"
#include "trace_unpack.h"
#include "util.h"

/* What a trace came to. */
struct got {
	struct fp_rec *rec;
	size_t nr, room;
	size_t blocks[TRACE_INDEX + 1];
	struct trace_health health;
	int err;
	char why[128];
};

static void read_records(struct trace_reader *r, struct got *g)
{
	const struct fp_rec *rec;
	int n;

	while ((n = trace_reader__records(r, &rec)) > 0) {
		if (g->nr + (size_t)n > g->room) {
			g->room = 2 * (g->nr + (size_t)n);
			g->rec = realloc(g->rec, g->room * sizeof(*rec));
			assert_non_null(g->rec);
		}
		memcpy(&g->rec[g->nr], rec, (size_t)n * sizeof(*rec));
		g->nr += (size_t)n;
	}
}

static struct got read_fd(int fd)
{
	struct got g = {};
	struct trace_reader *r = trace_reader__new(fd, g.why, sizeof(g.why));
	int kind;

	if (!r) {
		close(fd);
		return g;
	}
	while ((kind = trace_reader__next(r)) > 0) {
		if (kind <= TRACE_INDEX)
			g.blocks[kind]++;
		if (kind == TRACE_EVENTS)
			read_records(r, &g);
	}
	g.err = kind;
	g.health = trace_reader__health(r);
	trace_reader__free(r);
	close(fd);
	return g;
}

static struct got read_bytes(const void *data, size_t len)
{
	return read_fd(file_of(data, len));
}

static bool healthy(const struct got *g)
{
	return !*g->why && !g->err && !g->health.cut && !g->health.damaged &&
	       !g->health.lost;
}

static void assert_same(const struct fp_rec *a, const struct fp_rec *b,
			size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		assert_memory_equal(&a[i], &b[i], sizeof(*a));
}

/* ---- there and back ---- */

static void there_and_back(struct fp_rec (*next)(struct rng *r, uint64_t *now),
			   size_t nr)
{
	struct fp_rec *rec = calloc(nr, sizeof(*rec));
	struct sample s = sample__new();
	struct rng rng = { 4711 };
	uint64_t now = 1;
	unsigned char *data;
	struct got g;
	size_t i, len;

	assert_non_null(rec);
	for (i = 0; i < nr; i++) {
		rec[i] = next(&rng, &now);
		assert_int_equal(trace_writer__record(s.w, &rec[i]), 0);
		if (draw(&rng) % 10000 == 0)
			assert_int_equal(trace_writer__flush(s.w), 0);
	}
	assert_int_equal(trace_writer__records(s.w), nr);
	data = sample__end(&s, &len);
	g = read_bytes(data, len);
	assert_true(healthy(&g));
	assert_int_equal(g.nr, nr);
	assert_same(g.rec, rec, nr);
	free(g.rec);
	free(data);
	free(rec);
}

static struct fp_rec wild(struct rng *r, uint64_t *now)
{
	(void)now;
	return wild_record(r);
}

static void wild_records(void **state)
{
	(void)state;
	there_and_back(wild, 300000);
}

static void tame_records(void **state)
{
	(void)state;
	there_and_back(tame_record, 300000);
}

/* Some wild ones in between: templates come up late, and are used again. */
static struct fp_rec mixed(struct rng *r, uint64_t *now)
{
	return draw(r) % 16 ? tame_record(r, now) : wild_record(r);
}

static void mixed_records(void **state)
{
	(void)state;
	there_and_back(mixed, 300000);
}

static void no_records(void **state)
{
	(void)state;
	there_and_back(wild, 0);
	there_and_back(wild, 1);
}

/* The largest steps that there are, to both sides. */
static void time_jumps(void **state)
{
	static const uint64_t ns[] = {
		0, INT64_MAX, 0, 1ull << 63, 0, UINT64_MAX, UINT64_MAX, 1,
	};
	struct sample s = sample__new();
	unsigned char *data;
	struct got g;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(ns) / sizeof(ns[0]); i++)
		trace_writer__record(s.w, &(struct fp_rec){ .ns = ns[i] });
	data = sample__end(&s, &len);
	g = read_bytes(data, len);
	assert_true(healthy(&g));
	assert_int_equal(g.nr, sizeof(ns) / sizeof(ns[0]));
	for (i = 0; i < g.nr; i++)
		assert_int_equal(g.rec[i].ns, ns[i]);
	free(g.rec);
	free(data);
}

static void no_such_cpu(void **state)
{
	struct sample s = sample__new();
	size_t len;

	(void)state;
	assert_int_equal(trace_writer__record(
				 s.w, &(struct fp_rec){ .cpu = TRACE_CPUS }),
			 -EINVAL);
	assert_int_equal(trace_writer__records(s.w), 0);
	free(sample__end(&s, &len));
}

/* The tame ones: four bytes each at most. */
static void small(void **state)
{
	struct sample s = sample__new();
	struct rng rng = { 7 };
	uint64_t now = 1;
	size_t i, len;

	(void)state;
	for (i = 0; i < TRACE_RECORDS; i++) {
		struct fp_rec rec = tame_record(&rng, &now);

		trace_writer__record(s.w, &rec);
	}
	free(sample__end(&s, &len));
	assert_in_range(len, 1, 4 * TRACE_RECORDS);
}

/* ---- as a stream of zstd ---- */

static void any_zstd_reads_it(void **state)
{
	static const char text[] = "function address=1 name=\\303\\244\n";
	struct sample s = sample__new();
	unsigned char *data;
	char plain[4096];
	size_t n, len;

	(void)state;
	trace_writer__record(s.w, &(struct fp_rec){});
	assert_int_equal(trace_writer__text(s.w, TRACE_NAMES, text,
					    sizeof(text) - 1),
			 0);
	data = sample__end(&s, &len);
	n = ZSTD_decompress(plain, sizeof(plain), data, len);
	assert_false(ZSTD_isError(n));
	assert_memory_equal(plain, "trace format=1\n", 15);
	assert_non_null(memmem(plain, n, text, sizeof(text) - 1));
	free(data);
}

/* ---- what is missing ---- */

/* Some blocks with a few records each; @ends gets where each of them ends. */
static unsigned char *small_trace(size_t *len, size_t ends[8])
{
	struct sample s = sample__new();
	struct rng rng = { 42 };
	uint64_t now = 1;
	int i, j;

	for (i = 0; i < 4; i++) {
		ends[i] = trace_writer__bytes(s.w);
		for (j = 0; j < 8; j++) {
			struct fp_rec rec = tame_record(&rng, &now);

			trace_writer__record(s.w, &rec);
		}
		trace_writer__flush(s.w);
	}
	ends[4] = trace_writer__bytes(s.w);
	trace_writer__text(s.w, TRACE_COUNTERS, "counters t=1\n", 13);
	ends[5] = trace_writer__bytes(s.w);
	return sample__end(&s, len);
}

static void cut_anywhere(void **state)
{
	struct got all, g;
	unsigned char *data;
	size_t ends[8], len, cut, blocks;

	(void)state;
	data = small_trace(&len, ends);
	all = read_bytes(data, len);
	assert_true(healthy(&all));
	for (cut = 0; cut < len; cut++) {
		g = read_bytes(data, cut);
		if (cut < TRACE_HEADER) {
			assert_string_equal(g.why,
					    "it is not a trace of fpstat");
			continue;
		}
		for (blocks = 0; blocks < 4 && ends[blocks + 1] <= cut;)
			blocks++;
		assert_false(*g.why);
		assert_int_equal(g.err, 0);
		assert_true(g.health.cut);
		assert_int_equal(g.health.damaged, 0);
		assert_int_equal(g.nr, 8 * blocks);
		assert_same(g.rec, all.rec, g.nr);
		free(g.rec);
	}
	free(all.rec);
	free(data);
}

/* Each record that is shown is one that was written. */
static void assert_true_part(const struct got *g, const struct got *all)
{
	size_t i, j = 0;

	for (i = 0; i < g->nr; i++) {
		struct fp_rec rec = g->rec[i];

		rec.flags &= ~(uint32_t)FP_REC_GAP;
		while (j < all->nr && memcmp(&all->rec[j], &rec, sizeof(rec)))
			j++;
		assert_true(j++ < all->nr);
	}
}

static void any_bit_flipped(void **state)
{
	struct got all, g;
	unsigned char *data;
	size_t ends[8], len, bit;

	(void)state;
	data = small_trace(&len, ends);
	all = read_bytes(data, len);
	for (bit = 0; bit < 8 * len; bit++) {
		data[bit / 8] ^= 1u << bit % 8;
		g = read_bytes(data, len);
		assert_false(healthy(&g));
		if (bit / 8 >= ends[0] && bit / 8 < ends[4])
			assert_int_equal(g.nr, all.nr - 8);
		assert_true_part(&g, &all);
		free(g.rec);
		data[bit / 8] ^= 1u << bit % 8;
	}
	free(all.rec);
	free(data);
}

/* A block in the middle is lost: how many, where, and on all CPUs. */
static void damage_is_a_gap(void **state)
{
	unsigned int gap[4] = {}, i;
	unsigned char *data;
	size_t ends[8], len;
	struct got g;

	(void)state;
	data = small_trace(&len, ends);
	data[ends[1] + TRACE_HEADER + 10] ^= 1;
	g = read_bytes(data, len);
	assert_int_equal(g.health.damaged, 1);
	assert_int_equal(g.health.offset, ends[1]);
	assert_int_equal(g.health.lost, 8);
	assert_false(g.health.cut);
	assert_int_equal(g.nr, 24);
	for (i = 0; i < 24; i++) {
		const struct fp_rec *rec = &g.rec[i];
		bool first = i >= 8 && !gap[rec->cpu]++;

		assert_int_equal(!!(rec->flags & FP_REC_GAP), first);
	}
	free(g.rec);
	/* The last one: what comes after tells how many. */
	data[ends[1] + TRACE_HEADER + 10] ^= 1;
	memset(data + ends[3], 0, ends[4] - ends[3]);
	g = read_bytes(data, len);
	assert_int_equal(g.health.lost, 8);
	assert_int_equal(g.health.damaged, 1);
	free(g.rec);
	free(data);
}

static void what_follows_is_damage(void **state)
{
	unsigned char *data;
	size_t ends[8], len;
	struct got g;

	(void)state;
	data = small_trace(&len, ends);
	data = realloc(data, len + 1);
	assert_non_null(data);
	data[len] = 0;
	g = read_bytes(data, len + 1);
	assert_int_equal(g.nr, 32);
	assert_int_equal(g.health.damaged, 1);
	free(g.rec);
	free(data);
}

/* ---- parts ---- */

/* Each has four records; the data are added to those of @len bytes. */
static unsigned char *add_part(unsigned char *data, size_t *len,
			       const char *meta)
{
	int fd = memfd_create("part", MFD_CLOEXEC), i;
	struct trace_writer *w = trace_writer__new(fd);
	size_t more;

	assert_non_null(w);
	trace_writer__text(w, TRACE_META, meta, strlen(meta));
	for (i = 0; i < 4; i++) {
		struct fp_rec rec = { .ns = *len + (size_t)i };

		trace_writer__record(w, &rec);
		trace_writer__flush(w);
	}
	assert_int_equal(trace_writer__end(w), 0);
	more = trace_writer__bytes(w);
	data = realloc(data, *len + more);
	assert_non_null(data);
	assert_int_equal(pread(fd, data + *len, more, 0), more);
	*len += more;
	trace_writer__free(w);
	close(fd);
	return data;
}

static void parts_are_joined(void **state)
{
	size_t len = 0, first, second, cut;
	unsigned char *data;
	struct got all, g;

	(void)state;
	data = add_part(NULL, &len, "trace capture=7\n");
	first = len;
	data = add_part(data, &len, "trace capture=7 part=1 middle=1\n");
	second = len;
	data = add_part(data, &len, "trace capture=7 part=2 middle=1\n");
	all = read_bytes(data, len);
	assert_true(healthy(&all));
	assert_int_equal(all.nr, 12);
	assert_int_equal(all.blocks[TRACE_META], 3);
	for (cut = first; cut < len; cut++) {
		g = read_bytes(data, cut);
		assert_int_equal(healthy(&g), cut == first || cut == second);
		assert_int_equal(g.health.lost, 0);
		assert_true(g.nr >= 4 && g.nr <= 12);
		assert_same(g.rec, all.rec, g.nr);
		free(g.rec);
	}
	free(all.rec);
	free(data);
}

static void others_are_not(void **state)
{
	static const char *const follows[] = {
		"trace capture=7\n",
		"trace capture=7 part=2\n",
		"trace capture=8 part=1\n",
		"trace part=1\n",
		"",
	};
	static const char *const first[] = { "trace capture=7\n",
					     "trace part=0\n", "" };
	unsigned char *data;
	struct got g;
	size_t i, j, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(follows) * ARRAY_SIZE(first); i++) {
		j = i / ARRAY_SIZE(follows);
		len = 0;
		data = add_part(NULL, &len, first[j]);
		data = add_part(data, &len, follows[i % ARRAY_SIZE(follows)]);
		g = read_bytes(data, len);
		assert_int_equal(g.nr, 4);
		assert_int_equal(g.health.damaged, 1);
		free(g.rec);
		free(data);
	}
}


/* Through a pipe, @step bytes at a time. */
static struct got read_drops(const unsigned char *data, size_t len, size_t step)
{
	struct got g = {};
	struct trace_reader *r;
	size_t at = TRACE_HEADER, n;
	int fd[2], kind = -EAGAIN;

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], data, at), at);
	r = trace_reader__new(fd[0], g.why, sizeof(g.why));
	assert_non_null(r);
	trace_reader__dont_wait(r);
	while (kind) {
		kind = trace_reader__next(r);
		if (kind == TRACE_EVENTS)
			read_records(r, &g);
		if (kind != -EAGAIN)
			continue;
		assert_true(fd[1] >= 0);
		n = len - at < step ? len - at : step;
		assert_int_equal(write(fd[1], data + at, n), n);
		at += n;
		if (n)
			continue;
		close(fd[1]);
		fd[1] = -1;
	}
	g.health = trace_reader__health(r);
	trace_reader__free(r);
	close(fd[0]);
	if (fd[1] >= 0)
		close(fd[1]);
	return g;
}

static void assert_same_in_drops(const unsigned char *data, size_t len,
				 size_t step)
{
	struct got g = read_drops(data, len, step);
	struct got all = read_bytes(data, len);

	assert_int_equal(g.nr, all.nr);
	assert_same(g.rec, all.rec, g.nr);
	assert_int_equal(g.health.cut, all.health.cut);
	assert_int_equal(g.health.damaged, all.health.damaged);
	assert_int_equal(g.health.offset, all.health.offset);
	assert_int_equal(g.health.lost, all.health.lost);
	free(g.rec);
	free(all.rec);
}

static void never_waits(void **state)
{
	unsigned char *data;
	size_t ends[8], len, i;

	(void)state;
	data = small_trace(&len, ends);
	for (i = 1; i < 200; i++)
		assert_same_in_drops(data, len, i);
	for (i = TRACE_HEADER; i < len; i++)
		assert_same_in_drops(data, i, 31);
	for (i = TRACE_HEADER; i < len; i++) {
		data[i] ^= 1;
		assert_same_in_drops(data, len, 1 + i % 37);
		data[i] ^= 1;
	}
	free(data);
}

/* ---- what is none ---- */

static void header(unsigned char to[TRACE_HEADER], uint8_t version,
		   uint32_t stored, uint32_t plain)
{
	uint32_t crc;
	int i;

	trace_block__put(to, &(struct trace_block){ .kind = TRACE_META,
						    .stored = stored,
						    .plain = plain });
	to[12] = version;
	crc = trace_crc(to, TRACE_HEADER - 4);
	for (i = 0; i < 4; i++)
		to[TRACE_HEADER - 4 + i] = (unsigned char)(crc >> 8 * i);
}

static void none(void **state)
{
	unsigned char h[TRACE_HEADER];
	struct got g;

	(void)state;
	g = read_bytes("", 0);
	assert_string_equal(g.why, "it is not a trace of fpstat");
	header(h, TRACE_VERSION + 1, 0, 0);
	g = read_bytes(h, sizeof(h));
	assert_string_equal(g.why, "it was written by a newer fpstat");
	header(h, TRACE_VERSION, TRACE_STORED + 1, 0);
	g = read_bytes(h, sizeof(h));
	assert_string_equal(g.why, "it is not a trace of fpstat");
	header(h, TRACE_VERSION, 0, TRACE_PLAIN + 1);
	g = read_bytes(h, sizeof(h));
	assert_string_equal(g.why, "it is not a trace of fpstat");
	g = read_fd(open("/", O_RDONLY | O_CLOEXEC));
	assert_string_equal(g.why, strerror(EISDIR));
	trace_reader__free(NULL);
	trace_writer__free(NULL);
	trace_pack__free(NULL);
	trace_unpack__free(NULL);
}

/* An events block that is not what its header says, with checksums that fit. */
static void inconsistent(void **state)
{
	struct trace_pack *p = trace_pack__new();
	struct trace_unpack *u = trace_unpack__new();
	struct trace_block b = {}, wrong;
	struct fp_rec rec[2];
	const void *plain;

	(void)state;
	assert_non_null(p);
	assert_non_null(u);
	trace_pack__add(p, &(struct fp_rec){ .ns = 5, .exits = 3, .live = 2 });
	plain = trace_pack__end(p, &b);
#define WRONG(field)                                                           \
	wrong = b;                                                             \
	wrong.field++;                                                         \
	assert_int_equal(trace_unpack__begin(u, plain, &wrong), 0);            \
	assert_int_equal(trace_unpack__next(u, rec, 2), -EBADMSG)
	WRONG(records);
	WRONG(exits);
	WRONG(live);
	WRONG(begin);
	WRONG(end);
#undef WRONG
	wrong = b;
	wrong.plain--;
	assert_int_equal(trace_unpack__begin(u, plain, &wrong), -EBADMSG);
	wrong = b;
	wrong.records = TRACE_RECORDS + 1;
	assert_int_equal(trace_unpack__begin(u, plain, &wrong), -EBADMSG);
	assert_int_equal(trace_unpack__begin(u, plain, &b), 0);
	assert_int_equal(trace_unpack__next(u, rec, 2), 1);
	trace_pack__free(p);
	trace_unpack__free(u);
}

/* ---- writing ---- */

static void too_long(void **state)
{
	char *text = calloc(TRACE_PLAIN + 1, 1);
	struct trace_writer *w = trace_writer__new(-1);

	(void)state;
	assert_non_null(text);
	assert_non_null(w);
	assert_int_equal(trace_writer__text(w, TRACE_NAMES, text,
					    TRACE_PLAIN + 1),
			 -EFBIG);
	assert_int_equal(trace_writer__record(w, &(struct fp_rec){}), -EFBIG);
	trace_writer__free(w);
	free(text);
}

static void no_place(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct trace_writer *w = trace_writer__new(fd);

	(void)state;
	assert_non_null(w);
	assert_int_equal(trace_writer__record(w, &(struct fp_rec){}), 0);
	assert_int_equal(trace_writer__flush(w), -ENOSPC);
	assert_int_equal(trace_writer__end(w), -ENOSPC);
	trace_writer__free(w);
	close(fd);
}

static void indexes(void **state)
{
	struct trace_index x = {}, y = {};
	struct rng rng = { 3 };
	unsigned char *data;
	size_t i, len;

	(void)state;
	for (i = 0; i < 1000; i++) {
		struct trace_block b = {
			.kind = (uint8_t)any_number(&rng, 8),
			.stored = (uint32_t)any_number(&rng, 23),
			.records = (uint32_t)any_number(&rng, 16),
			.begin = any_number(&rng, 64),
		};

		assert_int_equal(trace_index__add(&x, &b), 0);
	}
	data = trace_index__put(&x, &len);
	assert_int_equal(trace_index__get(&y, data, len), 0);
	assert_int_equal(y.nr, x.nr);
	for (i = 0; i < x.nr; i++)
		assert_memory_equal(&x.place[i], &y.place[i],
				    sizeof(x.place[i]));
	trace_index__free(&y);
	assert_int_equal(trace_index__get(&y, data, len - 1), -EBADMSG);
	trace_index__free(&y);
	trace_index__free(&x);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wild_records),
		cmocka_unit_test(tame_records),
		cmocka_unit_test(mixed_records),
		cmocka_unit_test(no_records),
		cmocka_unit_test(time_jumps),
		cmocka_unit_test(no_such_cpu),
		cmocka_unit_test(small),
		cmocka_unit_test(any_zstd_reads_it),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(any_bit_flipped),
		cmocka_unit_test(damage_is_a_gap),
		cmocka_unit_test(what_follows_is_damage),
		cmocka_unit_test(parts_are_joined),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(never_waits),
		cmocka_unit_test(none),
		cmocka_unit_test(inconsistent),
		cmocka_unit_test(too_long),
		cmocka_unit_test(no_place),
		cmocka_unit_test(indexes),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
