/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In which format a user state is moved, foretold. A save goes by TIF_SVE and by
 * whether its thread is in a system call, a load by what is in memory. Here
 * neither is asked: what was moved before says it, and what happened since.
 */
#ifndef FPSTAT_FORMAT_H
#define FPSTAT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/stream.h"

enum format {
	FORMAT_UNKNOWN,
	FORMAT_FPSIMD,
	FORMAT_SVE, /* whatever its vector length */
};

struct format_said {
	bool told; /* a user state was moved, and the record says how many bytes */
	enum format found;
	enum format foretold;
};

struct formats;

/* NULL if there is no memory. formats__free(NULL) is fine. */
struct formats *formats__new(void);
void formats__free(struct formats *f);

/*
 * To be called with all records; @step is what fp_step() answered to @rec. *@said is
 * written: a struct of this size comes back in a register, made of parts in memory, and
 * the processor waits until they are there.
 */
void formats__step(struct formats *f, const struct fp_rec *rec, uint32_t step,
		   struct format_said *said);

#endif /* FPSTAT_FORMAT_H */
