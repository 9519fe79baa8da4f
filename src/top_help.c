// SPDX-License-Identifier: GPL-2.0-only
/* The help, made of the tables: views, keys, owners, columns. */
#include <string.h>

#include "top.h"
#include "util.h"

/* Line @i of a part; false, and @i less the lines of it, if it is not there. */
struct part {
	size_t i;
	char *buf;
	size_t len;
};

static bool heading(struct part *p, const char *text)
{
	if (p->i < 2) {
		snprintf(p->buf, p->len, "%s", p->i ? text : "");
		return true;
	}
	p->i -= 2;
	return false;
}

static bool views(struct part *p)
{
	if (p->i < TOP_VIEWS) {
		snprintf(p->buf, p->len, "  %c  %-10s %s%s",
			 top_views[p->i]->key, top_views[p->i]->name,
			 top_views[p->i]->help,
			 top_views[p->i]->stream ? " (*)" : "");
		return true;
	}
	p->i -= TOP_VIEWS;
	if (p->i-- == 0) {
		snprintf(p->buf, p->len,
			 "  (*) follows each event while it is shown, which "
			 "costs more");
		return true;
	}
	return false;
}

static bool keys(struct part *p, const struct top_key *k)
{
	for (; k->name; k++) {
		if (p->i-- == 0) {
			snprintf(p->buf, p->len, "  %-16s %s", k->name,
				 k->help);
			return true;
		}
	}
	return false;
}

static bool owners(struct part *p)
{
	int i;

	for (i = 0; i < SNAP_OWNERS; i++) {
		if (p->i-- == 0) {
			snprintf(p->buf, p->len, "  %-16s %s",
				 snap_owner__name((enum snap_owner)i),
				 snap_owner__what((enum snap_owner)i));
			return true;
		}
	}
	return false;
}

/* Two views may have the same columns. */
static bool columns_of(struct part *p, int view)
{
	const struct top_view *v = top_views[view];
	const struct column *c;
	char title[64];

	if (view && v->columns == top_views[view - 1]->columns)
		return false;
	snprintf(title, sizeof(title),
		 "Columns of %s, and their keys:", v->name);
	if (heading(p,
		    view ? title : "Columns, and the key that sorts by each:"))
		return true;
	if (p->i >= *v->nr_columns) {
		p->i -= *v->nr_columns;
		return false;
	}
	c = &v->columns[p->i];
	snprintf(p->buf, p->len, "  %c  %-10s %-8s  %s", c->key, c->id,
		 column__title(c, true), c->help);
	return true;
}

const char *top_key__help(size_t i, char *buf, size_t len)
{
	struct part p = { i + 1, buf, len };
	int v;

	if (heading(&p, "Views:") || views(&p) || heading(&p, "Keys:") ||
	    keys(&p, top_keys) ||
	    heading(&p, "In the replay of a trace also:") ||
	    keys(&p, top_keys_replay) || heading(&p, "In a list of columns:") ||
	    keys(&p, top_keys_list) ||
	    heading(&p, "Owners of the registers of a CPU:") || owners(&p))
		return buf;
	for (v = 0; v < TOP_VIEWS; v++) {
		if (columns_of(&p, v))
			return buf;
	}
	return NULL;
}

void top_key__print_help(FILE *out)
{
	char buf[256];
	const char *line;
	size_t i;

	fputc('\n', out);
	for (i = 0; (line = top_key__help(i, buf, sizeof(buf))); i++)
		fprintf(out, "%s\n", line);
}
