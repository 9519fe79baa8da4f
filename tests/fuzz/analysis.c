// SPDX-License-Identifier: GPL-2.0-only
/*
 * For libFuzzer: whatever a trace says has happened, those who make sense of it
 * must not fall over.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/types.h>

#include "conserve.h"
#include "record.h"
#include "recount.h"
#include "report.h"
#include "snapshot.h"
#include "view.h"
#include "whatif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

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
				       .cpus = FUZZ_CPUS };
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
	struct whatif *w = whatif__new(FUZZ_CPUS, (struct blame_namer){});
	struct recount *r = recount__new(FUZZ_CPUS);
	struct report *report = report__new(FUZZ_CPUS);
	uint64_t ns = 1000000000;
	struct fp_rec rec;
	uint32_t step;
	size_t i;

	for (i = 0; w && r && report && i + FUZZ_RECORD <= len;
	     i += FUZZ_RECORD) {
		ns += data[i + 6];
		rec = fuzz_record(data + i, ns);
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
