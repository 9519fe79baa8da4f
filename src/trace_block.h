/* SPDX-License-Identifier: GPL-2.0-only */
/* The header of a block of a trace, the footer, and the limits: fpstat-trace(5). */
#ifndef FPSTAT_TRACE_BLOCK_H
#define FPSTAT_TRACE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum trace_kind {
	TRACE_META = 1,
	TRACE_EVENTS,
	TRACE_NAMES,
	TRACE_COUNTERS,
	TRACE_INDEX,
};

#define TRACE_VERSION 1
#define TRACE_HEADER 80 /* bytes */
#define TRACE_FOOTER 32
#define TRACE_RECORDS 65536 /* of one block, at most */
#define TRACE_CPUS 65536
#define TRACE_PLAIN (16u << 20) /* bytes of the data of one block, at most .. */
#define TRACE_STORED (17u << 20) /* .. and of its frame */

struct trace_block {
	uint8_t kind; /* enum trace_kind, or one that is newer than us */
	uint16_t section; /* 0, or in a merged trace 1 and up */
	uint32_t stored;
	uint32_t plain;
	uint64_t first;
	uint32_t records;
	uint32_t sequence;
	uint64_t begin;
	uint64_t end;
	uint64_t exits;
	uint64_t live;
	uint32_t crc; /* of the frame */
};

enum trace_header {
	TRACE_HEADER_GOOD,
	TRACE_HEADER_BAD, /* damaged, or none */
	TRACE_HEADER_NEWER, /* of another version */
};

void trace_block__put(unsigned char to[TRACE_HEADER],
		      const struct trace_block *b);
enum trace_header trace_block__get(const unsigned char from[TRACE_HEADER],
				   struct trace_block *b);

struct trace_footer {
	uint64_t index; /* where that is in its section */
	bool more; /* sections follow */
};

void trace_footer__put(unsigned char to[TRACE_FOOTER],
		       const struct trace_footer *f);
/* False if it is damaged, or none. */
bool trace_footer__get(const unsigned char from[TRACE_FOOTER],
		       struct trace_footer *f);

/* The four bytes that each header and the footer begin with. */
extern const unsigned char trace_magic[4];
uint32_t trace_crc(const void *data, uint32_t size);

#endif /* FPSTAT_TRACE_BLOCK_H */
