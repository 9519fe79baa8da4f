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

struct cost;

enum row_kind {
	ROW_ONE, /* what the columns are made for */
	ROW_VM, /* sum of the vcpus of one: vcpu_id is their number */
	ROW_SUM, /* of vcpus: identities are blank */
	ROW_OTHER, /* no vcpu: what only vcpus have is "-" */
};

struct row {
	const void *item;
	enum row_kind kind;
	uint64_t id; /* the same thing has the same in the next table */
	const void *head; /* item of the row that it lies below, or NULL */
	int style; /* enum style */
};

enum column_unit {
	UNIT_TEXT,
	UNIT_ID, /* a number that is a name */
	UNIT_COUNT, /* may be shown per second */
	UNIT_SHARE, /* hundredths of a percent */
	UNIT_LEVEL, /* a number that is no rate */
	UNIT_TIME, /* the same, in nanoseconds */
};

/* How counts are shown. */
enum measure_per { PER_SECOND, PER_EXIT, PER_ALL, PER_MAX };
enum measure_in { IN_OPS, IN_BYTES, IN_TIME, IN_MAX };

struct measure {
	enum measure_per per;
	enum measure_in in; /* of columns with bytes() */
	double dt; /* seconds that were counted; 0 is as PER_ALL */
	uint64_t (*exits)(const void *item); /* NULL: nobody has any */
	const struct cost *cost; /* for IN_TIME */
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
	/* all of these are given the item of a row */
	uint64_t (*number)(const void *item); /* or .. */
	const char *(*text)(const void *item);
	/* the order when sorted by it; NULL: the largest number first */
	int (*compare)(const void *a, const void *b);
	uint64_t (*bytes)(
		const void *item); /* of one transfer that it counts .. */
	bool load; /* .. which are loads */
	bool waste; /* the more of it, the worse */
};

#define COLUMN_CELL 80
#define COLUMN_MAX 24

/* Those of vcpus. */
extern const struct column columns[];
extern const size_t nr_columns;

const struct column *column__by_id(const char *id);
const struct column *column__by_key(int key);
/* Of any table; NULL if there is none. */
const struct column *column__find(const struct column *c, size_t nr,
				  const char *id);
const char *column__title(const struct column *c, bool rate);
/* @dt > 0: per second, over @dt seconds. @cell has COLUMN_CELL bytes. */
void column__cell(const struct column *c, const struct row *r, double dt,
		  char *cell);
/* The same in @width columns, as @m wants it. */
void column__fit(const struct column *c, const struct row *r,
		 const struct measure *m, int width, char *cell);
/* What is shown, as a number to compare with; NAN if it is none. */
double column__value(const struct column *c, const struct row *r,
		     const struct measure *m);
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
	const struct column *columns;
	size_t nr_columns;
	struct row *row;
	size_t nr;
	size_t room;
	bool has_pins;
	struct snap_vcpu pin[PIN_MAX];
	struct row pinned[PIN_MAX];
	void *items; /* that rows were made for */
};

/* row.id of a VM: no vcpu has it. The rest of it is vm_pid. */
#define TABLE_VM (1ull << 63)

/* @t starts zeroed and may be used again. */
void table__begin(struct table *t, const struct column *c, size_t nr);
/* 0 or -ENOMEM. */
int table__add(struct table *t, const struct row *r);
/* Room for @nr zeroed items of rows, until the next call; NULL: no memory. */
void *table__items(struct table *t, size_t nr, size_t size);
/* All vcpus, and what is charged to none; it points into @s. 0 or -ENOMEM. */
int table__build(struct table *t, const struct snapshot *s);
/* The same; @vms: with a row for each VM, @vcpus: those below them. */
int table__tree(struct table *t, const struct snapshot *s, bool vcpus);
/*
 * Equal rows stay in the order of the snapshot. @by NULL: that order. What lies below
 * a row stays there.
 */
void table__sort(struct table *t, const struct column *by, bool reverse);
/* Leaves those that @keep() wants, and the rows that these lie below. */
void table__filter(struct table *t,
		   bool (*keep)(const void *ctx, const struct row *r),
		   const void *ctx);
void table__free(struct table *t);

#endif /* FPSTAT_COLUMN_H */
