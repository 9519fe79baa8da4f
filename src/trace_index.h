/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the blocks of a trace are. */
#ifndef FPSTAT_TRACE_INDEX_H
#define FPSTAT_TRACE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_block.h"

struct trace_place {
	uint64_t offset; /* in the file */
	uint64_t begin; /* time of its first record */
	uint64_t first; /* records before */
	uint32_t records;
	uint32_t stored;
	uint8_t kind;
};

struct trace_index {
	struct trace_place *place; /* owned */
	size_t nr;
	size_t room;
};

/* A zeroed one is empty. */
void trace_index__free(struct trace_index *x);
/* @b comes right after the one that was added last. 0 or -ENOMEM. */
int trace_index__add(struct trace_index *x, const struct trace_block *b);

/* The data of an index block, to be freed, and their size; NULL: no memory. */
unsigned char *trace_index__put(const struct trace_index *x, size_t *len);
/* 0, -EBADMSG or -ENOMEM. @x is empty before. */
int trace_index__get(struct trace_index *x, const void *data, size_t len);

/*
 * The block with the index, in a file that has one at its end. Of joined parts and
 * merged traces its footer says where it is in the last of them: these have none there.
 */
bool trace_index__at_end(int fd, uint64_t *offset, struct trace_block *b);
/*
 * Of the section at @start of the file: as it says, or made anew of the headers of
 * its blocks, as far as these are good. Whatever it claims, this has at most 80 MiB. 0
 * or -ENOMEM. @x is empty before.
 */
int trace_index__read(struct trace_index *x, int fd, uint64_t start);
/* The last place of @kind not after @ns; NULL: there is none. */
const struct trace_place *trace_index__find(const struct trace_index *x,
					    enum trace_kind kind, uint64_t ns);

#endif /* FPSTAT_TRACE_INDEX_H */
