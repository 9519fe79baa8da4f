/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What people call a guest: its QEMU -name, else its libvirt scope, else the
 * name of the VMM process. All three are chosen by others, so a name is
 * cleaned here, once, and may be printed anywhere after that.
 */
#ifndef FPSTAT_VMNAME_H
#define FPSTAT_VMNAME_H

#include <stddef.h>
#include <stdint.h>

#define VMNAME_LEN 64

struct vmname;

/* @proc is "/proc", or a directory like it. NULL if out of memory. */
struct vmname *vmname__new(const char *proc);
/* NULL is fine. */
void vmname__free(struct vmname *n);

/*
 * The name of the guest whose VMM is process @vm_pid, into @name (VMNAME_LEN
 * bytes are enough); never empty. @comm (FP_COMM_LEN bytes, perhaps not
 * terminated) is what to fall back to. It is looked up once in the life of a
 * process, and still known when the process has gone.
 */
void vmname__get(struct vmname *n, uint32_t vm_pid, const char *comm,
		 char *name, size_t len);

/* The parts, for those who have the text already; return 0 or -ENOENT. */
int vmname__from_cmdline(const char *cmdline, size_t n, char *name, size_t len);
int vmname__from_cgroup(const char *cgroup, char *name, size_t len);

#endif /* FPSTAT_VMNAME_H */
