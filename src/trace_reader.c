// SPDX-License-Identifier: GPL-2.0-only
#include "trace_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "trace_index.h"
#include "trace_input.h"
#include "trace_meta.h"
#include "trace_unpack.h"

#define BATCH 256 /* records: they fit in a cache */

struct trace_reader {
	struct trace_input in;
	struct trace_unpack *unpack;
	ZSTD_DCtx *zstd;
	unsigned char *plain;
	size_t room;

	uint64_t start; /* where this section is */
	unsigned int section;
	bool ended; /* it was read .. */
	bool more; /* .. and another one follows */
	struct trace_block block;
	struct fp_rec batch[BATCH];
	uint32_t left; /* records of this block */
	uint64_t seen; /* records that there must have been so far */

	uint64_t capture; /* 0: it has no parts .. */
	uint64_t part; /* .. or this is which */

	struct trace_health health;
	bool indexed; /* the index was read .. */
	bool over; /* .. and the footer: */
	struct trace_footer footer;
	bool lost_way; /* there was no block .. */
	uint64_t lost_at; /* .. from here on */
	uint32_t gap; /* how often records were lost .. */
	uint32_t *told; /* .. and by CPU, how often when it had its last */
};

/* ---- blocks ---- */

static void damaged(struct trace_reader *r, uint64_t offset)
{
	if (!r->health.damaged++)
		r->health.offset = offset;
}

/* Also for nothing: there is an address then. */
static bool make_room(struct trace_reader *r, size_t size)
{
	unsigned char *plain;

	if (size < r->room)
		return true;
	size++;
	plain = realloc(r->plain, size);
	if (!plain) {
		r->in.err = -ENOMEM;
		return false;
	}
	r->plain = plain;
	r->room = size;
	return true;
}

static bool unpack(struct trace_reader *r, const unsigned char *frame)
{
	const struct trace_block *b = &r->block;

	if (b->first < r->seen || !make_room(r, b->plain))
		return false;
	if (ZSTD_decompressDCtx(r->zstd, r->plain, b->plain, frame,
				b->stored) != b->plain)
		return false;
	return b->kind != TRACE_EVENTS ||
	       !trace_unpack__begin(r->unpack, r->plain, b);
}

static void lose(struct trace_reader *r, uint64_t records)
{
	if (!records)
		return;
	r->health.lost += records;
	r->gap++;
}

/* Which part of which capture; 0: of none. */
static uint64_t read_part(const struct trace_reader *r, uint64_t *part)
{
	const char *text = (const char *)r->plain;

	*part = trace_meta__num(text, r->block.plain, "trace", "part", 0);
	return trace_meta__num(text, r->block.plain, "trace", "capture", 0);
}

/* Is this block, behind a footer, the first one of the next part of the same? */
static bool next_part(struct trace_reader *r)
{
	uint64_t part;

	if (!r->capture || r->block.kind != TRACE_META ||
	    r->block.section != r->section)
		return false;
	r->seen = 0;
	if (!unpack(r, trace_input__look(&r->in) + TRACE_HEADER) ||
	    read_part(r, &part) != r->capture || part != r->part + 1)
		return false;
	r->indexed = r->over = false;
	return true;
}

enum found { NOTHING, BLOCK, FOOTER, NEXT_SECTION };

static bool footer(struct trace_reader *r)
{
	if (!trace_input__has(&r->in, TRACE_FOOTER) ||
	    !trace_footer__get(trace_input__look(&r->in), &r->footer))
		return false;
	trace_input__take(&r->in, TRACE_FOOTER);
	r->over = true;
	return true;
}

/* Is there a block here, whole and of any section? */
static bool is_block(struct trace_reader *r)
{
	const struct trace_block *b = &r->block;

	return trace_input__has(&r->in, TRACE_HEADER) &&
	       trace_block__get(trace_input__look(&r->in), &r->block) ==
		       TRACE_HEADER_GOOD &&
	       trace_input__has(&r->in, TRACE_HEADER + b->stored) &&
	       trace_crc(trace_input__look(&r->in) + TRACE_HEADER, b->stored) ==
		       b->crc;
}

static bool block(struct trace_reader *r)
{
	if (r->block.section != r->section ||
	    !unpack(r, trace_input__look(&r->in) + TRACE_HEADER))
		return false;
	trace_input__take(&r->in, TRACE_HEADER + r->block.stored);
	lose(r, r->block.first - r->seen);
	r->seen = r->block.first + r->block.records;
	r->left = r->block.kind == TRACE_EVENTS ? r->block.records : 0;
	r->indexed |= r->block.kind == TRACE_INDEX;
	if (r->block.kind == TRACE_META)
		r->capture = read_part(r, &r->part);
	return true;
}

static void lose_way(struct trace_reader *r)
{
	if (!r->lost_way)
		r->lost_at = trace_input__offset(&r->in);
	r->lost_way = true;
}

static void find_way(struct trace_reader *r)
{
	if (r->lost_way)
		damaged(r, r->lost_at);
	r->lost_way = false;
}

void trace_reader__dont_wait(struct trace_reader *r)
{
	r->in.dont_wait = true;
}

/* Takes what is here. */
static enum found take(struct trace_reader *r)
{
	if (!is_block(r))
		return !r->over && footer(r) ? FOOTER : NOTHING;
	if (r->block.section > r->section)
		return NEXT_SECTION;
	return (!r->over || next_part(r)) && block(r) ? BLOCK : NOTHING;
}

static void begin_section(struct trace_reader *r)
{
	r->start = trace_input__offset(&r->in);
	r->section = r->block.section;
	r->health = (struct trace_health){};
	r->seen = 0;
	r->ended = r->more = r->indexed = r->over = r->lost_way = false;
	r->capture = 0;
	r->footer = (struct trace_footer){};
	r->gap = 0;
	memset(r->told, 0, TRACE_CPUS * sizeof(*r->told));
}

/* What has nothing good behind it was cut. */
static int end_section(struct trace_reader *r, bool more)
{
	r->health.cut = !r->over || !r->indexed;
	r->health.alone = r->footer.more && !more;
	r->left = 0;
	r->ended = true;
	r->more = more;
	return r->in.err;
}

int trace_reader__next(struct trace_reader *r)
{
	enum found found = FOOTER;

	if (r->ended && !r->more)
		return r->in.err;
	if (r->ended)
		begin_section(r);
	while (found != NEXT_SECTION && trace_input__has(&r->in, 1)) {
		r->in.dry = false;
		found = take(r);
		if (found == NOTHING && r->in.dry)
			break;
		if (found == NOTHING) {
			lose_way(r);
			trace_input__find_magic(&r->in);
			continue;
		}
		/* What a section without its end ends with was cut. */
		if (found == NEXT_SECTION && !r->over)
			r->lost_way = false;
		find_way(r);
		if (found == BLOCK)
			return r->block.kind;
	}
	if (r->in.dry && found != NEXT_SECTION)
		return -EAGAIN;
	if (r->over) /* there should be nothing behind a footer */
		find_way(r);
	return end_section(r, found == NEXT_SECTION);
}

int trace_reader__seek(struct trace_reader *r, const struct trace_place *p)
{
	r->left = 0;
	r->seen = p->first;
	r->gap++;
	return trace_input__seek(&r->in, r->start + p->offset);
}

const struct trace_block *trace_reader__block(const struct trace_reader *r)
{
	return &r->block;
}

const char *trace_reader__data(const struct trace_reader *r, size_t *len)
{
	*len = r->block.plain;
	return (const char *)r->plain;
}

struct trace_health trace_reader__health(const struct trace_reader *r)
{
	return r->health;
}

unsigned int trace_reader__section(const struct trace_reader *r)
{
	return r->section;
}

bool trace_reader__more(const struct trace_reader *r)
{
	return r->more;
}

uint64_t trace_reader__start(const struct trace_reader *r)
{
	return r->start;
}

uint64_t trace_reader__bytes(const struct trace_reader *r)
{
	return trace_input__offset(&r->in) - r->start;
}

/* ---- records ---- */

/* Nobody knows what happened on any CPU meanwhile. */
static void mark_gaps(struct trace_reader *r, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct fp_rec *rec = &r->batch[i];

		if (r->told[rec->cpu] != r->gap)
			rec->flags |= FP_REC_GAP;
		r->told[rec->cpu] = r->gap;
	}
}

int trace_reader__records(struct trace_reader *r, const struct fp_rec **rec)
{
	int n = r->left ? trace_unpack__next(r->unpack, r->batch, BATCH) : 0;

	if (n < 0) { /* a writer that was wrong: the checksums are right */
		damaged(r, trace_input__offset(&r->in));
		lose(r, r->left);
		r->left = 0;
		return 0;
	}
	if (r->gap)
		mark_gaps(r, n);
	r->left -= (uint32_t)n;
	*rec = r->batch;
	return n;
}

/* ---- the whole ---- */

static bool is_newer(struct trace_reader *r)
{
	return trace_input__has(&r->in, TRACE_HEADER) &&
	       trace_block__get(trace_input__look(&r->in), &r->block) ==
		       TRACE_HEADER_NEWER;
}

/* Is there a trace? It begins with its meta block. */
static const char *look(struct trace_reader *r)
{
	if (is_newer(r))
		return "it was written by a newer fpstat";
	if (r->in.err)
		return strerror(-r->in.err);
	if (!trace_input__has(&r->in, TRACE_HEADER) ||
	    trace_block__get(trace_input__look(&r->in), &r->block) !=
		    TRACE_HEADER_GOOD ||
	    r->block.kind != TRACE_META)
		return "it is not a trace of fpstat";
	r->section = r->block.section;
	return NULL;
}

struct trace_reader *trace_reader__new(int fd, char *why, size_t len)
{
	struct trace_reader *r = calloc(1, sizeof(*r));
	const char *wrong = "out of memory";

	if (r) {
		r->in.fd = fd;
		r->unpack = trace_unpack__new();
		r->zstd = ZSTD_createDCtx();
		r->told = calloc(TRACE_CPUS, sizeof(*r->told));
		if (r->unpack && r->zstd && r->told)
			wrong = look(r);
	}
	if (!wrong)
		return r;
	snprintf(why, len, "%s", wrong);
	trace_reader__free(r);
	return NULL;
}

void trace_reader__free(struct trace_reader *r)
{
	if (!r)
		return;
	trace_input__free(&r->in);
	trace_unpack__free(r->unpack);
	ZSTD_freeDCtx(r->zstd);
	free(r->plain);
	free(r->told);
	free(r);
}
