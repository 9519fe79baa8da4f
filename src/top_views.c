// SPDX-License-Identifier: GPL-2.0-only
/* The table of views, and the state that all of them share. */
#include <string.h>

#include "top.h"

const struct top_view *const top_views[TOP_VIEWS] = {
	&top_vcpus,  &top_vms,	    &top_cpus,	 &top_tasks,
	&top_causes, &top_policies, &top_events, &top_detail,
};

const struct top_view *top_view__by_name(const char *name)
{
	int i;

	for (i = 0; i < TOP_VIEWS; i++) {
		if (!strcmp(top_views[i]->name, name))
			return top_views[i];
	}
	return NULL;
}

static const struct column *first_sort(const struct top_view *v)
{
	return v->sort ? column__find(v->columns, *v->nr_columns, v->sort) :
			 NULL;
}

void top_state__begin(struct top_state *t)
{
	int i;

	*t = (struct top_state){ .view = &top_vcpus,
				 .before = &top_vcpus,
				 .tree = true,
				 .interval = 1,
				 .speed = 1 };
	for (i = 0; i < TOP_VIEWS; i++)
		t->pane[i].sort = first_sort(top_views[i]);
}

struct top_pane *top_state__pane(const struct top_state *t)
{
	return (struct top_pane *)&t->pane[t->view->key - '1'];
}

static size_t find_folded(const struct top_state *t, uint64_t id)
{
	size_t i = 0;

	while (i < t->nr_folded && t->folded[i] != id)
		i++;
	return i;
}

bool top_state__is_folded(const struct top_state *t, uint64_t id)
{
	return find_folded(t, id) < t->nr_folded;
}

void top_state__fold(struct top_state *t, uint64_t id, bool fold)
{
	size_t i = find_folded(t, id), max = sizeof(t->folded) / sizeof(id);

	if (fold && i == t->nr_folded && i < max)
		t->folded[t->nr_folded++] = id;
	else if (!fold && i < t->nr_folded)
		t->folded[i] = t->folded[--t->nr_folded];
}
