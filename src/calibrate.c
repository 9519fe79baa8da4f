// SPDX-License-Identifier: GPL-2.0-only
#include "calibrate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "probe.skel.h"

#define ENOUGH 4 /* times that something must have been seen */
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
		cal->foreign_mask = probe->data->flush_and &
				    probe->data->restore_and;
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

/* Loads a vcpu a few times, that never enters its guest. */
static void load_vcpu(int kvm, int vm, int vcpu)
{
#ifdef __aarch64__
	struct kvm_vcpu_init init;
	int i, size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_run *run;

	if (size < 0 || ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(vcpu, KVM_ARM_VCPU_INIT, &init))
		return;
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		return;
	run->immediate_exit = 1;
	for (i = 0; i < 2 * ENOUGH; i++)
		ioctl(vcpu, KVM_RUN, 0);
	munmap(run, size);
#else
	(void)kvm, (void)vm, (void)vcpu;
#endif
}

static void on_signal(int nr)
{
	(void)nr;
}

/*
 * To the one frame and back, in a child: what we block or wait for is left alone. Did its
 * save and its load go through the functions that have hooks?
 */
static bool get_signal(const struct probe_bpf *probe)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGUSR1, on_signal);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		raise(SIGUSR1);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && probe->bss->copied_by == (uint64_t)pid &&
	       probe->bss->updated_by == (uint64_t)pid;
}

/* One as its VMM would ask for: a host with less than 40 bits complains of the default. */
static int create_vm(int kvm)
{
	int bits = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	return ioctl(kvm, KVM_CREATE_VM, bits > 0 ? bits : 0);
}

static void load_own_vcpu(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : create_vm(kvm);
	int vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);

	if (vcpu >= 0) {
		load_vcpu(kvm, vm, vcpu);
		close(vcpu);
	}
	if (vm >= 0)
		close(vm);
	if (kvm >= 0)
		close(kvm);
}

enum { INFERENCE = 7 };

static void inference(const struct probe_bpf *probe,
		      struct bpf_program *progs[INFERENCE])
{
	progs[0] = probe->progs.vload_enter;
	progs[1] = probe->progs.vload_leave;
	progs[2] = probe->progs.copy_enter;
	progs[3] = probe->progs.save_enter;
	progs[4] = probe->progs.update_enter;
	progs[5] = probe->progs.load_enter;
	progs[6] = probe->progs.timers_asked;
}

/* They are attached later, if at all. @wanted: .. and loaded. */
static void put_off_inference(const struct probe_bpf *probe, bool wanted)
{
	struct bpf_program *progs[INFERENCE];
	size_t i;

	inference(probe, progs);
	for (i = 0; i < INFERENCE; i++) {
		bpf_program__set_autoload(progs[i], wanted);
		bpf_program__set_autoattach(progs[i], false);
	}
}

static struct probe_bpf *open_probe(bool infer)
{
	struct probe_bpf *probe = probe_bpf__open();
	int err;

	if (!probe)
		return NULL;
	put_off_inference(probe, infer);
	err = probe_bpf__load(probe);
	if (!err)
		return probe;
	probe_bpf__destroy(probe);
	errno = -err;
	return NULL;
}

/*
 * What saves and loads without a hook depend on. If no vcpu can be had, or it is not
 * loaded that way (5.10), or a function is inlined, they have hooks.
 */
static bool try_inference(struct probe_bpf *probe, struct calibration *cal)
{
	struct bpf_program *progs[INFERENCE];
	struct bpf_link *links[INFERENCE] = {};
	bool all = true, heard = false;
	size_t i;

	probe->bss->foreign_mask = cal->foreign_mask;
	inference(probe, progs);
	for (i = 0; i < INFERENCE && all; i++) {
		links[i] = bpf_program__attach(progs[i]);
		all = links[i];
	}
	/* Others may get a signal right after our child. */
	for (i = 0; all && !heard && i < ENOUGH; i++)
		heard = get_signal(probe);
	if (heard) {
		/* Guests of others may have been loaded before all was attached. */
		probe->bss->vloads_untold = probe->bss->vloads_kept = 0;
		load_own_vcpu();
	}
	for (i = 0; i < INFERENCE; i++)
		bpf_link__destroy(links[i]);
	cal->copy_to = probe->bss->copy_to;
	cal->update_to = probe->bss->update_to;
	return heard && cal->copy_to && cal->update_to &&
	       probe->bss->flushes_own && probe->bss->vloads_saved >= ENOUGH &&
	       !probe->bss->vloads_kept && probe->bss->vloads_told >= ENOUGH &&
	       !probe->bss->vloads_untold;
}

int calibrate(struct calibration *cal, bool infer, char *why, size_t len)
{
	struct probe_bpf *probe = open_probe(infer);
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
	if (!err && infer && !cal->fentry)
		cal->can_infer = try_inference(probe, cal);
	probe_bpf__destroy(probe);
	return err;
}
