/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the policies know: of each CPU, whose state is in its registers. Nearly
 * always many of them agree, so what is known is kept in sets of policies, and
 * one step of all is a few operations on these.
 */
#ifndef FPSTAT_POLICY_STATE_H
#define FPSTAT_POLICY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/counters.h"
#include "need.h"
#include "policy.h"

/* A set: bit per policy. */
#define POLICY(id) (1u << POLICY_##id)
#define ALL_POLICIES ((1u << POLICY_MAX) - 1)
_Static_assert(POLICY_MAX <= 8, "sets are kept in bytes");

/* Under which policies something is so. */
struct which {
	uint32_t lo; /* surely */
	uint32_t hi; /* perhaps, or surely */
};

static inline struct which among(struct which w, uint32_t set)
{
	return (struct which){ w.lo & set, w.hi & set };
}

static inline struct which negated(struct which w)
{
	return (struct which){ ALL_POLICIES & ~w.hi, ALL_POLICIES & ~w.lo };
}

static inline struct which both(struct which a, struct which b)
{
	return (struct which){ a.lo & b.lo, a.hi & b.hi };
}

static inline struct which either(struct which a, struct which b)
{
	return (struct which){ a.lo | b.lo, a.hi | b.hi };
}

static inline uint32_t maybe(struct which w)
{
	return w.hi & ~w.lo;
}

/* Owns a state: a task, or a vcpu. */
struct ctx {
	uint64_t buf;
	struct ctx *next; /* in its bucket, or in the list of free ones */
	const struct cpu *home; /* may hold its newest value .. */
	uint8_t newest; /* .. under these .. */
	uint8_t place; /* .. in home->held */
	/* Of a task: */
	bool in_run;
	bool known; /* whether it is in KVM_RUN */
	bool dead;
	bool forgotten; /* since a gap: what it is in is not known */
	uint8_t owes; /* its next load is that vcpu's .. */
	uint8_t perhaps_owes; /* .. or not: its state may have been held .. */
	uint8_t perhaps_paid; /* .. and may have been made already .. */
	uint8_t perhaps_held; /* .. but it may have returned without one */
	uint8_t is_guest; /* what switches and NEON save of it is its guest's */
	uint8_t refused; /* its last NEON section was .. */
	uint8_t perhaps_refused; /* .. or may have been */
	struct ctx *vcpu; /* the one it has loaded .. */
	struct ctx *guest; /* .. and loaded last, until KVM_RUN ends */
	struct account *account; /* of the vcpu it runs, or ran last */
};

#define HELD 8
_Static_assert(POLICY_MAX <= HELD, "one more state always has a place");

/* Under each policy the registers hold one state's value, or nobody's. */
struct cpu {
	uint64_t task; /* current .. */
	struct ctx *current; /* .. the same, if it was found since */
	const struct ctx *held[HELD]; /* whose states .. */
	uint64_t by; /* .. under which policies: a byte for each */
	uint32_t anybody; /* somebody's or nobody's: nothing is known */
	uint32_t doubt; /* that of .held, or nobody's */
	struct which newer; /* a guest's value, than what was saved last */
	struct policies *all;
};

enum xfer {
	GUEST_SAVE,
	GUEST_LOAD,
	HOST_SAVE,
	HOST_LOAD,
	SWAP, /* each of them once */
	XFERS
};

/*
 * One number per policy, in the order of the bits of a set. They are narrow, so
 * that one addition does for all, and go to the rows before they are full.
 */
typedef uint16_t lanes __attribute__((vector_size(16)));

enum { LANE_MAX = UINT16_MAX / 2 }; /* of one addition, and of all before it */

/* Who pays: a vcpu, or nobody. */
struct account {
	struct {
		lanes lo;
		lanes hi;
	} recent[XFERS][2]; /* with interrupts on, and off */
	uint32_t most; /* that may be in any of these */
	struct policy_row row[POLICY_MAX];
};

enum { BUCKETS = 4096 };

struct policies {
	unsigned int nr_cpus;
	struct cpu *cpus;
	struct ctx *bucket[BUCKETS];
	struct ctx *free;
	struct account *other;
	struct account *account[FP_MAX_VCPUS]; /* by slot, as they come up */
	struct policy_row ended[POLICY_MAX];
	struct policy_unseen unseen;
};

/* policy_state.c */

/* NULL if there is no memory. */
struct ctx *ctx__of(struct policies *p, uint64_t buf);
void ctx__free(struct policies *p, struct ctx *x);
/* Something was not seen on @cpu: from now on nothing is known. */
void policies__gap(struct policies *p, const struct cpu *cpu);

static inline uint32_t cpu__by(const struct cpu *c, unsigned int place)
{
	return c->by >> 8 * place & 0xff;
}

/* Under which policies do the registers of @c hold the newest value of @x? */
static inline struct which cpu__holds(const struct cpu *c, const struct ctx *x)
{
	uint32_t by = 0;

	if (x && x->home == c && c->held[x->place] == x)
		by = cpu__by(c, x->place) & x->newest;
	return (struct which){ by & ~c->doubt, by | c->anybody };
}

/* They lose what they held under @set. */
static inline void cpu__let_go(struct cpu *c, uint32_t set)
{
	c->by &= ~(set * 0x0101010101010101ull);
	c->anybody &= ~set;
	c->doubt &= ~set;
	c->newer.lo |= set;
	c->newer.hi |= set;
}

/* From now on they hold @x under @set. */
void cpu__hold(struct cpu *c, uint32_t set, struct ctx *x);
/* It may have been loaded, and it may not. */
void cpu__perhaps_hold(struct cpu *c, uint32_t set, struct ctx *x);

/* policy_rows.c */

/* NULL if there is no memory. */
struct account *account__of(struct policies *p, uint32_t slot);
/* What is in the lanes goes to the rows. */
void account__flush(struct account *a);
/* As account__add(), for numbers that no lane holds. */
void account__add_many(struct account *a, enum xfer xfer, struct which sure,
		       uint64_t n, bool irqoff);

/* @n where @set has a policy. */
static inline lanes lanes__of(uint32_t set, uint16_t n)
{
	const lanes bit = { 1, 2, 4, 8, 16, 32, 64, 128 };

	return (lanes)((bit & (uint16_t)set) == bit) & n;
}

static inline void account__add(struct account *a, enum xfer xfer,
				struct which sure, uint64_t n, bool irqoff)
{
	if (n > LANE_MAX) {
		account__add_many(a, xfer, sure, n, irqoff);
		return;
	}
	a->recent[xfer][irqoff].lo += lanes__of(sure.lo, (uint16_t)n);
	a->recent[xfer][irqoff].hi += lanes__of(sure.hi, (uint16_t)n);
	a->most += n;
	if (a->most > LANE_MAX)
		account__flush(a);
}

#endif /* FPSTAT_POLICY_STATE_H */
