/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as rows of a table: of all, or of one vcpu. */
#ifndef FPSTAT_TOP_EVENTS_H
#define FPSTAT_TOP_EVENTS_H

#include "top.h"

extern const struct column top_event_columns[];
extern const size_t top_nr_event_columns;

/* What @next() gives, @max at most. 0 or -ENOMEM. */
int top_events__fill(struct table *t, const struct top_shown *in,
		     const struct flow_event *(*next)(const struct flow *f,
						      size_t back),
		     size_t max);

/* The vcpu whose detail is shown, or NULL. */
const struct snap_vcpu *top_detail__vcpu(const struct top_shown *in,
					 const struct top_state *st);

#endif /* FPSTAT_TOP_EVENTS_H */
