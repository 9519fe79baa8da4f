/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command behind "--": it exists before the capture is attached, and is
 * executed after, so that its first instruction is counted and its fork not.
 */
#ifndef FPSTAT_CHILD_H
#define FPSTAT_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none, or reaped */
	int go; /* a byte here starts it .. */
	int gone; /* .. and is no SIGPIPE if it was killed before */
	int error; /* errno of exec comes from here */
};

/*
 * Forks; the child waits, and goes away if we do. It gets signal mask @mask.
 * Returns 0 or a negative errno.
 */
int child__fork(struct child *c, char **argv, const sigset_t *mask);
/*
 * Lets it execute. Returns 0, or a negative errno if it could not; then it is
 * reaped already.
 */
int child__start(struct child *c);
/* True if it has ended: @code is what a shell would say (128 + signal). */
bool child__ended(struct child *c, int *code);
void child__kill(struct child *c, int sig);
/* Ends it if it has not started, and forgets it. A zeroed @c is fine. */
void child__release(struct child *c);
/* Exit code for a command that could not be executed: 126 or 127. */
int child__exec_code(int err);

#endif /* FPSTAT_CHILD_H */
