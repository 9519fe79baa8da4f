/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies: what other designs would have moved, given the same needs. Each is
 * an automaton, all run side by side.
 *
 * What cannot be known (was a live state used? did a task whose registers were
 * still bound return to user mode?) makes a number an interval: the truth is in
 * [lo, hi], whatever the answers are.
 */
#ifndef FPSTAT_POLICY_H
#define FPSTAT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "need.h"

/* X(NAME, "name", "what it does", "where it comes from") */
#define POLICY_MAP(X)                                                          \
	X(UNCOND, "uncond", "swap all at each entry and exit",                 \
	  "Linux up to 4.2")                                                   \
	X(DEFENSIVE, "defensive", "swap all in each run that uses FP",         \
	  "Linux 4.3 to 4.17")                                                 \
	X(MARTIN_RFC, "martin-rfc", "save the guest at each exit, keep it live", \
	  "Dave Martin, RFC of February 2018")                                 \
	X(DALL, "dall", "the guest's state as the thread's own",               \
	  "Christoffer Dall, 2018: 6bb55488489d")                              \
	X(BLOCK_NEON, "block-neon", "dall, NEON refused while a guest is live", \
	  "the fear of 2018")                                                  \
	X(MARTIN, "martin", "host and guest tracked, put saves the guest",     \
	  "Linux 4.18 to 6.13: e6b673b741ea")                                  \
	X(EAGER_HOST, "eager-host", "martin, and vcpu_load saves the host",    \
	  "Linux 6.14, stable 2025: fbc7e61195e2")

enum policy {
#define X(id, name, what, from) POLICY_##id,
	POLICY_MAP(X)
#undef X
	POLICY_MAX
};

struct range {
	uint64_t lo;
	uint64_t hi;
};

struct policy_xfer {
	struct range done;
	struct range irqoff; /* of these, with interrupts off */
};

struct policy_ops {
	struct policy_xfer save;
	struct policy_xfer load;
};

/* What one vcpu would have paid for, or all that is charged to none. */
struct policy_row {
	struct policy_ops guest;
	struct policy_ops host;
	struct range unsafe; /* states lost */
	struct range refused; /* NEON sections */
};

/*
 * How far rows may be wrong after a gap. A record that was lost moved each state once
 * at most; and what it would have told of a task, that was seen on another CPU before
 * the gap was, makes one number wrong at most. Who was in KVM_RUN is not known then:
 * until it is, each need may have moved each state once, for any vcpu.
 */
struct policy_unseen {
	bool any; /* was there a gap? */
	uint64_t lost; /* records .. */
	uint64_t moves; /* .. and with them, needs of nobody knows whom .. */
	uint64_t exits; /* .. and guest entries */
};

struct policies;

/* NULL if there is no memory. policies__free(NULL) is fine. */
struct policies *policies__new(unsigned int cpus);
void policies__free(struct policies *p);

/* 0 or -ENOMEM. A need of a CPU that does not exist is taken for nothing. */
int policies__step(struct policies *p, const struct need *n);

/*
 * Whose state a save would find in the registers of @cpu, if @task is current there
 * (0: who is).
 */
struct policy_found {
	enum tri user;
	enum tri guest;
};
struct policy_found policies__found(struct policies *p, enum policy policy,
				    uint32_t cpu, uint64_t task);

/* Of the vcpu in @slot, by policy; NULL: nothing was charged to it yet. */
const struct policy_row *policies__rows(const struct policies *p, uint32_t slot);
/* The vcpu in @slot is gone: its rows go to the sum of all that ended. */
void policies__end(struct policies *p, uint32_t slot);
/* All that was charged to vcpus, those that ended included. */
struct policy_row policies__total(const struct policies *p, enum policy policy);
struct policy_unseen policies__unseen(const struct policies *p);
/* A row, or a total: the truth is in it, whatever was not seen. */
void policy_ops__widen(struct policy_ops *o, struct policy_unseen u, bool saves,
		       bool loads); /* are there such at each exit? */
void policy_row__widen(struct policy_row *row, enum policy policy,
		       struct policy_unseen unseen);
/* All that was charged to none: in .host. */
struct policy_row policies__other(const struct policies *p, enum policy policy);

const char *policy__name(enum policy policy);
const char *policy__what(enum policy policy);
/* POLICY_MAX if there is no such. */
enum policy policy__by_name(const char *name);
/* Was it ever defined for a host with SVE? */
bool policy__knows_sve(enum policy policy);

#endif /* FPSTAT_POLICY_H */
