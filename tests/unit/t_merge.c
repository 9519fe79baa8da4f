// SPDX-License-Identifier: GPL-2.0-only
/* Merged traces: whose records are whose, in which order, and none twice. */
#include "test.h"

#include <stdio.h>

#include "trace.h"
#include "trace_merge.h"
#include "trace_sample.h"

#define SECOND 1000000000ull

struct file {
	char path[32];
	struct trace_writer *w;
	int fd;
};

/* A host whose clock was @monotonic seconds at @realtime. */
static struct file begin(const char *host, uint64_t realtime,
			 uint64_t monotonic)
{
	struct file f = { .path = "/tmp/fpstat-merge-XXXXXX" };
	char text[256];

	f.fd = mkstemp(f.path);
	f.w = trace_writer__new(f.fd);
	assert_non_null(f.w);
	snprintf(text, sizeof(text),
		 "trace format=1\nhost name=%s cpus=4\n"
		 "clock monotonic=%llu realtime=%llu\n",
		 host, (unsigned long long)(monotonic * SECOND),
		 (unsigned long long)(realtime * SECOND));
	assert_int_equal(
		trace_writer__text(f.w, TRACE_META, text, strlen(text)), 0);
	return f;
}

static void put(struct file *f, uint64_t ns, uint32_t cpu)
{
	struct fp_rec rec = { .ev.kind = FP_EV_SAVE, .ns = ns, .cpu = cpu };

	assert_int_equal(trace_writer__record(f->w, &rec), 0);
}

static void end(struct file *f)
{
	assert_int_equal(trace_writer__end(f->w), 0);
	trace_writer__free(f->w);
	close(f->fd);
}

/* With records from @first to @last seconds, if there are any. */
static struct file file(const char *host, uint64_t realtime, uint64_t first,
			uint64_t last)
{
	struct file f = begin(host, realtime, 10);

	if (first)
		put(&f, first * SECOND, 0);
	if (last)
		put(&f, last * SECOND, 1);
	end(&f);
	return f;
}

static void add(struct trace_parts *p, const struct file *f)
{
	char why[256];

	assert_int_equal(trace_parts__add(p, f->path, why, sizeof(why)), 0);
}

static void sorted(void **state)
{
	static const size_t want[] = { 3, 5, 1, 4, 0, 2 };
	struct file f[] = {
		file("b", 300, 20, 30), file("a", 250, 20, 30),
		file("b", 900, 20, 30), file("c", 100, 20, 30),
		file("b", 270, 20, 30), file("c", 800, 20, 30),
	};
	const struct trace_part *other;
	struct trace_parts p = {};
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		add(&p, &f[i]);
	assert_null(trace_parts__twice(&p, &other));
	trace_parts__sort(&p);
	assert_int_equal(p.nr, 6);
	for (i = 0; i < 6; i++) {
		assert_string_equal(p.part[i].path, f[want[i]].path);
		assert_int_equal(p.part[i].records, 2);
		unlink(p.part[i].path);
	}
	trace_parts__free(&p);
}

/* Two that begin at @realtime and @other, and have records from .. to. */
static bool twice(const char *host, uint64_t realtime, uint64_t first,
		  uint64_t last)
{
	struct file f[] = { file("a", 100, 20, 30),
			    file(host, realtime, first, last) };
	const struct trace_part *one, *other = NULL;
	struct trace_parts p = {};

	add(&p, &f[1]);
	add(&p, &f[0]);
	one = trace_parts__twice(&p, &other);
	assert_true(!one || one->first <= other->first);
	trace_parts__free(&p);
	unlink(f[0].path);
	unlink(f[1].path);
	return one;
}

static void same_records(void **state)
{
	(void)state;
	assert_true(twice("a", 100, 20, 30));
	assert_true(twice("a", 100, 20, 25)); /* the same, cut */
	assert_true(twice("a", 100, 25, 40));
	assert_true(twice("a", 100, 15, 21));
	assert_false(twice("a", 100, 30, 40)); /* parts of one capture .. */
	assert_false(twice("a", 100, 15, 20));
	assert_false(twice("a", 100, 0, 0)); /* .. one has no records */
	assert_false(twice("b", 100, 20, 30)); /* others */
	assert_false(twice("a", 101, 20, 30));
}

/* ---- whatever happens to the file ---- */

/* Host @name has records of one CPU only. */
static struct file one_cpu(const char *name, uint32_t cpu, int nr)
{
	struct file f = begin(name, 100 + cpu, 10);
	int i;

	for (i = 0; i < nr; i++) {
		put(&f, (20 + (uint64_t)i) * SECOND, cpu);
		if (i % 2)
			assert_int_equal(trace_writer__flush(f.w), 0);
	}
	end(&f);
	return f;
}

enum { HOSTS = 3, EACH = 6 };

/* Three hosts, as bytes; to be freed. */
static char *merged(size_t *len)
{
	static const char *const names[] = { "x", "y", "z" };
	struct trace_parts p = {};
	struct file f[HOSTS];
	char *data = NULL;
	FILE *out = open_memstream(&data, len);
	unsigned int i;

	assert_non_null(out);
	for (i = 0; i < HOSTS; i++) {
		f[i] = one_cpu(names[i], i, EACH + 2 * (int)i);
		add(&p, &f[i]);
	}
	trace_parts__sort(&p);
	for (i = 0; i < HOSTS; i++)
		assert_int_equal(
			trace_part__copy(&p.part[i], i + 1 < HOSTS, out), 0);
	assert_int_equal(fclose(out), 0);
	trace_parts__free(&p);
	for (i = 0; i < HOSTS; i++)
		unlink(f[i].path);
	return data;
}

struct seen {
	int records;
	int sections;
	bool doubt; /* something was said to be missing */
};

static void read_records(struct trace_reader *r, struct seen *s)
{
	const struct fp_rec *rec;
	int i, n;

	while ((n = trace_reader__records(r, &rec)) > 0) {
		for (i = 0; i < n; i++)
			assert_int_equal(rec[i].cpu + 1,
					 trace_reader__section(r));
		s->records += n;
	}
}

static void read_section(struct trace_reader *r, struct seen *s)
{
	struct trace_health h;
	int kind, first = 0;

	while ((kind = trace_reader__next(r)) > 0) {
		first = first ? first : kind;
		if (kind == TRACE_EVENTS)
			read_records(r, s);
	}
	h = trace_reader__health(r);
	assert_int_equal(kind, 0);
	s->doubt |= h.cut || h.damaged || h.lost || h.alone ||
		    first != TRACE_META;
	s->sections++;
}

/* All records must be of the host whose section it is. */
static struct seen look(const char *data, size_t len)
{
	int fd = file_of(data, len);
	struct seen s = {};
	char why[128];
	struct trace_reader *r = trace_reader__new(fd, why, sizeof(why));

	if (!r)
		s.doubt = true;
	while (r) {
		read_section(r, &s);
		if (trace_reader__more(r))
			continue;
		assert_int_equal(trace_reader__next(r), 0);
		trace_reader__free(r);
		r = NULL;
	}
	close(fd);
	return s;
}

static void whole(void **state)
{
	size_t len;
	char *data = merged(&len);
	struct seen s = look(data, len);

	(void)state;
	assert_false(s.doubt);
	assert_int_equal(s.sections, HOSTS);
	assert_int_equal(s.records, 3 * EACH + 6);
	free(data);
}

static void cut_anywhere(void **state)
{
	size_t len, i;
	char *data = merged(&len);

	(void)state;
	for (i = 0; i < len; i++)
		assert_true(look(data, i).doubt);
	free(data);
}

static void any_bit_flipped(void **state)
{
	size_t len, i;
	char *data = merged(&len);
	struct seen s;
	int bit;

	(void)state;
	for (i = 0; i < len; i++) {
		for (bit = 0; bit < 8; bit++) {
			data[i] ^= (char)(1 << bit);
			s = look(data, len);
			data[i] ^= (char)(1 << bit);
			if (!s.doubt)
				fail_msg("byte %zu, bit %d", i, bit);
		}
	}
	free(data);
}

/* Bytes that are missing anywhere: no host gets what is of another one. */
static void any_hole(void **state)
{
	size_t len, i, n;
	char *data = merged(&len), *copy = malloc(len);

	(void)state;
	assert_non_null(copy);
	for (n = 1; n < len; n = n * 3 + 1) {
		for (i = 0; i + n < len; i += 7) {
			memcpy(copy, data, i);
			memcpy(copy + i, data + i + n, len - i - n);
			(void)look(copy, len - n);
		}
	}
	free(copy);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted),
		cmocka_unit_test(same_records),
		cmocka_unit_test(whole),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(any_bit_flipped),
		cmocka_unit_test(any_hole),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
