/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A streaming JSON writer: no tree, no allocation. @key is NULL inside an array
 * and at the top. Errors stay in the FILE: ask ferror() when all is written.
 */
#ifndef FPSTAT_JSON_H
#define FPSTAT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 16

struct json {
	FILE *out;
	unsigned int depth;
	bool comma[JSON_DEPTH];
	char close[JSON_DEPTH];
};

void json__init(struct json *j, FILE *out);
void json__object(struct json *j, const char *key);
void json__array(struct json *j, const char *key);
/* Closes what was opened last; the outermost one ends its line, too. */
void json__end(struct json *j);

void json__str(struct json *j, const char *key, const char *value);
void json__u64(struct json *j, const char *key, uint64_t value);
void json__i64(struct json *j, const char *key, int64_t value);
/* null if the host cannot show it (SNAP_NA) */
void json__count(struct json *j, const char *key, uint64_t value);
/* null if it is negative, infinite or not a number */
void json__double(struct json *j, const char *key, double value);
/* ns as microseconds, with all digits: a double does not have that many. */
void json__us(struct json *j, const char *key, uint64_t ns);
void json__bool(struct json *j, const char *key, bool value);
void json__null(struct json *j, const char *key);

#endif /* FPSTAT_JSON_H */
