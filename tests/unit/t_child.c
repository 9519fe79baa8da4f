// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "child.h"

static sigset_t mask;

static int status_of(const char *script)
{
	char *argv[] = { "sh", "-c", (char *)script, NULL };
	struct child c;
	int code = -1;

	assert_int_equal(child__fork(&c, argv, &mask), 0);
	assert_false(child__ended(&c, &code));
	assert_int_equal(child__start(&c), 0);
	while (!child__ended(&c, &code))
		usleep(1000);
	assert_int_equal(c.pid, 0);
	assert_false(child__ended(&c, &code));
	child__release(&c);
	return code;
}

static void passes_the_status_on(void **state)
{
	(void)state;
	assert_int_equal(status_of("exit 0"), 0);
	assert_int_equal(status_of("exit 7"), 7);
	assert_int_equal(status_of("exit 255"), 255);
	assert_int_equal(status_of("kill -TERM $$"), 128 + SIGTERM);
	assert_int_equal(status_of("kill -KILL $$"), 128 + SIGKILL);
	assert_int_equal(status_of("/nonexistent/x 2>/dev/null"), 127);
}

static void says_why_exec_failed(void **state)
{
	static const struct {
		char *path;
		int err, code;
	} bad[] = {
		{ "/nonexistent/x", -ENOENT, 127 },
		{ "no-such-command-here", -ENOENT, 127 },
		{ "/etc/passwd/x", -ENOTDIR, 127 },
		{ "/etc/passwd", -EACCES, 126 },
		{ "/", -EACCES, 126 },
	};
	struct child c;
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *argv[] = { bad[i].path, NULL };

		assert_int_equal(child__fork(&c, argv, &mask), 0);
		err = child__start(&c);
		assert_int_equal(err, bad[i].err);
		assert_int_equal(child__exec_code(-err), bad[i].code);
		assert_int_equal(c.pid, 0);
		child__release(&c);
	}
}

static void does_nothing_before_the_start(void **state)
{
	char path[] = "/tmp/fpstat-child-XXXXXX";
	char *argv[] = { "rm", path, NULL };
	struct child c;
	int fd = mkstemp(path), code;

	(void)state;
	close(fd);
	assert_int_equal(child__fork(&c, argv, &mask), 0);
	usleep(100000);
	assert_int_equal(access(path, F_OK), 0);
	child__release(&c); /* changed our mind: it goes, and did nothing */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(access(path, F_OK), 0);

	assert_int_equal(child__fork(&c, argv, &mask), 0);
	assert_int_equal(child__start(&c), 0);
	while (!child__ended(&c, &code))
		usleep(1000);
	assert_int_equal(access(path, F_OK), -1);
}

static void gets_no_descriptor_of_ours(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	/* its own ls has one for the directory */
	assert_int_equal(status_of("exec 2>/dev/null; ! ls /proc/self/fd/ | "
				   "grep -qvxE '[0123]'"), 0);
	close(fd);
}

static void gets_the_signals_back(void **state)
{
	sigset_t block;

	(void)state;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, NULL);
	assert_int_equal(status_of("kill -TERM $$; exit 1"), 128 + SIGTERM);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void killed_while_it_waits(void **state)
{
	char *argv[] = { "true", NULL };
	struct child c;
	int code;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(child__fork(&c, argv, &mask), 0);
	child__kill(&c, SIGKILL);
	usleep(50000);
	assert_int_equal(child__start(&c), 0);
	while (!child__ended(&c, &code))
		usleep(1000);
	assert_int_equal(code, 128 + SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_the_status_on),
		cmocka_unit_test(says_why_exec_failed),
		cmocka_unit_test(does_nothing_before_the_start),
		cmocka_unit_test(gets_no_descriptor_of_ours),
		cmocka_unit_test(gets_the_signals_back),
		cmocka_unit_test(killed_while_it_waits),
	};

	sigprocmask(SIG_SETMASK, NULL, &mask);
	close_range(3, ~0U, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
