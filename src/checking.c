// SPDX-License-Identifier: GPL-2.0-only
#include "checking.h"

#include <unistd.h>

#include "klog.h"
#include "names.h"
#include "util.h"

static void on_fact(void *ctx, const struct fp_fact *fact)
{
	check__fact(((struct checking *)ctx)->check, fact);
}

static void on_log(void *ctx, const char *line)
{
	check__log(((struct checking *)ctx)->check, line);
}

int checking__drain(struct checking *c,
		    int (*feed)(void *ctx, const struct fp_rec *rec), void *ctx)
{
	struct capture *cap = c->ses->cap;
	int err;

	if (c->klog >= 0)
		klog__read(c->klog, on_log, c);
	err = capture__facts(cap, on_fact, c);
	if (!err)
		err = capture__drain(cap, feed, ctx);
	if (err)
		return err;
	check__settle(c->check);
	capture__set_eager(cap, check__eager(c->check));
	return 0;
}

static double live_time(void *ctx, uint64_t ns)
{
	const struct session *ses = ctx;

	return (double)ns / 1e9 - (fps_clock() - ses->now.t);
}

struct check_names checking__names(const struct checking *c)
{
	return (struct check_names){
		.s = &c->ses->now,
		.time = live_time,
		.functions = names__functions,
		.ctx = (void *)c->ses,
	};
}

void checking__close(struct checking *c)
{
	check__free(c->check);
	if (c->klog >= 0)
		close(c->klog);
}
