/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as LEB128: seven bits a byte, the lowest first. */
#ifndef FPSTAT_VARINT_H
#define FPSTAT_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_MAX 10 /* bytes of one */

static inline unsigned char *varint__put(unsigned char *to, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		*to++ = (unsigned char)(n | 0x80);
	*to++ = (unsigned char)n;
	return to;
}

/* A number with a sign: that goes to the lowest bit. */
static inline uint64_t zigzag(int64_t n)
{
	return (uint64_t)n << 1 ^ (uint64_t)(n >> 63);
}

static inline int64_t zagzig(uint64_t n)
{
	return (int64_t)(n >> 1 ^ -(n & 1));
}

/* What is left to read. Once something was wrong, all further numbers are 0. */
struct cursor {
	const unsigned char *at;
	const unsigned char *end;
	bool bad;
};

static inline uint64_t cursor__long(struct cursor *c)
{
	const unsigned char *at = c->at;
	unsigned int shift = 0;
	uint64_t n = 0;

	for (; at < c->end && shift < 64; shift += 7) {
		n |= (uint64_t)(*at & 0x7f) << shift;
		if (*at++ < 0x80) {
			/* of the tenth byte there is room for one bit */
			c->bad |= shift == 63 && at[-1] > 1;
			c->at = at;
			return n;
		}
	}
	c->bad = true;
	c->at = c->end;
	return 0;
}

/* Nearly all numbers have a byte or two. */
static inline uint64_t cursor__number(struct cursor *c)
{
	const unsigned char *at = c->at;

	if (c->end - at < 2)
		return cursor__long(c);
	if (at[0] < 0x80) {
		c->at = at + 1;
		return at[0];
	}
	if (at[1] < 0x80) {
		c->at = at + 2;
		return (at[0] & 0x7fu) | (uint64_t)at[1] << 7;
	}
	return cursor__long(c);
}

static inline int64_t cursor__signed(struct cursor *c)
{
	return zagzig(cursor__number(c));
}

static inline uint32_t cursor__u32(struct cursor *c)
{
	uint64_t n = cursor__number(c);

	c->bad |= n > UINT32_MAX;
	return (uint32_t)n;
}

static inline uint8_t cursor__byte(struct cursor *c)
{
	if (c->at < c->end)
		return *c->at++;
	c->bad = true;
	return 0;
}

#endif /* FPSTAT_VARINT_H */
