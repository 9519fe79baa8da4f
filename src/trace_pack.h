/* SPDX-License-Identifier: GPL-2.0-only */
/* From records to the data of one events block: see fpstat-trace(5). */
#ifndef FPSTAT_TRACE_PACK_H
#define FPSTAT_TRACE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "fpstat/stream.h"
#include "trace_block.h"

struct trace_pack;

/* NULL if there is no memory. trace_pack__free(NULL) is fine. */
struct trace_pack *trace_pack__new(void);
void trace_pack__free(struct trace_pack *p);

/* 0, or -EINVAL if there can be no such CPU. Not if the block is full. */
int trace_pack__add(struct trace_pack *p, const struct fp_rec *rec);
bool trace_pack__full(const struct trace_pack *p);
size_t trace_pack__records(const struct trace_pack *p);
/*
 * Ends the block. Sets what @b has of its records, and returns its data, which
 * live until the next record is added.
 */
const void *trace_pack__end(struct trace_pack *p, struct trace_block *b);

#endif /* FPSTAT_TRACE_PACK_H */
