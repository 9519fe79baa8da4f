// SPDX-License-Identifier: GPL-2.0-only
#include "trace_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct trace_ring {
	struct trace_kept *first;
	struct trace_kept **end; /* where the next one goes */
	uint64_t ns; /* limits .. */
	uint64_t max;
	uint64_t bytes; /* .. and what is there */
	bool forgot;
};

struct trace_ring *trace_ring__new(uint64_t ns, uint64_t bytes)
{
	struct trace_ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->end = &r->first;
	r->ns = ns;
	r->max = bytes;
	return r;
}

void trace_ring__hold(struct trace_ring *r, uint64_t ns)
{
	r->ns = ns;
}

static uint64_t size(const struct trace_kept *k)
{
	return sizeof(*k) + TRACE_HEADER + k->block.stored;
}

static void forget_first(struct trace_ring *r)
{
	struct trace_kept *k = r->first;

	r->first = k->next;
	if (!r->first)
		r->end = &r->first;
	r->bytes -= size(k);
	free(k);
}

void trace_ring__free(struct trace_ring *r)
{
	while (r && r->first)
		forget_first(r);
	free(r);
}

/* The first counters block but the one at the very beginning. */
static const struct trace_kept *second_part(const struct trace_ring *r)
{
	const struct trace_kept *k = r->first ? r->first->next : NULL;

	while (k && k->block.kind != TRACE_COUNTERS)
		k = k->next;
	return k;
}

/* All records before it are older. */
static bool too_old(const struct trace_ring *r, const struct trace_kept *k,
		    uint64_t now)
{
	return k->block.end < sat_sub(now, r->ns);
}

static void forget(struct trace_ring *r, uint64_t now)
{
	const struct trace_kept *k;

	while ((k = second_part(r)) &&
	       (r->bytes > r->max || too_old(r, k, now))) {
		r->forgot = true;
		while (r->first != k)
			forget_first(r);
	}
}

int trace_ring__add(struct trace_ring *r, const struct trace_block *b,
		    const void *frame)
{
	struct trace_kept *k = malloc(sizeof(*k) + TRACE_HEADER + b->stored);

	if (!k)
		return -ENOMEM;
	k->next = NULL;
	k->block = *b;
	memcpy(k->data + TRACE_HEADER, frame, b->stored);
	*r->end = k;
	r->end = &k->next;
	r->bytes += size(k);
	forget(r, b->end);
	return 0;
}

struct trace_kept *trace_ring__first(const struct trace_ring *r)
{
	return r->first;
}

bool trace_ring__forgot(const struct trace_ring *r)
{
	return r->forgot;
}

uint64_t trace_ring__bytes(const struct trace_ring *r)
{
	return r->bytes;
}
