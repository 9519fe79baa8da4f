/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The self-proof, decision by decision. Where the kernel decides whether to move
 * a state, it goes by TIF_FOREIGN_FPSTATE and by what is bound. The policy of the
 * running kernel, fed with nothing but needs, must come to the same answer. And
 * where it moves a user state, the format must be the one that format.h foretells.
 */
#ifndef FPSTAT_PROVE_H
#define FPSTAT_PROVE_H

#include <stdint.h>

#include "policy.h"

/* What the kernel finds when it decides: the state that it would save. */
enum prove_found {
	PROVE_NOTHING, /* FOREIGN: it would load */
	PROVE_USER,
	PROVE_GUEST,
	PROVE_FOUND_MAX,
	/* Of a user state that is moved: in which format. */
	PROVE_FPSIMD = PROVE_FOUND_MAX,
	PROVE_SVE,
	PROVE_NAMES,
};

const char *prove_found__name(enum prove_found found);

/* Of one kind of event. */
struct prove_kind {
	uint64_t found[PROVE_FOUND_MAX]; /* as foretold */
	uint64_t unsure; /* the policy left it open */
	uint64_t differs;
};

/* Of saves or of loads of a user state, on a host with SVE. */
struct prove_format {
	uint64_t fpsimd, sve; /* as foretold */
	uint64_t unsure; /* not decidable: see format.c */
	uint64_t differs;
};

enum { PROVE_EVENTS = 16 };

/* The first decision that was not foretold, and what came before it. */
struct prove_first {
	uint64_t record; /* its number, from 1; 0: there is none */
	enum prove_found found;
	enum prove_found foretold;
	struct fp_rec events[PROVE_EVENTS]; /* of its CPU, it is the last */
	unsigned int nr_events;
};

struct prove;

/* NULL if there is no memory. prove__free(NULL) is fine. */
struct prove *prove__new(unsigned int cpus);
void prove__free(struct prove *p);

/* What the automaton says of a record. */
struct prove_at {
	uint8_t bound; /* before it: enum fp_bound */
	uint32_t step; /* what fp_step() answered */
};

/* What came of a record that decides. */
struct prove_answer {
	bool sure; /* it does, and the policy knew */
	enum prove_found found;
	enum prove_found foretold;
};

/* To be called before the needs of @rec go to @policies. *@answer is written. */
void prove__step(struct prove *p, struct policies *policies,
		 const struct fp_rec *rec, const struct prove_at *at,
		 struct prove_answer *answer);

/* What the policy had before this is not to be held against @cpu any more. */
void prove__forget(struct prove *p, uint32_t cpu);

const struct prove_kind *prove__kind(const struct prove *p,
				     enum fp_event_kind kind);
/* @kind: FP_EV_SAVE (and the trap that saves the host's state) or FP_EV_LOAD. */
const struct prove_format *prove__format(const struct prove *p,
					 enum fp_event_kind kind);
const struct prove_first *prove__first(const struct prove *p);

#endif /* FPSTAT_PROVE_H */
