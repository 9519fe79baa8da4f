// SPDX-License-Identifier: GPL-2.0-only
/*
 * The automaton against scenarios worked out by hand from the sources of the
 * kernels. A scenario is a list of events, each with the transfers that it
 * stands for, and the sums that follow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <linux/types.h>

#include "fpstat/model.h"

/* Buffers: VMM thread, bystander, kernel thread, guests, kernel NEON. */
enum { H = 0x10, B = 0x20, T = 0x30, G = 0x80, G2 = 0x90, K = 0xa0 };

struct line {
	struct fp_event ev;
	__u32 step; /* what fp_step() must answer */
	int cpu;
};

struct sums {
	unsigned int hs, hl, gs, gl; /* host and guest of the vcpu thread H */
	unsigned int bs, bl; /* a bystander */
	unsigned int ks, kl;
};

/* A load of H in the first line only sets the stage: it is not summed up. */
struct scenario {
	const char *name;
	struct sums sums;
	struct line line[48];
};

#define BY(cause) ((__u32)FP_CAUSE_##cause << 16)
/* One event, and what it must answer. */
#define ON(nr, id, b, f, r, a, ops)                                         \
	{ .ev = { .buf = (b), .gen = 1, .kind = FP_EV_##id, .foreign = (f), \
		  .in_run = (r), .arg = (a) },                              \
	  .step = (ops), .cpu = (nr) }
#define IS(id, b, f, r, a, ops)                                             \
	{ .ev = { .buf = (b), .gen = 1, .kind = FP_EV_##id, .foreign = (f), \
		  .in_run = (r), .arg = (a) },                              \
	  .step = (ops) }

/* Events that answer nothing. */
#define SWITCH(runnable) IS(SWITCH, H, 0, 1, runnable, 0)
#define NEON_TASK IS(NEON_TASK, 0, 0, 0, 0, 0)
#define NEON_SOFTIRQ IS(NEON_SOFTIRQ, 0, 0, 0, 0, 0)
#define RUN_END IS(RUN_END, H, 0, 1, 0, 0)
#define VLOAD_LIVE IS(VLOAD, H, 0, 1, 0, 0)
#define VLOAD IS(VLOAD, H, 1, 1, 0, 0)
/* A call of the save function that moves nothing. */
#define NO_SAVE IS(SAVE, H, 1, 1, 0, 0)
#define NO_SAVE_OF(b) IS(SAVE, b, 1, 0, 0, 0)

/* Transfers. */
#define GUEST_SAVE(cause) IS(SAVE, H, 0, 1, 0, FP_OP_GUEST_SAVE | BY(cause))
#define HOST_SAVE(cause) IS(SAVE, H, 0, 1, 0, FP_OP_USER_SAVE | BY(cause))
#define USER_SAVE(b) IS(SAVE, b, 0, 0, 0, FP_OP_USER_SAVE)
#define LOAD(b) IS(LOAD, b, 1, 0, 0, FP_OP_USER_LOAD)

/* kvm_arch_vcpu_load_fp(): the eager kernels save the host there. */
#define EAGER_LOAD_LIVE                                                     \
	VLOAD_LIVE, IS(SAVE, H, 0, 1, 0,                                    \
		       FP_OP_USER_SAVE | FP_OP_EAGER | BY(VCPU_LOAD))
#define EAGER_LOAD VLOAD, NO_SAVE

/* One entry and exit: guest idle on FP, its first use, once more. */
#define IDLE IS(EXIT, H, 1, 1, 0, 0)
#define IDLE_HOST_LIVE IS(EXIT, H, 0, 1, 0, FP_OP_MARTIN)
#define EXIT_LIVE IS(EXIT, H, 0, 1, 0, 0)
#define FIRST IS(BIND_VCPU, G, 1, 1, 0, FP_OP_GUEST_LOAD), EXIT_LIVE
#define FIRST_HOST_LIVE                                                     \
	IS(BIND_VCPU, G, 0, 1, 0,                                           \
	   FP_OP_USER_SAVE | FP_OP_GUEST_LOAD | FP_OP_MARTIN |              \
		   BY(GUEST_TRAP)),                                         \
		EXIT_LIVE
#define AGAIN IS(BIND_VCPU, G, 0, 1, 0, FP_OP_LIVE), EXIT_LIVE

#define PUT_LIVE GUEST_SAVE(USER_RETURN)
#define BACK RUN_END, LOAD(H)

/* Not missed: the vcpu that is loaded is the one whose state is bound. */
#define NESTED_LOAD IS(VLOAD, H, 0, 1, 1, 0)

static const struct scenario eager[] = {
	{ "a nested guest changes level with live state",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, NESTED_LOAD, AGAIN, NESTED_LOAD,
	    PUT_LIVE, BACK } },
	{ "a thread execs under the thread id of its leader", { .hs = 1 },
	  { LOAD(H), { .ev = { .buf = H, .gen = 2, .kind = FP_EV_SAVE },
		       .step = FP_OP_USER_SAVE } } },
	{ "a: no guest FP", { .hs = 1, .hl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, IDLE, IDLE, IDLE, BACK } },
	{ "b: first touch", { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, IDLE, FIRST, PUT_LIVE, BACK } },
	{ "c: entered again with live state",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, AGAIN, AGAIN, AGAIN, PUT_LIVE,
	    BACK } },
	{ "d: softirq NEON between exit and entry",
	  { .hs = 1, .hl = 1, .gs = 2, .gl = 2 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, NEON_SOFTIRQ,
	    GUEST_SAVE(SOFTIRQ_NEON), FIRST, PUT_LIVE, BACK } },
	{ "d: and the guest is then idle on FP",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, NEON_SOFTIRQ,
	    GUEST_SAVE(SOFTIRQ_NEON), IDLE, BACK } },
	{ "d': NEON while the guest is not live", { .hs = 1, .hl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, IDLE, NEON_SOFTIRQ, NO_SAVE, IDLE,
	    BACK } },
	{ "d'': softirq NEON before the save of vcpu_load",
	  { .hs = 1, .hl = 1 },
	  { LOAD(H), VLOAD_LIVE, NEON_SOFTIRQ, HOST_SAVE(SOFTIRQ_NEON),
	    NO_SAVE, IDLE, BACK } },
	{ "d: task NEON in the run loop",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, NEON_TASK, GUEST_SAVE(TASK_NEON),
	    IDLE, BACK } },
	{ "d: softirq NEON at the begin of task NEON",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, NEON_TASK, NEON_SOFTIRQ,
	    GUEST_SAVE(SOFTIRQ_NEON), NO_SAVE, IDLE, BACK } },
	{ "e: preempted by a kernel thread",
	  { .hs = 1, .hl = 1, .gs = 2, .gl = 2 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, SWITCH(1), GUEST_SAVE(PREEMPT),
	    NO_SAVE, NO_SAVE_OF(T), EAGER_LOAD, FIRST, PUT_LIVE, BACK } },
	{ "e: blocked, and idle on FP afterwards",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, SWITCH(0), GUEST_SAVE(BLOCK),
	    NO_SAVE, NO_SAVE_OF(T), EAGER_LOAD, IDLE, BACK } },
	{ "e': preempted three times, guest not live", { .hs = 1, .hl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, IDLE,
	    SWITCH(1), NO_SAVE, NO_SAVE_OF(T), EAGER_LOAD, IDLE,
	    SWITCH(1), NO_SAVE, NO_SAVE_OF(T), EAGER_LOAD, IDLE,
	    SWITCH(1), NO_SAVE, NO_SAVE_OF(T), EAGER_LOAD, IDLE, BACK } },
	{ "e' twice, then b", { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, IDLE,
	    SWITCH(1), NO_SAVE, NO_SAVE_OF(T), EAGER_LOAD, IDLE,
	    SWITCH(1), NO_SAVE, NO_SAVE_OF(T), EAGER_LOAD, FIRST, PUT_LIVE,
	    BACK } },
	{ "f: preempted by a task with FP",
	  { .hs = 1, .hl = 1, .gs = 2, .gl = 2, .bs = 1, .bl = 1 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, SWITCH(1), GUEST_SAVE(PREEMPT),
	    NO_SAVE, LOAD(B), USER_SAVE(B), EAGER_LOAD, FIRST, PUT_LIVE,
	    BACK } },
	{ "f': the same three times, guest without FP",
	  { .hs = 1, .hl = 1, .bs = 3, .bl = 3 },
	  { LOAD(H), EAGER_LOAD_LIVE, IDLE,
	    SWITCH(1), NO_SAVE, LOAD(B), USER_SAVE(B), EAGER_LOAD, IDLE,
	    SWITCH(1), NO_SAVE, LOAD(B), USER_SAVE(B), EAGER_LOAD, IDLE,
	    SWITCH(1), NO_SAVE, LOAD(B), USER_SAVE(B), EAGER_LOAD, IDLE,
	    BACK } },
	{ "g: back to user and in again, twice",
	  { .hs = 2, .hl = 2, .gs = 2, .gl = 2 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, PUT_LIVE, BACK,
	    EAGER_LOAD_LIVE, FIRST, PUT_LIVE, BACK } },
	{ "g': the same without guest FP", { .hs = 2, .hl = 2 },
	  { LOAD(H), EAGER_LOAD_LIVE, IDLE, BACK, EAGER_LOAD_LIVE, IDLE,
	    BACK } },
	{ "h: migrated with live state", { .hs = 1, .hl = 1, .gs = 2, .gl = 2 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, SWITCH(1), GUEST_SAVE(PREEMPT),
	    NO_SAVE,
	    ON(1, SAVE, T, 1, 0, 0, 0),
	    ON(1, VLOAD, H, 1, 1, 0, 0),
	    ON(1, SAVE, H, 1, 1, 0, 0),
	    ON(1, BIND_VCPU, G, 1, 1, 0, FP_OP_GUEST_LOAD),
	    ON(1, SAVE, H, 0, 1, 0, FP_OP_GUEST_SAVE | BY(USER_RETURN)),
	    ON(1, RUN_END, H, 1, 1, 0, 0),
	    ON(1, LOAD, H, 1, 0, 0, FP_OP_USER_LOAD) } },
	{ "reset in the run loop", { .hs = 1, .hl = 1, .gs = 2, .gl = 2 },
	  { LOAD(H), EAGER_LOAD_LIVE, FIRST, PUT_LIVE, EAGER_LOAD, FIRST,
	    PUT_LIVE, BACK } },
};

static const struct scenario martin[] = {
	{ "a: no guest FP", { 0 },
	  { LOAD(H), VLOAD_LIVE, IDLE_HOST_LIVE, IDLE_HOST_LIVE, RUN_END } },
	{ "b: first touch", { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), VLOAD_LIVE, IDLE_HOST_LIVE, FIRST_HOST_LIVE, PUT_LIVE,
	    BACK } },
	{ "c: entered again with live state",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), VLOAD_LIVE, FIRST_HOST_LIVE, AGAIN, AGAIN, AGAIN,
	    PUT_LIVE, BACK } },
	{ "d: softirq NEON between exit and entry",
	  { .hs = 1, .hl = 1, .gs = 2, .gl = 2 },
	  { LOAD(H), VLOAD_LIVE, FIRST_HOST_LIVE, NEON_SOFTIRQ,
	    GUEST_SAVE(SOFTIRQ_NEON), FIRST, PUT_LIVE, BACK } },
	{ "d: and the guest is then idle on FP",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), VLOAD_LIVE, FIRST_HOST_LIVE, NEON_SOFTIRQ,
	    GUEST_SAVE(SOFTIRQ_NEON), IDLE, BACK } },
	{ "d': NEON while the host is live",
	  { .hs = 1, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), VLOAD_LIVE, IDLE_HOST_LIVE, NEON_SOFTIRQ,
	    HOST_SAVE(SOFTIRQ_NEON), IDLE, FIRST, PUT_LIVE, BACK } },
	{ "e: preempted by a kernel thread",
	  { .hs = 1, .hl = 1, .gs = 2, .gl = 2 },
	  { LOAD(H), VLOAD_LIVE, FIRST_HOST_LIVE, SWITCH(1),
	    GUEST_SAVE(PREEMPT), NO_SAVE, NO_SAVE_OF(T), VLOAD, FIRST,
	    PUT_LIVE, BACK } },
	{ "e': preempted three times, host live", { .hs = 3 },
	  { LOAD(H), VLOAD_LIVE, IDLE_HOST_LIVE,
	    SWITCH(1), HOST_SAVE(PREEMPT), NO_SAVE_OF(T), VLOAD_LIVE,
	    SWITCH(1), HOST_SAVE(PREEMPT), NO_SAVE_OF(T), VLOAD_LIVE,
	    SWITCH(0), HOST_SAVE(BLOCK), NO_SAVE_OF(T), VLOAD_LIVE,
	    IDLE_HOST_LIVE, RUN_END } },
	{ "e' twice, then b", { .hs = 3, .hl = 1, .gs = 1, .gl = 1 },
	  { LOAD(H), VLOAD_LIVE, IDLE_HOST_LIVE,
	    SWITCH(1), HOST_SAVE(PREEMPT), NO_SAVE_OF(T), VLOAD_LIVE,
	    SWITCH(1), HOST_SAVE(PREEMPT), NO_SAVE_OF(T), VLOAD_LIVE,
	    FIRST_HOST_LIVE, PUT_LIVE, BACK } },
	{ "f: preempted by a task with FP",
	  { .hs = 1, .hl = 1, .gs = 2, .gl = 2, .bs = 1, .bl = 1 },
	  { LOAD(H), VLOAD_LIVE, FIRST_HOST_LIVE, SWITCH(1),
	    GUEST_SAVE(PREEMPT), NO_SAVE, LOAD(B), USER_SAVE(B), VLOAD, FIRST,
	    PUT_LIVE, BACK } },
	{ "f': the same three times, guest without FP",
	  { .hs = 1, .hl = 1, .bs = 3, .bl = 1 },
	  { LOAD(H), VLOAD_LIVE, IDLE_HOST_LIVE, SWITCH(1),
	    HOST_SAVE(PREEMPT), LOAD(B), USER_SAVE(B), VLOAD, IDLE,
	    SWITCH(1), NO_SAVE, USER_SAVE(B), VLOAD, IDLE,
	    SWITCH(1), NO_SAVE, USER_SAVE(B), VLOAD, IDLE, BACK } },
	{ "g: back to user and in again, twice",
	  { .hs = 2, .hl = 2, .gs = 2, .gl = 2 },
	  { LOAD(H), VLOAD_LIVE, FIRST_HOST_LIVE, PUT_LIVE, BACK, VLOAD_LIVE,
	    FIRST_HOST_LIVE, PUT_LIVE, BACK } },
	{ "g': the same without guest FP", { 0 },
	  { LOAD(H), VLOAD_LIVE, IDLE_HOST_LIVE, RUN_END, VLOAD_LIVE,
	    IDLE_HOST_LIVE, RUN_END } },
	{ "h: migrated with live state", { .hs = 1, .hl = 1, .gs = 2, .gl = 2 },
	  { LOAD(H), VLOAD_LIVE, FIRST_HOST_LIVE, SWITCH(1),
	    GUEST_SAVE(PREEMPT), NO_SAVE,
	    ON(1, SAVE, T, 1, 0, 0, 0),
	    ON(1, VLOAD, H, 1, 1, 0, 0),
	    ON(1, BIND_VCPU, G, 1, 1, 0, FP_OP_GUEST_LOAD),
	    ON(1, SAVE, H, 0, 1, 0, FP_OP_GUEST_SAVE | BY(USER_RETURN)),
	    ON(1, RUN_END, H, 1, 1, 0, 0),
	    ON(1, LOAD, H, 1, 0, 0, FP_OP_USER_LOAD) } },
};

#define KERNEL_SAVE(b)                                                      \
	IS(BIND_KERNEL, b, 1, 0, 0, FP_OP_KERNEL_SAVE)
#define KERNEL_NEST(b)                                                      \
	IS(BIND_KERNEL, b, 1, 0, 1, FP_OP_KERNEL_SAVE | FP_OP_KERNEL_LOAD)
#define RESUME_KERNEL IS(RESUME_KERNEL, 0, 0, 0, 0, FP_OP_KERNEL_LOAD)

#define USER_SAVE_BY_NEON                                                   \
	IS(SAVE, B, 0, 0, 0, FP_OP_USER_SAVE | BY(TASK_NEON))

/* What is the same under both. */
static const struct scenario other[] = {
	{ "task NEON, switched out inside, and back (6.8)",
	  { .bs = 1, .bl = 2, .ks = 1, .kl = 1 },
	  { LOAD(B), NEON_TASK, USER_SAVE_BY_NEON, KERNEL_SAVE(K),
	    RESUME_KERNEL, NO_SAVE_OF(T), LOAD(B) } },
	{ "softirq NEON over task NEON",
	  { .bs = 1, .bl = 2, .ks = 2, .kl = 2 },
	  { LOAD(B), NEON_TASK, USER_SAVE_BY_NEON, NEON_SOFTIRQ,
	    KERNEL_NEST(K), NEON_SOFTIRQ,
	    IS(NEON_NEST, K, 1, 0, 1, FP_OP_KERNEL_SAVE | FP_OP_KERNEL_LOAD),
	    LOAD(B) } },
	{ "a state is read and lives on", { .bs = 3, .bl = 1 },
	  { LOAD(B), IS(FORK, B, 0, 0, 0, 0), USER_SAVE(B),
	    IS(PRESERVE, B, 0, 0, 0, 0), USER_SAVE(B), USER_SAVE(B) } },
	{ "a state is replaced in memory", { .bl = 3 },
	  { LOAD(B), IS(SIGRETURN, B, 0, 0, 0, 0), LOAD(B),
	    IS(EXEC, B, 0, 0, 0, 0),
	    IS(FLUSH_TASK, B, 0, 0, 0, 0), LOAD(B) } },
	{ "what is left of a cause goes with the run",
	  { .hs = 1 },
	  { LOAD(H), VLOAD_LIVE, RUN_END,
	    IS(SAVE, H, 0, 1, 0, FP_OP_USER_SAVE) } },
	{ "a kernel state takes the cause of the save it stands for",
	  { .hl = 1, .hs = 1, .ks = 1 },
	  { SWITCH(1), KERNEL_SAVE(K), LOAD(H),
	    IS(SAVE, H, 0, 1, 0, FP_OP_USER_SAVE) } },
};

#define MISSED(step) ((step) | FP_OP_MISSED)

/* Contradictions: what a dropped hook leaves behind, and that it heals. */
static const struct scenario missed[] = {
	{ "the save of a guest, then its load", { .gs = 1, .gl = 2 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0), FIRST,
	    IS(BIND_VCPU, G, 1, 1, 0, MISSED(FP_OP_GUEST_LOAD)),
	    AGAIN, PUT_LIVE } },
	{ "the save and the load of another guest", { .gs = 1, .gl = 2 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0), FIRST,
	    IS(BIND_VCPU, G2, 0, 1, 0, MISSED(FP_OP_GUEST_LOAD)),
	    IS(BIND_VCPU, G2, 0, 1, 0, FP_OP_LIVE), PUT_LIVE } },
	{ "the bind of a guest", { .gl = 1 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0),
	    IS(BIND_VCPU, G, 0, 1, 0, MISSED(FP_OP_GUEST_LOAD)), AGAIN } },
	{ "the bind of a guest over a kernel state", { .gl = 1, .ks = 1 },
	  { KERNEL_SAVE(K),
	    IS(BIND_VCPU, G, 0, 1, 0, MISSED(FP_OP_GUEST_LOAD)) } },
	{ "the save of a guest, seen at vcpu_load", { .gl = 2, .gs = 1 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0), FIRST,
	    IS(VLOAD, H, 1, 1, 0, FP_OP_MISSED), FIRST, PUT_LIVE } },
	{ "the same with the host live", { .gl = 1, .hs = 1 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0), FIRST,
	    IS(VLOAD, H, 0, 1, 0, FP_OP_MISSED),
	    IS(SAVE, H, 0, 1, 0,
	       FP_OP_USER_SAVE | FP_OP_EAGER | BY(VCPU_LOAD)) } },
	{ "the load of a task", { .bl = 1, .hs = 2 },
	  { LOAD(B), IS(SAVE, H, 0, 1, 0, MISSED(FP_OP_USER_SAVE)),
	    HOST_SAVE(NONE) } },
	{ "the save of a vcpu, before another took its memory",
	  { .gl = 2 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0), FIRST,
	    { .ev = { .buf = G, .gen = 2, .kind = FP_EV_BIND_VCPU,
		      .in_run = 1 },
	      .step = MISSED(FP_OP_GUEST_LOAD) },
	    { .ev = { .buf = G, .gen = 2, .kind = FP_EV_BIND_VCPU,
		      .in_run = 1 },
	      .step = FP_OP_LIVE } } },
	{ "the load of a task over a kernel state", { .bs = 1, .ks = 1 },
	  { KERNEL_SAVE(K),
	    IS(SAVE, B, 0, 0, 0, MISSED(FP_OP_USER_SAVE)) } },
	{ "a guest's state is saved outside of its run",
	  { .gl = 1, .bs = 1 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0), FIRST,
	    IS(SAVE, B, 0, 0, 0, MISSED(FP_OP_USER_SAVE)) } },
	{ "a load always tells what is there", { .gl = 1, .bl = 1, .bs = 1 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0), FIRST, LOAD(B),
	    USER_SAVE(B) } },
};

/* The capture begins when something is in the registers already. */
static const struct scenario unknown[] = {
	{ "a guest is live and is entered again", { .gs = 1 },
	  { IS(BIND_VCPU, G, 0, 1, 0, FP_OP_UNDECIDED), AGAIN, PUT_LIVE } },
	{ "a guest is live and is saved; the vcpu says so",
	  { .gs = 1, .gl = 1 },
	  { IS(SAVE, H, 0, 1, FP_HINT_GUEST,
	       FP_OP_GUEST_SAVE | BY(USER_RETURN)), FIRST } },
	{ "the host is live in the run and is saved", { .hs = 1 },
	  { IS(SAVE, H, 0, 1, FP_HINT_HOST, FP_OP_USER_SAVE) } },
	{ "the vcpu's own word is stale before vcpu_load", { .hs = 1 },
	  { VLOAD, IS(SAVE, H, 0, 1, FP_HINT_GUEST,
		      FP_OP_USER_SAVE | FP_OP_EAGER | BY(VCPU_LOAD)) } },
	{ "a state is saved in the run, and nobody says whose", { .gl = 1 },
	  { SWITCH(1), IS(SAVE, H, 0, 1, FP_HINT_NONE, FP_OP_UNDECIDED),
	    NO_SAVE, VLOAD, FIRST } },
	{ "another task was live before vcpu_load, and comes back",
	  { .bs = 1 }, { VLOAD, IDLE, SWITCH(1), NO_SAVE, USER_SAVE(B) } },
	{ "the word counts only when nothing is known", { .hs = 1 },
	  { LOAD(H), IS(SAVE, H, 0, 1, FP_HINT_GUEST, FP_OP_USER_SAVE) } },
	{ "a guest is loaded", { .gl = 1 }, { FIRST } },
	{ "a task is saved", { .bs = 2 }, { USER_SAVE(B), USER_SAVE(B) } },
	{ "a task is loaded", { .bl = 1, .bs = 1 }, { LOAD(B), USER_SAVE(B) } },
	{ "nothing is live at vcpu_load", { .gl = 1 }, { VLOAD, FIRST } },
	{ "the host is live at vcpu_load", { .hs = 1, .gl = 1 },
	  { VLOAD_LIVE, FIRST_HOST_LIVE } },
	{ "an exit says nothing yet", { 0 }, { EXIT_LIVE, IDLE } },
	{ "a dead CPU holds nothing", { .gl = 1 },
	  { IS(CPU_DEAD, 0, 0, 0, 0, 0), VLOAD, FIRST } },
};

static void add(struct sums *s, const struct fp_event *ev, __u32 step)
{
	__u32 ops = FP_OPS(step);
	int h = ev->in_run || ev->buf == H;

	s->gs += !!(ops & FP_OP_GUEST_SAVE);
	s->gl += !!(ops & FP_OP_GUEST_LOAD);
	*(h ? &s->hs : &s->bs) += !!(ops & FP_OP_USER_SAVE);
	*(h ? &s->hl : &s->bl) += !!(ops & FP_OP_USER_LOAD);
	s->ks += !!(ops & FP_OP_KERNEL_SAVE);
	s->kl += !!(ops & FP_OP_KERNEL_LOAD);
}

static void play(const struct scenario *sc)
{
	struct fp_cpu cpu[2] = { 0 };
	struct sums sums = { 0 };
	size_t i, n = sizeof(sc->line) / sizeof(sc->line[0]);

	while (n > 0 && !sc->line[n - 1].ev.gen) /* not used */
		n--;
	for (i = 0; i < n; i++) {
		const struct line *l = &sc->line[i];
		__u32 step = fp_step(&cpu[l->cpu], &l->ev);

		if (step != l->step)
			fail_msg("%s: event %zu (kind %u) gave 0x%x, not 0x%x",
				 sc->name, i, l->ev.kind, step, l->step);
		if (i > 0 || l->ev.kind != FP_EV_LOAD || l->ev.buf != H)
			add(&sums, &l->ev, step);
	}
	if (sums.hs != sc->sums.hs || sums.hl != sc->sums.hl ||
	    sums.gs != sc->sums.gs || sums.gl != sc->sums.gl ||
	    sums.bs != sc->sums.bs || sums.bl != sc->sums.bl ||
	    sums.ks != sc->sums.ks || sums.kl != sc->sums.kl)
		fail_msg("%s: HS %u HL %u GS %u GL %u BS %u BL %u KS %u KL %u",
			 sc->name, sums.hs, sums.hl, sums.gs, sums.gl, sums.bs,
			 sums.bl, sums.ks, sums.kl);
}

static void play_state(void **state)
{
	play(*state);
}

static size_t add_tests(struct CMUnitTest *tests, const char *group,
			const struct scenario *list, size_t n)
{
	static char names[128][96];
	static size_t used;
	size_t i;

	for (i = 0; i < n; i++, used++) {
		assert_true(used < 128);
		snprintf(names[used], sizeof(names[used]), "%s, %s", group,
			 list[i].name);
		tests[i] = (struct CMUnitTest){
			.name = names[used],
			.test_func = play_state,
			.initial_state = (void *)&list[i],
		};
	}
	return n;
}

int main(void)
{
	struct CMUnitTest tests[128] = { 0 };
	size_t n = 0;

#define ADD(group)                                                             \
	n += add_tests(tests + n, #group, group,                               \
		       sizeof(group) / sizeof(group[0]))
	ADD(eager);
	ADD(martin);
	ADD(other);
	ADD(missed);
	ADD(unknown);
	return _cmocka_run_group_tests("model", tests, n, NULL, NULL);
}
