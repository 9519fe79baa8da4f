// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of the screen: $XDG_CONFIG_HOME/fpstat/top, a word and its values a line.
 * Whoever wrote it may have known other views or columns: what is not understood is
 * said, and left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd_top.h"
#include "utf8.h"
#include "util.h"

enum { PATH = 512, LINE = 1024 };

/* False: there is nowhere to save it. */
static bool directory(char *path)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg && *xdg == '/')
		return snprintf(path, PATH, "%s/fpstat", xdg) < PATH - 16;
	return home && *home == '/' &&
	       snprintf(path, PATH, "%s/.config/fpstat", home) < PATH - 16;
}

/* ---- words ---- */

static const char *const per_names[PER_MAX] = { "second", "exit", "all" };
static const char *const in_names[IN_MAX] = { "ops", "bytes", "time" };

static bool find_word(const char *word, const char *const *names, int nr,
		      int *found)
{
	for (*found = 0; *found < nr; ++*found) {
		if (!strcmp(names[*found], word))
			return true;
	}
	return false;
}

/* "exit", or "exit:10" with a width. */
static bool read_column(struct chosen *c, const struct top_view *v, char *word)
{
	char *width = strchr(word, ':');
	const struct column *col;
	int i;

	if (width)
		*width++ = '\0';
	col = column__find(v->columns, *v->nr_columns, word);
	if (!col || c->nr == COLUMN_MAX)
		return false;
	for (i = 0; i < c->nr; i++) {
		if (c->at[i].column == col - v->columns)
			return false;
	}
	i = width ? atoi(width) : 0;
	c->at[c->nr].column = (int)(col - v->columns);
	c->at[c->nr++].width = i > 0 && i <= 64 ? i : 0;
	return true;
}

static bool read_columns(struct top_state *st, const struct top_view *v,
			 char **save)
{
	struct chosen c = {};
	bool good = true;
	char *word;

	while ((word = strtok_r(NULL, " \n", save)))
		good &= read_column(&c, v, word);
	st->pane[v->key - '1'].chosen = c;
	return good;
}

static bool read_sort(struct top_state *st, const struct top_view *v,
		      char **save)
{
	struct top_pane *pane = &st->pane[v->key - '1'];
	const char *word = strtok_r(NULL, " \n", save);
	const struct column *c =
		word ? column__find(v->columns, *v->nr_columns, word) : NULL;

	if (!c)
		return false;
	pane->sort = c;
	word = strtok_r(NULL, " \n", save);
	pane->reverse = word && !strcmp(word, "reverse");
	return true;
}

/* "columns VIEW ..." and "sort VIEW ...". */
static bool read_of_view(struct top_state *st, const char *what, char **save)
{
	const char *name = strtok_r(NULL, " \n", save);
	const struct top_view *v = name ? top_view__by_name(name) : NULL;

	if (!v)
		return false;
	return !strcmp(what, "sort") ? read_sort(st, v, save) :
				       read_columns(st, v, save);
}

static bool read_line(struct top_state *st, char *line)
{
	char *save, *what = strtok_r(line, " \n", &save), *value;
	double x;
	int i;

	if (!what || *what == '#')
		return true;
	if (!strcmp(what, "columns") || !strcmp(what, "sort"))
		return read_of_view(st, what, &save);
	value = strtok_r(NULL, " \n", &save);
	if (!value)
		return false;
	if (!strcmp(what, "tree")) {
		st->tree = !strcmp(value, "yes");
		return true;
	}
	if (!strcmp(what, "per") && find_word(value, per_names, PER_MAX, &i)) {
		st->per = (enum measure_per)i;
		return true;
	}
	if (!strcmp(what, "unit") && find_word(value, in_names, IN_MAX, &i)) {
		st->in = (enum measure_in)i;
		return true;
	}
	x = atof(value);
	if (!strcmp(what, "interval") && x >= 0.1 && x <= 3600) {
		st->interval = x;
		return true;
	}
	return false;
}

void top_config__load(struct top_state *st, char *says, size_t len)
{
	char path[PATH], line[LINE], clean[64];
	int n = 0;
	FILE *in;

	if (!directory(path))
		return;
	strcat(path, "/top");
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		n++;
		utf8__clean(clean, sizeof(clean), line, strcspn(line, "\n"));
		if (!read_line(st, line))
			snprintf(says, len, "settings, line %d: what is '%s'?",
				 n, clean);
	}
	if (in)
		fclose(in);
}

/* ---- and back ---- */

static void write_view(FILE *out, const struct top_state *st, int view)
{
	const struct top_view *v = top_views[view];
	const struct top_pane *pane = &st->pane[view];
	const struct chosen *c = &pane->chosen;
	int i;

	if (pane->sort)
		fprintf(out, "sort %s %s%s\n", v->name, pane->sort->id,
			pane->reverse ? " reverse" : "");
	if (c->nr)
		fprintf(out, "columns %s", v->name);
	for (i = 0; i < c->nr; i++) {
		fprintf(out, " %s", v->columns[c->at[i].column].id);
		if (c->at[i].width)
			fprintf(out, ":%d", c->at[i].width);
	}
	if (c->nr)
		fputc('\n', out);
}

static bool write_all(FILE *out, const struct top_state *st)
{
	int i;

	fprintf(out, "# fpstat top: saved from its list of columns\n");
	fprintf(out, "interval %g\ntree %s\nper %s\nunit %s\n", st->interval,
		st->tree ? "yes" : "no", per_names[st->per], in_names[st->in]);
	for (i = 0; i < TOP_VIEWS; i++)
		write_view(out, st, i);
	return !fflush(out) && !ferror(out);
}

static void make_directories(char *path)
{
	char *slash;

	for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755); /* or it is there, or open() will tell */
		*slash = '/';
	}
}

/* The old one stays until the new one is whole. */
void top_config__save(const struct top_state *st, char *says, size_t len)
{
	char path[PATH], temp[PATH + 8];
	FILE *out;
	int fd;

	if (!directory(path)) {
		snprintf(says, len, "cannot save: HOME is not set");
		return;
	}
	strcat(path, "/top");
	make_directories(path);
	snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	fd = mkstemp(temp);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (out && write_all(out, st) && !rename(temp, path))
		snprintf(says, len, "saved to %.120s", path);
	else
		snprintf(says, len, "cannot save %.100s: %s", path,
			 strerror(errno));
	if (out)
		fclose(out);
	else if (fd >= 0)
		close(fd);
	unlink(temp); /* if it is still there */
}
