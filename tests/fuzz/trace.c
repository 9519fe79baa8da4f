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
 *   4  a file that is merged: whatever could be read of it still can be, and no more
 *   5  a file that is read from where its index, or one made anew, says
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>
#include <linux/types.h>

#include "block.h"
#include "snapshot.h"
#include "trace_counters.h"
#include "trace_index.h"
#include "trace_merge.h"
#include "trace_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t read_records(struct trace_reader *r)
{
	const struct fp_rec *rec;
	uint64_t sum = 0;
	int i, n;

	while ((n = trace_reader__records(r, &rec)) > 0) {
		for (i = 0; i < n; i++) {
			if (rec[i].cpu >= TRACE_CPUS)
				abort();
		}
		sum += (uint64_t)n;
	}
	return sum;
}

static uint64_t read_sections(struct trace_reader *r)
{
	uint64_t sum = 0;
	int kind;

	do {
		while ((kind = trace_reader__next(r)) > 0) {
			if (kind == TRACE_EVENTS)
				sum += read_records(r);
		}
	} while (trace_reader__more(r));
	return sum;
}

static int open_trace(const uint8_t *data, size_t len)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* How many records there are. */
static uint64_t count(const uint8_t *data, size_t len)
{
	int fd = open_trace(data, len);
	uint64_t sum = 0;
	struct trace_reader *r;
	char why[128];

	r = trace_reader__new(fd, why, sizeof(why));
	if (r)
		sum = read_sections(r);
	trace_reader__free(r);
	close(fd);
	return sum;
}

static void read_trace(const uint8_t *data, size_t len)
{
	(void)count(data, len);
}

/* To be freed. */
static char *merged(struct trace_parts *p, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	size_t i;

	for (i = 0; out && i < p->nr; i++) {
		if (trace_part__copy(&p->part[i], i + 1 < p->nr, out))
			abort();
	}
	if (!out || fclose(out))
		abort();
	return text;
}

static void merge(const uint8_t *data, size_t len)
{
	int fd = open_trace(data, len);
	const struct trace_part *other;
	struct trace_parts p = {};
	char path[32], why[256], *text;
	size_t size;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!trace_parts__add(&p, path, why, sizeof(why))) {
		(void)trace_parts__twice(&p, &other);
		trace_parts__sort(&p);
		text = merged(&p, &size);
		if (count((const uint8_t *)text, size) != count(data, len))
			abort();
		free(text);
	}
	trace_parts__free(&p);
	close(fd);
}

static void read_from(int fd, const struct trace_place *p)
{
	struct trace_reader *r;
	char why[128];

	lseek(fd, 0, SEEK_SET);
	r = trace_reader__new(fd, why, sizeof(why));
	if (r && !trace_reader__seek(r, p))
		(void)read_sections(r);
	trace_reader__free(r);
}

static void seek(const uint8_t *data, size_t len)
{
	int fd = open_trace(data, len);
	struct trace_index x = {};
	size_t i;

	if (!trace_index__read(&x, fd, 0)) {
		for (i = 0; i < x.nr && i < 8; i++)
			read_from(fd, &x.place[i]);
	}
	trace_index__free(&x);
	close(fd);
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
	end = fuzz_block(file, TRACE_META, 0, NULL, 0);
	end = fuzz_block(end, TRACE_EVENTS, data[0] | (uint32_t)data[1] << 8,
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
		read_trace, read_events, read_index, read_counters, merge, seek,
	};

	if (len && data[0] < sizeof(as) / sizeof(as[0]))
		as[data[0]](data + 1, len - 1);
	return 0;
}
