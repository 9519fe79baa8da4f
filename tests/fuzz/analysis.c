// SPDX-License-Identifier: GPL-2.0-only
/*
 * For libFuzzer: whatever a trace says has happened, those who make sense of it
 * must not fall over. Eight bytes are a record, with contexts, CPUs and vcpus that
 * are few, so that they meet.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/types.h>

#include "conserve.h"
#include "fpstat/charge.h"
#include "recount.h"
#include "report.h"
#include "snapshot.h"
#include "view.h"
#include "whatif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { CPUS = 3, SLOTS = 4, RECORD = 8 };

/* One more than there are of each: that is none, or none that can be. */
static struct fp_rec record(const uint8_t *d, uint64_t ns)
{
	uint32_t slot = d[2] % (SLOTS + 1);

	return (struct fp_rec){
		.ns = ns + d[7] % 16 * 100000000ull,
		.ev = {
			.buf = (d[3] % 8) * 0x1000ull,
			.gen = d[4] % 4,
			.kind = d[0] % FP_EV_MAX,
			.foreign = d[4] >> 2 & 1,
			.in_run = d[4] >> 3 & 1,
			.arg = d[4] >> 4 & 3,
		},
		.other = (d[5] % 8) * 0x1000ull,
		.letter = d[5] & 0x80 ? (d[5] % 8) * 0x1000ull + d[5] / 32 % 4 : 0,
		.slot = slot == SLOTS ? FP_NO_SLOT : slot,
		.cpu = d[1] % (CPUS + 1),
		.exits = d[6] % 8,
		.live = d[6] / 8 % 8,
		.flags = d[7] / 16,
	};
}

static void print(const struct whatif *w, const struct snapshot *s)
{
	static FILE *null;
	const struct cost cost = { .why = "fuzz" };
	const struct view v = { .s = s,
				.whatif = w,
				.policies = ~0u,
				.cost = &cost,
				.foreign_bit = -1 };

	if (!null)
		null = fopen("/dev/null", "we");
	if (!null)
		abort();
	view_json__print(null, &v);
	view_whatif__print(null, &v, true);
	view_text__print(null, &v);
}

static void look(const struct recount *r, const struct whatif *w)
{
	const struct snapshot host = { .mode = "vhe",
				       .backend = "bpf",
				       .cpus = CPUS };
	struct snapshot s, again;
	char why[512];

	if (recount__alone(r, &host, &s))
		return;
	(void)conserve__check(&s, why, sizeof(why));
	print(w, &s);
	(void)recount__agrees(whatif__recount(w), &s, &s, why, sizeof(why));
	(void)whatif__proves(w, &s, &s, why, sizeof(why));
	if (!recount__again(r, &s, &again))
		snapshot__free(&again);
	snapshot__free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct whatif *w =
		whatif__new(CPUS, (struct blame_namer){});
	struct recount *r = recount__new(CPUS);
	struct report *report = report__new(CPUS);
	uint64_t ns = 1000000000;
	struct fp_rec rec;
	uint32_t step;
	size_t i;

	for (i = 0; w && r && report && i + RECORD <= len; i += RECORD) {
		ns += data[i + 6];
		rec = record(data + i, ns);
		step = recount__step(r, &rec);
		report__feed(report, &rec, step, i % 3);
		if (whatif__feed(w, &rec))
			break;
	}
	if (w && r)
		look(r, w);
	whatif__free(w);
	recount__free(r);
	report__free(report);
	return 0;
}
