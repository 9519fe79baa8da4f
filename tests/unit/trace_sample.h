/* SPDX-License-Identifier: GPL-2.0-only */
/* Traces for tests: in memory, with records of all kinds. */
#ifndef FPSTAT_TRACE_SAMPLE_H
#define FPSTAT_TRACE_SAMPLE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/types.h>

#include "fpstat/charge.h"
#include "trace_reader.h"
#include "trace_writer.h"

struct rng {
	uint64_t state;
};

static inline uint64_t draw(struct rng *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state * 0x2545f4914f6cdd1dull;
}

/* Each number of bits is as likely as any other one. */
static inline uint64_t any_number(struct rng *r, unsigned int bits)
{
	uint64_t n = draw(r);
	unsigned int keep = (unsigned int)(draw(r) % (bits + 1));

	return keep ? n >> (64 - keep) : 0;
}

/* As wild as a record can be. */
static inline struct fp_rec wild_record(struct rng *r)
{
	return (struct fp_rec){
		.ns = any_number(r, 64),
		.ev = {
			.buf = any_number(r, 64),
			.gen = (uint32_t)any_number(r, 32),
			.kind = (uint8_t)any_number(r, 8),
			.foreign = (uint8_t)any_number(r, 8),
			.in_run = (uint8_t)any_number(r, 8),
			.arg = (uint8_t)any_number(r, 8),
		},
		.other = any_number(r, 64),
		.letter = any_number(r, 64),
		.slot = (uint32_t)any_number(r, 32),
		.cpu = (uint32_t)any_number(r, 16),
		.exits = (uint32_t)any_number(r, 32),
		.live = (uint32_t)any_number(r, 32),
		.flags = (uint32_t)any_number(r, 32),
		.lost = (uint32_t)any_number(r, 32),
	};
}

/* One of few, a little later than the one before. */
static inline struct fp_rec tame_record(struct rng *r, uint64_t *now)
{
	uint64_t n = draw(r) % 40;

	*now += 40 * (1 + any_number(r, 10));
	return (struct fp_rec){
		.ns = *now,
		.ev = {
			.buf = 0xffff000000001000ull + 0x1000 * (n / 4),
			.gen = 1,
			.kind = (uint8_t)(n % 7),
			.foreign = n % 2,
			.in_run = n % 3 == 0,
		},
		.other = n % 7 == 5 ? 0xffff800000001000ull + n : 0,
		.slot = n % 5 ? (uint32_t)n % 5 : FP_NO_SLOT,
		.cpu = (uint32_t)(draw(r) % 4),
		.exits = n % 4 ? 0 : (uint32_t)(draw(r) % 20),
	};
}

/* A file in memory, read from its beginning. */
static inline int file_of(const void *data, size_t len)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

struct sample {
	int fd;
	struct trace_writer *w;
};

static inline struct sample sample__new(void)
{
	struct sample s = { .fd = memfd_create("trace", MFD_CLOEXEC) };
	static const char text[] = "trace format=1\nhost name=sample\n";

	s.w = trace_writer__new(s.fd);
	if (!s.w || trace_writer__text(s.w, TRACE_META, text, sizeof(text) - 1))
		abort();
	return s;
}

/* The bytes of it, to be freed. */
static inline unsigned char *sample__end(struct sample *s, size_t *len)
{
	unsigned char *data;

	if (trace_writer__end(s->w))
		abort();
	*len = trace_writer__bytes(s->w);
	data = malloc(*len);
	if (!data || pread(s->fd, data, *len, 0) != (ssize_t)*len)
		abort();
	trace_writer__free(s->w);
	close(s->fd);
	return data;
}

#endif /* FPSTAT_TRACE_SAMPLE_H */
