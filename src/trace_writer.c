// SPDX-License-Identifier: GPL-2.0-only
#include "trace_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "trace_index.h"
#include "trace_pack.h"
#include "trace_ring.h"

#define LEVEL 3 /* of zstd: those above take longer, and gain little */

struct trace_writer {
	int fd;
	int err; /* the first one, for good */
	struct trace_pack *pack;
	ZSTD_CCtx *zstd;
	unsigned char *out; /* a header and a frame */
	struct trace_index index;
	uint64_t records; /* in all blocks so far .. */
	uint64_t end; /* .. and when the last of them was */
	uint64_t bytes;
	struct trace_ring *ring; /* or NULL: not ours */
	void (*before)(void *ctx, uint64_t bytes); /* or NULL */
	void *ctx;
};

struct trace_writer *trace_writer__new(int fd)
{
	struct trace_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = fd;
	w->pack = trace_pack__new();
	w->zstd = ZSTD_createCCtx();
	w->out = malloc(TRACE_HEADER + ZSTD_compressBound(TRACE_PLAIN));
	if (w->pack && w->zstd && w->out) {
		ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
		ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
		return w;
	}
	trace_writer__free(w);
	return NULL;
}

void trace_writer__free(struct trace_writer *w)
{
	if (!w)
		return;
	trace_pack__free(w->pack);
	ZSTD_freeCCtx(w->zstd);
	trace_index__free(&w->index);
	free(w->out);
	free(w);
}

void trace_writer__keep(struct trace_writer *w, struct trace_ring *ring)
{
	w->ring = ring;
}

void trace_writer__before(struct trace_writer *w,
			  void (*fn)(void *ctx, uint64_t bytes), void *ctx)
{
	w->before = fn;
	w->ctx = ctx;
}

/* Half a block is no use. (A pipe can't take it back.) */
static void take_back(int fd, size_t written)
{
	off_t at = written ? lseek(fd, 0, SEEK_CUR) : -1;

	if (at >= (off_t)written)
		(void)!ftruncate(fd, at - (off_t)written);
}

static int put(struct trace_writer *w, const unsigned char *data, size_t len)
{
	size_t done = 0;
	ssize_t n;

	if (w->before)
		w->before(w->ctx, w->bytes + len);
	while (done < len) {
		n = write(w->fd, data + done, len - done);
		if (n > 0) {
			done += (size_t)n;
		} else if (errno != EINTR) {
			w->err = -errno;
			take_back(w->fd, done);
			return w->err;
		}
	}
	w->bytes += len;
	return 0;
}

/* @data: room for a header, and the frame of @b. */
static int put_frame(struct trace_writer *w, struct trace_block *b,
		     unsigned char *data)
{
	b->first = w->records;
	b->sequence = (uint32_t)w->index.nr;
	trace_block__put(data, b);
	w->err = trace_index__add(&w->index, b);
	if (w->err)
		return w->err;
	w->records += b->records;
	return put(w, data, TRACE_HEADER + b->stored);
}

static int keep(struct trace_writer *w, const struct trace_block *b,
		const void *frame)
{
	w->records += b->records;
	return w->err = trace_ring__add(w->ring, b, frame);
}

/* @b knows its kind and what is in it. */
static int put_block(struct trace_writer *w, struct trace_block *b,
		     const void *plain)
{
	unsigned char *frame = w->out + TRACE_HEADER;
	size_t n = ZSTD_compress2(w->zstd, frame,
				  ZSTD_compressBound(TRACE_PLAIN), plain,
				  b->plain);

	if (ZSTD_isError(n))
		return w->err = -ENOMEM;
	b->stored = (uint32_t)n;
	b->crc = trace_crc(frame, b->stored);
	return w->ring ? keep(w, b, frame) : put_frame(w, b, w->out);
}

int trace_writer__flush(struct trace_writer *w)
{
	struct trace_block b = { .kind = TRACE_EVENTS };
	const void *plain;

	if (w->err || !trace_pack__records(w->pack))
		return w->err;
	plain = trace_pack__end(w->pack, &b);
	w->end = b.end;
	return put_block(w, &b, plain);
}

int trace_writer__record(struct trace_writer *w, const struct fp_rec *rec)
{
	int err = w->err ? w->err : trace_pack__add(w->pack, rec);

	if (!err && trace_pack__full(w->pack))
		err = trace_writer__flush(w);
	return err;
}

int trace_writer__text(struct trace_writer *w, enum trace_kind kind,
		       const char *text, size_t len)
{
	struct trace_block b = { .kind = (uint8_t)kind };

	if (w->err)
		return w->err;
	if (len > TRACE_PLAIN)
		return w->err = -EFBIG;
	b.plain = (uint32_t)len;
	b.begin = b.end = w->end;
	return put_block(w, &b, text);
}

int trace_writer__copy(struct trace_writer *w, const struct trace_ring *ring)
{
	struct trace_kept *k = trace_ring__first(ring);

	for (; k && !w->err; k = k->next) {
		w->end = k->block.end;
		put_frame(w, &k->block, k->data);
	}
	return w->err;
}

/* One that is too large for a block is none: the headers tell the same. */
int trace_writer__end(struct trace_writer *w)
{
	struct trace_block b = { .kind = TRACE_INDEX };
	unsigned char footer[TRACE_FOOTER], *data;
	size_t len;
	int err = trace_writer__flush(w);

	if (err)
		return err;
	trace_footer__put(footer, &(struct trace_footer){ .index = w->bytes });
	data = trace_index__put(&w->index, &len);
	if (!data)
		return w->err = -ENOMEM;
	b.begin = b.end = w->end;
	b.plain = len > TRACE_PLAIN ? 0 : (uint32_t)len;
	err = put_block(w, &b, data);
	free(data);
	return err ? err : put(w, footer, sizeof(footer));
}

size_t trace_writer__waiting(const struct trace_writer *w)
{
	return trace_pack__records(w->pack);
}

uint64_t trace_writer__records(const struct trace_writer *w)
{
	return w->records + trace_pack__records(w->pack);
}

uint64_t trace_writer__bytes(const struct trace_writer *w)
{
	return w->ring ? trace_ring__bytes(w->ring) : w->bytes;
}
