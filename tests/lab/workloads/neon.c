// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "neon.h"
#include "util.h"

#define PARAMETERS	"/sys/module/fpneon/parameters/"

bool neon__open(const char *module)
{
	int fd;

	if (!access(PARAMETERS "counts", R_OK))
		return true;
	if (!module)
		return false;
	fd = open(module, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (syscall(SYS_finit_module, fd, "", 0))
		die(EXIT_ENV, "%s: %s", module, strerror(errno));
	close(fd);
	return true;
}

struct neon_counts neon__counts(void)
{
	struct neon_counts sum = { 0 }, one;
	char line[256];
	FILE *file = fopen(PARAMETERS "counts", "r");

	if (!file)
		return sum;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*u softirq %" SCNu64 " task %" SCNu64
			   " refused %" SCNu64 " preempts %" SCNu64,
			   &one.softirq, &one.task, &one.refused,
			   &one.preempts) != 4)
			die(EXIT_ENV, "fpneon: cannot read '%s'", line);
		sum.softirq += one.softirq;
		sum.task += one.task;
		sum.refused += one.refused;
		sum.preempts += one.preempts;
	}
	fclose(file);
	return sum;
}

struct neon_counts neon__since(struct neon_counts start)
{
	struct neon_counts now = neon__counts();

	now.softirq -= start.softirq;
	now.task -= start.task;
	now.refused -= start.refused;
	now.preempts -= start.preempts;
	return now;
}

void neon__fire(const char *kind, int cpu)
{
	char text[32];

	snprintf(text, sizeof(text), "%s %d", kind, cpu);
	if (!write_text(PARAMETERS "fire", text))
		die(EXIT_WRONG, "fpneon: fire %s: %s", text, strerror(errno));
}

void neon__strike(const char *where)
{
	if (!tune(PARAMETERS "strike", where))
		die(EXIT_ENV, "fpneon: strike %s: %s", where, strerror(errno));
}

void neon__rate(const char *context, unsigned int hz)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), PARAMETERS "%s_hz", context);
	snprintf(text, sizeof(text), "%u", hz);
	if (!tune(path, text))
		die(EXIT_ENV, "fpneon: %s: %s", path, strerror(errno));
}
