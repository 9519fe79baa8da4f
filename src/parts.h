/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file in parts: FILE, FILE.1, FILE.2 and so on. No part replaces a file, and none
 * is removed that is not one of these any more.
 */
#ifndef FPSTAT_PARTS_H
#define FPSTAT_PARTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One that is complete. */
struct part {
	unsigned int number;
	dev_t dev;
	ino_t ino;
	uint64_t bytes;
};

struct parts {
	const char *path; /* of the first; the caller fills in these two */
	uint64_t max; /* bytes of all of them; 0: no limit */

	unsigned int number; /* of the present one .. */
	char name[PATH_MAX]; /* .. and its path, after parts__open() */

	/* private */
	struct part *part; /* the oldest first */
	size_t nr;
	uint64_t bytes; /* of these */
};

/* Is there a part of an earlier run? Then its name is in .name. */
bool parts__exist(struct parts *p);
/*
 * Opens the present one for writing, readable by its owner only. The first may be
 * there already, and keeps what is in it. Returns the descriptor, or a negative
 * errno.
 */
int parts__open(struct parts *p);
/* The present one, in @fd, is complete; the next one becomes it. 0 or -ENOMEM. */
int parts__done(struct parts *p, int fd);
/* The present one will have @bytes: the oldest go, until all have at most .max. */
void parts__make_room(struct parts *p, uint64_t bytes);
void parts__free(struct parts *p);

#endif /* FPSTAT_PARTS_H */
