// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is printed, to the letter. After a change that is meant, write the
 * golden files anew with FPSTAT_GOLDEN=write and read the difference.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "fake_capture.c"

#include "json.h"
#include "layout.h"
#include "session.h"
#include "util.h"
#include "view.h"

#define GOLDEN "tests/unit/golden/"

static void compare(const char *name, const char *got)
{
	static char want[256 * 1024];
	const char *write = getenv("FPSTAT_GOLDEN");
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), GOLDEN "%s", name);
	if (write && !strcmp(write, "write")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(got, f);
		fclose(f);
	}
	assert_true(fps_read_file(path, want, sizeof(want)) > 0);
	assert_string_equal(got, want);
}

enum { JSON = 1, RATE = 2, ALL = 4 };

/* New kinds of events come and go; that all have a number is checked below. */
static void cut_events(char *text)
{
	char *from = strstr(text, ",\"events\":{"), *to;

	to = from ? strchr(from, '}') : NULL;
	if (to)
		memmove(from, to + 1, strlen(to));
}

/* The interval that ends with read @n of a scene. */
static void check(const char *scene_name, unsigned int n, int how,
		  const char *golden)
{
	struct capture_opts opts = { .witness = how & ALL, .mark = how & ALL };
	struct session s = {};
	struct view v = {};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	setenv("FPSTAT_FAKE", scene_name, 1);
	assert_int_equal(session__open(&s, &opts), 0);
	assert_int_equal(session__begin(&s, how & ALL), 0);
	while (--n)
		assert_int_equal(session__sample(&s, how & ALL), 0);
	session__view(&s, &v);
	v.rate = how & RATE;
	if (how & RATE)
		v.sort = column__by_id("host-load");
	if (how & JSON)
		view_json__print(out, &v);
	else
		view_text__print(out, &v);
	fclose(out);
	cut_events(text);
	compare(golden, text);
	free(text);
	session__close(&s);
}

static void texts(void **state)
{
	(void)state;
	check("two", 2, 0, "two.txt");
	check("two", 2, RATE, "two-rate.txt");
	check("two", 3, ALL, "two-all.txt");
	check("empty", 2, 0, "empty.txt");
	check("pkvm", 2, 0, "pkvm.txt");
	check("ending", 4, 0, "ending-4.txt");
	check("ending", 5, 0, "ending-5.txt");
	check("lossy", 2, 0, "lossy.txt");
	check("hostile", 2, 0, "hostile.txt");
}

static void records(void **state)
{
	(void)state;
	check("two", 2, JSON, "two.json");
	check("two", 3, JSON | ALL, "two-all.json");
	check("empty", 2, JSON, "empty.json");
	check("pkvm", 2, JSON, "pkvm.json");
	check("ending", 4, JSON, "ending-4.json");
	check("ending", 5, JSON, "ending-5.json");
	check("hostile", 2, JSON, "hostile.json");
}

static void every_event_has_a_number(void **state)
{
#define X(id, name, where) name,
	static const char *const names[] = { FP_EVENT_MAP(X) };
#undef X
	struct snapshot s = {};
	struct view v = { .s = &s };
	char want[64], *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (i = 0; i < FP_EV_MAX; i++)
		s.events[i] = i + 1000;
	view_json__print(out, &v);
	fclose(out);
	for (i = 0; i < FP_EV_MAX; i++) {
		snprintf(want, sizeof(want), "\"%s\":%zu", names[i], i + 1000);
		assert_non_null(strstr(text, want));
	}
	free(text);
}

/* Sums over all intervals, whatever ended between them. */
static void intervals_of_a_session_add_up(void **state)
{
	struct capture_opts opts = {};
	struct session s = {};
	struct snap_vcpu t;
	uint64_t sum = 0, ended = 0;
	int i;

	(void)state;
	setenv("FPSTAT_FAKE", "ending", 1);
	assert_int_equal(session__open(&s, &opts), 0);
	assert_int_equal(session__begin(&s, false), 0);
	for (i = 2; i <= 8; i++) {
		assert_int_equal(session__sample(&s, false), 0);
		snapshot__total(&s.interval, &t);
		sum += t.guest.save.done;
		ended += s.interval.folded;
	}
	assert_int_equal(ended, 1);
	/* 7 seconds of vcpus 1 to 3; vcpu 0 ended after 2 of them */
	assert_int_equal(sum, 7 * (21 + 22 + 23) + 2 * 20);
	session__close(&s);
}

static void a_broken_sum_is_a_violation(void **state)
{
	struct capture_opts opts = {};
	struct session s = {};

	(void)state;
	setenv("FPSTAT_FAKE", "broken", 1);
	assert_int_equal(session__open(&s, &opts), 0);
	assert_int_equal(session__begin(&s, false), 0);
	assert_int_equal(session__sample(&s, false), 1);
	assert_non_null(strstr(s.why, "vcpu alpha/1 (pid 1000): host.save"));
	session__close(&s);
}

/* Each moment is sound, but a verdict was changed between them. */
static void a_verdict_stands(void **state)
{
	struct capture_opts opts = {};
	struct session s = {};

	(void)state;
	setenv("FPSTAT_FAKE", "fickle", 1);
	assert_int_equal(session__open(&s, &opts), 0);
	assert_int_equal(session__begin(&s, false), 0);
	assert_int_equal(session__sample(&s, false), 1);
	assert_non_null(strstr(s.why, "vcpu alpha/1 (pid 1000): host.load"));
	session__close(&s);
}

static void what_was_read_while_it_changed_is_read_again(void **state)
{
	struct capture_opts opts = {};
	struct session s = {};

	(void)state;
	setenv("FPSTAT_FAKE", "torn", 1);
	assert_int_equal(session__open(&s, &opts), 0);
	assert_int_equal(session__begin(&s, false), 0);
	assert_int_equal(session__sample(&s, false), 0);
	assert_true(s.now.t == 3 && !s.why[0]);
	session__close(&s);
}

static void json_escapes(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct json j;

	(void)state;
	json__init(&j, out);
	json__object(&j, NULL);
	json__str(&j, "a\"b", "\"\\\b\033\x7f\xc2\x9b\xff\xc3\xa4");
	json__array(&j, "list");
	json__u64(&j, NULL, UINT64_MAX - 1);
	json__count(&j, NULL, SNAP_NA);
	json__double(&j, NULL, 0.5);
	json__double(&j, NULL, -1);
	json__double(&j, NULL, 0.0 / 0.0);
	json__us(&j, NULL, UINT64_MAX);
	json__us(&j, NULL, 1001);
	json__bool(&j, NULL, true);
	json__str(&j, NULL, NULL);
	json__object(&j, NULL);
	json__end(&j);
	json__end(&j);
	json__end(&j);
	fclose(out);
	assert_string_equal(
		text,
		"{\"a\\\"b\":\"\\\"\\\\\\u0008\\u001b\\u007f\\u009b\\ufffd"
		"\xc3\xa4\",\"list\":[18446744073709551614,null,0.500000,null,"
		"null,18446744073709551.615,1.001,true,null,{}]}\n");
	free(text);
}

static void numbers_never_lose_digits(void **state)
{
	static const struct {
		uint64_t n;
		double dt;
		int width;
		const char *cell;
	} cases[] = {
		{ 0, 0, 6, "0" },
		{ 0, 1, 6, "0" },
		{ 7, 2, 6, "3.5" },
		{ 19, 2, 6, "9.5" },
		{ 20, 2, 6, "10" },
		{ 21, 2, 6, "10" },
		{ 999999, 0, 6, "999999" },
		{ 1000000, 0, 6, "1.0M" },
		{ 12345678, 0, 6, "12.3M" },
		{ 123456789, 0, 6, "123M" },
		{ 1000000, 1, 6, "1.0M" },
		{ 12345, 0, 4, "12k" },
		{ UINT64_MAX - 1, 0, 6, "18.4E" },
		{ SNAP_NA, 0, 6, "n/a" },
		{ SNAP_NA, 1, 6, "n/a" },
		{ 5, 1e-9, 6, "5.0G" },
	};
	const struct column *c = column__by_id("exit");
	struct measure m = { .dt = 2 };
	struct snap_vcpu v = {};
	struct row r = { .item = &v };
	char cell[COLUMN_CELL];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		v.exits = cases[i].n;
		m.dt = cases[i].dt;
		column__fit(c, &r, &m, cases[i].width, cell);
		assert_string_equal(cell, cases[i].cell);
	}
	v.exits = SNAP_NA;
	r.kind = ROW_OTHER;
	column__fit(c, &r, &m, 6, cell);
	assert_string_equal(cell, "-");
}

static void shares_are_whole_percents(void **state)
{
	static const struct {
		struct snap_xfer save;
		const char *cell;
	} cases[] = {
		{ { .done = 0 }, "0%" },
		{ { .done = 3, .needed = 3 }, "0%" },
		{ { .done = 1000, .needed = 999, .redundant = 1 }, "<1%" },
		{ { .done = 1000, .needed = 1, .redundant = 999 }, "99%" },
		{ { .done = 7, .redundant = 6, .pending = 1 }, "100%" },
		{ { .done = 4, .redundant = 2, .unknown = 2 }, "50%" },
		{ { .done = 5, .redundant = 2, .unknown = 3 }, "n/a" },
		{ { .done = SNAP_NA, .redundant = 2 }, "n/a" },
	};
	const struct column *share = column__by_id("guest-red");
	const struct column *count = column__by_id("g-save-red");
	struct measure m = { .dt = 2 };
	struct snap_vcpu v = {};
	struct row r = { .item = &v };
	char cell[COLUMN_CELL];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		v.guest.save = cases[i].save;
		column__cell(share, &r, 1, cell);
		assert_string_equal(cell, cases[i].cell);
		column__cell(count, &r, 0, cell);
		assert_int_equal(!strcmp(cell, "n/a"),
				 !strcmp(cases[i].cell, "n/a"));
	}
	v.guest.save = (struct snap_xfer){ .done = 3, .redundant = 3 };
	v.guest.load = (struct snap_xfer){ .done = 1, .needed = 1 };
	column__fit(share, &r, &m, 4, cell);
	assert_string_equal(cell, "75%");
	column__fit(count, &r, &m, 6, cell);
	assert_string_equal(cell, "1.5");
	r.kind = ROW_OTHER;
	column__cell(share, &r, 1, cell);
	assert_string_equal(cell, "-");
	column__cell(column__by_id("host-red"), &r, 1, cell);
	assert_string_equal(cell, "0%");
}

/* A column that nobody could find again in a record, or no key for it. */
static void columns_are_sound(void **state)
{
	static char json[256 * 1024];
	char key[64], path[64] = "", *part, *save;
	size_t i, j;

	(void)state;
	assert_true(fps_read_file(GOLDEN "two.json", json, sizeof(json)) > 0);
	for (i = 0; i < nr_columns; i++) {
		assert_true(!columns[i].number != !columns[i].text);
		assert_true(columns[i].number || columns[i].compare);
		assert_true(columns[i].help && columns[i].width > 0 &&
			    columns[i].narrow > 0);
		assert_true(!columns[i].json ==
			    (columns[i].unit == UNIT_SHARE));
		if (columns[i].json)
			snprintf(path, sizeof(path), "%s", columns[i].json);
		for (part = strtok_r(path, ".", &save); part;
		     part = strtok_r(NULL, ".", &save)) {
			snprintf(key, sizeof(key), "\"%s\":", part);
			assert_non_null(strstr(json, key));
		}
		for (j = 0; j < i; j++)
			assert_int_not_equal(columns[i].key, columns[j].key);
		assert_ptr_equal(column__by_key(columns[i].key), &columns[i]);
		assert_ptr_equal(column__by_id(columns[i].id), &columns[i]);
	}
	assert_null(column__by_id("nonsense"));
}

static uint32_t tid_of(const struct row *r)
{
	return ((const struct snap_vcpu *)r->item)->tid;
}

static void every_order_is_stable(void **state)
{
	struct capture_opts opts = {};
	struct session s = {};
	struct table t = {};
	size_t i, n;

	(void)state;
	setenv("FPSTAT_FAKE", "pkvm", 1);
	assert_int_equal(session__open(&s, &opts), 0);
	assert_int_equal(session__begin(&s, false), 0);
	for (i = 0; i < nr_columns; i++) {
		assert_int_equal(table__build(&t, &s.now), 0);
		table__sort(&t, &columns[i], false);
		for (n = 1; n < t.nr && columns[i].number == NULL; n++)
			assert_true(t.row[n - 1].item < t.row[n].item);
		table__sort(&t, &columns[i], true);
	}
	table__build(&t, &s.now);
	table__sort(&t, column__by_id("exit"), false);
	assert_int_equal(tid_of(&t.row[0]), 1103);
	table__sort(&t, column__by_id("exit"), true);
	assert_int_equal(tid_of(&t.row[0]), 1100);
	/* what cannot be shown keeps the order */
	table__build(&t, &s.now);
	table__sort(&t, column__by_id("guest-save"), false);
	assert_int_equal(tid_of(&t.row[0]), 1100);
	table__free(&t);
	session__close(&s);
}

static void every_size_has_a_layout(void **state)
{
	struct table t = {};
	struct snapshot s = {};
	const struct chosen none = {};
	struct layout l = {};
	int lines, cols, sum;
	size_t i;

	(void)state;
	assert_int_equal(table__build(&t, &s), 0);
	for (lines = 1; lines < 70; lines++) {
		for (cols = 1; cols < 250; cols++) {
			layout__lines(&l, lines, lines % 3 * 8, true);
			layout__columns(&l, cols, &t, &none, 0);
			assert_true(l.page >= 1);
			assert_int_equal(l.head + l.strip + l.tabs + l.above +
						 l.title + l.page + l.pins +
						 l.foot,
					 lines);
			for (i = 0, sum = -1; i < nr_columns; i++)
				sum += l.width[i] ? l.width[i] + 1 : 0;
			assert_true(sum <= cols || cols < 23);
			assert_true(l.width[0] > 0);
		}
	}
	table__free(&t);
}

static void each_width_has_its_columns(void **state)
{
	static const struct {
		int cols;
		const char *titles;
	} cases[] = {
		{ 23, "VM G-SAVE G-LOAD" },
		{ 32, "VM VCPU G-SAVE G-LOAD GRED" },
		{ 40, "VM VCPU EXIT G-SAVE G-LOAD GRED" },
		{ 60, "VM VCPU EXIT G-SAVE G-LOAD GRED H-SAVE H-LOAD HRED" },
		{ 79, "VM VCPU RUN EXIT LIVE G-SAVE G-LOAD GRED H-SAVE H-LOAD "
		      "HRED" },
		{ 80, "VM PID VCPU RUN EXIT LIVE G-SAVE G-LOAD GRED H-SAVE "
		      "H-LOAD HRED" },
		{ 100, "VM PID VCPU TID STATE RUN EXIT LIVE G-SAVE G-LOAD GRED "
		       "H-SAVE H-LOAD HRED" },
		{ 132, "VM PID VCPU TID STATE RUN EXIT LIVE G-SAVE G-LOAD GRED "
		       "H-SAVE H-LOAD HRED G-SRED G-LRED H-SRED H-LRED" },
	};
	const struct chosen none = {};
	struct table t = {};
	struct layout l;
	char titles[256];
	size_t i, j;

	(void)state;
	table__begin(&t, columns, nr_columns);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		layout__columns(&l, cases[i].cols, &t, &none, 0);
		titles[0] = '\0';
		for (j = 0; j < nr_columns; j++) {
			if (l.width[j])
				strcat(strcat(titles, j ? " " : ""),
				       columns[j].title);
		}
		assert_string_equal(titles, cases[i].titles);
	}
}

static void widths_of_text(void **state)
{
	char out[64];

	(void)state;
	if (!utf8__locale()) {
		print_message("# no UTF-8 locale\n");
		skip();
	}
	assert_int_equal(utf8__width("abc"), 3);
	assert_int_equal(utf8__width("gr\xc3\xbc\xc3\x9f"), 4);
	assert_int_equal(utf8__width("\xe6\x9c\xba\xe6\x9c\xba"), 4);
	assert_int_equal(
		utf8__fit(out, sizeof(out), "\xe6\x9c\xba\xe6\x9c\xba", 3), 2);
	assert_string_equal(out, "\xe6\x9c\xba");
	assert_int_equal(utf8__fit(out, sizeof(out), "abc", 0), 0);
	assert_int_equal(utf8__fit(out, sizeof(out), "abc", -5), 0);
	assert_int_equal(utf8__fit(out, 3, "abcdef", 6), 2);
	setlocale(LC_CTYPE, "C");
	utf8__fit(out, sizeof(out), "gr\xc3\xbc\xc3\x9f", 10);
	assert_string_equal(out, "gr??");
	setlocale(LC_CTYPE, "C.UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(records),
		cmocka_unit_test(every_event_has_a_number),
		cmocka_unit_test(intervals_of_a_session_add_up),
		cmocka_unit_test(a_broken_sum_is_a_violation),
		cmocka_unit_test(a_verdict_stands),
		cmocka_unit_test(what_was_read_while_it_changed_is_read_again),
		cmocka_unit_test(json_escapes),
		cmocka_unit_test(numbers_never_lose_digits),
		cmocka_unit_test(shares_are_whole_percents),
		cmocka_unit_test(columns_are_sound),
		cmocka_unit_test(every_order_is_stable),
		cmocka_unit_test(every_size_has_a_layout),
		cmocka_unit_test(each_width_has_its_columns),
		cmocka_unit_test(widths_of_text),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
