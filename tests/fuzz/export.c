// SPDX-License-Identifier: GPL-2.0-only
/*
 * For libFuzzer: a trace, whatever it says, in the formats of others. The first byte
 * is the format; then comes the text of the meta block, up to a 0; and records.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/types.h>

#include "block.h"
#include "export.h"
#include "record.h"
#include "replay.h"
#include "snapshot.h"
#include "trace.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What CTF needs: somewhere to write to. */
static char dir[] = "/dev/shm/fpstat-fuzz-XXXXXX";

static void clean(void)
{
	char path[64];
	int i;

	for (i = 0; i <= FUZZ_CPUS; i++) {
		snprintf(path, sizeof(path), "%s/cpu%d", dir, i);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/metadata", dir);
	unlink(path);
	rmdir(dir);
}

static FILE *prepare(void)
{
	static FILE *null;

	if (!null) {
		null = fopen("/dev/null", "we");
		if (!null || !mkdtemp(dir) || atexit(clean))
			abort();
	}
	clean();
	return null;
}

/* A trace that has nothing but its meta block. */
static struct trace *make_trace(const uint8_t *text, size_t len)
{
	size_t room = TRACE_HEADER + ZSTD_compressBound(len);
	int fd = memfd_create("trace", MFD_CLOEXEC);
	uint8_t *block = malloc(room), *end;
	char path[32], why[256];
	struct trace *t;

	if (!block || fd < 0)
		abort();
	end = fuzz_block(block, TRACE_META, 0, text, len);
	if (write(fd, block, (size_t)(end - block)) != end - block)
		abort();
	free(block);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	t = trace__open(path, why, sizeof(why));
	close(fd);
	return t;
}

static void feed(const struct export_format *f, struct export *x,
		 const uint8_t *data, size_t len)
{
	struct replay *replay = replay__new(x->cpus);
	uint64_t ns = 1000000000;
	struct fp_rec rec;
	size_t i;

	if (!replay)
		abort();
	x->replay = replay;
	for (i = 0; i + FUZZ_RECORD <= len; i += FUZZ_RECORD) {
		ns += data[i + 6];
		rec = fuzz_record(data + i, ns);
		rec.lost = data[i + 6] % 4;
		f->record(x, &rec, replay__step(replay, &rec));
	}
	replay__free(replay);
}

static void export(const struct export_format *f, struct export *x,
		   const uint8_t *data, size_t len)
{
	if ((f->open && f->open(x)) || (f->begin && f->begin(x)))
		abort();
	feed(f, x, data, len);
	if (f->end && f->end(x))
		abort();
	if (f->close)
		f->close(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct export_format *const formats[] = {
		&export_csv,
		&export_ndjson,
		&export_perfetto,
		&export_ctf,
	};
	size_t text = len ? strnlen((const char *)data + 1, len - 1) : 0;
	struct trace *t = len ? make_trace(data + 1, text) : NULL;
	struct export x = { .output = dir, .trace = t };

	if (!t)
		return 0;
	x.out = prepare();
	x.cpus = trace__host(t)->cpus;
	text = text + 2 < len ? text + 2 : len; /* the format and the 0, too */
	export(formats[data[0] % ARRAY_SIZE(formats)], &x, data + text,
	       len - text);
	trace__close(t);
	return 0;
}
