/* SPDX-License-Identifier: GPL-2.0-only */
/* Blocks of a trace that are right, whatever is in them. */
#ifndef FPSTAT_FUZZ_BLOCK_H
#define FPSTAT_FUZZ_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <zstd.h>

#include "trace_block.h"

/* A block with @data in it, at @to. Returns its end. */
static inline uint8_t *fuzz_block(uint8_t *to, uint8_t kind, uint32_t records,
				  const uint8_t *data, size_t len)
{
	uint8_t *frame = to + TRACE_HEADER;
	struct trace_block b = {
		.kind = kind,
		.plain = (uint32_t)len,
		.records = records,
	};

	b.stored = (uint32_t)ZSTD_compress(frame, ZSTD_compressBound(len), data,
					   len, 1);
	b.crc = trace_crc(frame, b.stored);
	trace_block__put(to, &b);
	return frame + b.stored;
}

#endif /* FPSTAT_FUZZ_BLOCK_H */
