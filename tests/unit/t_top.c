// SPDX-License-Identifier: GPL-2.0-only
/* The screen without a terminal: keys, rows, and what is painted. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "fake_capture.c"

#include "flow.h"
#include "session.h"
#include "top.h"
#include "top_filter.h"
#include "top_history.h"
#include "util.h"
#include "view_tui.h"

/* ---- keys ---- */

static void type(struct top_state *t, const char *keys)
{
	for (; *keys; keys++)
		top_key__press(t, *keys == '\n' ? TUI_ENTER :
				  *keys == 0x1b ? TUI_ESCAPE :
						  *keys);
}

static const struct column *sorted_by(struct top_state *t)
{
	return top_state__pane(t)->sort;
}

static void keys_do_what_they_say(void **state)
{
	struct top_state t;

	(void)state;
	top_state__begin(&t);
	t.page = 10;
	t.nr = 100;
	assert_false(top_key__press(&t, 'y'));
	assert_false(top_key__press(&t, 0));
	assert_false(top_key__press(&t, TUI_OTHER));
	type(&t, "V<");
	assert_ptr_equal(sorted_by(&t), &columns[nr_columns - 1]);
	type(&t, ">");
	assert_ptr_equal(sorted_by(&t), columns);
	type(&t, "X");
	assert_string_equal(sorted_by(&t)->id, "exit");
	top_key__press(&t, TUI_UP);
	assert_int_equal(t.pane[0].at, 0);
	top_key__press(&t, TUI_PAGE_DOWN);
	assert_int_equal(t.pane[0].at, 10);
	top_key__press(&t, TUI_END);
	assert_int_equal(t.pane[0].at, 99);
	top_key__press(&t, TUI_PAGE_UP);
	assert_int_equal(t.pane[0].at, 89);
	type(&t, "+");
	assert_true(t.interval == 2);
	type(&t, "--");
	assert_true(t.interval == 0.5);
	t.interval = 0.1;
	type(&t, "-");
	assert_true(t.interval == 0.1);
	t.interval = 500;
	type(&t, "+");
	assert_true(t.interval == 500);
	type(&t, "mmu");
	assert_int_equal(t.per, PER_ALL);
	assert_int_equal(t.in, IN_BYTES);
	type(&t, "3");
	assert_ptr_equal(t.view, &top_cpus);
	top_key__press(&t, TUI_BACK_TAB);
	assert_ptr_equal(t.view, &top_vms);
	type(&t, "8\x1b");
	assert_ptr_equal(t.view, &top_vms);
	top_key__press(&t, 3);
	assert_true(t.quit);
}

static double typed(const char *time)
{
	struct top_state t;

	top_state__begin(&t);
	t.replay = true;
	type(&t, "g");
	assert_int_equal(t.prompt, PROMPT_TIME);
	type(&t, time);
	assert_int_equal(t.prompt, PROMPT_NONE);
	assert_false(t.quit);
	return t.wish.jump ? t.wish.to : -1;
}

static void keys_of_a_replay(void **state)
{
	struct top_state t;
	int i;

	(void)state;
	top_state__begin(&t);
	assert_false(top_key__press(&t, ']'));
	assert_false(top_key__press(&t, 'g'));
	t.replay = true;
	type(&t, "]]");
	assert_true(t.speed == 4);
	type(&t, "[[[");
	assert_true(t.speed == 0.5);
	for (i = 0; i < 100; i++)
		type(&t, "]");
	assert_true(t.speed == 4096);
	assert_false(t.frozen);
	type(&t, "n");
	assert_true(t.frozen && t.wish.step);
	type(&t, "v");
	assert_true(t.wish.event);
	assert_true(typed("12.5\n") == 12.5);
	assert_true(typed("1:30\n") == 90);
	assert_true(typed("1:02:03.5\n") == 3723.5);
	assert_true(typed("qG7r\n") == 7);
	assert_true(typed("7\x1b") == -1);
	assert_true(typed("\n") == -1);
	assert_true(typed("1::2\n") == -1);
	assert_true(typed("1:\n") == -1);
	assert_true(typed("1.2.3\n") == -1);
	assert_true(typed("1111111111222222222233333333334444444444\n") > 1e14);
	type(&t, "g12");
	top_key__press(&t, TUI_BACKSPACE);
	type(&t, "3\n");
	assert_true(t.wish.to == 13);
	type(&t, "g");
	for (i = 0; i < 3; i++)
		top_key__press(&t, TUI_BACKSPACE);
	type(&t, "\x03");
	assert_true(t.quit);
}

/* In no view does a column take a key away, nor two the same. */
static void keys_are_sound(void **state)
{
	const struct column *c;
	struct top_state t, before;
	size_t i, j;
	int v;

	(void)state;
	for (v = 0; v < TOP_VIEWS; v++) {
		assert_ptr_equal(top_view__by_name(top_views[v]->name),
				 top_views[v]);
		assert_int_equal(top_views[v]->key, '1' + v);
		assert_true(*top_views[v]->nr_columns <= COLUMN_MAX);
		assert_int_equal(top_views[v]->columns[0].drop, 0);
		for (i = 0; i < *top_views[v]->nr_columns; i++) {
			c = &top_views[v]->columns[i];
			assert_true(c->number || c->text);
			assert_true(c->number || c->compare);
			assert_true(c->help && c->width >= c->narrow &&
				    c->narrow > 0);
			for (j = 0; j < i; j++)
				assert_int_not_equal(c->key,
						     c[-1 - (int)j].key);
			top_state__begin(&t);
			t.view = top_views[v];
			before = t;
			assert_true(top_key__press(&t, c->key));
			assert_ptr_equal(sorted_by(&t), c);
			top_state__pane(&before)->sort = c;
			assert_memory_equal(&t, &before, sizeof(t));
		}
	}
	assert_null(top_view__by_name("nonsense"));
}

/* ---- rows ---- */

struct world {
	struct session ses;
	struct history history;
	struct top_state st;
	struct top_shown shown;
	struct table table;
	struct paint page;
	struct flow *flow;
	struct cost cost;
};

static int feed(void *flow, const struct fp_rec *rec)
{
	return flow__feed(flow, rec);
}

static void name(void *ctx, enum blame_kind kind, uint64_t id, char *who,
		 size_t len)
{
	(void)ctx;
	snprintf(who, len, "%d-%u", (int)kind, (unsigned int)id);
}

static void look(struct world *w)
{
	assert_int_equal(session__sample(&w->ses, false), 0);
	w->shown.s = &w->ses.interval;
	w->shown.all = w->shown.ever = w->shown.stream = &w->ses.now;
	assert_int_equal(capture__drain_all(w->ses.cap, feed, w->flow), 0);
	history__add(&w->history, &w->ses.interval);
}

static void begin(struct world *w, const char *scene)
{
	struct capture_opts opts = { .stream = true };

	memset(w, 0, sizeof(*w));
	setenv("FPSTAT_FAKE", scene, 1);
	assert_int_equal(session__open(&w->ses, &opts), 0);
	assert_int_equal(session__begin(&w->ses, false), 0);
	w->flow = flow__new(w->ses.now.cpus,
			    (struct blame_namer){ .name = name }, 0);
	assert_non_null(w->flow);
	flow__focus(w->flow, 0, 1);
	cost__measure(&w->cost);
	top_state__begin(&w->st);
	w->shown.history = &w->history;
	w->shown.flow = w->flow;
	w->shown.cost = &w->cost;
	w->shown.host = "lab";
	look(w);
}

static void end(struct world *w)
{
	session__close(&w->ses);
	history__free(&w->history);
	table__free(&w->table);
	paint__free(&w->page);
	flow__free(w->flow);
}

/* Each word is where there is room for it. */
static void check_page(const struct paint *p)
{
	const struct paint_word *w;
	size_t i;

	assert_false(p->failed);
	for (i = 0; i < p->nr; i++) {
		w = &p->word[i];
		assert_in_range(w->y, 0, p->lines - 1);
		assert_in_range(w->x, 0, p->cols - 1);
		assert_true(w->x + utf8__width(paint__text(p, w)) <= p->cols);
		assert_true(w->style < STYLE_MAX);
	}
}

static void paint(struct world *w, int lines, int cols, bool ascii)
{
	assert_int_equal(top__arrange(&w->table, &w->shown, &w->st), 0);
	paint__begin(&w->page, lines, cols, ascii);
	top__paint(&w->page, &w->table, &w->shown, &w->st);
	check_page(&w->page);
}

static const char *row(struct world *w, size_t i)
{
	static char text[COLUMN_CELL + 16];
	const struct snap_vcpu *v = w->table.row[i].item;

	snprintf(text, sizeof(text), "%s/%u", v->vm, v->vcpu_id);
	return text;
}

static const char *picked(struct world *w)
{
	paint(w, 24, 80, false);
	return row(w, top_state__pane(&w->st)->at);
}

static void a_tree_keeps_its_branches_together(void **state)
{
	static const char *const up[] = { "beta/2",  "beta/1",	"beta/0",
					  "alpha/2", "alpha/1", "alpha/0" };
	static const char *const down[] = { "alpha/2", "alpha/0", "alpha/1",
					    "beta/2",  "beta/0",  "beta/1" };
	struct world w;
	size_t i;

	(void)state;
	begin(&w, "two");
	paint(&w, 24, 80, false);
	for (i = 0; i < 6; i++)
		assert_string_equal(row(&w, i), up[i]);
	type(&w.st, "r");
	paint(&w, 24, 80, false);
	for (i = 0; i < 6; i++)
		assert_string_equal(row(&w, i), down[i]);
	type(&w.st, "rt");
	paint(&w, 24, 80, false);
	assert_int_equal(w.table.nr, 4);
	type(&w.st, "tj");
	assert_string_equal(picked(&w), "beta/1");
	top_key__press(&w.st, TUI_LEFT);
	assert_string_equal(picked(&w), "beta/2");
	assert_int_equal(w.table.nr, 4);
	top_key__press(&w.st, TUI_RIGHT);
	paint(&w, 24, 80, false);
	assert_int_equal(w.table.nr, 6);
	end(&w);
}

static void what_was_picked_stays_picked(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "ending"); /* at 3 s alpha/0 ends, at 5 s its row goes */
	assert_string_equal(picked(&w), "beta/2");
	type(&w.st, "jjjj");
	assert_string_equal(picked(&w), "alpha/1");
	type(&w.st, "r"); /* whatever the order is .. */
	assert_string_equal(picked(&w), "alpha/1");
	type(&w.st, "Vt"); /* .. tree, or list */
	assert_string_equal(picked(&w), "alpha/1");
	look(&w);
	look(&w);
	look(&w); /* a row before it has gone */
	assert_string_equal(picked(&w), "alpha/1");
	type(&w.st, "tr");
	top_key__press(&w.st, TUI_HOME);
	type(&w.st, "/alpha\n");
	assert_true(strncmp(picked(&w), "alpha", 5) == 0);
	end(&w);
	begin(&w, "ending");
	type(&w.st, "t/1100\n");
	paint(&w, 24, 80, false); /* searched */
	assert_string_equal(picked(&w), "alpha/0");
	look(&w);
	look(&w);
	look(&w); /* it is gone: whoever is there now */
	assert_string_equal(picked(&w), "alpha/1");
	end(&w);
}

static void who_comes_and_goes_moves_no_one(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "coming"); /* a vcpu comes at 3 s, a VM at 4 s, both above */
	strcpy(top_state__pane(&w.st)->filter, "exit>500");
	type(&w.st, "t/1100\n");
	paint(&w, 24, 80, false); /* searched */
	type(&w.st, "F");
	assert_string_equal(picked(&w), "alpha/0");
	look(&w);
	assert_string_equal(picked(&w), "alpha/0");
	look(&w);
	assert_string_equal(picked(&w), "alpha/0");
	assert_int_equal(w.table.nr, 6);
	look(&w); /* the filter hides it .. */
	assert_string_equal(picked(&w), "alpha/1");
	assert_int_equal(w.table.nr, 5);
	look(&w); /* .. no longer */
	assert_string_equal(picked(&w), "alpha/0");
	strcpy(top_state__pane(&w.st)->filter, "beta");
	assert_string_equal(picked(&w), "beta/0");
	type(&w.st, "FF"); /* now it is this one that the user wants */
	paint(&w, 24, 80, false);
	top_state__pane(&w.st)->filter[0] = '\0';
	assert_string_equal(picked(&w), "beta/0");
	end(&w);
}

static size_t left_by(struct world *w, const char *filter)
{
	strcpy(top_state__pane(&w->st)->filter, filter);
	w->st.says[0] = '\0';
	paint(w, 24, 80, false);
	return w->table.nr;
}

/* Its words, one after the other. */
static const char *line(const struct paint *p, int y)
{
	static char text[256];
	size_t i;

	*text = '\0';
	for (i = 0; i < p->nr; i++) {
		if (p->word[i].y == y)
			strcat(text, paint__text(p, &p->word[i]));
	}
	return text;
}

static const char *gap_line(struct world *w, const struct snapshot *s)
{
	const struct top_shown shown = { .s = s };

	paint__begin(&w->page, 1, 100, true);
	top_head__gap(&w->page, 0, &shown);
	return line(&w->page, 0);
}

/* A state in the format of SVE has 2192 bytes at a vector length of 64. */
static void the_gap_is_in_bytes_that_were_moved(void **state)
{
	const struct snap_xfer of_sve = {
		.done = 10, .needed = 6, .redundant = 4, .bytes = 10 * 2192
	};
	struct snapshot s = { .dt = 1, .sve_vl = 64 };
	struct world w = {};

	(void)state;
	s.task = (struct snap_ops){ of_sve, of_sve };
	assert_string_equal(gap_line(&w, &s),
			    "gap/s      8 of 20 ops    17K of 43K bytes "
			    "  time n/a  were not needed");
	s.folded_sum.host = s.task;
	assert_string_equal(gap_line(&w, &s),
			    "gap/s     16 of 40 ops    34K of 86K bytes "
			    "  time n/a  were not needed");
	/* Nobody knows the format: at least so many. */
	s.task.save.bytes = s.task.load.bytes = SNAP_NA;
	s.folded_sum = (struct snap_vcpu){};
	assert_string_equal(gap_line(&w, &s),
			    "gap/s      8 of 20 ops   4.1K of 10K+ bytes "
			    "  time n/a  were not needed");
	paint__free(&w.page);
}

static void alarms_fit_on_a_narrow_screen(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "lossy");
	w.ses.now.missed_by[0] = '\0';
	w.ses.now.lost = 1234567; /* of both captures */
	paint(&w, 8, 40, false);
	assert_string_equal(line(&w.page, 1),
			    "over budget  missed 6  lost 2469134  und");
	end(&w);
}

static void filters(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "two");
	w.st.tree = false;
	assert_int_equal(left_by(&w, ""), 4);
	assert_int_equal(left_by(&w, "ALPHA"), 2);
	assert_int_equal(left_by(&w, "1001"), 2);
	assert_int_equal(left_by(&w, "exit>1000"), 3);
	assert_int_equal(left_by(&w, "exit>=1k"), 4);
	assert_int_equal(left_by(&w, "exit<1.1k"), 1);
	assert_int_equal(left_by(&w, "EXIT=1300 beta"), 1);
	assert_int_equal(left_by(&w, "vm=beta"), 2);
	assert_int_equal(left_by(&w, "vm!=beta vcpu=0"), 1);
	assert_int_equal(left_by(&w, "guest-red>=22%"), 2);
	assert_string_equal(w.st.says, "");
	assert_int_equal(left_by(&w, "nosuch>1"), 4);
	assert_string_equal(w.st.says, "there is no column 'nosuch'");
	left_by(&w, "exit>many");
	assert_string_equal(w.st.says, "'many' is no number");
	left_by(&w, "vm>1");
	assert_string_equal(w.st.says,
			    "vm is no number: it is or it is not (= !=)");
	left_by(&w, "1 2 3 4 5 6 7 8 9");
	assert_string_equal(w.st.says, "more than 8 words");
	w.st.tree = true; /* what is above a row that is left, too */
	assert_int_equal(left_by(&w, "exit=1300"), 2);
	w.st.per = PER_EXIT;
	assert_int_equal(left_by(&w, "guest-save>0.019 vcpu=0 vm=alpha"), 2);
	end(&w);
}

/* By hand: beta/1 saves 23 a second of 520 bytes and 20 ns, and exits 1300 times. */
static void measures(void **state)
{
	static const struct {
		enum measure_per per;
		enum measure_in in;
		const char *cell;
	} cases[] = {
		{ PER_SECOND, IN_OPS, "23" },
		{ PER_EXIT, IN_OPS, "0.018" },
		{ PER_ALL, IN_OPS, "46" },
		{ PER_SECOND, IN_BYTES, "12K" },
		{ PER_SECOND, IN_TIME, "460ns" },
		{ PER_EXIT, IN_BYTES, "9" },
	};
	const struct column *c = column__by_id("guest-save");
	struct world w;
	struct measure m;
	char cell[COLUMN_CELL];
	size_t i;

	(void)state;
	begin(&w, "two");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		w.st.per = cases[i].per;
		w.st.in = cases[i].in;
		paint(&w, 24, 80, false);
		m = top__measure(&w.shown, &w.st);
		column__fit(c, &w.table.row[1], &m, 6, cell);
		assert_string_equal(cell, cases[i].cell);
	}
	end(&w);
}

/* Of two CPUs, a record may be older than the one before it. */
static void a_timeline_stays_within_its_line(void **state)
{
	struct fp_rec rec = { .slot = 0, EV(BIND_VCPU, VCPU_0, 1, 1) };
	struct world w;
	int i;

	(void)state;
	begin(&w, "stream");
	w.st.view = &top_detail;
	for (i = 0; i < 300; i++) {
		rec.ns = 30000000000ull - (uint64_t)(i % 3) * 700;
		rec.cpu = (uint32_t)i % 2;
		assert_int_equal(flow__feed(w.flow, &rec), 0);
		paint(&w, 43, 40 + i, false);
	}
	end(&w);
}

/* While there is a pause, it is told again and again; and when it is over. */
static void rates_are_of_what_was_followed(void **state)
{
	const uint64_t s = 1000000000;
	struct fp_rec rec = { .ns = 25 * s, EV(BIND_VCPU, VCPU_0, 1, 1) };
	struct blame_namer no_names = { .name = name };
	struct flow *f = flow__new(1, no_names, 20 * s);

	(void)state;
	flow__skip(f, 18 * s, 21 * s); /* zeroed meanwhile */
	assert_true(flow__seconds(f) == 0);
	assert_int_equal(flow__feed(f, &rec), 0);
	assert_true(flow__seconds(f) == 4);
	flow__skip(f, 26 * s, 27 * s);
	flow__skip(f, 26 * s, 30 * s);
	flow__skip(f, 26 * s, 30 * s);
	assert_true(flow__seconds(f) == 5);
	rec.ns = 33 * s;
	assert_int_equal(flow__feed(f, &rec), 0);
	flow__skip(f, 26 * s, 30 * s);
	assert_true(flow__seconds(f) == 8);
	flow__free(f);
}

/* ---- all keys, in all views, at all sizes ---- */

static const int sizes[][2] = { { 1, 1 },   { 2, 3 },	 { 8, 40 },
				{ 24, 80 }, { 43, 132 }, { 100, 400 } };

static void press_each(struct world *w, const struct top_key *k)
{
	size_t i, s;

	for (; k->name; k++) {
		for (i = 0; i < ARRAY_SIZE(k->key) && k->key[i]; i++) {
			top_key__press(&w->st, k->key[i]);
			s = (size_t)k->key[i] % ARRAY_SIZE(sizes);
			paint(w, sizes[s][0], sizes[s][1], i % 2);
		}
	}
}

static void every_key_in_every_view(void **state)
{
	static const char *const scenes[] = { "two",   "stream-away", "pkvm",
					      "empty", "hostile",     "wide" };
	struct world w;
	size_t i, s;
	int v;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(scenes); i++) {
		begin(&w, scenes[i]);
		w.st.replay = true;
		for (v = 0; v < TOP_VIEWS; v++) {
			w.st.view = top_views[v];
			for (s = 0; s < ARRAY_SIZE(sizes); s++)
				paint(&w, sizes[s][0], sizes[s][1], s % 2);
			press_each(&w, top_keys);
			press_each(&w, top_keys_replay);
			w.st.mode = TOP_SETUP;
			press_each(&w, top_keys_list);
			w.st.mode = TOP_TABLE;
			w.st.prompt = PROMPT_NONE;
			look(&w);
		}
		end(&w);
	}
}

/* A generator of its own: the same keys everywhere. FPSTAT_RANDOM_KEYS is how many. */
static void random_keys(void **state)
{
	static const int special[] = { TUI_UP,	      TUI_DOWN,	     TUI_LEFT,
				       TUI_RIGHT,     TUI_PAGE_UP,   TUI_HOME,
				       TUI_END,	      TUI_PAGE_DOWN, TUI_ENTER,
				       TUI_BACKSPACE, TUI_TAB,	     TUI_F1,
				       TUI_F2,	      TUI_F3,	     TUI_F4,
				       TUI_ESCAPE };
	const char *n = getenv("FPSTAT_RANDOM_KEYS");
	unsigned long i, nr = n ? strtoul(n, NULL, 10) : 2000;
	uint64_t x = 1;
	struct world w;
	int key;

	(void)state;
	begin(&w, "stream-away");
	w.st.replay = true;
	for (i = 0; i < nr; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		key = (int)(x >> 33) % 160;
		if (key >= 128)
			key = special[key % (int)ARRAY_SIZE(special)];
		top_key__press(&w.st, key);
		w.st.quit = false;
		paint(&w, 1 + (int)(x >> 40) % 60, 1 + (int)(x >> 48) % 200,
		      x >> 63);
		if (i % 64 == 0 && i < 64 * 500)
			look(&w);
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_do_what_they_say),
		cmocka_unit_test(keys_of_a_replay),
		cmocka_unit_test(keys_are_sound),
		cmocka_unit_test(a_tree_keeps_its_branches_together),
		cmocka_unit_test(what_was_picked_stays_picked),
		cmocka_unit_test(who_comes_and_goes_moves_no_one),
		cmocka_unit_test(the_gap_is_in_bytes_that_were_moved),
		cmocka_unit_test(alarms_fit_on_a_narrow_screen),
		cmocka_unit_test(filters),
		cmocka_unit_test(measures),
		cmocka_unit_test(a_timeline_stays_within_its_line),
		cmocka_unit_test(rates_are_of_what_was_followed),
		cmocka_unit_test(every_key_in_every_view),
		cmocka_unit_test(random_keys),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
