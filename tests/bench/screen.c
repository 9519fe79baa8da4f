// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a frame of the screen costs: CPU time and bytes that go to the terminal, with
 * 1,024 vcpus on 64 CPUs. The terminal is a pseudo terminal that nobody looks at.
 */
#include <fcntl.h>
#include <locale.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cost.h"
#include "owners.h"
#include "snapshot.h"
#include "top.h"
#include "top_history.h"
#include "util.h"
#include "view_tui.h"

enum { VMS = 256, VCPUS = 4, CPUS = 64, LINES = 50, COLUMNS = 180 };

static size_t writes; /* to the terminal */

/* In the place of libc's, so that those of curses are counted. */
ssize_t write(int fd, const void *buf, size_t len)
{
	writes += isatty(fd);
	return syscall(SYS_write, fd, buf, len);
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static struct snap_xfer xfer(uint64_t n)
{
	return (struct snap_xfer){ .done = n,
				   .needed = n - n / 3,
				   .redundant = n / 3,
				   .bytes = n * FP_FPSIMD_BYTES };
}

/* Each second each vcpu does something else. */
static void add_second(struct snapshot *s, unsigned int second)
{
	struct snap_vcpu *v;
	uint64_t n;
	size_t i;

	s->t = s->dt = second;
	for (i = 0; i < s->nr_vcpus; i++) {
		v = &s->vcpus[i];
		n = (i * 7919 + second * 104729) % 5000;
		v->runs += n / 10;
		v->exits += n;
		v->guest_runs_live += n / 2;
		v->guest.save = v->guest.load =
			xfer(v->guest.save.done + n / 3);
		v->host.save = v->host.load = xfer(v->host.save.done + n / 7);
	}
	for (i = 0; i < s->nr_owners; i++) {
		s->owners[i].owner = (i + second) % SNAP_OWNERS;
		s->owners[i].changes += (i * second) % 20;
		s->owners[i].held[s->owners[i].owner] += 1000000000;
	}
}

static void fill(struct snapshot *s)
{
	size_t i;

	*s = (struct snapshot){ .mode = "vhe",
				.cpus = CPUS,
				.bpf_ns = SNAP_NA,
				.nr_vcpus = VMS * VCPUS,
				.nr_owners = CPUS };
	strcpy(s->kernel, "6.1.0");
	s->vcpus = calloc(s->nr_vcpus, sizeof(*s->vcpus));
	s->owners = calloc(s->nr_owners, sizeof(*s->owners));
	if (!s->vcpus || !s->owners)
		exit(3);
	for (i = 0; i < s->nr_vcpus; i++) {
		s->vcpus[i].slot = (uint32_t)i;
		s->vcpus[i].gen = 1;
		s->vcpus[i].vm_pid = 1000 + (uint32_t)i / VCPUS;
		s->vcpus[i].vcpu_id = i % VCPUS;
		s->vcpus[i].guest_bytes = FP_FPSIMD_BYTES;
		snprintf(s->vcpus[i].vm, sizeof(s->vcpus[i].vm), "guest-%zu",
			 i / VCPUS);
	}
	for (i = 0; i < s->nr_owners; i++)
		s->owners[i].cpu = (uint32_t)i;
}

struct bench {
	struct snapshot now, before, interval;
	struct top_shown shown;
	struct top_state st;
	struct history history;
	struct table table;
	struct paint page;
	struct tui *tui;
	int master;
};

static void frame(struct bench *b, unsigned int second)
{
	snapshot__free(&b->before);
	snapshot__copy(&b->before, &b->now);
	add_second(&b->now, second);
	snapshot__free(&b->interval);
	snapshot__delta(&b->interval, &b->now, &b->before);
	history__add(&b->history, &b->interval);
	top__arrange(&b->table, &b->shown, &b->st);
	tui__begin(b->tui, &b->page);
	top__paint(&b->page, &b->table, &b->shown, &b->st);
	tui__show(b->tui, &b->page, false);
}

static size_t drain(int fd)
{
	char buf[65536];
	ssize_t n;
	size_t sum = 0;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += (size_t)n;
	return sum;
}

static void run(struct bench *b, unsigned int frames, FILE *out)
{
	size_t first = 0, bytes = 0;
	double begin = 0;
	unsigned int i;
	int v;

	for (v = 0; v < 3; v++) {
		b->st.view = top_views[v];
		frame(b, 1);
		first = drain(b->master);
		bytes = writes = 0;
		begin = cpu_seconds();
		for (i = 2; i < frames + 2; i++) {
			frame(b, i);
			bytes += drain(b->master);
		}
		fprintf(out,
			"screen %-6s %5.2f ms a frame (%.2f %% of a core at 1 Hz), "
			"%zu bytes in %.2f writes, the first %zu\n",
			b->st.view->name,
			(cpu_seconds() - begin) / frames * 1e3,
			(cpu_seconds() - begin) / frames * 100, bytes / frames,
			(double)writes / frames, first);
	}
}

/* Standard input and output are the terminal, as they are for the program. */
static bool open_terminal(struct bench *b, char *why, size_t len)
{
	struct winsize size = { .ws_row = LINES, .ws_col = COLUMNS };
	struct tui_opts opts = {};
	int slave;

	setenv("TERM", "xterm-256color", 1);
	if (openpty(&b->master, &slave, NULL, NULL, &size))
		return false;
	fcntl(b->master, F_SETFL, O_NONBLOCK);
	dup2(slave, STDIN_FILENO);
	dup2(slave, STDOUT_FILENO);
	b->tui = tui__open(&opts, why, len);
	return b->tui;
}

int main(int argc, char **argv)
{
	static struct bench b;
	unsigned int frames = argc > 1 ? (unsigned int)atoi(argv[1]) : 0;
	FILE *out = fdopen(dup(STDOUT_FILENO), "w");
	char why[256] = "no pseudo terminal";

	setlocale(LC_CTYPE, "C.UTF-8");
	if (!out || !open_terminal(&b, why, sizeof(why))) {
		fprintf(stderr, "screen: %s\n", why);
		return 3;
	}
	fill(&b.now);
	top_state__begin(&b.st);
	b.shown = (struct top_shown){ .s = &b.interval,
				      .all = &b.now,
				      .ever = &b.now,
				      .history = &b.history,
				      .host = "bench" };
	run(&b, frames && frames < 1000 ? frames : 200, out);
	tui__close(b.tui);
	fclose(out);
	return 0;
}
