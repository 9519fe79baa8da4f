// SPDX-License-Identifier: GPL-2.0-only
#include "trace_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace_meta.h"

/* Records of different CPUs come nearly in order: so much may be missing, ns. */
#define NEARLY 1000000

void trace_parts__free(struct trace_parts *p)
{
	free(p->part);
	*p = (struct trace_parts){};
}

/* ---- what there is ---- */

static struct trace_part *add(struct trace_parts *p)
{
	size_t room = p->room ? 2 * p->room : 16;
	struct trace_part *part;

	if (p->nr == p->room) {
		part = reallocarray(p->part, room, sizeof(*part));
		if (!part)
			return NULL;
		p->part = part;
		p->room = room;
	}
	part = &p->part[p->nr++];
	*part = (struct trace_part){};
	return part;
}

static void read_meta(struct trace_part *part, struct trace_reader *r)
{
	size_t len;
	const char *text = trace_reader__data(r, &len);

	trace_meta__str(text, len, "host", "name", part->host,
			sizeof(part->host));
	part->realtime = trace_meta__num(text, len, "clock", "realtime", 0);
	part->monotonic = trace_meta__num(text, len, "clock", "monotonic", 0);
	part->capture = trace_meta__num(text, len, "trace", "capture", 0);
	part->number = trace_meta__num(text, len, "trace", "part", 0);
}

static void look_at(struct trace_part *part, const struct trace_block *b)
{
	if (!b->records)
		return;
	if (!part->records)
		part->first = b->begin;
	part->records += b->records;
	part->last = b->end;
}

static int read_section(struct trace_part *part, struct trace_reader *r)
{
	int kind = trace_reader__next(r);

	if (kind != TRACE_META)
		return kind < 0 ? kind : -EBADMSG;
	read_meta(part, r);
	part->parts = 1;
	while ((kind = trace_reader__next(r)) > 0) {
		look_at(part, trace_reader__block(r));
		part->parts += kind == TRACE_META;
	}
	part->start = trace_reader__start(r);
	part->bytes = trace_reader__bytes(r);
	part->health = trace_reader__health(r);
	return kind;
}

static int read_sections(struct trace_parts *p, const char *path,
			 struct trace_reader *r)
{
	unsigned int before = 0, section;
	struct trace_part *part;
	int err;

	do {
		part = add(p);
		if (!part)
			return -ENOMEM;
		part->path = path;
		err = read_section(part, r);
		section = trace_reader__section(r);
		part->missing = section > before ? section - before - 1 : 0;
		part->missing += part->health.alone;
		before = section;
		p->sections += 1 + part->missing;
		if (!err && p->sections > TRACE_SECTIONS)
			err = -E2BIG;
	} while (!err && trace_reader__more(r));
	return err;
}

static const char *message(int err)
{
	switch (err) {
	case -EBADMSG:
		return "it is damaged, or cut, at its beginning";
	case -E2BIG:
		return "these are more traces than one can have";
	case -ESPIPE:
		return "it is no file, and each trace is read twice";
	default:
		return strerror(-err);
	}
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return S_ISDIR(st.st_mode) ? -EISDIR : -ESPIPE;
}

int trace_parts__add(struct trace_parts *p, const char *path, char *why,
		     size_t len)
{
	int fd = open_file(path), err = fd < 0 ? fd : -EINVAL;
	struct trace_reader *r = NULL;
	char wrong[128];

	if (fd >= 0)
		r = trace_reader__new(fd, wrong, sizeof(wrong));
	if (r)
		err = read_sections(p, path, r);
	if (err)
		snprintf(why, len, "cannot read %s: %s", path,
			 fd >= 0 && !r ? wrong : message(err));
	trace_reader__free(r);
	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- their order ---- */

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_capture(const void *a, const void *b)
{
	const struct trace_part *x = a, *y = b;
	int order = strcmp(x->host, y->host);

	order = order ? order : by_number(x->realtime, y->realtime);
	order = order ? order : by_number(x->monotonic, y->monotonic);
	order = order ? order : by_number(x->capture, y->capture);
	order = order ? order : by_number(x->number, y->number);
	return order ? order : by_number(x->first, y->first);
}

static int by_group(const void *a, const void *b)
{
	const struct trace_part *x = a, *y = b;
	int order = by_number(x->group, y->group);

	return order ? order : by_capture(a, b);
}

/* They are one trace, as in the reader. */
static bool follows(const struct trace_part *part,
		    const struct trace_part *before)
{
	return part->capture && part->capture == before->capture &&
	       part->number == before->number + before->parts &&
	       !part->missing && !before->health.cut;
}

void trace_parts__sort(struct trace_parts *p)
{
	struct trace_part *part = p->part;
	size_t i;

	if (!p->nr)
		return;
	qsort(part, p->nr, sizeof(*part), by_capture);
	for (i = 0; i < p->nr; i++)
		part[i].group = i && !strcmp(part[i].host, part[i - 1].host) ?
					part[i - 1].group :
					part[i].realtime;
	qsort(part, p->nr, sizeof(*part), by_group);
	for (i = 0; i < p->nr; i++)
		part[i].section =
			i && follows(&part[i], &part[i - 1]) ?
				part[i - 1].section :
				1 + part[i].missing +
					(i ? part[i - 1].section : 0);
}

static bool same_records(const struct trace_part *a, const struct trace_part *b)
{
	if (strcmp(a->host, b->host) || a->realtime != b->realtime ||
	    a->monotonic != b->monotonic || !a->records || !b->records)
		return false;
	return a->first == b->first ||
	       (a->last > NEARLY && b->first < a->last - NEARLY);
}

const struct trace_part *trace_parts__twice(struct trace_parts *p,
					    const struct trace_part **other)
{
	size_t i;

	if (p->nr)
		qsort(p->part, p->nr, sizeof(*p->part), by_capture);
	for (i = 1; i < p->nr; i++) {
		*other = &p->part[i];
		if (same_records(&p->part[i - 1], *other))
			return &p->part[i - 1];
	}
	return NULL;
}

/* ---- copying ---- */

static int copy_bytes(int fd, uint64_t from, uint64_t len, FILE *out)
{
	char bytes[65536];
	ssize_t n;

	for (; len; from += (uint64_t)n, len -= (uint64_t)n) {
		n = pread(fd, bytes, len < sizeof(bytes) ? len : sizeof(bytes),
			  (off_t)from);
		if (n < 0)
			return -errno;
		if (!n)
			return -ESTALE; /* it was longer before */
		fwrite(bytes, 1, (size_t)n, out);
	}
	return 0;
}

/* The header is what a section changes in a block. */
static int copy_block(int fd, uint64_t end, struct trace_block b,
		      unsigned int section, FILE *out)
{
	unsigned char header[TRACE_HEADER];

	b.section = (uint16_t)section;
	trace_block__put(header, &b);
	fwrite(header, 1, sizeof(header), out);
	return copy_bytes(fd, end - b.stored, b.stored, out);
}

/* What comes after the last block: the footer, if all is well. */
static int copy_rest(int fd, uint64_t at, uint64_t end, bool more, FILE *out)
{
	unsigned char bytes[TRACE_FOOTER];
	struct trace_footer footer;

	if (at > end)
		return -ESTALE;
	if (end - at >= TRACE_FOOTER &&
	    pread(fd, bytes, TRACE_FOOTER, (off_t)at) == TRACE_FOOTER &&
	    trace_footer__get(bytes, &footer)) {
		footer.more = more;
		trace_footer__put(bytes, &footer);
		fwrite(bytes, 1, TRACE_FOOTER, out);
		at += TRACE_FOOTER;
	}
	return copy_bytes(fd, at, end - at, out);
}

/* What is no block, between two of them, is damage, and stays what it is. */
static int copy_blocks(const struct trace_part *part, int fd,
		       struct trace_reader *r, uint64_t *at, FILE *out)
{
	const struct trace_block *b = trace_reader__block(r);
	int kind, err = 0;

	while (!err && (kind = trace_reader__next(r)) > 0) {
		uint64_t end = part->start + trace_reader__bytes(r);

		err = copy_bytes(fd, *at, end - b->stored - TRACE_HEADER - *at,
				 out);
		if (!err)
			err = copy_block(fd, end, *b, part->section, out);
		*at = end;
	}
	return err ? err : kind;
}

int trace_part__copy(const struct trace_part *part, bool more, FILE *out)
{
	int fd = open_file(part->path), err = fd < 0 ? fd : -ESTALE;
	struct trace_reader *r = NULL;
	uint64_t at = part->start;
	char why[128];

	if (fd >= 0 && lseek(fd, (off_t)part->start, SEEK_SET) >= 0)
		r = trace_reader__new(fd, why, sizeof(why));
	if (r)
		err = copy_blocks(part, fd, r, &at, out);
	if (!err)
		err = copy_rest(fd, at, part->start + part->bytes, more, out);
	trace_reader__free(r);
	if (fd >= 0)
		close(fd);
	return err;
}
