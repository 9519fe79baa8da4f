// SPDX-License-Identifier: GPL-2.0-only
#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "util.h"

/*
 * The last symbol that begins at or before @address; lines are in no order. With
 * kptr_restrict all addresses are 0.
 */
static void find_symbol(FILE *f, uint64_t address, char *symbol, size_t len)
{
	uint64_t at, best = 0;
	char line[1024], *name;

	while (fgets(line, sizeof(line), f)) {
		at = strtoull(line, &name, 16);
		if (at <= best || at > address || strlen(name) < 4)
			continue;
		best = at;
		name += 3; /* " T " */
		name[strcspn(name, "\n")] = '\0';
		snprintf(symbol, len, "%s", name);
	}
}

void names__function(uint64_t address, char *name, size_t len)
{
	FILE *f = address ? fopen("/proc/kallsyms", "re") : NULL;
	char symbol[256] = "", *tab;

	if (f) {
		find_symbol(f, address, symbol, sizeof(symbol));
		fclose(f);
	}
	tab = strchr(symbol, '\t'); /* a module follows */
	if (tab)
		*tab = ' ';
	if (*symbol)
		utf8__clean(name, len, symbol, strlen(symbol));
	else if (address)
		snprintf(name, len, "0x%" PRIx64, address);
	else
		snprintf(name, len, "unknown");
}

void names__task(uint32_t tid, char *name, size_t len)
{
	char path[64], comm[64];
	long n;

	if (!tid) {
		snprintf(name, len, "idle");
		return;
	}
	snprintf(path, sizeof(path), "/proc/%u/comm", tid);
	n = fps_read_file(path, comm, sizeof(comm));
	if (n > 0)
		utf8__clean(name, len, comm, strcspn(comm, "\n"));
	else
		snprintf(name, len, "thread %u", tid);
}
