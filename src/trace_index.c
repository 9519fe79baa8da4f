// SPDX-License-Identifier: GPL-2.0-only
#include "trace_index.h"

#include <errno.h>
#include <stdlib.h>

#include "varint.h"

#define ENTRY (1 + 3 * VARINT_MAX) /* bytes of one, at most */

void trace_index__free(struct trace_index *x)
{
	free(x->place);
	*x = (struct trace_index){};
}

int trace_index__add(struct trace_index *x, const struct trace_block *b)
{
	const struct trace_place *before = x->nr ? &x->place[x->nr - 1] : NULL;
	size_t room = x->room ? 2 * x->room : 64;
	struct trace_place *place;

	if (x->nr == x->room) {
		place = reallocarray(x->place, room, sizeof(*place));
		if (!place)
			return -ENOMEM;
		x->place = place;
		x->room = room;
		before = x->nr ? &x->place[x->nr - 1] : NULL;
	}
	place = &x->place[x->nr++];
	*place = (struct trace_place){
		.begin = b->begin,
		.records = b->records,
		.stored = b->stored,
		.kind = b->kind,
	};
	if (before) {
		place->offset = before->offset + TRACE_HEADER + before->stored;
		place->first = before->first + before->records;
	}
	return 0;
}

unsigned char *trace_index__put(const struct trace_index *x, size_t *len)
{
	unsigned char *data = malloc(x->nr * ENTRY + 1), *to = data;
	uint64_t begin = 0;
	size_t i;

	for (i = 0; data && i < x->nr; i++) {
		const struct trace_place *p = &x->place[i];

		*to++ = p->kind;
		to = varint__put(to, p->stored);
		to = varint__put(to, p->records);
		to = varint__put(to, zigzag((int64_t)(p->begin - begin)));
		begin = p->begin;
	}
	*len = (size_t)(to - data);
	return data;
}

int trace_index__get(struct trace_index *x, const void *data, size_t len)
{
	const unsigned char *at = data;
	struct cursor c = { at, at + len, false };
	struct trace_block b = {};
	int err = 0;

	while (!err && c.at != c.end) {
		b.kind = cursor__byte(&c);
		b.stored = cursor__u32(&c);
		b.records = cursor__u32(&c);
		b.begin += (uint64_t)cursor__signed(&c);
		if (c.bad || b.stored > TRACE_STORED)
			err = -EBADMSG;
		else
			err = trace_index__add(x, &b);
	}
	return err;
}
