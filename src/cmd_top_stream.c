// SPDX-License-Identifier: GPL-2.0-only
/* fpstat top: the stream behind a live screen, and traces that are recorded there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd_top.h"
#include "culprit.h"
#include "flow.h"
#include "human.h"
#include "recorder.h"
#include "trace_meta.h"
#include "util.h"

#define KEEP_NS 30000000000ull /* of the past, when a recording starts */
#define KEEP_BYTES (64ull << 20) /* of memory, at most */
#define COUNTERS_EVERY 2.0 /* seconds */

static int fail(struct top_stream *s, const char *what, int err)
{
	snprintf(s->why, sizeof(s->why), "%s: %s", what, strerror(-err));
	return err;
}

static struct flow *new_flow(const struct top_stream *s)
{
	struct blame_namer namer = { .name = culprit__name };

	return flow__new(s->ses.now.cpus, namer, (uint64_t)(fps_clock() * 1e9));
}

static int open_all(struct top_stream *s)
{
	struct capture_opts opts = { .stream = true, .budget = s->budget };

	if (session__open(&s->ses, &opts) || session__begin(&s->ses, false)) {
		snprintf(s->why, sizeof(s->why), "%.250s", s->ses.why);
		return -EIO;
	}
	s->began = s->counted = fps_clock();
	s->flow = new_flow(s);
	s->recorder = recorder__new(-1);
	if (!s->flow || !s->recorder)
		return fail(s, "no stream", -ENOMEM);
	return recorder__keep(s->recorder, KEEP_NS, KEEP_BYTES);
}

static void close_all(struct top_stream *s)
{
	struct top_stream empty = { .cost = s->cost, .budget = s->budget };

	flow__free(s->flow);
	recorder__free(s->recorder);
	session__close(&s->ses);
	*s = empty;
}

void top_stream__want(struct top_stream *s, bool wanted)
{
	char why[sizeof(s->why)];

	if (s->open && !wanted && !s->recording)
		close_all(s);
	if (s->open || !wanted || *s->why)
		return;
	if (open_all(s)) {
		strcpy(why, s->why);
		close_all(s);
		strcpy(s->why, why); /* it is not tried again */
		return;
	}
	s->open = true;
}

void top_stream__zero(struct top_stream *s)
{
	struct flow *anew = s->open ? new_flow(s) : NULL;

	if (!anew)
		return;
	flow__free(s->flow);
	s->flow = anew;
}

/* ---- records ---- */

static int feed(void *stream, const struct fp_rec *rec)
{
	struct top_stream *s = stream;
	int err = flow__feed(s->flow, rec);

	return err ? err : recorder__feed(s->recorder, rec);
}

/* The counters before and after the last records were read. */
static int count(struct top_stream *s)
{
	int err, code = session__record(&s->ses, s->recorder, false, 1, feed, s,
					&err);

	s->counted = fps_clock();
	return err ? err : code ? -EIO : 0;
}

/* Rates are of the time in which events were followed. */
static void skip_pause(struct top_stream *s)
{
	uint64_t from, to;

	if (capture__pause(s->ses.cap, &from, &to))
		flow__skip(s->flow, from, to);
}

int top_stream__tick(struct top_stream *s)
{
	int err;

	if (!s->open)
		return 0;
	session__tick(&s->ses);
	skip_pause(s);
	err = capture__drain(s->ses.cap, feed, s);
	if (!err && (recorder__has_strangers(s->recorder) ||
		     fps_clock() - s->counted >= COUNTERS_EVERY))
		err = count(s);
	return err;
}

/* ---- a recording ---- */

static void name_file(struct top_stream *s)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm) ||
	    !strftime(s->file, sizeof(s->file), "fpstat-%Y%m%d-%H%M%S.fpt",
		      &tm))
		strcpy(s->file, "fpstat.fpt");
}

static int write_file(struct top_stream *s, int fd)
{
	struct trace_meta m = {
		.capture = s->ses.cap,
		.host = &s->ses.now,
		.cost = s->cost,
		.begin = (uint64_t)(s->began * 1e9),
	};
	int err = count(s);

	if (!err)
		err = recorder__dump(s->recorder, fd, m);
	return close(fd) && !err ? -errno : err;
}

static void stop(struct top_stream *s, char *says, size_t len)
{
	int fd = open(s->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err = fd < 0 ? -errno : write_file(s, fd);

	s->recording = false;
	recorder__hold(s->recorder, KEEP_NS);
	if (err)
		snprintf(says, len, "cannot write %s: %s", s->file,
			 strerror(-err));
	else
		snprintf(says, len, "recorded: fpstat top -r %s", s->file);
}

void top_stream__record(struct top_stream *s, char *says, size_t len)
{
	if (s->recording) {
		stop(s, says, len);
		return;
	}
	top_stream__want(s, true);
	if (!s->open) {
		snprintf(says, len, "cannot record: %.100s", s->why);
		return;
	}
	name_file(s);
	recorder__hold(s->recorder, UINT64_MAX);
	s->recording = true;
	snprintf(says, len, "recording %s, with up to %llu s of the past",
		 s->file, KEEP_NS / 1000000000);
}

void top_stream__close(struct top_stream *s, char *says, size_t len)
{
	if (s->recording)
		stop(s, says, len);
	close_all(s);
}
