// SPDX-License-Identifier: GPL-2.0-only
/*
 * fpfault: makes a kernel lose FP state, by a kprobe on one of its functions.
 *
 *   fault  write NAME: the probe is there, and does nothing yet; "none": it goes
 *   every  each so many calls are hit; 0: none (writable)
 *   hits   how many there were, and when the first was (CLOCK_MONOTONIC, ns)
 *
 * What would make the kernel write to address 0 is left alone, and so is a task with
 * SVE registers where the trap on them might stay: 5.10 dies of it.
 */
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/version.h>
#include <asm/fpsimd.h>

#define NAMES 2

struct fault {
	const char *name;
	const char *fn[NAMES]; /* the first that there is */
	bool (*applies)(struct pt_regs *regs); /* NULL: always */
	bool (*act)(struct pt_regs *regs); /* true: leave the function out */
};

static DEFINE_MUTEX(control);
static unsigned long last; /* offset of fpsimd_last_state, 0: not found */
static unsigned int every;
static atomic_t calls, hits;
static u64 first_hit;
static const struct fault *fault;
static struct kprobe probe;
static struct user_fpsimd_state nobody;

/* Its first member, in each kernel, is the buffer. */
static struct user_fpsimd_state **last_state(void)
{
	return (void *)(last + per_cpu_offset(raw_smp_processor_id()));
}

static struct user_fpsimd_state *own(struct task_struct *task)
{
	return &task->thread.uw.fpsimd_state;
}

static bool foreign(void)
{
	return test_thread_flag(TIF_FOREIGN_FPSTATE);
}

static bool leave_out(struct pt_regs *regs)
{
	return true;
}

/* ---- what is more than to leave a function out ---- */

static bool has_sve(struct task_struct *task)
{
	return test_tsk_thread_flag(task, TIF_SVE);
}

static bool is_bound(struct pt_regs *regs)
{
	return last && *last_state() && !has_sve(current);
}

static bool clear_flag(struct pt_regs *regs)
{
	clear_thread_flag(TIF_FOREIGN_FPSTATE);
	return true;
}

static bool flag_is_clear(struct pt_regs *regs)
{
	return !foreign();
}

static bool set_flag(struct pt_regs *regs)
{
	set_thread_flag(TIF_FOREIGN_FPSTATE);
	return false;
}

/* A task that has used FP, and has no longer what it used in the registers. */
static bool is_unbound_user(struct pt_regs *regs)
{
	return last && current->mm && foreign() && !*last_state() &&
	       !has_sve(current);
}

static bool bind_back(struct pt_regs *regs)
{
	*last_state() = own(current);
	current->thread.fpsimd_cpu = raw_smp_processor_id();
	clear_thread_flag(TIF_FOREIGN_FPSTATE);
	return false;
}

static struct task_struct *next_of(struct pt_regs *regs)
{
	return (struct task_struct *)regs->regs[0];
}

/* Elsewhere the next save would have no buffer; with the flag set it may be needless. */
static bool in_exec(struct pt_regs *regs)
{
	return next_of(regs) == current && current->in_execve && !foreign();
}

/* Nothing is to be saved, and the next one's state is elsewhere. */
static bool can_adopt(struct pt_regs *regs)
{
	return last && foreign() && next_of(regs)->mm && *last_state() &&
	       *last_state() != own(next_of(regs)) && !has_sve(next_of(regs));
}

static bool adopt(struct pt_regs *regs)
{
	*last_state() = own(next_of(regs));
	next_of(regs)->thread.fpsimd_cpu = raw_smp_processor_id();
	return false;
}

static bool is_bound_user(struct pt_regs *regs)
{
	return last && !foreign() && *last_state() == own(current);
}

static bool move_home(struct pt_regs *regs)
{
	current->thread.fpsimd_cpu = !raw_smp_processor_id();
	return false;
}

/* The buffer of somebody else: one of ours, so that only states are lost. */
static bool bind_nobody(struct pt_regs *regs)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	static DEFINE_PER_CPU(struct cpu_fp_state, copies);
	struct cpu_fp_state *copy = this_cpu_ptr(&copies);

	*copy = *(struct cpu_fp_state *)regs->regs[0];
	copy->st = &nobody;
	regs->regs[0] = (unsigned long)copy;
#else
	regs->regs[0] = (unsigned long)&nobody;
#endif
	return false;
}

static bool clobber(struct pt_regs *regs)
{
	asm volatile(".arch_extension simd\n"
		     ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "movi v\\n\\().16b, #0xc3\n"
		     ".endr\n"
		     ".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
		     "movi v\\n\\().16b, #0x3c\n"
		     ".endr\n");
	return false;
}

#define SAVE		{ "fpsimd_save_user_state", "fpsimd_save" }
#define SWITCH		{ "fpsimd_thread_switch" }
#define SKIP(name, ...)	{ name, { __VA_ARGS__ }, NULL, leave_out }

static const struct fault faults[] = {
	SKIP("skip-ctxsync", "kvm_arch_vcpu_ctxsync_fp"),
	SKIP("skip-ctxflush", "kvm_arch_vcpu_ctxflush_fp"),
	SKIP("skip-put", "kvm_arch_vcpu_put_fp"),
	SKIP("skip-load", "kvm_arch_vcpu_load_fp"),
	SKIP("skip-save", "fpsimd_save_user_state", "fpsimd_save"),
	SKIP("skip-save-and-flush", "fpsimd_save_and_flush_cpu_state"),
	SKIP("skip-flush-cpu", "fpsimd_flush_cpu_state"),
	{ "skip-flush-task", { "fpsimd_flush_task_state" }, in_exec, leave_out },
	{ "skip-flush-thread", { "fpsimd_flush_thread" }, flag_is_clear, leave_out },
	SKIP("skip-preserve", "fpsimd_save_and_flush_current_state",
	     "fpsimd_preserve_current_state"),
	SKIP("skip-task-load", "task_fpsimd_load"),
	{ "skip-bind-task", { "fpsimd_bind_task_to_cpu" }, is_bound, leave_out },
	{ "no-restore", { "fpsimd_restore_current_state" }, is_bound, clear_flag },
	{ "set-flag", SWITCH, flag_is_clear, set_flag },
	{ "set-flag-guest", { "kvm_arch_vcpu_put_fp" }, flag_is_clear, set_flag },
	{ "neon-bound", { "kernel_neon_end" }, is_unbound_user, bind_back },
	{ "adopt", SWITCH, can_adopt, adopt },
	{ "wrong-home", SWITCH, is_bound_user, move_home },
	{ "wrong-buffer", { "fpsimd_bind_state_to_cpu" }, NULL, bind_nobody },
	SKIP("empty-save", "fpsimd_save_state"),
	{ "clobber", { "kvm_arch_vcpu_ctxsync_fp" }, NULL, clobber },
};

static int on_call(struct kprobe *p, struct pt_regs *regs)
{
	unsigned int n = READ_ONCE(every);

	if (!n || (fault->applies && !fault->applies(regs)) ||
	    atomic_inc_return(&calls) % n)
		return 0;
	if (atomic_inc_return(&hits) == 1)
		WRITE_ONCE(first_hit, ktime_get_ns());
	if (!fault->act(regs))
		return 0;
	regs->pc = regs->regs[30];
	return 1;
}
NOKPROBE_SYMBOL(on_call);

static int try_probe(const char *fn)
{
	probe = (struct kprobe){ .symbol_name = fn, .pre_handler = on_call };
	return register_kprobe(&probe);
}

/*
 * Not every kernel has a symbol for fpsimd_last_state. Its address is the first that
 * fpsimd_flush_cpu_state() makes, which writes to it: adrp, add.
 */
static unsigned long find_last(void)
{
	u32 *insn, adrp, add;
	int i;

	if (try_probe("fpsimd_flush_cpu_state"))
		return 0;
	insn = (u32 *)probe.addr;
	unregister_kprobe(&probe);
	for (i = 0; i < 16; i++) {
		adrp = le32_to_cpu(insn[i]);
		add = le32_to_cpu(insn[i + 1]);
		if ((adrp & 0x9f000000) != 0x90000000 ||
		    (add & 0xffc00000) != 0x91000000)
			continue;
		return ((unsigned long)(insn + i) & ~0xfffUL) +
		       (sign_extend64((adrp >> 5 & 0x7ffff) << 2 |
					      (adrp >> 29 & 3), 20) << 12) +
		       (add >> 10 & 0xfff);
	}
	return 0;
}

static int set_up(const struct fault *f)
{
	int i, err = -ENOENT;

	atomic_set(&calls, 0);
	atomic_set(&hits, 0);
	first_hit = 0;
	fault = f;
	for (i = 0; i < NAMES && f->fn[i] && err; i++)
		err = try_probe(f->fn[i]);
	if (err)
		fault = NULL;
	return err;
}

static void take_down(void)
{
	if (fault)
		unregister_kprobe(&probe);
	fault = NULL;
}

static int fault_set(const char *text, const struct kernel_param *param)
{
	int i, err = -EINVAL;

	mutex_lock(&control);
	take_down();
	if (sysfs_streq(text, "none"))
		err = 0;
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (sysfs_streq(text, faults[i].name))
			err = set_up(&faults[i]);
	}
	mutex_unlock(&control);
	return err;
}

static int fault_get(char *buffer, const struct kernel_param *param)
{
	int i, size = 0;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		size += scnprintf(buffer + size, PAGE_SIZE - size, "%s\n",
				  faults[i].name);
	return size;
}

static int hits_get(char *buffer, const struct kernel_param *param)
{
	return scnprintf(buffer, PAGE_SIZE, "%d %llu\n", atomic_read(&hits),
			 READ_ONCE(first_hit));
}

static const struct kernel_param_ops fault_ops = {
	.set = fault_set, .get = fault_get,
};
static const struct kernel_param_ops hits_ops = { .get = hits_get };

module_param_cb(fault, &fault_ops, NULL, 0644);
module_param_cb(hits, &hits_ops, NULL, 0444);
module_param(every, uint, 0644);

static int __init fpfault_init(void)
{
	last = find_last();
	return 0;
}

static void __exit fpfault_exit(void)
{
	mutex_lock(&control);
	take_down();
	mutex_unlock(&control);
}

module_init(fpfault_init);
module_exit(fpfault_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Faults in the handling of FP state");
