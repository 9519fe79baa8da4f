/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checker: does this kernel keep the rules? It takes the stream, and what was
 * seen where it happened, and tells of each breach with what led there.
 *
 * Its judges are those that count: the automaton and the judge say what can't be,
 * and the policy of the running kernel, which hears of needs only, says what it
 * would have in the registers. A flush or a bind is a claim of the kernel; none of
 * them believes it.
 */
#ifndef FPSTAT_CHECK_H
#define FPSTAT_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/rule.h"
#include "fpstat/stream.h"
#include "prove.h"

enum { CHECK_EVENTS = 24 };

struct violation {
	enum fp_rule rule;
	enum fp_breach breach;
	uint64_t ns;
	uint32_t cpu;
	uint64_t record; /* of the stream: how many there were up to here */
	uint64_t context; /* buffer of whose state it is about, or 0 .. */
	uint32_t slot; /* .. or FP_NO_SLOT */
	const struct fp_fact *fact; /* NULL: it was seen in the stream */
	const char *log; /* line of the kernel's log, or NULL */
	/* of the stream: what the kernel had in its registers, and the model */
	bool foretelling;
	enum prove_found found;
	enum prove_found foretold;
	uint8_t bound; /* enum fp_bound, as the events before say */
	/* of this CPU, in order, from where its owner was known */
	struct fp_rec events[CHECK_EVENTS];
	unsigned int nr_events;
};

struct check;

/* @on hears of each violation. NULL: no memory. check__free(NULL) is fine. */
struct check *check__new(unsigned int cpus,
			 void (*on)(void *ctx, const struct violation *v),
			 void *ctx);
void check__free(struct check *c);

/* One record of the stream. 0 or -ENOMEM. */
int check__feed(struct check *c, const struct fp_rec *rec);
/*
 * What was seen where it happened; before the records that are younger. It is kept
 * until these come, or check__settle().
 */
void check__fact(struct check *c, const struct fp_fact *fact);
void check__settle(struct check *c);
/* A line of the kernel's log that complains about FP state. */
void check__log(struct check *c, const char *line);

/* It was seen that vcpu_load() saves the host, and nothing else. */
bool check__eager(const struct check *c);
/* How often a rule could have been broken, by what the stream says. */
uint64_t check__asked(const struct check *c, enum fp_rule rule);
uint64_t check__records(const struct check *c);

#endif /* FPSTAT_CHECK_H */
