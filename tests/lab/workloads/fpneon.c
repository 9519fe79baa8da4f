// SPDX-License-Identifier: GPL-2.0-only
/*
 * fpneon: kernel-mode NEON on demand, and the counts to check against.
 *
 *   softirq_hz, task_hz  sections a second on each CPU, 0 = off (writable)
 *   fire                 write "softirq CPU", "task CPU" or "preempt CPU": one
 *                        section, or one wake-up of a real-time thread that
 *                        does not use FP; returns when it has happened.
 *                        "here 0": one section in the task that writes
 *   strike               a function, or "function+offset": two times of three that
 *                        a task gets there, an interrupt comes in, with a softirq
 *                        section; or "none"
 *   counts               one line per CPU
 *
 * Softirq sections run in a tasklet that a hard interrupt schedules, so they
 * run on the way out of that interrupt: a soft hrtimer would be put off while
 * ksoftirqd is runnable, that is, starved by a real-time vcpu (before 6.5).
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/version.h>
#include <asm/neon.h>
#include <asm/simd.h>

enum kind { SOFTIRQ, TASK, PREEMPT, NR_KINDS };

static const char * const kind_names[] = { "softirq", "task", "preempt" };

struct unit {
	struct hrtimer timer[2];	/* of SOFTIRQ and of TASK */
	struct tasklet_struct tasklet;
	struct irq_work strike;
	unsigned int reached;
	struct task_struct *thread;
	unsigned long wanted;		/* bits of TASK and PREEMPT */
	unsigned long shot;		/* bits of those that fire waits for */
	struct completion fired;
	u64 done[NR_KINDS];
	u64 refused;
};

static DEFINE_PER_CPU(struct unit, units);
static DEFINE_MUTEX(control);
static unsigned int hz[2];
static bool ready;

/* Leave nothing of the former owner in the registers. */
static void clobber(void)
{
	asm volatile(".arch_extension simd\n"
		     ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "movi v\\n\\().16b, #0xa5\n"
		     ".endr\n"
		     ".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
		     "movi v\\n\\().16b, #0x5a\n"
		     ".endr\n");
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
static void section(void)
{
	struct user_fpsimd_state state;

	kernel_neon_begin(&state);
	clobber();
	kernel_neon_end(&state);
}
#else
static void section(void)
{
	kernel_neon_begin();
	clobber();
	kernel_neon_end();
}
#endif

static void happened(struct unit *unit, enum kind kind)
{
	if (test_and_clear_bit(kind, &unit->shot))
		complete(&unit->fired);
}

static void neon(struct unit *unit, enum kind kind)
{
	if (may_use_simd()) {
		section();
		unit->done[kind]++;
	} else {
		unit->refused++;
	}
	happened(unit, kind);
}

static void tasklet_fn(struct tasklet_struct *tasklet)
{
	neon(container_of(tasklet, struct unit, tasklet), SOFTIRQ);
}

static int thread_fn(void *data)
{
	struct unit *unit = data;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		if (!READ_ONCE(unit->wanted)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		if (test_and_clear_bit(TASK, &unit->wanted))
			neon(unit, TASK);
		if (test_and_clear_bit(PREEMPT, &unit->wanted)) {
			unit->done[PREEMPT]++;
			happened(unit, PREEMPT);
		}
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* On the CPU of the unit, in hard interrupt context. */
static void kick(struct unit *unit, enum kind kind)
{
	if (kind == SOFTIRQ) {
		tasklet_hi_schedule(&unit->tasklet);
		return;
	}
	set_bit(kind, &unit->wanted);
	wake_up_process(unit->thread);
}

static enum hrtimer_restart timer_fn(struct unit *unit, enum kind kind)
{
	unsigned int rate = READ_ONCE(hz[kind]);

	if (!rate)
		return HRTIMER_NORESTART;
	kick(unit, kind);
	hrtimer_forward_now(&unit->timer[kind], ns_to_ktime(NSEC_PER_SEC / rate));
	return HRTIMER_RESTART;
}

static enum hrtimer_restart softirq_timer_fn(struct hrtimer *timer)
{
	return timer_fn(container_of(timer, struct unit, timer[SOFTIRQ]), SOFTIRQ);
}

static enum hrtimer_restart task_timer_fn(struct hrtimer *timer)
{
	return timer_fn(container_of(timer, struct unit, timer[TASK]), TASK);
}

static void init_timer(struct hrtimer *timer,
		       enum hrtimer_restart (*fn)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer->function = fn;
#endif
}

static void start_timer(void *data)
{
	enum kind kind = (uintptr_t)data;

	hrtimer_start(&this_cpu_ptr(&units)->timer[kind],
		      ns_to_ktime(NSEC_PER_SEC / hz[kind]),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

static void set_rate(enum kind kind, unsigned int rate)
{
	int cpu;

	WRITE_ONCE(hz[kind], 0);
	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu(units, cpu).timer[kind]);
	WRITE_ONCE(hz[kind], rate);
	if (rate)
		on_each_cpu(start_timer, (void *)(uintptr_t)kind, 1);
}

static int hz_set(const char *text, const struct kernel_param *param)
{
	enum kind kind = (unsigned int *)param->arg - hz;
	unsigned int rate;
	int err = kstrtouint(text, 0, &rate);

	if (err)
		return err;
	if (!ready || rate > 100000)
		return -EINVAL;
	mutex_lock(&control);
	set_rate(kind, rate);
	mutex_unlock(&control);
	return 0;
}

static void fire_here(void *data)
{
	kick(this_cpu_ptr(&units), (enum kind)(uintptr_t)data);
}

static int fire(enum kind kind, int cpu)
{
	struct unit *unit = per_cpu_ptr(&units, cpu);
	int err;

	reinit_completion(&unit->fired);
	set_bit(kind, &unit->shot);
	err = smp_call_function_single(cpu, fire_here,
				       (void *)(uintptr_t)kind, 1);
	if (!err && !wait_for_completion_timeout(&unit->fired, 10 * HZ))
		err = -ETIMEDOUT;
	return err;
}

/* It is counted as one of this CPU, or of where the task was a moment before. */
static int fire_myself(void)
{
	section();
	this_cpu_inc(units.done[TASK]);
	return 0;
}

static int fire_set(const char *text, const struct kernel_param *param)
{
	char name[16];
	unsigned int cpu;
	int kind, err;

	if (sscanf(text, "%15s %u", name, &cpu) != 2)
		return -EINVAL;
	if (ready && !strcmp(name, "here"))
		return fire_myself();
	kind = match_string(kind_names, NR_KINDS, name);
	if (!ready || kind < 0 || cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	mutex_lock(&control);
	err = fire(kind, cpu);
	mutex_unlock(&control);
	return err;
}

static void strike_fn(struct irq_work *work)
{
	kick(this_cpu_ptr(&units), SOFTIRQ);
}

/*
 * Interrupts are off here, and on again when the task goes on. Not each time: what is
 * on the way to user mode would never get there.
 */
static int strike(struct kprobe *probe, struct pt_regs *regs)
{
	struct unit *unit = this_cpu_ptr(&units);

	if (interrupts_enabled(regs) && !in_serving_softirq() &&
	    ++unit->reached % 3)
		irq_work_queue(&unit->strike);
	return 0;
}

static char strike_at[64] = "none";
static struct kprobe strike_probe;

static void strike_nowhere(void)
{
	if (strike_probe.symbol_name)
		unregister_kprobe(&strike_probe);
	strike_probe = (struct kprobe){ .pre_handler = strike };
	strcpy(strike_at, "none");
}

/* @text: of the form FUNCTION+OFFSET. */
static int strike_there(const char *text)
{
	static char function[sizeof(strike_at)];
	int err;

	if (sscanf(text, "%63[^+ \n]+%i", function,
		   (int *)&strike_probe.offset) < 1)
		return -EINVAL;
	strike_probe.symbol_name = function;
	err = register_kprobe(&strike_probe);
	if (err)
		strike_probe.symbol_name = NULL;
	else
		strscpy(strike_at, text, sizeof(strike_at));
	return err;
}

static int strike_set(const char *text, const struct kernel_param *param)
{
	int err = 0;

	mutex_lock(&control);
	strike_nowhere();
	if (!sysfs_streq(text, "none"))
		err = strike_there(text);
	mutex_unlock(&control);
	return err;
}

static int strike_get(char *buffer, const struct kernel_param *param)
{
	return scnprintf(buffer, PAGE_SIZE, "%s\n", strike_at);
}

static int counts_get(char *buffer, const struct kernel_param *param)
{
	int cpu, size = 0;

	for_each_online_cpu(cpu) {
		struct unit *unit = per_cpu_ptr(&units, cpu);

		size += scnprintf(buffer + size, PAGE_SIZE - size,
			"%d softirq %llu task %llu refused %llu preempts %llu\n",
			cpu, unit->done[SOFTIRQ], unit->done[TASK],
			unit->refused, unit->done[PREEMPT]);
	}
	return size;
}

static const struct kernel_param_ops hz_ops = {
	.set = hz_set, .get = param_get_uint,
};
static const struct kernel_param_ops fire_ops = { .set = fire_set };
static const struct kernel_param_ops strike_ops = {
	.set = strike_set, .get = strike_get,
};
static const struct kernel_param_ops counts_ops = { .get = counts_get };

module_param_cb(softirq_hz, &hz_ops, &hz[SOFTIRQ], 0644);
module_param_cb(task_hz, &hz_ops, &hz[TASK], 0644);
module_param_cb(fire, &fire_ops, NULL, 0200);
module_param_cb(strike, &strike_ops, NULL, 0644);
module_param_cb(counts, &counts_ops, NULL, 0444);

static int start_unit(int cpu)
{
	struct unit *unit = per_cpu_ptr(&units, cpu);
	struct task_struct *thread;

	init_completion(&unit->fired);
	tasklet_setup(&unit->tasklet, tasklet_fn);
	init_irq_work(&unit->strike, strike_fn);
	init_timer(&unit->timer[SOFTIRQ], softirq_timer_fn);
	init_timer(&unit->timer[TASK], task_timer_fn);
	if (!cpu_online(cpu))
		return 0;
	thread = kthread_create(thread_fn, unit, "fpneon/%d", cpu);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	kthread_bind(thread, cpu);
	sched_set_fifo(thread);
	unit->thread = thread;
	wake_up_process(thread);
	return 0;
}

static void stop_units(void)
{
	int cpu;

	set_rate(SOFTIRQ, 0);
	set_rate(TASK, 0);
	for_each_possible_cpu(cpu) {
		struct unit *unit = per_cpu_ptr(&units, cpu);

		if (unit->thread)
			kthread_stop(unit->thread);
		tasklet_kill(&unit->tasklet);
	}
}

static int __init fpneon_init(void)
{
	int cpu, err = 0, started;

	for_each_possible_cpu(cpu) {
		started = start_unit(cpu);
		if (started)
			err = started;
	}
	if (err)
		stop_units();
	else
		ready = true;
	return err;
}

static void __exit fpneon_exit(void)
{
	strike_nowhere();
	stop_units();
}

module_init(fpneon_init);
module_exit(fpneon_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Kernel-mode NEON on demand");
