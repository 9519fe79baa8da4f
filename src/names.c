// SPDX-License-Identifier: GPL-2.0-only
#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "util.h"

#define FUNCTIONS_MAX 16

/* The last symbol that begins at or before an address. */
struct symbol {
	uint64_t address;
	uint64_t begin;
	char name[256];
};

/* Lines are in no order. With kptr_restrict all addresses are 0. */
static void take_line(char *line, struct symbol *s, size_t nr)
{
	char *name;
	uint64_t at = strtoull(line, &name, 16);
	size_t i;

	if (strlen(name) < 4)
		return;
	name += 3; /* " T " */
	name[strcspn(name, "\n")] = '\0';
	for (i = 0; i < nr; i++) {
		if (at <= s[i].begin || at > s[i].address)
			continue;
		s[i].begin = at;
		snprintf(s[i].name, sizeof(s[i].name), "%s", name);
	}
}

static void find_symbols(struct symbol *s, size_t nr)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[1024];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		take_line(line, s, nr);
	fclose(f);
}

static void print_symbol(struct symbol *s, char *name, size_t len)
{
	char *tab = strchr(s->name, '\t'); /* a module follows */

	if (tab)
		*tab = ' ';
	if (*s->name)
		utf8__clean(name, len, s->name, strlen(s->name));
	else if (s->address)
		snprintf(name, len, "0x%" PRIx64, s->address);
	else
		snprintf(name, len, "unknown");
}

void names__functions(const uint64_t *address, size_t nr,
		      char (*name)[NAMES_LEN])
{
	struct symbol s[FUNCTIONS_MAX] = {};
	size_t i;

	nr = nr < FUNCTIONS_MAX ? nr : FUNCTIONS_MAX;
	for (i = 0; i < nr; i++)
		s[i].address = address[i];
	if (nr)
		find_symbols(s, nr);
	for (i = 0; i < nr; i++)
		print_symbol(&s[i], name[i], NAMES_LEN);
}

void names__function(uint64_t address, char *name, size_t len)
{
	struct symbol s = { .address = address };

	if (address)
		find_symbols(&s, 1);
	print_symbol(&s, name, len);
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
