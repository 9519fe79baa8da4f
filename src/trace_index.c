// SPDX-License-Identifier: GPL-2.0-only
#include "trace_index.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "varint.h"

#define ENTRY (1 + 3 * VARINT_MAX) /* bytes of one, at most */
#define PLACES (1u << 20) /* that are read, at most */

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
		if (c.bad || b.stored > TRACE_STORED || x->nr == PLACES)
			err = -EBADMSG;
		else
			err = trace_index__add(x, &b);
	}
	return err;
}

/* ---- of a file ---- */

static bool read_block(int fd, uint64_t offset, struct trace_block *b)
{
	unsigned char header[TRACE_HEADER];

	return pread(fd, header, sizeof(header), (off_t)offset) ==
		       TRACE_HEADER &&
	       trace_block__get(header, b) == TRACE_HEADER_GOOD;
}

bool trace_index__at_end(int fd, uint64_t *offset, struct trace_block *b)
{
	unsigned char footer[TRACE_FOOTER];
	struct trace_footer f;
	struct stat st;
	uint64_t end;

	if (fstat(fd, &st) || st.st_size < TRACE_FOOTER)
		return false;
	end = (uint64_t)st.st_size - TRACE_FOOTER;
	if (pread(fd, footer, sizeof(footer), (off_t)end) != TRACE_FOOTER ||
	    !trace_footer__get(footer, &f) || f.index >= end ||
	    !read_block(fd, f.index, b))
		return false;
	*offset = f.index;
	return end - f.index == TRACE_HEADER + b->stored;
}

static int get_index(struct trace_index *x, int fd, uint64_t offset,
		     const struct trace_block *b)
{
	unsigned char *stored = malloc(b->stored + 1);
	unsigned char *plain = malloc(b->plain + 1);
	int err = stored && plain ? -EBADMSG : -ENOMEM;

	if (!(stored && plain))
		goto out;
	if (pread(fd, stored, b->stored, (off_t)(offset + TRACE_HEADER)) ==
		    b->stored &&
	    trace_crc(stored, b->stored) == b->crc &&
	    ZSTD_decompress(plain, b->plain, stored, b->stored) == b->plain)
		err = trace_index__get(x, plain, b->plain);
out:
	free(stored);
	free(plain);
	return err;
}

static int make_index(struct trace_index *x, int fd, uint64_t start)
{
	uint64_t offset = start;
	struct trace_block b;
	unsigned int section;
	int err = 0;

	if (!read_block(fd, offset, &b))
		return 0;
	section = b.section;
	do {
		err = trace_index__add(x, &b);
		offset += TRACE_HEADER + b.stored;
	} while (!err && x->nr < PLACES && read_block(fd, offset, &b) &&
		 b.section == section);
	return err;
}

int trace_index__read(struct trace_index *x, int fd, uint64_t start)
{
	struct trace_block b;
	uint64_t offset;
	int err = -EBADMSG;

	if (!start && trace_index__at_end(fd, &offset, &b))
		err = get_index(x, fd, offset, &b);
	if (err != -EBADMSG)
		return err;
	trace_index__free(x);
	return make_index(x, fd, start);
}

const struct trace_place *trace_index__find(const struct trace_index *x,
					    enum trace_kind kind, uint64_t ns)
{
	size_t i = x->nr;

	while (i-- > 0) {
		if (x->place[i].kind == kind && x->place[i].begin <= ns)
			return &x->place[i];
	}
	return NULL;
}
