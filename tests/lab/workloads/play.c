// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "play.h"

#define FOREVER		(~0ULL)
#define PATIENCE_US	20000000

static int cpu_of(const struct play *play, int vcpu)
{
	return cpu_list__at(&play->options->cpus, vcpu);
}

static void create(struct play *play, int nr_vcpus, uint64_t count)
{
	const struct options *options = play->options;
	struct vm_config config = {
		.nr_vcpus = nr_vcpus,
		.sve = options->sve,
		.vgic = options->vgic || play->scenario->ops & 1 << OP_WFI,
	};

	vm__create(&play->vm, &config);
	for (int i = 0; i < nr_vcpus; i++) {
		struct guest_block *block;

		vm__init_vcpu(&play->vm, i, i > 0);
		block = vm__block(&play->vm, i);
		block->ops = play->scenario->ops | (uint64_t)options->sve << OP_SVE;
		if (!play->truth.guest_fp)
			block->ops &= ~(1ULL << OP_FP);
		block->count = count;
		play->runner[i] = (struct runner){
			.vm = &play->vm, .id = i, .cpu = cpu_of(play, i),
			.priority = PRIORITY_VCPU, .sessions = 1,
			.prime = config.vgic,
		};
	}
	if (config.vgic)
		vm__init_gic(&play->vm);
}

static void finish(struct play *play)
{
	for (int i = 0; i < play->vm.config.nr_vcpus; i++)
		runner__join(&play->runner[i]);
	truth__add_vm(&play->truth, &play->vm, play->runner);
	vm__destroy(&play->vm);
}

void play_runs(struct play *play)
{
	create(play, 1, play->scenario->turns);
	play->runner[0].sessions = play->truth.n;
	runner__start(&play->runner[0]);
	finish(play);
}

void play_fresh(struct play *play)
{
	for (uint64_t i = 0; i < play->truth.n; i++) {
		create(play, 1, play->scenario->turns);
		runner__start(&play->runner[0]);
		finish(play);
	}
}

void play_once(struct play *play)
{
	create(play, 1, play->truth.n);
	runner__start(&play->runner[0]);
	finish(play);
}

void play_sleep(struct play *play)
{
	create(play, 1, play->truth.n);
	vm__block(&play->vm, 0)->ticks = vm__ticks(play->options->wfi_us);
	runner__start(&play->runner[0]);
	finish(play);
	play->truth.planned = play->truth.switches.voluntary;
}

void play_immediate(struct play *play)
{
	create(play, 1, play->scenario->turns);
	play->runner[0].immediates = play->truth.n;
	runner__start(&play->runner[0]);
	finish(play);
}

static uint64_t turns_of(struct play *play)
{
	return __atomic_load_n(&vm__block(&play->vm, 0)->turns, __ATOMIC_ACQUIRE);
}

/*
 * Until the guest has done one whole turn. Two, because the first one may have
 * been in progress: then the guest has used FP since, if it does at all, and
 * the last event is over.
 */
static void wait_for_turn(struct play *play)
{
	const uint64_t start = turns_of(play);

	for (unsigned int us = 0; turns_of(play) < start + 2; us += 50) {
		if (us > PATIENCE_US)
			die(EXIT_WRONG, "the guest does not get on");
		sleep_us(50);
	}
}

void play_events(struct play *play)
{
	const struct scenario *scenario = play->scenario;
	const bool bystander = scenario->event == event_bystander;

	play->cpu = cpu_of(play, 0);
	create(play, 1, FOREVER);
	if (bystander) {
		play->bystander.cpu = play->cpu;
		play->bystander.priority = PRIORITY_BYSTANDER;
		bystander__start(&play->bystander);
	}
	runner__start(&play->runner[0]);
	wait_for_turn(play);
	for (uint64_t i = 0; i < play->truth.n; i++) {
		scenario->event(play);
		wait_for_turn(play);
	}
	vm__block(&play->vm, 0)->stop = 1;
	finish(play);
	if (bystander) {
		bystander__stop(&play->bystander);
		truth__add_bystander(&play->truth, &play->bystander);
	}
}

void event_softirq(struct play *play)
{
	neon__fire("softirq", play->cpu);
}

void event_preempt(struct play *play)
{
	neon__fire("preempt", play->cpu);
	play->truth.planned++;
}

void event_bystander(struct play *play)
{
	bystander__poke(&play->bystander);
	play->truth.planned++;
}

void event_migrate(struct play *play)
{
	const int next = play->cpu == cpu_of(play, 0) ? cpu_of(play, 1) :
							cpu_of(play, 0);

	set_cpu(play->runner[0].tid, next);
	play->cpu = next;
	play->truth.planned++;
	play->truth.migrations++;
}

static void wait_until_asleep(struct runner *runner)
{
	char path[64], text[512];
	const char *state = NULL;

	while (!atomic_load(&runner->running))
		sleep_us(50);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)runner->tid);
	for (unsigned int us = 0; !state || state[2] != 'S'; us += 50) {
		if (us > PATIENCE_US || !read_text(path, text, sizeof(text)))
			die(EXIT_WRONG, "the second vcpu does not sleep");
		state = strrchr(text, ')');
		sleep_us(50);
	}
}

/*
 * The peer first, alone: it sleeps in KVM_RUN before its guest ever ran, and
 * this thread then returns to user mode on the same CPU, the second one. So the registers of
 * the peer's thread are taken for sure, which is what the formula for martin
 * counts on.
 */
void play_reset(struct play *play)
{
	struct guest_block *block;

	create(play, 2, play->truth.n);
	block = vm__block(&play->vm, 0);
	block->ops = (block->ops & ~(1ULL << OP_OFF)) | 1 << OP_ON;
	block->peer = vm__block_address(1);
	block->peer_id = 1;

	runner__start(&play->runner[1]);
	wait_until_asleep(&play->runner[1]);
	runner__start(&play->runner[0]);
	finish(play);
	play->truth.planned = play->runner[1].switches.voluntary;
}
