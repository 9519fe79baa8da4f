// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "exit.h"

static ssize_t read_all(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

static void __attribute__((noreturn))
in_child(int go, int error, char **argv, const sigset_t *mask)
{
	char byte;
	int err;

	/* No byte but an end: the parent has gone, or changed its mind. */
	if (read_all(go, &byte, 1) != 1)
		_exit(EXIT_CANNOT_EXEC);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	while (write(error, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	_exit(child__exec_code(err));
}

static void close_pair(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

int child__fork(struct child *c, char **argv, const sigset_t *mask)
{
	int go[2], error[2], err;

	memset(c, 0, sizeof(*c));
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		err = -errno;
		close_pair(go);
		return err;
	}
	c->pid = fork();
	if (c->pid < 0) {
		err = -errno;
		c->pid = 0;
		close_pair(go);
		close_pair(error);
		return err;
	}
	if (!c->pid) {
		close(go[1]);
		close(error[0]);
		in_child(go[0], error[1], argv, mask);
	}
	close(error[1]);
	c->go = go[1];
	c->gone = go[0];
	c->error = error[0];
	return 0;
}

static int reap(struct child *c, int flags, int *status)
{
	pid_t pid;

	do {
		pid = waitpid(c->pid, status, flags);
	} while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return -EAGAIN;
	c->pid = 0;
	return pid < 0 ? -errno : 0;
}

int child__start(struct child *c)
{
	int err = 0, status;
	ssize_t n;

	do {
		n = write(c->go, "", 1);
	} while (n < 0 && errno == EINTR);
	close(c->go);
	close(c->gone);
	c->go = -1;
	/* Ends without a word when exec has closed the other end. */
	n = read_all(c->error, &err, sizeof(err));
	close(c->error);
	c->error = -1;
	if (n != sizeof(err))
		return 0;
	reap(c, 0, &status);
	return -err;
}

bool child__ended(struct child *c, int *code)
{
	int status;

	if (!c->pid || reap(c, WNOHANG, &status))
		return false;
	if (WIFSIGNALED(status))
		*code = 128 + WTERMSIG(status);
	else
		*code = WEXITSTATUS(status);
	return true;
}

void child__kill(struct child *c, int sig)
{
	if (c->pid)
		kill(c->pid, sig);
}

void child__release(struct child *c)
{
	int status;

	if (!c->pid)
		return;
	if (c->go > 0) { /* still waits: an end of file ends it */
		close(c->go);
		close(c->gone);
		close(c->error);
		reap(c, 0, &status);
	}
	memset(c, 0, sizeof(*c));
}

int child__exec_code(int err)
{
	return err == ENOENT || err == ENOTDIR ? EXIT_NOT_FOUND :
						 EXIT_CANNOT_EXEC;
}
