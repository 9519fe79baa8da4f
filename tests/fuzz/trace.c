// SPDX-License-Identifier: GPL-2.0-only
/*
 * For libFuzzer: whatever a trace has in it, the reader must not fall over, and
 * have no more memory than it says. Checksums would keep nearly all of it out, so
 * the first byte says what the others are:
 *
 *   0  a file
 *   1  the data of an events block, in a file that is right otherwise
 *   2  the data of an index block
 *   3  the data of a counters block
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>
#include <linux/types.h>

#include "snapshot.h"
#include "trace_counters.h"
#include "trace_index.h"
#include "trace_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_records(struct trace_reader *r)
{
	const struct fp_rec *rec;
	int i, n;

	while ((n = trace_reader__records(r, &rec)) > 0) {
		for (i = 0; i < n; i++) {
			if (rec[i].cpu >= TRACE_CPUS)
				abort();
		}
	}
}

static void read_trace(const uint8_t *data, size_t len)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	struct trace_reader *r;
	char why[128];
	int kind;

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	lseek(fd, 0, SEEK_SET);
	r = trace_reader__new(fd, why, sizeof(why));
	while (r && (kind = trace_reader__next(r)) > 0) {
		if (kind == TRACE_EVENTS)
			read_records(r);
	}
	trace_reader__free(r);
	close(fd);
}

/* A block with @data in it, at @to. Returns its end. */
static uint8_t *put_block(uint8_t *to, uint8_t kind, uint32_t records,
			  const uint8_t *data, size_t len)
{
	uint8_t *frame = to + TRACE_HEADER;
	struct trace_block b = {
		.kind = kind,
		.plain = (uint32_t)len,
		.records = records,
	};

	b.stored = (uint32_t)ZSTD_compress(frame, ZSTD_compressBound(len), data,
					   len, 1);
	b.crc = trace_crc(frame, b.stored);
	trace_block__put(to, &b);
	return frame + b.stored;
}

/* The first two bytes say how many records. */
static void read_events(const uint8_t *data, size_t len)
{
	uint8_t *file, *end;

	if (len < 2)
		return;
	file = malloc(3 * TRACE_HEADER + ZSTD_compressBound(0) +
		      ZSTD_compressBound(len));
	if (!file)
		return;
	end = put_block(file, TRACE_META, 0, NULL, 0);
	end = put_block(end, TRACE_EVENTS, data[0] | (uint32_t)data[1] << 8,
			data + 2, len - 2);
	read_trace(file, (size_t)(end - file));
	free(file);
}

static void read_index(const uint8_t *data, size_t len)
{
	struct trace_index x = {};

	(void)trace_index__get(&x, data, len);
	trace_index__free(&x);
}

static void read_counters(const uint8_t *data, size_t len)
{
	struct snapshot s;

	(void)trace_counters__get(&s, (const char *)data, len);
	snapshot__free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const as[])(const uint8_t *, size_t) = {
		read_trace,
		read_events,
		read_index,
		read_counters,
	};

	if (len && data[0] < sizeof(as) / sizeof(as[0]))
		as[data[0]](data + 1, len - 1);
	return 0;
}
