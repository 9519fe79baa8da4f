/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one event loop of a command: timers, signals and a terminal. Handlers
 * never block, and end the loop with loop__stop().
 */
#ifndef FPSTAT_LOOP_H
#define FPSTAT_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

struct loop;

/*
 * Blocks @signals (ends with 0) and hands them to @on_signal. NULL on failure,
 * with errno. @mask gets the signal mask as it was, for children.
 */
struct loop *loop__new(const int *signals, sigset_t *mask,
		       void (*on_signal)(void *ctx,
					 const struct signalfd_siginfo *si),
		       void *ctx);
/* Gives the signals back. NULL is fine. */
void loop__free(struct loop *l);

/* Calls @fn every @seconds; missed turns are not made up for. Returns an id
 * for loop__rearm(), or a negative errno. */
int loop__every(struct loop *l, double seconds, void (*fn)(void *ctx),
		void *ctx);
/* 0 seconds: never again. */
int loop__rearm(struct loop *l, int id, double seconds);
/* Calls @fn with EPOLL* bits while @fd is readable, or gone. Returns as above. */
int loop__watch(struct loop *l, int fd, void (*fn)(void *ctx, uint32_t events),
		void *ctx);

/* No more of what loop__watch() gave this id. */
void loop__unwatch(struct loop *l, int id);

/* Until loop__stop() is called. May run again. 0 or a negative errno. */
int loop__run(struct loop *l);
void loop__stop(struct loop *l);

#endif /* FPSTAT_LOOP_H */
