// SPDX-License-Identifier: GPL-2.0-only
#include "trace_block.h"

#include <string.h>
#include <zlib.h>

const unsigned char trace_magic[4] = { 0x5b, 0x2a, 0x4d, 0x18 };

uint32_t trace_crc(const void *data, uint32_t size)
{
	return (uint32_t)crc32(0, data, size);
}

static void put32(unsigned char *to, uint32_t n)
{
	int i;

	for (i = 0; i < 4; i++)
		to[i] = (unsigned char)(n >> 8 * i);
}

static void put16(unsigned char *to, uint16_t n)
{
	to[0] = (unsigned char)n;
	to[1] = (unsigned char)(n >> 8);
}

static void put64(unsigned char *to, uint64_t n)
{
	put32(to, (uint32_t)n);
	put32(to + 4, (uint32_t)(n >> 32));
}

static uint32_t get32(const unsigned char *from)
{
	return from[0] | from[1] << 8 | from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint64_t get64(const unsigned char *from)
{
	return get32(from) | (uint64_t)get32(from + 4) << 32;
}

/* @size: of all of it, with the checksum at its end. */
static void frame(unsigned char *to, uint32_t size, const char *tag)
{
	memcpy(to, trace_magic, sizeof(trace_magic));
	put32(to + 4, size - 8);
	memcpy(to + 8, tag, 4);
	put32(to + size - 4, trace_crc(to, size - 4));
}

static bool is_frame(const unsigned char *from, uint32_t size, const char *tag)
{
	return !memcmp(from, trace_magic, sizeof(trace_magic)) &&
	       get32(from + 4) == size - 8 && !memcmp(from + 8, tag, 4) &&
	       get32(from + size - 4) == trace_crc(from, size - 4);
}

void trace_block__put(unsigned char to[TRACE_HEADER],
		      const struct trace_block *b)
{
	memset(to, 0, TRACE_HEADER);
	to[12] = TRACE_VERSION;
	to[13] = b->kind;
	put16(to + 14, b->section);
	put32(to + 16, b->stored);
	put32(to + 20, b->plain);
	put64(to + 24, b->first);
	put32(to + 32, b->records);
	put32(to + 36, b->sequence);
	put64(to + 40, b->begin);
	put64(to + 48, b->end);
	put64(to + 56, b->exits);
	put64(to + 64, b->live);
	put32(to + 72, b->crc);
	frame(to, TRACE_HEADER, "FPtr");
}

enum trace_header trace_block__get(const unsigned char from[TRACE_HEADER],
				   struct trace_block *b)
{
	if (!is_frame(from, TRACE_HEADER, "FPtr"))
		return TRACE_HEADER_BAD;
	if (from[12] != TRACE_VERSION)
		return TRACE_HEADER_NEWER;
	*b = (struct trace_block){
		.kind = from[13],
		.section = (uint16_t)(from[14] | from[15] << 8),
		.stored = get32(from + 16),
		.plain = get32(from + 20),
		.first = get64(from + 24),
		.records = get32(from + 32),
		.sequence = get32(from + 36),
		.begin = get64(from + 40),
		.end = get64(from + 48),
		.exits = get64(from + 56),
		.live = get64(from + 64),
		.crc = get32(from + 72),
	};
	if (b->stored > TRACE_STORED || b->plain > TRACE_PLAIN ||
	    b->records > TRACE_RECORDS)
		return TRACE_HEADER_BAD;
	return TRACE_HEADER_GOOD;
}

void trace_footer__put(unsigned char to[TRACE_FOOTER],
		       const struct trace_footer *f)
{
	memset(to, 0, TRACE_FOOTER);
	put32(to + 12, f->more);
	put64(to + 16, f->index);
	frame(to, TRACE_FOOTER, "FPix");
}

bool trace_footer__get(const unsigned char from[TRACE_FOOTER],
		       struct trace_footer *f)
{
	if (!is_frame(from, TRACE_FOOTER, "FPix"))
		return false;
	f->more = get32(from + 12);
	f->index = get64(from + 16);
	return true;
}
