/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the screen tells of a stream: the last events and how each was judged, what
 * tasks paid, and all of whatif.
 */
#ifndef FPSTAT_FLOW_H
#define FPSTAT_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "blame.h"
#include "fpstat/stream.h"

enum { FLOW_EVENTS = 2048, FLOW_FOCUS = 256, FLOW_TASKS = 4096 };

struct flow_event {
	struct fp_rec rec;
	uint32_t gen; /* of the vcpu in rec.slot */
	uint32_t ops; /* set of FP_OP_* */
	uint8_t cause; /* of the save: enum fp_cause */
	uint8_t save, load; /* enum fp_verdict; of an undecided save: so far */
	uint8_t decided_by; /* enum fp_event_kind: what came then */
	uint64_t number; /* from 1 on */
};

/* Outside of KVM_RUN. */
struct flow_task {
	uint32_t tid;
	char name[64];
	uint64_t saves, loads;
	uint64_t redundant; /* of both */
	uint64_t paid; /* needed loads, after a guest was in the registers */
};

struct flow;
struct whatif;

/* @begin: ns when it began. NULL: no memory. flow__free(NULL) is fine. */
struct flow *flow__new(unsigned int cpus, struct blame_namer namer,
		       uint64_t begin);
void flow__free(struct flow *f);
/* One record. 0 or -ENOMEM. */
int flow__feed(void *flow, const struct fp_rec *rec);
/* Between these times, in ns, nothing was recorded; after what was fed so far. */
void flow__skip(struct flow *f, uint64_t from, uint64_t to);
/* The last events of this vcpu are kept longer. */
void flow__focus(struct flow *f, uint32_t slot, uint32_t gen);

/* The last, the one before, and so on; NULL: they are not kept. */
const struct flow_event *flow__event(const struct flow *f, size_t back);
const struct flow_event *flow__focused(const struct flow *f, size_t back);
const struct flow_task *flow__tasks(const struct flow *f, size_t *nr);
/* NULL: it is none of these. */
const char *flow__task_name(const struct flow *f, uint32_t tid);
const struct whatif *flow__whatif(const struct flow *f);
/* From its begin to the last record, but for what was skipped. */
double flow__seconds(const struct flow *f);
uint64_t flow__begin(const struct flow *f);

#endif /* FPSTAT_FLOW_H */
