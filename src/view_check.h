/* SPDX-License-Identifier: GPL-2.0-only */
/* What fpstat check prints: each violation as it comes, then a verdict. */
#ifndef FPSTAT_VIEW_CHECK_H
#define FPSTAT_VIEW_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "check.h"
#include "names.h"
#include "rules.h"
#include "snapshot.h"

enum check_format { CHECK_TEXT, CHECK_JSON, CHECK_TAP, CHECK_JUNIT };

/* Of one rule in the end. */
struct check_row {
	uint64_t asked;
	uint64_t broken;
	const char *cannot; /* why it was not asked, or only in part; or NULL */
	char *evidence; /* text of its first violation, or NULL; owned */
};

struct check_verdict {
	struct check_row row[FP_RULES];
	uint32_t required; /* bit per rule: without them asked it is no pass */
	uint64_t records; /* of the stream */
	uint64_t lost; /* of them */
	uint64_t dropped; /* probe hits */
	const char *trace; /* what was written of the violation, or NULL */
	double t; /* seconds */
};

/* What a violation does not know of itself. */
struct check_names {
	const struct snapshot *s; /* whose vcpus have which slot, or NULL */
	double (*time)(void *ctx, uint64_t ns); /* seconds, of a record */
	/* Names of functions, as in names.h; NULL: addresses are all there is. */
	void (*functions)(const uint64_t *address, size_t nr,
			  char (*name)[NAMES_LEN]);
	void *ctx;
};

void view_check__violation(FILE *out, enum check_format format,
			   const struct violation *v,
			   const struct check_names *names);
void view_check__verdict(FILE *out, enum check_format format,
			 const struct check_verdict *v);
/* All rules, or all that there is to know of one. */
void view_check__list(FILE *out);
void view_check__explain(FILE *out, enum fp_rule rule);

bool check_verdict__broken(const struct check_verdict *v);
/* It is no pass: a required rule was not asked, or something was lost. */
bool check_verdict__void(const struct check_verdict *v);

#endif /* FPSTAT_VIEW_CHECK_H */
