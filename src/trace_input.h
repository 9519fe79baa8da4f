/* SPDX-License-Identifier: GPL-2.0-only */
/* What of a trace was read already, and can be looked at. */
#ifndef FPSTAT_TRACE_INPUT_H
#define FPSTAT_TRACE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_input {
	int fd;
	int err; /* of read(2), negative */
	bool ended;
	bool dont_wait; /* for a pipe */
	bool dry; /* so there was nothing, for now */
	unsigned char *data; /* owned; from offset on .. */
	size_t len; /* .. are so many bytes .. */
	size_t at; /* .. and so many were taken */
	size_t room;
	uint64_t offset;
};

void trace_input__free(struct trace_input *in);

/*
 * Are there @want bytes to look at? Reads if not. With .dont_wait more may be there
 * the next time, and .dry says so.
 */
bool trace_input__has(struct trace_input *in, size_t want);
const unsigned char *trace_input__look(const struct trace_input *in);
void trace_input__take(struct trace_input *in, size_t n);
/* Takes at least one byte, and all up to the next trace_magic, or to the end. */
void trace_input__find_magic(struct trace_input *in);
/* Goes on at @offset of a file. 0 or a negative errno. */
int trace_input__seek(struct trace_input *in, uint64_t offset);
/* Of what is looked at. */
uint64_t trace_input__offset(const struct trace_input *in);

#endif /* FPSTAT_TRACE_INPUT_H */
