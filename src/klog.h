/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's log says of FP state from now on: WARN and BUG. */
#ifndef FPSTAT_KLOG_H
#define FPSTAT_KLOG_H

/* A file descriptor, or a negative errno. */
int klog__open(void);
/* Each new line that complains goes to @fn, without what is before the text. */
void klog__read(int fd, void (*fn)(void *ctx, const char *line), void *ctx);

#endif /* FPSTAT_KLOG_H */
