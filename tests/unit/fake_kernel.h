/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the place of bpf/kernel.h: one CPU with one vcpu, for tests that compile what is
 * in bpf/ as user space. Each look at the kernel is a step, and so is each barrier;
 * there a test can let something come in.
 */
#ifndef FPSTAT_KERNEL_H
#define FPSTAT_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/bpf.h>
#include <linux/types.h>

#include "fpstat/counters.h"
#include "fpstat/rule.h"

/* ---- <bpf/bpf_helpers.h>, <bpf/bpf_tracing.h>, <bpf/bpf_core_read.h> ---- */

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define __BPF_TRACING_H__
#define SEC(name) __attribute__((unused))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#define __noinline __attribute__((noinline, unused))
#define preserve_access_index
#define barrier() fake_step()
#define barrier_var(var) ((void)(var))
#define PT_REGS_PARM1(ctx) (*(const __u64 *)(ctx))
#define PT_REGS_PARM2(ctx) (((const __u64 *)(ctx))[1])
#define PT_REGS_PARM3(ctx) (((const __u64 *)(ctx))[2])
#define PT_REGS_RET(ctx) (*(const __u64 *)(ctx))
#define READ2(from, a) ((from)->a)
#define READ3(from, a, b) ((from)->a->b)
#define READ_THAT(a, b, c, name, ...) name
#define BPF_CORE_READ(...) READ_THAT(__VA_ARGS__, READ3, READ2, )(__VA_ARGS__)

static void *bpf_map_lookup_elem(const void *map, const void *key);
static int bpf_map_update_elem(const void *map, const void *key,
			       const void *value, __u64 flags);
static int bpf_map_delete_elem(const void *map, const void *key);

/* ---- the kernel ---- */

enum { TASK_RUNNING, TASK_DEAD = 0x80 };
enum { FP_STATE_GUEST_OWNED = 2 };
enum { KVM_REG_ARM_CORE, KVM_REG_ARM64_SVE, KVM_REG_ARM_CORE_FP };
#define KVM_REG_ARM_COPROC(id) (id)
enum { FAKE_FOREIGN = 1, FAKE_SVE = 2, FAKE_VL = 32 };
enum { FAKE_ELSEWHERE = 7 }; /* a CPU that may hold a state */

struct pt_regs;

struct cpu_fp_state {
	void *st;
};

struct kvm {
	int userspace_pid;
};

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	struct {
		__u32 sve_max_vl;
	} arch;
	__u64 exits;
	char state[8];
};

struct task_struct {
	int pid;
	struct task_struct *group_leader;
	char comm[16];
	char state[8];
	__u64 flags; /* while it is not current */
	__u32 home;
	bool fpsimd; /* what was saved has no SVE */
};

static struct fake {
	struct task_struct *current;
	struct kvm_vcpu *loaded;
	__u64 flags; /* of current */
	bool in_softirq;
	__u64 came_into; /* .. this address */
	__u64 came_from; /* what is next on the stack */
	bool sme; /* current has used it */
	bool stays; /* no other task may come in */
	__u8 hint; /* whose the registers are, as the vcpu says */
	__u64 clock;
	struct fp_fact fact; /* the last one that was told */
	unsigned int facts;
	unsigned int steps;
	void (*interrupt)(void); /* at each step, or NULL */
} fake;

static void fake_step(void)
{
	void (*interrupt)(void) = fake.interrupt;

	fake.steps++;
	fake.interrupt = NULL;
	if (interrupt)
		interrupt();
	fake.interrupt = interrupt;
}

static inline __u64 bpf_ktime_get_ns(void)
{
	return ++fake.clock;
}

static inline __u32 bpf_get_smp_processor_id(void)
{
	fake_step();
	return 0;
}

static inline __u64 bpf_get_current_task(void)
{
	return (__u64)fake.current;
}

static inline long bpf_probe_read_kernel_str(void *to, __u32 size,
					     const void *from)
{
	memcpy(to, from, size);
	return size;
}

static inline long bpf_probe_read_kernel(void *to, __u32 size, const void *from)
{
	memcpy(to, from, size);
	return 0;
}

static inline __u64 bpf_get_current_pid_tgid(void)
{
	return (__u64)fake.current->pid;
}

static inline long bpf_get_current_comm(void *to, __u32 size)
{
	memcpy(to, fake.current->comm, size);
	return 0;
}

/* It does not come back. */
#define bpf_tail_call(ctx, map, index) return (map)->values[index](ctx)

static inline long bpf_get_stack(void *ctx, void *to, __u32 size, __u64 flags)
{
	const __u64 stack[] = { 0x1000, 0x2000, 0x7200, fake.came_into,
				fake.came_from };

	(void)ctx, (void)flags;
	memset(to, 0, size);
	if (fake.loaded) /* as get_perf_callchain() */
		return 0;
	memcpy(to, stack, sizeof(stack));
	return sizeof(stack);
}

static inline void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags)
{
	(void)ring, (void)size, (void)flags;
	return &fake.fact;
}

static inline void bpf_ringbuf_submit(void *fact, __u64 flags)
{
	(void)fact, (void)flags;
	fake.facts++;
}

static inline long bpf_loop(__u32 n, long (*fn)(__u32 i, void *ctx), void *ctx,
			    __u64 flags)
{
	__u32 i;

	for (i = 0; i < n && !flags; i++)
		fn(i, ctx);
	return n;
}

static inline void bpf_preempt_disable(void)
{
	fake.stays = true;
}

static inline void bpf_preempt_enable(void)
{
	fake.stays = false;
}

static inline struct task_struct *current_task(void)
{
	return fake.current;
}

static inline __u64 current_flags(void)
{
	fake_step();
	return fake.flags;
}

static inline __u32 current_pid(void)
{
	return (__u32)fake.current->pid;
}

static inline bool current_in_softirq(void)
{
	return fake.in_softirq;
}

#define CAST(type, addr) ((const type *)(addr))

static inline __u64 read_u64(__u64 addr)
{
	return *(const __u64 *)addr;
}

static inline __u64 cpu_offset(__u64 offsets, __u32 cpu)
{
	return read_u64(offsets + cpu * sizeof(__u64));
}

static inline __u64 task_buf(const struct task_struct *t)
{
	return (__u64)t->state;
}

static inline __u64 task_state(const struct task_struct *t)
{
	(void)t;
	return TASK_RUNNING;
}

static inline __u64 task_flags(const struct task_struct *t)
{
	return t == fake.current ? fake.flags : t->flags;
}

static inline __u32 task_home(const struct task_struct *t)
{
	return t->home;
}

static inline __u64 typed_flags(const struct task_struct *t)
{
	return task_flags(t);
}

static inline __u32 typed_pid(const struct task_struct *t)
{
	return (__u32)t->pid;
}

static inline __u32 typed_home(const struct task_struct *t)
{
	return t->home;
}

static inline bool typed_has_vcpu(const struct task_struct *t)
{
	return t == fake.current && fake.loaded;
}

struct timer_map {
	bool loaded;
};

static inline bool typed_is_loaded(const struct timer_map *map)
{
	fake_step();
	return map->loaded;
}

static inline __u32 current_home(void)
{
	return task_home(fake.current);
}

static inline __u32 task_sve_vl(const struct task_struct *t)
{
	(void)t;
	return FAKE_VL;
}

static inline bool used_sme(void)
{
	return fake.sme;
}

static inline bool in_syscall(void)
{
	return false;
}

static inline bool saves_fpsimd(__u64 last, __u64 offsets)
{
	(void)last, (void)offsets;
	return false;
}

static inline bool loads_sve(const struct task_struct *t)
{
	fake_step();
	return !t->fpsimd;
}

static inline bool neon_buf_is_pointer(void)
{
	return false;
}

static inline __u64 neon_buf(const struct task_struct *t)
{
	(void)t;
	return 0;
}

static inline __u64 bound_buf(__u64 arg)
{
	return arg;
}

static inline __u64 as_number(const void *p)
{
	return (__u64)p;
}

static inline __u64 vcpu_buf(__u64 vcpu)
{
	return vcpu + offsetof(struct kvm_vcpu, state);
}

static inline __u8 vcpu_hint(__u64 vcpu)
{
	(void)vcpu;
	fake_step();
	return fake.hint;
}

static inline __u64 vcpu_exits(__u64 vcpu)
{
	fake_step();
	return ((struct kvm_vcpu *)vcpu)->exits;
}

static inline __u64 vcpu_exits_cast(__u64 vcpu)
{
	return vcpu_exits(vcpu);
}

static inline __u64 current_loaded_vcpu(void)
{
	return (__u64)fake.loaded;
}

/* What user space sets before it loads the programs is no constant here. */
#define const
#include "maps.h"
#undef const

/* ---- maps ---- */

#define FAKE_RING 256

static struct {
	const void *map;
	__u64 key, value;
} fake_hash[16];
static struct fp_percpu fake_cpu, fake_elsewhere;
static struct fp_vcpu fake_vcpus[4];
static struct fp_slot fake_rings[FP_LANES * FAKE_RING];

/* A free one, with @any. */
static inline __u64 *fake_find(const void *map, __u64 key, bool any)
{
	size_t i;

	for (i = 0; i < 16; i++) {
		if (any ? !fake_hash[i].map :
			  fake_hash[i].map == map && fake_hash[i].key == key) {
			fake_hash[i].map = map;
			fake_hash[i].key = key;
			return &fake_hash[i].value;
		}
	}
	return NULL;
}

static inline void *bpf_map_lookup_elem(const void *map, const void *key)
{
	__u32 at;

	memcpy(&at, key, sizeof(at));
	if (map == &cpus && at == FAKE_ELSEWHERE)
		return &fake_elsewhere;
	if (map == &cpus)
		return at ? NULL : &fake_cpu;
	if (map == &vcpus)
		return at < 4 ? &fake_vcpus[at] : NULL;
	if (map == &rings)
		return &fake_rings[at];
	return fake_find(map, *(const __u64 *)key, false);
}

static inline int bpf_map_update_elem(const void *map, const void *key,
				      const void *value, __u64 flags)
{
	__u64 id = *(const __u64 *)key, *at = fake_find(map, id, false);

	if (at && flags == BPF_NOEXIST)
		return -1;
	if (!at)
		at = fake_find(map, id, true);
	*at = map == &begin_of_task || map == &trap_of_task ?
		      *(const __u8 *)value :
		      *(const __u32 *)value;
	return 0;
}

static inline int bpf_map_delete_elem(const void *map, const void *key)
{
	__u64 *at = fake_find(map, *(const __u64 *)key, false);
	size_t i;

	for (i = 0; at && i < 16; i++) {
		if (at == &fake_hash[i].value)
			fake_hash[i].map = NULL;
	}
	return at ? 0 : -1;
}

#endif /* FPSTAT_KERNEL_H */
