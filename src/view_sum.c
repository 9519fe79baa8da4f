// SPDX-License-Identifier: GPL-2.0-only
#include "view_sum.h"

#include "column.h"
#include "fleet.h"
#include "json.h"
#include "snapshot.h"
#include "utf8.h"
#include "util.h"

#include <string.h>

static void put(FILE *out, uint64_t n)
{
	char cell[COLUMN_CELL];

	column__number(n, 0, cell);
	fprintf(out, " %9s", cell);
}

void view_sum__titles(FILE *out)
{
	static const char *const titles[] = { "RUN",	"EXIT",	  "LIVE",
					      "G-SAVE", "G-LOAD", "H-SAVE",
					      "H-LOAD" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(titles); i++)
		fprintf(out, " %9s", titles[i]);
	fputc('\n', out);
}

void view_sum__print(FILE *out, const struct snap_vcpu *sum)
{
	put(out, sum->runs);
	put(out, sum->exits);
	put(out, sum->guest_runs_live);
	put(out, sum->guest.save.done);
	put(out, sum->guest.load.done);
	put(out, sum->host.save.done);
	put(out, sum->host.load.done);
	fputc('\n', out);
}

static void json_ops(struct json *j, const char *key, const struct snap_ops *o)
{
	json__object(j, key);
	json__count(j, "save", o->save.done);
	json__count(j, "load", o->load.done);
	json__end(j);
}

void view_sum__json(struct json *j, const struct snap_vcpu *sum)
{
	json__count(j, "runs", sum->runs);
	json__count(j, "exits", sum->exits);
	json__count(j, "guest_runs_live", sum->guest_runs_live);
	json_ops(j, "guest", &sum->guest);
	json_ops(j, "host", &sum->host);
}

/* ---- a fleet ---- */

static void print_host(FILE *out, const struct fleet_host *h)
{
	char name[sizeof(h->name)];

	utf8__clean(name, sizeof(name), h->name, strlen(h->name));
	fprintf(out, "%-23.23s %5zu", name, h->vcpus);
	view_sum__print(out, &h->sum);
}

void view_fleet__print(FILE *out, const struct fleet *f)
{
	struct fleet_host total = fleet__total(f);
	size_t i;

	fprintf(out, "==> all: %zu hosts, %zu sections <==\n", f->nr,
		total.sections);
	fprintf(out, "%-23s %5s", "HOST", "VCPUS");
	view_sum__titles(out);
	for (i = 0; i < f->nr; i++)
		print_host(out, &f->host[i]);
	print_host(out, &total);
	fflush(out);
}

static void json_host(struct json *j, const struct fleet_host *h)
{
	json__u64(j, "sections", h->sections);
	json__u64(j, "vcpus", h->vcpus);
	view_sum__json(j, &h->sum);
	json__end(j);
}

void view_fleet__json(FILE *out, const struct fleet *f)
{
	struct fleet_host total = fleet__total(f);
	struct json j;
	size_t i;

	json__init(&j, out);
	for (i = 0; i < f->nr; i++) {
		json__object(&j, NULL);
		json__str(&j, "type", "fleet-host");
		json__str(&j, "name", f->host[i].name);
		json_host(&j, &f->host[i]);
	}
	json__object(&j, NULL);
	json__str(&j, "type", "fleet");
	json__u64(&j, "hosts", f->nr);
	json_host(&j, &total);
	fflush(out);
}
