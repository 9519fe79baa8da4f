/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine by bare KVM ioctls: memory, vcpus, GIC. No threads here. */
#ifndef WORKLOADS_VM_H
#define WORKLOADS_VM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest.h"

/* Shared with the running guest. */
struct guest_block {
	uint64_t ops;
	uint64_t count;		/* turns until the guest stores to GUEST_DONE */
	uint64_t stop;		/* not 0: DONE after this turn */
	uint64_t turns;
	uint64_t fp_uses;
	uint64_t fp_lost;	/* FP registers did not hold the guest's value */
	uint64_t hvcs;
	uint64_t mmios;
	uint64_t wfis;
	uint64_t ticks;		/* of the counter, for one WFI */
	uint64_t gicr;
	uint64_t peer;		/* guest address of the peer's block */
	uint64_t peer_id;
	uint64_t vl;		/* bytes of an SVE register, once one was used */
};

_Static_assert(offsetof(struct guest_block, peer_id) == B_PEER_ID, "guest.h");
_Static_assert(offsetof(struct guest_block, vl) == B_VL, "guest.h");
_Static_assert(offsetof(struct guest_block, fp_uses) == B_FP_USES, "guest.h");

struct vm_config {
	int nr_vcpus;
	bool sve;
	bool host_sve;		/* its threads use SVE between KVM_RUNs */
	bool vgic;
};

#define VM_MAX_VCPUS	64

struct vm {
	int fd;
	void *ram;
	size_t ram_size;
	size_t run_size;
	struct vm_config config;
	int vcpu_fd[VM_MAX_VCPUS];
	struct kvm_run *run[VM_MAX_VCPUS];
};

/* All of these end the program with a message when KVM refuses. */
void vm__create(struct vm *vm, const struct vm_config *config);
/* off: it sleeps in KVM_RUN until another vcpu calls CPU_ON. */
void vm__init_vcpu(struct vm *vm, int id, bool off);
/* After the last vm__init_vcpu, if there is a GIC. */
void vm__init_gic(struct vm *vm);
/*
 * Where a guest is that went wrong: the registers that tell. The vcpu must not
 * be in KVM_RUN.
 */
void vm__dump(struct vm *vm, int id);
void vm__destroy(struct vm *vm);

struct guest_block *vm__block(struct vm *vm, int id);
uint64_t vm__block_address(int id);
/* Of the counter. */
uint64_t vm__ticks(unsigned int us);

#endif
