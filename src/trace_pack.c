// SPDX-License-Identifier: GPL-2.0-only
#include "trace_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace_column.h"
#include "varint.h"

#define FULL (1u << 20) /* bytes that end a block */
#define SLACK 128 /* more than the last record adds to a column */
#define FIXED ((1 + COLUMNS) * VARINT_MAX) /* what is before the columns */

/* To find the number of what was there before: open addressing. */
#define BUCKETS (1u << 18)

struct trace_pack {
	unsigned char *column[COLUMNS];
	unsigned char *at[COLUMNS];
	unsigned char *out;

	struct fp_rec *template;
	uint32_t *follower; /* by template: the one after it, the last time */
	uint32_t *last; /* by CPU: its last template */
	uint64_t *address;
	uint64_t *ns;
	uint32_t *templates; /* buckets: number + 1 .. */
	uint32_t *addresses; /* .. and of these */
	uint32_t nr_templates, nr_addresses, nr_cpus;

	uint32_t cpu; /* of the record before */
	size_t nr;
	uint64_t exits, live;
};

struct trace_pack *trace_pack__new(void)
{
	struct trace_pack *p = calloc(1, sizeof(*p));
	bool ok = p;
	int i;

	if (!p)
		return NULL;
	for (i = 0; i < COLUMNS; i++) {
		p->column[i] = p->at[i] = malloc(FULL + SLACK);
		ok &= !!p->column[i];
	}
	p->out = malloc(FIXED + COLUMNS * (size_t)(FULL + SLACK));
	p->template = calloc(TRACE_RECORDS, sizeof(*p->template));
	p->follower = calloc(TRACE_RECORDS, sizeof(*p->follower));
	p->last = calloc(TRACE_CPUS, sizeof(*p->last));
	p->address = calloc(ADDRESSES_OF(TRACE_RECORDS), sizeof(*p->address));
	p->ns = calloc(TRACE_RECORDS, sizeof(*p->ns));
	p->templates = calloc(BUCKETS, sizeof(uint32_t));
	p->addresses = calloc(BUCKETS, sizeof(uint32_t));
	if (ok && p->out && p->template && p->follower && p->last &&
	    p->address && p->ns && p->templates && p->addresses)
		return p;
	trace_pack__free(p);
	return NULL;
}

void trace_pack__free(struct trace_pack *p)
{
	int i;

	if (!p)
		return;
	for (i = 0; i < COLUMNS; i++)
		free(p->column[i]);
	free(p->out);
	free(p->template);
	free(p->follower);
	free(p->last);
	free(p->address);
	free(p->ns);
	free(p->templates);
	free(p->addresses);
	free(p);
}

static void put(struct trace_pack *p, int column, uint64_t n)
{
	p->at[column] = varint__put(p->at[column], n);
}

static uint32_t bucket_of(const void *data, size_t words)
{
	const char *at = data;
	uint64_t word, hash = 0;

	for (; words; words--, at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return (uint32_t)hash % BUCKETS;
}

/* A reference to an address: see fpstat-trace(5). */
static uint64_t refer(struct trace_pack *p, uint64_t address)
{
	uint32_t i = bucket_of(&address, 1), *bucket = p->addresses;
	uint64_t before;

	if (!address)
		return 0;
	for (; bucket[i]; i = (i + 1) % BUCKETS) {
		if (p->address[bucket[i] - 1] == address)
			return bucket[i] + 1;
	}
	before = p->nr_addresses ? p->address[p->nr_addresses - 1] : 0;
	put(p, ADDRESS, zigzag((int64_t)(address - before)));
	p->address[p->nr_addresses++] = address;
	bucket[i] = p->nr_addresses;
	return 1;
}

static void new_template(struct trace_pack *p, const struct fp_rec *t)
{
	unsigned char **at = &p->at[TEMPLATES];

	*(*at)++ = t->ev.kind;
	*(*at)++ = t->ev.foreign;
	*(*at)++ = t->ev.in_run;
	*(*at)++ = t->ev.arg;
	put(p, TEMPLATES, (uint64_t)t->flags << 1 | t->exits);
	put(p, TEMPLATES, t->ev.gen);
	put(p, TEMPLATES, (uint32_t)(t->slot + 1));
	put(p, TEMPLATES, t->lost);
	put(p, TEMPLATES, refer(p, t->ev.buf));
	put(p, TEMPLATES, refer(p, t->other));
	put(p, TEMPLATES, refer(p, t->letter));
}

static struct fp_rec template_of(const struct fp_rec *rec)
{
	struct fp_rec t = *rec;

	t.ns = 0;
	t.cpu = 0;
	t.exits = rec->exits || rec->live;
	t.live = 0;
	return t;
}

static bool is_template(const struct trace_pack *p, uint32_t number,
			const struct fp_rec *t)
{
	return number < p->nr_templates &&
	       !memcmp(&p->template[number], t, sizeof(*t));
}

/* Which one it is; a new one if it is the first of its kind. */
static uint32_t find_template(struct trace_pack *p, const struct fp_rec *t)
{
	uint32_t i = bucket_of(t, sizeof(*t) / 8), *bucket = p->templates;

	for (; bucket[i]; i = (i + 1) % BUCKETS) {
		if (is_template(p, bucket[i] - 1, t))
			return bucket[i] - 1;
	}
	new_template(p, t);
	p->template[p->nr_templates] = *t;
	p->follower[p->nr_templates] = 0;
	bucket[i] = ++p->nr_templates;
	return p->nr_templates - 1;
}

static void put_code(struct trace_pack *p, const struct fp_rec *rec)
{
	uint32_t *last = &p->last[rec->cpu], known = p->nr_templates, number;
	struct fp_rec t = template_of(rec);

	if (is_template(p, p->follower[*last], &t)) {
		*last = p->follower[*last];
		put(p, CODE, 0);
		return;
	}
	number = find_template(p, &t);
	put(p, CODE, number == known ? 1 : (uint64_t)number + 2);
	p->follower[*last] = number;
	*last = number;
}

int trace_pack__add(struct trace_pack *p, const struct fp_rec *rec)
{
	if (rec->cpu >= TRACE_CPUS)
		return -EINVAL;
	put(p, CPU, rec->cpu == p->cpu ? 0 : (uint64_t)rec->cpu + 1);
	p->cpu = rec->cpu;
	if (rec->cpu >= p->nr_cpus)
		p->nr_cpus = rec->cpu + 1;
	put_code(p, rec);
	p->ns[p->nr++] = rec->ns;
	if (!rec->exits && !rec->live)
		return 0;
	put(p, EXITS, rec->exits);
	put(p, IDLE, zigzag((int64_t)rec->exits - rec->live));
	p->exits += rec->exits;
	p->live += rec->live;
	return 0;
}

static size_t used(const struct trace_pack *p, int column)
{
	return (size_t)(p->at[column] - p->column[column]);
}

bool trace_pack__full(const struct trace_pack *p)
{
	size_t i, size = 0;

	for (i = 0; i < COLUMNS; i++)
		size += used(p, (int)i);
	return p->nr == TRACE_RECORDS || size >= FULL;
}

size_t trace_pack__records(const struct trace_pack *p)
{
	return p->nr;
}

/* Each part in a column of its own: only the lowest one is as good as random. */
static void put_times(struct trace_pack *p)
{
	uint64_t before = p->nr ? p->ns[0] : 0;
	int64_t later, rest;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		later = (int64_t)(p->ns[i] - before);
		rest = later >> 15;
		before = p->ns[i];
		*p->at[TIME_LOW]++ = (unsigned char)later;
		*p->at[TIME_MIDDLE]++ = (unsigned char)((later >> 8 & 0x7f) |
							(rest ? 0x80 : 0));
		if (rest)
			put(p, TIME_REST, zigzag(rest));
	}
}

/* Ready for the next block. */
static void start_over(struct trace_pack *p)
{
	int i;

	for (i = 0; i < COLUMNS; i++)
		p->at[i] = p->column[i];
	memset(p->templates, 0, BUCKETS * sizeof(uint32_t));
	memset(p->addresses, 0, BUCKETS * sizeof(uint32_t));
	memset(p->last, 0, p->nr_cpus * sizeof(*p->last));
	p->nr_templates = p->nr_addresses = p->nr_cpus = p->cpu = 0;
	p->nr = 0;
	p->exits = p->live = 0;
}

const void *trace_pack__end(struct trace_pack *p, struct trace_block *b)
{
	unsigned char *out = p->out;
	int i;

	put_times(p);
	out = varint__put(out, p->nr_cpus);
	for (i = 0; i < COLUMNS; i++)
		out = varint__put(out, used(p, i));
	for (i = 0; i < COLUMNS; i++) {
		memcpy(out, p->column[i], used(p, i));
		out += used(p, i);
	}
	b->plain = (uint32_t)(out - p->out);
	b->records = (uint32_t)p->nr;
	b->begin = p->nr ? p->ns[0] : 0;
	b->end = p->nr ? p->ns[p->nr - 1] : 0;
	b->exits = p->exits;
	b->live = p->live;
	start_over(p);
	return p->out;
}
