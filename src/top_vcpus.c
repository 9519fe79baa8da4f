// SPDX-License-Identifier: GPL-2.0-only
/* The views of vcpus and of VMs. */
#include "top.h"

static uint64_t exits(const void *item)
{
	return ((const struct snap_vcpu *)item)->exits;
}

static void dim_ended(struct table *t)
{
	const struct snap_vcpu *v;
	size_t i;

	for (i = 0; i < t->nr; i++) {
		v = t->row[i].item;
		if (v->state == SNAP_VCPU_ENDED)
			t->row[i].style = STYLE_DIM;
	}
}

static int fill_vcpus(struct table *t, const struct top_shown *in,
		      const struct top_state *st)
{
	const struct snapshot *s = top__numbers(in, st);
	int err = st->tree ? table__tree(t, s, true) : table__build(t, s);

	dim_ended(t);
	return err;
}

static int fill_vms(struct table *t, const struct top_shown *in,
		    const struct top_state *st)
{
	return table__tree(t, top__numbers(in, st), false);
}

const struct top_view top_vcpus = {
	.key = '1',
	.name = "vcpus",
	.help = "all vcpus, by VM",
	.columns = columns,
	.nr_columns = &nr_columns,
	.sort = "exit",
	.exits = exits,
	.fill = fill_vcpus,
};

const struct top_view top_vms = {
	.key = '2',
	.name = "vms",
	.help = "one row for each VM",
	.columns = columns,
	.nr_columns = &nr_columns,
	.sort = "exit",
	.exits = exits,
	.fill = fill_vms,
};
