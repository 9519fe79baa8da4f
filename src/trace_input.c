// SPDX-License-Identifier: GPL-2.0-only
#include "trace_input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace_block.h"

#define ROOM (1u << 18) /* to begin with */

void trace_input__free(struct trace_input *in)
{
	free(in->data);
	in->data = NULL;
}

static bool make_room(struct trace_input *in, size_t want)
{
	size_t room = want > ROOM ? want : ROOM;
	unsigned char *data;

	if (in->at) {
		memmove(in->data, in->data + in->at, in->len - in->at);
		in->offset += in->at;
		in->len -= in->at;
		in->at = 0;
	}
	if (in->room >= room)
		return true;
	data = realloc(in->data, room);
	if (!data) {
		in->err = -ENOMEM;
		return false;
	}
	in->data = data;
	in->room = room;
	return true;
}

/* Whoever else has the pipe may want to wait: it is not ours to change. */
static bool would_wait(struct trace_input *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	in->dry = in->dont_wait && poll(&p, 1, 0) == 0;
	return in->dry;
}

bool trace_input__has(struct trace_input *in, size_t want)
{
	ssize_t n;

	if (in->len - in->at >= want)
		return true;
	if (in->ended || in->err || !make_room(in, want))
		return false;
	while (in->len < want) {
		if (would_wait(in))
			return false;
		n = read(in->fd, in->data + in->len, in->room - in->len);
		if (n > 0) {
			in->len += (size_t)n;
		} else if (!n) {
			in->ended = true;
			return false;
		} else if (errno != EINTR) {
			in->err = -errno;
			return false;
		}
	}
	return true;
}

const unsigned char *trace_input__look(const struct trace_input *in)
{
	return in->data + in->at;
}

void trace_input__take(struct trace_input *in, size_t n)
{
	in->at += n;
}

void trace_input__find_magic(struct trace_input *in)
{
	const unsigned char *at;

	trace_input__take(in, 1);
	while (trace_input__has(in, sizeof(trace_magic))) {
		at = memmem(trace_input__look(in), in->len - in->at,
			    trace_magic, sizeof(trace_magic));
		if (at) {
			in->at = (size_t)(at - in->data);
			return;
		}
		in->at = in->len - (sizeof(trace_magic) - 1);
	}
	if (!in->dry)
		in->at = in->len;
}

int trace_input__seek(struct trace_input *in, uint64_t offset)
{
	if (lseek(in->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	in->at = in->len = 0;
	in->offset = offset;
	in->ended = false;
	return 0;
}

uint64_t trace_input__offset(const struct trace_input *in)
{
	return in->offset + in->at;
}
