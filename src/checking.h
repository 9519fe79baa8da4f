/* SPDX-License-Identifier: GPL-2.0-only */
/* The checker on a live capture, and what only a live host has: its log, names. */
#ifndef FPSTAT_CHECKING_H
#define FPSTAT_CHECKING_H

#include "session.h"
#include "view_check.h"

struct checking {
	const struct session *ses;
	struct check *check; /* the caller's, made when the capture is open */
	int klog; /* of klog__open() */
};

/*
 * All that came since the last call, facts before the records that are younger. @feed
 * gets each record, and hands it to check__feed(). 0 or a negative errno.
 */
int checking__drain(struct checking *c,
		    int (*feed)(void *ctx, const struct fp_rec *rec),
		    void *ctx);
/* Good for as long as @c and its session are. */
struct check_names checking__names(const struct checking *c);
void checking__close(struct checking *c);

#endif /* FPSTAT_CHECKING_H */
