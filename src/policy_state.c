// SPDX-License-Identifier: GPL-2.0-only
#include "policy_state.h"

#include <stdlib.h>

/* ---- who owns states ---- */

static struct ctx **bucket(struct policies *p, uint64_t buf)
{
	return &p->bucket[(buf * 0x9e3779b97f4a7c15ull) >> 52];
}

static void forget_run(struct ctx *x)
{
	x->vcpu = x->guest = NULL;
	x->in_run = x->known = x->dead = false;
	x->forgotten = true;
	x->owes = x->perhaps_paid = x->perhaps_held = 0;
	x->is_guest = 0;
	x->refused = 0;
	x->perhaps_refused = ALL_POLICIES;
}

static struct ctx *new_ctx(struct policies *p, uint64_t buf)
{
	struct ctx *x = p->free, **head = bucket(p, buf);

	if (x)
		p->free = x->next;
	else
		x = malloc(sizeof(*x));
	if (!x)
		return NULL;
	*x = (struct ctx){ .buf = buf, .next = *head, .account = p->other };
	if (p->unseen.any)
		forget_run(x); /* it may have been there before */
	*head = x;
	return x;
}

/* To the front: the next time it is found at once. */
struct ctx *ctx__of(struct policies *p, uint64_t buf)
{
	struct ctx **head = bucket(p, buf), **at = head, *x;

	for (; *at; at = &(*at)->next) {
		x = *at;
		if (x->buf != buf)
			continue;
		*at = x->next;
		x->next = *head;
		*head = x;
		return x;
	}
	return new_ctx(p, buf);
}

void ctx__free(struct policies *p, struct ctx *x)
{
	struct ctx **at = bucket(p, x->buf);
	unsigned int i;

	for (i = 0; i < p->nr_cpus; i++) {
		if (p->cpus[i].current == x)
			p->cpus[i].current = NULL;
	}
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->next = p->free;
	p->free = x;
}

/* ---- whose state is where ---- */

/* Where @x is in ->held, or can be: those that hold nothing make room. */
static unsigned int place_of(const struct cpu *c, const struct ctx *x)
{
	unsigned int i, empty = 0;

	for (i = 0; i < HELD; i++) {
		if (c->held[i] == x)
			return i;
		if (!cpu__by(c, i))
			empty = i;
	}
	return empty;
}

/* Who comes to another CPU is loaded there under each policy that holds it. */
static void take_home(struct cpu *c, uint32_t set, struct ctx *x)
{
	if (x->home != c || c->held[x->place] != x) {
		x->place = place_of(c, x);
		c->held[x->place] = x;
	}
	x->home = c;
	x->newest |= set;
}

void cpu__hold(struct cpu *c, uint32_t set, struct ctx *x)
{
	cpu__let_go(c, set);
	take_home(c, set, x);
	c->by |= (uint64_t)set << 8 * x->place;
}

void cpu__perhaps_hold(struct cpu *c, uint32_t set, struct ctx *x)
{
	uint32_t others = c->anybody;
	unsigned int i;

	for (i = 0; i < HELD; i++)
		others |= c->held[i] == x ? 0 : cpu__by(c, i);
	others &= set;
	cpu__hold(c, set, x);
	c->by &= ~(others * 0x0101010101010101ull);
	c->anybody |= others; /* more than we keep apart */
	c->doubt |= set & ~others;
}

/* Is @x current on a CPU whose stream is whole? */
static bool goes_on(const struct policies *p, const struct ctx *x,
		    const struct cpu *cpu)
{
	const struct cpu *c;

	for (c = p->cpus; c < p->cpus + p->nr_cpus; c++) {
		if (c != cpu && c->task == x->buf)
			return true;
	}
	return false;
}

/*
 * Nothing is known of any registers, since whoever they hold may have been there;
 * nor of who runs, but where it was seen all the time. What was counted is kept.
 */
void policies__gap(struct policies *p, const struct cpu *cpu)
{
	const struct which all = { ALL_POLICIES, ALL_POLICIES };
	struct ctx *x;
	struct cpu *c;
	int i;

	for (i = 0; i < BUCKETS; i++) {
		for (x = p->bucket[i]; x; x = x->next) {
			if (!goes_on(p, x, cpu))
				forget_run(x);
		}
	}
	for (c = p->cpus; c < p->cpus + p->nr_cpus; c++) {
		c->by = 0;
		c->anybody = ALL_POLICIES;
		c->newer = all;
	}
}

struct policies *policies__new(unsigned int cpus)
{
	struct policies *p = calloc(1, sizeof(*p));
	unsigned int i;

	if (!p)
		return NULL;
	p->nr_cpus = cpus;
	p->cpus = calloc(cpus, sizeof(*p->cpus));
	p->other = calloc(1, sizeof(*p->other));
	if (!p->cpus || !p->other) {
		policies__free(p);
		return NULL;
	}
	for (i = 0; i < cpus; i++)
		p->cpus[i].all = p;
	policies__gap(p, p->cpus);
	return p;
}

static void free_list(struct ctx *x)
{
	struct ctx *next;

	for (; x; x = next) {
		next = x->next;
		free(x);
	}
}

void policies__free(struct policies *p)
{
	int i;

	if (!p)
		return;
	for (i = 0; i < BUCKETS; i++)
		free_list(p->bucket[i]);
	free_list(p->free);
	free(p->cpus);
	for (i = 0; i < FP_MAX_VCPUS; i++)
		free(p->account[i]);
	free(p->other);
	free(p);
}
