// SPDX-License-Identifier: GPL-2.0-only
#include "calibrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "probe.skel.h"

#define ENOUGH 4 /* times that the bit must have changed both ways */
#define ROUNDS 40

/* An instruction of SVE traps: neither fork nor exec leaves TIF_SVE. */
static void use_sve(void)
{
#ifdef __aarch64__
	asm volatile(".inst 0x04bf5020" ::: "x0"); /* rdvl x0, #1 */
#endif
}

/* fork flushes the child's state, exec the new program's; both restore. */
static int fork_and_exec(bool sve)
{
	pid_t pid = fork();
	int null, status;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		if (sve)
			use_sve();
		execl("/proc/self/exe", "fpstat", "--version", (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static bool one_bit(uint64_t mask)
{
	return mask && !(mask & (mask - 1));
}

/*
 * Where the bit was set already, another one that changed at that moment, as
 * TIF_NEED_RESCHED does, leaves no bit that changed each time.
 */
static void begin_again(struct probe_bpf *probe)
{
	probe->data->flush_and = ~0ULL;
	probe->data->restore_and = ~0ULL;
	probe->bss->flushes = 0;
	probe->bss->restores = 0;
}

/* Up to 5.12 the trap flushes the state, too. */
static bool found_sve(const struct probe_bpf *probe, struct calibration *cal)
{
	uint64_t mask = probe->data->trap_and & ~cal->foreign_mask;

	cal->sve_mask = one_bit(mask) ? mask : 0;
	return cal->sve_mask && probe->bss->traps >= ENOUGH;
}

static int observe(struct probe_bpf *probe, bool sve, struct calibration *cal)
{
	bool found = false;
	int i, err;

	for (i = 0; i < ROUNDS; i++) {
		err = fork_and_exec(sve);
		if (err)
			return err;
		cal->flushes = probe->bss->flushes;
		cal->restores = probe->bss->restores;
		cal->pstate = probe->bss->pstate;
		cal->foreign_mask =
			probe->data->flush_and & probe->data->restore_and;
		found = cal->flushes >= ENOUGH && cal->restores >= ENOUGH &&
			one_bit(cal->foreign_mask);
		if (found && (!sve || found_sve(probe, cal)))
			return 0;
		if (!cal->foreign_mask && i < ROUNDS - 1)
			begin_again(probe);
	}
	return found ? 0 : -EIO;
}

/* Without CONFIG_ARM64_SVE there is no such function. */
static void probe_trap(struct probe_bpf *probe, bool sve)
{
	bpf_program__set_autoattach(probe->progs.trap_enter, sve);
	bpf_program__set_autoattach(probe->progs.trap_leave, sve);
}

/*
 * Before 6.4 (2aa6ac03516d, ftrace direct calls on arm64) the kernel loads an
 * fentry program and then refuses to attach it: only a try tells.
 */
static bool try_fentry(struct probe_bpf *probe)
{
	struct bpf_link *link = bpf_program__attach_trace(probe->progs.trial);

	if (!link)
		return false;
	bpf_link__destroy(link);
	return true;
}

int calibrate(struct calibration *cal, char *why, size_t len)
{
	struct probe_bpf *probe = probe_bpf__open_and_load();
	bool sve = kernel__sve_vl();
	int err;

	if (!probe) {
		err = -errno;
		snprintf(why, len, "the kernel refused the calibration: %s",
			 strerror(-err));
		return err;
	}
	cal->fentry = try_fentry(probe);
	bpf_program__set_autoattach(probe->progs.trial, false);
	probe_trap(probe, sve);
	err = probe_bpf__attach(probe);
	if (err)
		snprintf(why, len,
			 "can't probe fpsimd_flush_task_state() and "
			 "fpsimd_restore_current_state(): %s; is "
			 "CONFIG_KPROBE_EVENTS on?",
			 strerror(-err));
	else if ((err = observe(probe, sve, cal)) == -EIO && !cal->restores)
		snprintf(why, len,
			 "kprobes are attached, but nothing comes from them: "
			 "write 1 to /sys/kernel/debug/kprobes/enabled");
	else if (err)
		snprintf(why, len,
			 "TIF_FOREIGN_FPSTATE can't be told from other bits "
			 "(set in all %u flushes: %#llx, cleared in all %u "
			 "restores: %#llx)",
			 cal->flushes, probe->data->flush_and, cal->restores,
			 probe->data->restore_and);
	probe_bpf__destroy(probe);
	return err;
}
