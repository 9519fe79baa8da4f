// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capture: translates what the kernel does into events, steps the automaton
 * of that CPU, and adds what it answers to the counters.
 *
 * Hot hooks sit where neither a softirq nor a preemption can come in between
 * (the save function, the bind at a guest exit, the load of a user state), so
 * that no event is ever seen half done. Each of them exists as kprobe and as
 * fentry; user space loads the one that this kernel can attach.
 *
 * Nothing here, and nothing in the allow-list of src/hooks.c, touches
 * hypervisor code: an exception there panics the host.
 *
 * One object, of parts with one job each. What the hooks stand on, lowest first:
 *
 *   kernel.h      the kernel's structures, and what moved in them
 *   maps.h        what is remembered, and shared with user space
 *   account.h     counts what the automaton answers
 *   verdict.h     runs the judge, counts what it decides
 *   step.h        one event, all of it
 *   infer.h       saves and loads that have no hook
 *   usual.h       the short way of what comes again and again
 *   twins.h       a hook as kprobe and as fentry
 *   live_rules.h  the rules that want the kernel's variables, for fpstat check
 *
 * The hooks, by what they see:
 *
 *   on_kvm.h      KVM_RUN, guest exits, the life of a vcpu
 *   on_sched.h    task switches, the end of a task
 *   on_neon.h     sections of kernel-mode NEON
 *   needs.h       where a state in memory is read, edited or dies
 *   on_fpsimd.h   saves, loads and binds of the registers
 *   witness.h     the same facts again, for tests
 */
#include "on_kvm.h"
#include "on_sched.h"
#include "on_neon.h"
#include "needs.h"
#include "on_fpsimd.h"
#include "witness.h"

char LICENSE[] SEC("license") = "GPL";
