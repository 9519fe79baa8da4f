/* SPDX-License-Identifier: GPL-2.0-only */
/* What writer and reader of events blocks share: see fpstat-trace(5). */
#ifndef FPSTAT_TRACE_COLUMN_H
#define FPSTAT_TRACE_COLUMN_H

#include "trace_block.h"

enum {
	CPU,
	CODE,
	TIME_LOW,
	TIME_MIDDLE,
	TIME_REST,
	EXITS,
	IDLE,
	TEMPLATES,
	ADDRESS,
	COLUMNS
};

/* At most: a record may be a template of its own, and that has up to three. */
#define ADDRESSES_OF(records) (3 * (size_t)(records))

#endif /* FPSTAT_TRACE_COLUMN_H */
