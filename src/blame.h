/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who took the registers from guests: each save of a live guest state, and each
 * load that brought it back, with the caller of kernel_neon_begin(), the task that
 * came in, or the reason why KVM_RUN returned.
 */
#ifndef FPSTAT_BLAME_H
#define FPSTAT_BLAME_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/stream.h"

/* Of loads only, beside enum fp_cause: nobody took it, or it is elsewhere. */
enum { BLAME_FIRST = FP_CAUSE_MAX, BLAME_MIGRATE };

enum blame_kind {
	BLAME_FUNCTION, /* @id is an address in the kernel */
	BLAME_TASK, /* @id is a thread's number, 0 the idle task */
	BLAME_EXIT, /* @id is KVM_EXIT_* */
	BLAME_NOBODY,
	BLAME_OTHERS, /* those that came up when there were BLAME_MAX rows */
};

#define BLAME_MAX 1024 /* and one more for each cause */

struct blame_row {
	uint8_t cause; /* enum fp_cause, or one of those above */
	uint8_t kind; /* enum blame_kind */
	uint64_t id;
	uint64_t saves;
	uint64_t loads;
	char who[64];
};

struct blame;

/* @name puts the name of @id into @who, soon after it came up; NULL: no names. */
struct blame_namer {
	void (*name)(void *ctx, enum blame_kind kind, uint64_t id, char *who,
		     size_t len);
	void *ctx;
};

/* NULL if there is no memory. blame__free(NULL) is fine. */
struct blame *blame__new(unsigned int cpus, struct blame_namer namer);
void blame__free(struct blame *b);

/* @step: what fp_step() answered. 0 or -ENOMEM. */
int blame__feed(struct blame *b, const struct fp_rec *rec, uint32_t step);
/* The most first; valid until it is called again. */
const struct blame_row *blame__rows(struct blame *b, size_t *nr);
const char *blame__cause(uint8_t cause);

/* "mmio" and so on; NULL if it has no name. */
const char *blame__exit_reason(uint64_t reason);

#endif /* FPSTAT_BLAME_H */
