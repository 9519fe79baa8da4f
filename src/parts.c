// SPDX-License-Identifier: GPL-2.0-only
#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* False if it is too long. */
static bool path_of(const struct parts *p, unsigned int number,
		    char name[PATH_MAX])
{
	int n = number ? snprintf(name, PATH_MAX, "%s.%u", p->path, number) :
			 snprintf(name, PATH_MAX, "%s", p->path);

	return n < PATH_MAX;
}

/* @name is @base, a dot and digits. */
static bool is_part(const char *name, const char *base)
{
	size_t len = strlen(base);

	if (strncmp(name, base, len) || name[len] != '.')
		return false;
	name += len + 1;
	return *name && !name[strspn(name, "0123456789")];
}

bool parts__exist(struct parts *p)
{
	const char *slash = strrchr(p->path, '/');
	const char *base = slash ? slash + 1 : p->path;
	int len = (int)(base - p->path);
	struct dirent *e;
	DIR *dir;

	snprintf(p->name, sizeof(p->name), "%.*s.", len, p->path);
	dir = opendir(p->name);
	if (!dir)
		return false; /* what is wrong shows when it is written */
	do {
		e = readdir(dir);
	} while (e && !is_part(e->d_name, base));
	if (e)
		snprintf(p->name, sizeof(p->name), "%.*s%s", len, p->path,
			 e->d_name);
	closedir(dir);
	return e;
}

int parts__open(struct parts *p)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
	int fd;

	if (!path_of(p, p->number, p->name))
		return -ENAMETOOLONG;
	fd = open(p->name, p->number ? flags | O_EXCL : flags, 0600);
	return fd < 0 ? -errno : fd;
}

int parts__done(struct parts *p, int fd)
{
	struct part *part;
	struct stat st;

	if (p->max && !fstat(fd, &st)) {
		part = reallocarray(p->part, p->nr + 1, sizeof(*part));
		if (!part)
			return -ENOMEM;
		p->part = part;
		part[p->nr++] = (struct part){
			.number = p->number,
			.dev = st.st_dev,
			.ino = st.st_ino,
			.bytes = (uint64_t)st.st_size,
		};
		p->bytes += (uint64_t)st.st_size;
	}
	p->number++;
	return 0;
}

/* Unless somebody moved it, and another file has its name. */
static void remove_oldest(struct parts *p)
{
	char name[PATH_MAX];
	struct stat st;

	if (path_of(p, p->part->number, name) && !lstat(name, &st) &&
	    st.st_dev == p->part->dev && st.st_ino == p->part->ino)
		unlink(name);
	p->bytes -= p->part->bytes;
	memmove(p->part, p->part + 1, --p->nr * sizeof(*p->part));
}

void parts__make_room(struct parts *p, uint64_t bytes)
{
	while (p->max && p->nr && p->bytes + bytes > p->max)
		remove_oldest(p);
}

void parts__free(struct parts *p)
{
	free(p->part);
	p->part = NULL;
}
