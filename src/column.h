/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The columns of every table, on paper and on the screen: one row of a table
 * each. And the rows that fill them.
 */
#ifndef FPSTAT_COLUMN_H
#define FPSTAT_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot.h"

enum row_kind {
	ROW_VCPU,
	ROW_SUM, /* of vcpus: identities are blank */
	ROW_OTHER, /* no vcpu: what only vcpus have is "-" */
};

struct row {
	const struct snap_vcpu *v;
	enum row_kind kind;
};

enum column_unit {
	UNIT_TEXT,
	UNIT_ID, /* a number that is a name */
	UNIT_COUNT, /* may be shown per second */
	UNIT_SHARE, /* hundredths of a percent */
};

struct column {
	const char *id; /* as in --sort ID */
	const char *title;
	const char *rate_title; /* when shown per second */
	char key; /* sorts by it on the screen */
	int width; /* at least, on paper */
	int narrow; /* at least, on the screen */
	int drop; /* the highest goes first when the screen is too small */
	bool left;
	bool others; /* what belongs to no vcpu has it, too */
	enum column_unit unit;
	const char *json; /* the same number in a vcpu record, if there */
	const char *help;
	uint64_t (*number)(const struct snap_vcpu *v); /* or .. */
	const char *(*text)(const struct snap_vcpu *v);
	/* the order when sorted by it; NULL: the largest number first */
	int (*compare)(const struct snap_vcpu *a, const struct snap_vcpu *b);
};

#define COLUMN_CELL 80
#define COLUMN_MAX 24

extern const struct column columns[];
extern const size_t nr_columns;

const struct column *column__by_id(const char *id);
const struct column *column__by_key(int key);
const char *column__title(const struct column *c, bool rate);
/* @dt > 0: per second, over @dt seconds. @cell has COLUMN_CELL bytes. */
void column__cell(const struct column *c, const struct row *r, double dt,
		  char *cell);
/* The same in @width columns. */
void column__fit(const struct column *c, const struct row *r, double dt,
		 int width, char *cell);
/* "n/a", a count, or (@dt > 0) a rate with as many digits as make sense. */
void column__number(uint64_t n, double dt, char *cell);

/* The same in @width columns: 12345678 becomes 12.3M, never 123456. */
void column__short(uint64_t n, double dt, int width, char *cell);
/* "n/a", or whole percents; 0% is none, and 100% all. */
void column__share(uint64_t share, char *cell);

/* Sums below the vcpus. */
enum table_pin {
	PIN_ENDED, /* vcpus that were folded */
	PIN_TASK,
	PIN_KERNEL,
	PIN_EFI,
	PIN_OTHER, /* the last three in one */
	PIN_TOTAL,
	PIN_MAX
};

struct table {
	struct row *row;
	size_t nr;
	size_t room;
	struct snap_vcpu pin[PIN_MAX];
	struct row pinned[PIN_MAX];
};

/* @t starts zeroed and may be used again; it points into @s. 0 or -ENOMEM. */
int table__build(struct table *t, const struct snapshot *s);
/* Equal rows stay in the order of the snapshot. @by NULL: that order. */
void table__sort(struct table *t, const struct column *by, bool reverse);
void table__free(struct table *t);

#endif /* FPSTAT_COLUMN_H */
