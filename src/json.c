// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "json.h"
#include "snapshot.h"
#include "utf8.h"

void json__init(struct json *j, FILE *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

static void quote(struct json *j, const char *s)
{
	size_t n = strlen(s), step;
	int32_t cp;

	fputc('"', j->out);
	for (; n; s += step, n -= step) {
		cp = utf8__next(s, n, &step);
		if (cp < 0)
			fputs("\\ufffd", j->out);
		else if (cp == '"' || cp == '\\')
			fprintf(j->out, "\\%c", (char)cp);
		else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			fprintf(j->out, "\\u%04x", (unsigned int)cp);
		else
			fwrite(s, 1, step, j->out);
	}
	fputc('"', j->out);
}

static void key_and_colon(struct json *j, const char *key)
{
	if (j->comma[j->depth])
		fputc(',', j->out);
	j->comma[j->depth] = j->depth > 0;
	if (!key)
		return;
	quote(j, key);
	fputc(':', j->out);
}

static void begin(struct json *j, const char *key, char open, char close)
{
	key_and_colon(j, key);
	fputc(open, j->out);
	j->depth++;
	j->comma[j->depth] = false;
	j->close[j->depth] = close;
}

void json__object(struct json *j, const char *key)
{
	begin(j, key, '{', '}');
}

void json__array(struct json *j, const char *key)
{
	begin(j, key, '[', ']');
}

void json__end(struct json *j)
{
	fputc(j->close[j->depth], j->out);
	j->depth--;
	if (!j->depth)
		fputc('\n', j->out);
}

void json__str(struct json *j, const char *key, const char *value)
{
	if (!value) {
		json__null(j, key);
		return;
	}
	key_and_colon(j, key);
	quote(j, value);
}

void json__u64(struct json *j, const char *key, uint64_t value)
{
	key_and_colon(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json__i64(struct json *j, const char *key, int64_t value)
{
	key_and_colon(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void json__count(struct json *j, const char *key, uint64_t value)
{
	if (value == SNAP_NA)
		json__null(j, key);
	else
		json__u64(j, key, value);
}

void json__double(struct json *j, const char *key, double value)
{
	if (!isfinite(value) || value < 0) {
		json__null(j, key);
		return;
	}
	key_and_colon(j, key);
	fprintf(j->out, "%.6f", value);
}

void json__us(struct json *j, const char *key, uint64_t ns)
{
	key_and_colon(j, key);
	fprintf(j->out, "%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
}

void json__bool(struct json *j, const char *key, bool value)
{
	key_and_colon(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json__null(struct json *j, const char *key)
{
	key_and_colon(j, key);
	fputs("null", j->out);
}
