// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop.h"

#define SOURCES 8

enum kind { SOURCE_TIMER, SOURCE_SIGNAL, SOURCE_FD };

struct source {
	enum kind kind;
	int fd;
	bool ours; /* to be closed */
	void *ctx;
	union {
		void (*timer)(void *ctx);
		void (*signal)(void *ctx, const struct signalfd_siginfo *si);
		void (*fd)(void *ctx, uint32_t events);
	} fn;
};

struct loop {
	int epoll;
	int nr;
	bool stop;
	sigset_t mask; /* as it was */
	struct source source[SOURCES];
};

static int add(struct loop *l, const struct source *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int err = 0;

	ev.data.u32 = (uint32_t)l->nr;
	if (s->fd < 0)
		return -errno;
	if (l->nr == SOURCES)
		err = -ENOSPC;
	else if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &ev))
		err = -errno;
	if (err) {
		if (s->ours)
			close(s->fd);
		return err;
	}
	l->source[l->nr] = *s;
	return l->nr++;
}

/* By nohup(1), for one. */
static bool ignored(int sig)
{
	struct sigaction sa;

	return !sigaction(sig, NULL, &sa) && sa.sa_handler == SIG_IGN;
}

struct loop *loop__new(const int *signals, sigset_t *mask,
		       void (*on_signal)(void *ctx,
					 const struct signalfd_siginfo *si),
		       void *ctx)
{
	struct source s = { .kind = SOURCE_SIGNAL, .ours = true, .ctx = ctx };
	struct loop *l = calloc(1, sizeof(*l));
	sigset_t set;
	int err;

	if (!l)
		return NULL;
	sigemptyset(&set);
	for (; *signals; signals++) {
		if (*signals != SIGHUP || !ignored(SIGHUP))
			sigaddset(&set, *signals);
	}
	if (ignored(SIGCHLD))
		signal(SIGCHLD, SIG_DFL); /* there would be no status */
	sigprocmask(SIG_BLOCK, &set, &l->mask);
	*mask = l->mask;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	s.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s.fn.signal = on_signal;
	err = l->epoll < 0 ? -errno : add(l, &s);
	if (err < 0) {
		loop__free(l);
		errno = -err;
		return NULL;
	}
	return l;
}

void loop__free(struct loop *l)
{
	int i;

	if (!l)
		return;
	for (i = 0; i < l->nr; i++) {
		if (l->source[i].ours)
			close(l->source[i].fd);
	}
	if (l->epoll >= 0)
		close(l->epoll);
	sigprocmask(SIG_SETMASK, &l->mask, NULL);
	free(l);
}

static int arm(int fd, double seconds)
{
	struct itimerspec ts = {};

	ts.it_interval.tv_sec = (time_t)seconds;
	ts.it_interval.tv_nsec =
		(long)((seconds - (double)ts.it_interval.tv_sec) * 1e9);
	ts.it_value = ts.it_interval;
	return timerfd_settime(fd, 0, &ts, NULL) ? -errno : 0;
}

int loop__every(struct loop *l, double seconds, void (*fn)(void *ctx),
		void *ctx)
{
	struct source s = { .kind = SOURCE_TIMER, .ours = true, .ctx = ctx };
	int err;

	s.fn.timer = fn;
	s.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	err = s.fd < 0 ? -errno : arm(s.fd, seconds);
	if (err < 0 && s.fd >= 0)
		close(s.fd);
	return err < 0 ? err : add(l, &s);
}

int loop__rearm(struct loop *l, int id, double seconds)
{
	return arm(l->source[id].fd, seconds);
}

int loop__watch(struct loop *l, int fd, void (*fn)(void *ctx, uint32_t events),
		void *ctx)
{
	struct source s = { .kind = SOURCE_FD, .fd = fd, .ctx = ctx };

	s.fn.fd = fn;
	return add(l, &s);
}

void loop__unwatch(struct loop *l, int id)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->source[id].fd, NULL);
}

static void dispatch(struct loop *l, const struct source *s, uint32_t events)
{
	struct signalfd_siginfo si;
	uint64_t expired;

	switch (s->kind) {
	case SOURCE_TIMER:
		if (read(s->fd, &expired, sizeof(expired)) == sizeof(expired))
			s->fn.timer(s->ctx);
		break;
	case SOURCE_SIGNAL:
		while (!l->stop && read(s->fd, &si, sizeof(si)) == sizeof(si))
			s->fn.signal(s->ctx, &si);
		break;
	case SOURCE_FD:
		s->fn.fd(s->ctx, events);
		break;
	}
}

int loop__run(struct loop *l)
{
	struct epoll_event ev[SOURCES];
	int n, i;

	l->stop = false;
	while (!l->stop) {
		n = epoll_wait(l->epoll, ev, SOURCES, -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n && !l->stop; i++)
			dispatch(l, &l->source[ev[i].data.u32], ev[i].events);
	}
	return 0;
}

void loop__stop(struct loop *l)
{
	l->stop = true;
}
