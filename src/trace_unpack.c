// SPDX-License-Identifier: GPL-2.0-only
#include "trace_unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace_column.h"
#include "varint.h"

struct template
{
	struct fp_rec rec; /* .exits: has it counts? */
	uint32_t follower;
};

struct trace_unpack {
	struct cursor column[COLUMNS];
	struct trace_block left; /* what the rest must come to */
	uint64_t ns; /* of the record before .. */
	uint32_t cpu; /* .. and its CPU */
	uint32_t nr_cpus;
	uint32_t nr_templates;
	uint32_t nr_addresses;
	struct template *template;
	uint64_t *address;
	uint32_t *last; /* by CPU: its last template */
	struct {
		size_t templates, addresses, cpus;
	} room;
};

struct trace_unpack *trace_unpack__new(void)
{
	return calloc(1, sizeof(struct trace_unpack));
}

void trace_unpack__free(struct trace_unpack *u)
{
	if (!u)
		return;
	free(u->template);
	free(u->address);
	free(u->last);
	free(u);
}

/* Room for @nr, whatever is in there; NULL if there is no memory. */
static void *room_for(void *array, size_t *room, size_t nr, size_t size)
{
	if (nr <= *room)
		return array;
	free(array);
	array = calloc(nr, size);
	*room = array ? nr : 0;
	return array;
}

/* For all that a block of so many records can have, and never for nothing. */
static bool make_room(struct trace_unpack *u)
{
	size_t records = u->left.records + 1;

	u->template = room_for(u->template, &u->room.templates, records,
			       sizeof(*u->template));
	u->address = room_for(u->address, &u->room.addresses,
			      ADDRESSES_OF(records), sizeof(*u->address));
	u->last = room_for(u->last, &u->room.cpus, u->nr_cpus + 1,
			   sizeof(*u->last));
	return u->template && u->address && u->last;
}

int trace_unpack__begin(struct trace_unpack *u, const void *plain,
			const struct trace_block *b)
{
	const unsigned char *data = plain;
	struct cursor c = { data, data + b->plain, false };
	uint64_t size[COLUMNS];
	int i;

	if (b->records > TRACE_RECORDS)
		return -EBADMSG;
	u->left = *b;
	u->ns = b->begin;
	u->cpu = u->nr_templates = u->nr_addresses = 0;
	u->nr_cpus = cursor__u32(&c);
	for (i = 0; i < COLUMNS; i++)
		size[i] = cursor__number(&c);
	for (i = 0; i < COLUMNS; i++) {
		if (size[i] > (uint64_t)(c.end - c.at))
			return -EBADMSG;
		u->column[i] = (struct cursor){ c.at, c.at + size[i], false };
		c.at += size[i];
	}
	if (c.bad || c.at != c.end || u->nr_cpus > TRACE_CPUS)
		return -EBADMSG;
	if (!make_room(u))
		return -ENOMEM;
	memset(u->last, 0, u->nr_cpus * sizeof(*u->last));
	u->template[0] = (struct template){};
	return 0;
}

/* A reference to an address. One to nothing makes the column bad. */
static uint64_t look_up(struct trace_unpack *u, uint64_t ref)
{
	struct cursor *c = &u->column[ADDRESS];
	uint64_t before;

	if (ref == 0)
		return 0;
	if (ref == 1) { /* a template has three at most */
		before = u->nr_addresses ? u->address[u->nr_addresses - 1] : 0;
		u->address[u->nr_addresses] =
			before + (uint64_t)cursor__signed(c);
		return u->address[u->nr_addresses++];
	}
	if (ref - 2 < u->nr_addresses)
		return u->address[ref - 2];
	c->bad = true;
	return 0;
}

/* There is room: a block has no more templates than records. */
static struct template *new_template(struct trace_unpack *u)
{
	struct template *t = &u->template[u->nr_templates++];
	struct cursor *c = &u->column[TEMPLATES];
	uint64_t flags;

	*t = (struct template){};
	t->rec.ev.kind = cursor__byte(c);
	t->rec.ev.foreign = cursor__byte(c);
	t->rec.ev.in_run = cursor__byte(c);
	t->rec.ev.arg = cursor__byte(c);
	flags = cursor__number(c);
	c->bad |= flags >> 33;
	t->rec.flags = (uint32_t)(flags >> 1);
	t->rec.exits = flags & 1;
	t->rec.ev.gen = cursor__u32(c);
	t->rec.slot = cursor__u32(c) - 1;
	t->rec.lost = cursor__u32(c);
	t->rec.ev.buf = look_up(u, cursor__number(c));
	t->rec.other = look_up(u, cursor__number(c));
	t->rec.letter = look_up(u, cursor__number(c));
	return t;
}

/* NULL if there is none. */
static struct template *next_template(struct trace_unpack *u, uint32_t *last)
{
	uint64_t code = cursor__number(&u->column[CODE]);
	uint64_t number = code - 2;

	if (code == 1) {
		number = u->nr_templates;
		new_template(u);
	} else if (code == 0) {
		number = u->template[*last].follower;
	}
	if (number >= u->nr_templates)
		return NULL;
	u->template[*last].follower = (uint32_t)number;
	*last = (uint32_t)number;
	return &u->template[number];
}

static uint64_t next_time(struct trace_unpack *u)
{
	uint64_t low = cursor__byte(&u->column[TIME_LOW]);
	uint64_t middle = cursor__byte(&u->column[TIME_MIDDLE]), rest = 0;

	if (middle >= 0x80)
		rest = (uint64_t)cursor__signed(&u->column[TIME_REST]);
	u->ns += low | (middle & 0x7f) << 8 | rest << 15;
	return u->ns;
}

static void next_counts(struct trace_unpack *u, struct fp_rec *rec)
{
	uint64_t live;

	rec->exits = cursor__u32(&u->column[EXITS]);
	live = rec->exits - (uint64_t)cursor__signed(&u->column[IDLE]);
	u->column[IDLE].bad |= live > UINT32_MAX;
	rec->live = (uint32_t)live;
	u->left.exits -= rec->exits;
	u->left.live -= rec->live;
}

static bool next_record(struct trace_unpack *u, struct fp_rec *rec)
{
	uint64_t cpu = cursor__number(&u->column[CPU]);
	const struct template *t;

	if (cpu)
		u->cpu = (uint32_t)(cpu - 1);
	if (cpu > u->nr_cpus || u->cpu >= u->nr_cpus)
		return false;
	t = next_template(u, &u->last[u->cpu]);
	if (!t)
		return false;
	*rec = t->rec;
	rec->cpu = u->cpu;
	rec->ns = next_time(u);
	if (t->rec.exits)
		next_counts(u, rec);
	return true;
}

static bool any_bad(const struct trace_unpack *u)
{
	bool bad = false;
	int i;

	for (i = 0; i < COLUMNS; i++)
		bad |= u->column[i].bad;
	return bad;
}

/* All that was announced came, and nothing else. */
static bool complete(const struct trace_unpack *u)
{
	int i;

	for (i = 0; i < COLUMNS; i++) {
		if (u->column[i].at != u->column[i].end)
			return false;
	}
	return !u->left.exits && !u->left.live && u->ns == u->left.end;
}

int trace_unpack__next(struct trace_unpack *u, struct fp_rec *out, int max)
{
	int i, n = u->left.records < (uint32_t)max ? (int)u->left.records : max;

	for (i = 0; i < n; i++) {
		if (!next_record(u, &out[i]))
			return -EBADMSG;
	}
	u->left.records -= (uint32_t)n;
	if (any_bad(u) || (!u->left.records && !complete(u)))
		return -EBADMSG;
	return n;
}
