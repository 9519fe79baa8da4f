// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bystander.h"
#include "neon.h"

enum { YIELD_EVERY = 64 };

/*
 * d8 to d15 survive calls, and neither this program nor the system calls it
 * makes use them: they carry a number from one quantum to the next.
 */
static uint64_t registers_get(void)
{
	uint64_t value;

	asm volatile("fmov %0, d8" : "=r"(value));
	return value;
}

static void registers_set(uint64_t value)
{
	asm volatile("fmov d8, %0" : : "r"(value));
}

static void on_signal(int nr)
{
	(void)nr;
}

/* Into the kernel, where the state is saved, loaded or given up; and not much else. */
static void enter_kernel(const struct bystander *bystander)
{
	if (bystander->signals)
		pthread_kill(pthread_self(), SIGURG);
	if (bystander->neon)
		neon__fire("here", 0);
}

static void compute(struct bystander *bystander, uint64_t *number)
{
	bool enters = bystander->signals || bystander->neon;

	for (int i = 0; i < (enters ? 10 : 1000); i++) {
		if (registers_get() != *number)
			bystander->lost++;
		registers_set(++*number);
	}
	if (bystander->sve)
		use_sve();
	enter_kernel(bystander);
}

static void wait_for(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		die(EXIT_WRONG, "bystander: eventfd");
}

static void signal_to(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		die(EXIT_WRONG, "bystander: eventfd");
}

static void *bystander__thread(void *arg)
{
	struct bystander *bystander = arg;
	struct switches start;
	uint64_t number = 0x12345678;
	unsigned int turns = 0;

	set_name("bystander");
	if (bystander->cpu >= 0)
		set_cpu(0, bystander->cpu);
	set_fifo(bystander->priority);
	if (bystander->signals)
		signal(SIGURG, on_signal);
	bystander->tid = thread_id();
	start = switches_now();
	registers_set(number);
	signal_to(bystander->answer_fd);

	while (!atomic_load(&bystander->stop)) {
		if (bystander->spin) {
			compute(bystander, &number);
			if (bystander->sve && ++turns % YIELD_EVERY == 0)
				sched_yield();
			continue;
		}
		wait_for(bystander->poke_fd);
		if (atomic_load(&bystander->stop))
			break;
		compute(bystander, &number);
		bystander->quanta++;
		signal_to(bystander->answer_fd);
	}
	bystander->switches = switches_since(start);
	return NULL;
}

void bystander__start(struct bystander *bystander)
{
	bystander->poke_fd = eventfd(0, EFD_CLOEXEC);
	bystander->answer_fd = eventfd(0, EFD_CLOEXEC);
	if (bystander->poke_fd < 0 || bystander->answer_fd < 0 ||
	    pthread_create(&bystander->thread, NULL, bystander__thread, bystander))
		die(EXIT_ENV, "no thread for a bystander");
	wait_for(bystander->answer_fd);
}

void bystander__poke(struct bystander *bystander)
{
	signal_to(bystander->poke_fd);
	wait_for(bystander->answer_fd);
}

void bystander__stop(struct bystander *bystander)
{
	atomic_store(&bystander->stop, true);
	signal_to(bystander->poke_fd);
	pthread_join(bystander->thread, NULL);
	close(bystander->poke_fd);
	close(bystander->answer_fd);
}
