// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instructions are those of the kernel's fpsimd_save and fpsimd_restore
 * (arch/arm64/include/asm/fpsimdmacros.h), many in a row: what a CPU does of
 * them at the same time is not counted twice.
 */
#include "cost.h"

#include <stddef.h>

#ifdef __aarch64__

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define SAMPLES 31 /* the median of these */
#define HOT 256 /* transfers of one sample */
#define COLD 32 /* the same, and so many buffers; a power of two */

/* Lines of up to 128 bytes are not shared. */
struct state {
	uint64_t q[64];
	uint32_t fpsr;
	uint32_t fpcr;
} __attribute__((aligned(128)));

struct bench {
	struct state state[COLD];
	uint8_t order[COLD]; /* nothing that a prefetcher could follow */
};

#define ALL_Q                                                                  \
	"v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",     \
		"v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", \
		"v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", \
		"v29", "v30", "v31"

static void save(struct state *s)
{
	uint64_t tmp;

	asm volatile("stp q0, q1, [%1, #0]\n\t"
		     "stp q2, q3, [%1, #32]\n\t"
		     "stp q4, q5, [%1, #64]\n\t"
		     "stp q6, q7, [%1, #96]\n\t"
		     "stp q8, q9, [%1, #128]\n\t"
		     "stp q10, q11, [%1, #160]\n\t"
		     "stp q12, q13, [%1, #192]\n\t"
		     "stp q14, q15, [%1, #224]\n\t"
		     "stp q16, q17, [%1, #256]\n\t"
		     "stp q18, q19, [%1, #288]\n\t"
		     "stp q20, q21, [%1, #320]\n\t"
		     "stp q22, q23, [%1, #352]\n\t"
		     "stp q24, q25, [%1, #384]\n\t"
		     "stp q26, q27, [%1, #416]\n\t"
		     "stp q28, q29, [%1, #448]\n\t"
		     "stp q30, q31, [%1, #480]\n\t"
		     "mrs %0, fpsr\n\t"
		     "str %w0, [%1, #512]\n\t"
		     "mrs %0, fpcr\n\t"
		     "str %w0, [%1, #516]"
		     : "=&r"(tmp)
		     : "r"(s)
		     : "memory");
}

/* FPCR is written only if it changes: that is slow. */
static void load(struct state *s)
{
	uint64_t tmp, old;

	asm volatile("ldp q0, q1, [%2, #0]\n\t"
		     "ldp q2, q3, [%2, #32]\n\t"
		     "ldp q4, q5, [%2, #64]\n\t"
		     "ldp q6, q7, [%2, #96]\n\t"
		     "ldp q8, q9, [%2, #128]\n\t"
		     "ldp q10, q11, [%2, #160]\n\t"
		     "ldp q12, q13, [%2, #192]\n\t"
		     "ldp q14, q15, [%2, #224]\n\t"
		     "ldp q16, q17, [%2, #256]\n\t"
		     "ldp q18, q19, [%2, #288]\n\t"
		     "ldp q20, q21, [%2, #320]\n\t"
		     "ldp q22, q23, [%2, #352]\n\t"
		     "ldp q24, q25, [%2, #384]\n\t"
		     "ldp q26, q27, [%2, #416]\n\t"
		     "ldp q28, q29, [%2, #448]\n\t"
		     "ldp q30, q31, [%2, #480]\n\t"
		     "ldr %w0, [%2, #512]\n\t"
		     "msr fpsr, %0\n\t"
		     "ldr %w0, [%2, #516]\n\t"
		     "mrs %1, fpcr\n\t"
		     "cmp %0, %1\n\t"
		     "b.eq 1f\n\t"
		     "msr fpcr, %0\n\t"
		     "1:"
		     : "=&r"(tmp), "=&r"(old)
		     : "r"(s)
		     : "memory", "cc", ALL_Q);
}

_Static_assert(offsetof(struct state, fpcr) == 516, "as the kernel has it");

/* Out of all caches. Linux lets user space do that. */
static void evict(const struct bench *b)
{
	const char *at = (const char *)b->state;
	uint64_t ctr;
	size_t line, i;

	asm volatile("mrs %0, ctr_el0" : "=r"(ctr));
	line = 4ul << (ctr >> 16 & 15);
	for (i = 0; i < sizeof(b->state); i += line)
		asm volatile("dc civac, %0" ::"r"(at + i) : "memory");
	asm volatile("dsb sy\n\tisb" ::: "memory");
}

typedef void (*transfer)(struct state *s);
typedef double (*sample)(struct bench *b, transfer fn);

static double hot(struct bench *b, transfer fn)
{
	double start = fps_clock();
	int i;

	for (i = 0; i < HOT; i++)
		fn(&b->state[0]);
	return (fps_clock() - start) * 1e9 / HOT;
}

static double cold(struct bench *b, transfer fn)
{
	double start;
	int i;

	evict(b);
	start = fps_clock();
	for (i = 0; i < COLD; i++)
		fn(&b->state[b->order[i]]);
	return (fps_clock() - start) * 1e9 / COLD;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(struct bench *b, sample one, transfer fn)
{
	double ns[SAMPLES];
	int i;

	one(b, fn); /* the code and its pages are there from now on */
	for (i = 0; i < SAMPLES; i++)
		ns[i] = one(b, fn);
	qsort(ns, SAMPLES, sizeof(*ns), by_size);
	return ns[SAMPLES / 2];
}

/* All buffers hold what is in the registers, FPCR above all. */
static void prepare(struct bench *b)
{
	int i;

	for (i = 0; i < COLD; i++) {
		b->order[i] = (uint8_t)(i * (i + 1) / 2 % COLD);
		save(&b->state[i]);
	}
}

void cost__measure(struct cost *c)
{
	struct bench *b = aligned_alloc(128, sizeof(*b));

	memset(c, 0, sizeof(*c));
	if (!b) {
		c->why = "there was no memory to measure it";
		return;
	}
	prepare(b);
	c->hot.save = median(b, hot, save);
	c->hot.load = median(b, hot, load);
	c->cold.save = median(b, cold, save);
	c->cold.load = median(b, cold, load);
	free(b);
}

#else

void cost__measure(struct cost *c)
{
	*c = (struct cost){ .why = "it is measured on arm64 machines only" };
}

#endif
