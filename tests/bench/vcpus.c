// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one frame of the screen takes, from counters to text, and in how much memory,
 * with few vcpus and with many. All rows are printed, as by `top --batch`: ncurses
 * shows no more than a page of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <linux/types.h>

#include "host.h"
#include "slots.h"
#include "view.h"

#include "fpstat/counters.h"

enum { FRAMES = 50, VCPUS_PER_VM = 8 };

static const unsigned int numbers[] = { 1, 64, 1024, 4096 };

static void come_alive(struct fp_vcpu *v, uint32_t slot)
{
	*v = (struct fp_vcpu){
		.vcpu = 1,
		.gen = 1,
		.state = FP_SLOT_LIVE,
		.slot = slot,
		.vcpu_id = slot % VCPUS_PER_VM,
		.vm_pid = 1 + slot / VCPUS_PER_VM,
		.tid = 1 + slot,
		.comm = "qemu",
	};
}

static void work(struct fp_vcpu *v)
{
	v->runs += 100;
	v->exits += 20000;
	v->runs_live += 18000;
	v->guest.save += 150;
	v->guest.load += 150;
	v->guest.verdict[FP_VERDICT_NEEDED] += 150;
	v->guest.verdict[FP_VERDICT_LOAD_NEEDED] += 150;
	v->cause[FP_CAUSE_PREEMPT] += 150;
}

static void frame(struct slots *s, const struct fp_vcpu *vcpus,
		  struct snapshot *before, FILE *out)
{
	struct snapshot now = { .t = before->t + 1, .dt = 1 }, interval = {};
	struct view view = { .s = &interval, .rate = true };

	if (slots__snapshot(s, vcpus, &now) ||
	    snapshot__delta(&interval, &now, before))
		exit(3);
	view_text__print(out, &view);
	snapshot__free(&interval);
	snapshot__free(before);
	*before = now;
}

/* Milliseconds of a frame with @n vcpus. */
static double measure(unsigned int n, FILE *out)
{
	struct fp_vcpu *vcpus = calloc(FP_MAX_VCPUS, sizeof(*vcpus));
	struct fp_percpu *cpu = calloc(1, sizeof(*cpu));
	struct slots *s = vcpus && cpu ? slots__new(vcpus, cpu, 1, SNAP_NA) :
					 NULL;
	struct snapshot before = {};
	double start = 0;
	unsigned int i, f;

	if (!s)
		exit(3);
	for (f = 0; f <= FRAMES; f++) {
		for (i = 0; i < n; i++) {
			if (vcpus[i].state == FP_SLOT_FREE)
				come_alive(&vcpus[i], i);
			work(&vcpus[i]);
		}
		/* Slots are given out by sixty-fours, and names read once. */
		while (f == 0 && slots__high(s) < n) {
			cpu->free_head = cpu->free_tail;
			slots__tick(s);
		}
		frame(s, vcpus, &before, out);
		if (f == 0)
			start = cpu_seconds();
	}
	start = cpu_seconds() - start;
	snapshot__free(&before);
	slots__free(s);
	free(vcpus);
	free(cpu);
	return start / FRAMES * 1e3;
}

int main(void)
{
	FILE *out = fopen("/dev/null", "w");
	unsigned int i;
	double ms;

	for (i = 0; out && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		ms = measure(numbers[i], out);
		printf("counters to text: %u vcpus: %.2f ms a frame%s, %ld KiB\n",
		       numbers[i], ms,
		       numbers[i] == 1024 ? " (wanted: 10)" : "", rss_kib());
	}
	return out ? 0 : 3;
}
