// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a frame of the screen costs: CPU time and bytes that go to the terminal, with
 * few vcpus and with many, on 64 CPUs.
 */
#include <locale.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cost.h"
#include "owners.h"
#include "result.h"
#include "snapshot.h"
#include "top.h"
#include "top_history.h"
#include "util.h"
#include "view_tui.h"

enum { VCPUS = 4, CPUS = 64, LINES = 50, COLUMNS = 180, FRAMES = 200 };

static const unsigned int numbers[] = { 1, 64, 1024, 4096 };

static size_t writes, bytes; /* to the terminal */

/* In the place of libc's, so that those of curses are counted. */
ssize_t write(int fd, const void *buf, size_t len)
{
	if (isatty(fd)) {
		writes++;
		bytes += len;
	}
	return syscall(SYS_write, fd, buf, len);
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

static void fill(struct snapshot *s, unsigned int vcpus)
{
	size_t i;

	*s = (struct snapshot){ .mode = "vhe",
				.cpus = CPUS,
				.bpf_ns = SNAP_NA,
				.nr_vcpus = vcpus,
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

static void show(struct bench *b, const struct top_view *view, FILE *out)
{
	unsigned int n = (unsigned int)b->now.nr_vcpus, i;
	double ms;
	char what[64];

	b->st.view = view;
	frame(b, 1);
	writes = bytes = 0;
	ms = -cpu_seconds() * 1e3;
	for (i = 2; i < FRAMES + 2; i++)
		frame(b, i);
	ms += cpu_seconds() * 1e3;
	snprintf(what, sizeof(what), "screen, view %s", view->name);
	tell(out, what, n, "vcpus", ms / FRAMES, "ms/frame",
	     n == 1024 ? AT_MOST(10) : NO_LIMIT);
	if (n != 1024)
		return;
	tell(out, what, n, "vcpus", (double)bytes / FRAMES, "bytes/frame",
	     NO_LIMIT);
	tell(out, what, n, "vcpus", (double)writes / FRAMES, "writes/frame",
	     AT_MOST(1));
}

static void run(struct bench *b, unsigned int vcpus, FILE *out)
{
	int v;

	fill(&b->now, vcpus);
	for (v = 0; v < 3; v++)
		show(b, top_views[v], out);
	snapshot__free(&b->now);
}

/* By a process of its own: it takes time, and a terminal that is full waits. */
static void read_all(int master, int slave)
{
	char buf[4096];

	if (fork())
		return;
	close(slave);
	while (read(master, buf, sizeof(buf)) > 0)
		;
	_exit(0);
}

/* Standard input and output are the terminal, as they are for the program. */
static bool open_terminal(struct bench *b, char *why, size_t len)
{
	struct winsize size = { .ws_row = LINES, .ws_col = COLUMNS };
	struct tui_opts opts = {};
	int master, slave;

	setenv("TERM", "xterm-256color", 1);
	if (openpty(&master, &slave, NULL, NULL, &size))
		return false;
	read_all(master, slave);
	close(master);
	dup2(slave, STDIN_FILENO);
	dup2(slave, STDOUT_FILENO);
	b->tui = tui__open(&opts, why, len);
	return b->tui;
}

int main(void)
{
	static struct bench b;
	FILE *out = fdopen(dup(STDOUT_FILENO), "w");
	char why[256] = "no pseudo terminal";
	unsigned int i;

	setlocale(LC_CTYPE, "C.UTF-8");
	if (!out || !open_terminal(&b, why, sizeof(why))) {
		fprintf(stderr, "screen: %s\n", why);
		return 3;
	}
	top_state__begin(&b.st);
	b.shown = (struct top_shown){ .s = &b.interval,
				      .all = &b.now,
				      .ever = &b.now,
				      .history = &b.history,
				      .host = "bench" };
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		run(&b, numbers[i], out);
	tui__close(b.tui);
	fclose(out);
	return 0;
}
