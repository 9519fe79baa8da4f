// SPDX-License-Identifier: GPL-2.0-only
#include "klog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

int klog__open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)lseek(fd, 0, SEEK_END);
	return fd;
}

/* "WARNING: .. at arch/arm64/kernel/fpsimd.c:446", "kernel BUG at ..". */
static bool complains(const char *line)
{
	return strstr(line, "fpsimd.c:") &&
	       (strstr(line, "WARNING:") || strstr(line, "BUG at"));
}

void klog__read(int fd, void (*fn)(void *ctx, const char *line), void *ctx)
{
	char record[2048], *text;
	ssize_t n;

	/* A read is one record; EPIPE: some were overwritten before we came. */
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && (errno == EPIPE || errno == EINTR))) {
		if (n < 0)
			continue;
		record[n] = '\0';
		text = strchr(record, ';');
		text = text ? text + 1 : record;
		text[strcspn(text, "\n")] = '\0';
		if (complains(text))
			fn(ctx, text);
	}
}
