/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for who took the registers: as this machine has them, or as a trace does. */
#ifndef FPSTAT_CULPRIT_H
#define FPSTAT_CULPRIT_H

#include "blame.h"

/* For struct blame_namer; @trace is a struct trace *, NULL: this machine. */
void culprit__name(void *trace, enum blame_kind kind, uint64_t id, char *who,
		   size_t len);

#endif /* FPSTAT_CULPRIT_H */
