// SPDX-License-Identifier: GPL-2.0-only
/*
 * CTF 1.8, for Babeltrace and Trace Compass: a directory with a stream for each CPU
 * that has records. In one stream for all of them times would have to rise, and
 * those of different CPUs need not; and CTF counts what was lost by stream.
 */
#include "export_ctf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/types.h>

#include "export.h"
#include "fpstat/charge.h"
#include "fpstat/model.h"
#include "trace.h"
#include "trace_block.h"

#define SIZE(bytes, type, name, value) +(bytes)

enum {
	PACKET = 4096, /* at most; one for each CPU is all that we keep */
	HEAD = 8 CTF_CONTEXT(SIZE),
	EVENT = 9 CTF_FIELDS(SIZE),
};

struct cpu {
	uint32_t cpu;
	uint32_t len; /* of the packet; 0: there is none */
	uint64_t begin;
	uint64_t end; /* ns of its last record */
	uint64_t discarded; /* all so far */
	unsigned char *packet;
};

struct ctf {
	int top;
	int dir; /* of this section; may be the same one */
	int err; /* the first one */
	uint32_t nr; /* CPUs up to the last one that had a record */
	struct cpu cpu[TRACE_CPUS];
};

/* ---- files ---- */

static int fail(struct ctf *ctf)
{
	if (!ctf->err)
		ctf->err = errno ? -errno : -EIO;
	return ctf->err;
}

/* A new one, or one that is empty. */
static int open_dir(const char *path)
{
	struct dirent *e;
	int fd, err = 0;
	DIR *d;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	d = opendir(path);
	if (!d)
		return -errno;
	while (!err && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			err = -ENOTEMPTY;
	}
	fd = fcntl(dirfd(d), F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		err = -errno;
	else if (err)
		close(fd);
	closedir(d);
	return err ? err : fd;
}

static int write_all(int fd, const unsigned char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n < 0 && errno != EINTR)
			return -1;
		n = n < 0 ? 0 : n;
	}
	return 0;
}

/* Opened each time: there may be more CPUs than a process may have files. */
static void append(struct ctf *ctf, const struct cpu *c)
{
	char name[16];
	int fd;

	if (ctf->err)
		return;
	snprintf(name, sizeof(name), "cpu%u", c->cpu);
	fd = openat(ctf->dir, name,
		    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0 || write_all(fd, c->packet, c->len))
		fail(ctf);
	if (fd >= 0 && close(fd))
		fail(ctf);
}

/* ---- packets ---- */

static unsigned char *put(unsigned char *to, int bytes, uint64_t n)
{
	for (; bytes; bytes--, n >>= 8)
		*to++ = (unsigned char)n;
	return to;
}

#define PUT(bytes, type, name, value) at = put(at, bytes, value);

static void flush(struct ctf *ctf, struct cpu *c)
{
	unsigned char *at = c->packet;

	if (!c->len)
		return;
	at = put(at, 4, CTF_MAGIC);
	at = put(at, 4, 0); /* the stream's id */
	CTF_CONTEXT(PUT)
	append(ctf, c);
	c->len = 0;
}

static uint32_t cause(uint32_t step)
{
	return export__cause(step) ? FP_CAUSE(step) : CTF_NO_CAUSE;
}

static void begin_packet(struct cpu *c)
{
	c->len = HEAD;
	c->begin = c->end;
}

/*
 * Readers say how much the count of discarded events grew from one packet to the
 * next: so there is one before, if it is an empty one. That nobody knows how many
 * they were must be a number here; the record itself says it.
 */
static void lose(struct export *x, struct cpu *c, const struct fp_rec *r)
{
	uint64_t start = trace__about(x->trace)->monotonic;

	if (!c->end)
		c->end = start < r->ns ? start : r->ns;
	if (!c->len)
		begin_packet(c);
	flush(x->own, c);
	c->discarded += r->lost ? r->lost : 1;
}

static void put_event(struct cpu *c, const struct fp_rec *r, uint32_t step)
{
	unsigned char *at = c->packet + c->len;

	at = put(at, 1, r->ev.kind);
	at = put(at, 8, c->end);
	CTF_FIELDS(PUT)
	c->len = (uint32_t)(at - c->packet);
}

/* A stream has no way back in time; the field ns has what the record says. */
static void record(struct export *x, const struct fp_rec *r, uint32_t step)
{
	struct ctf *ctf = x->own;
	struct cpu *c = &ctf->cpu[r->cpu];

	if (!c->packet)
		c->packet = malloc(PACKET);
	if (!c->packet) {
		fail(ctf);
		return;
	}
	c->cpu = r->cpu;
	if (r->cpu >= ctf->nr)
		ctf->nr = r->cpu + 1;
	if (r->flags & FP_REC_GAP)
		lose(x, c, r);
	if (c->len + EVENT > PACKET)
		flush(ctf, c);
	if (r->ns > c->end)
		c->end = r->ns;
	if (!c->len)
		begin_packet(c);
	put_event(c, r, step);
}

/* ---- the whole ---- */

static int open_ctf(struct export *x)
{
	struct ctf *ctf = calloc(1, sizeof(*ctf));

	if (!ctf)
		return -ENOMEM;
	x->own = ctf;
	ctf->dir = -1;
	ctf->top = open_dir(x->output);
	return ctf->top < 0 ? ctf->top : 0;
}

/* Each section of a merged trace is a trace for itself, with its own clock. */
static int begin(struct export *x)
{
	unsigned int section = trace__section(x->trace);
	struct ctf *ctf = x->own;
	char name[16] = ".";

	if (section) {
		snprintf(name, sizeof(name), "%u", section);
		if (mkdirat(ctf->top, name, 0700))
			return fail(ctf);
	}
	ctf->dir = openat(ctf->top, name, O_DIRECTORY | O_CLOEXEC);
	return ctf->dir < 0 ? fail(ctf) : 0;
}

static void put_metadata(const struct export *x, struct ctf *ctf)
{
	int fd = openat(ctf->dir, "metadata",
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (!out) {
		fail(ctf);
		return;
	}
	export_ctf__metadata(x, out);
	if (ferror(out) | fclose(out))
		fail(ctf);
}

static int end(struct export *x)
{
	struct ctf *ctf = x->own;
	uint32_t i;

	for (i = 0; i < ctf->nr; i++) {
		flush(ctf, &ctf->cpu[i]);
		free(ctf->cpu[i].packet);
	}
	memset(ctf->cpu, 0, ctf->nr * sizeof(ctf->cpu[0]));
	ctf->nr = 0;
	put_metadata(x, ctf);
	close(ctf->dir);
	ctf->dir = -1;
	return ctf->err;
}

static void close_ctf(struct export *x)
{
	struct ctf *ctf = x->own;
	uint32_t i;

	for (i = 0; ctf && i < ctf->nr; i++)
		free(ctf->cpu[i].packet);
	if (ctf && ctf->dir >= 0)
		close(ctf->dir);
	if (ctf && ctf->top >= 0)
		close(ctf->top);
	free(ctf);
}

const struct export_format export_ctf = {
	.name = "ctf",
	.what = "a directory for Babeltrace and Trace Compass (CTF 1.8)",
	.directory = true,
	.open = open_ctf,
	.begin = begin,
	.record = record,
	.end = end,
	.close = close_ctf,
};
