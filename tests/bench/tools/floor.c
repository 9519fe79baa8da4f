// SPDX-License-Identifier: GPL-2.0-only
/*
 * floor MECHANISM:POINT... -- COMMAND: runs COMMAND while an empty BPF program is
 * attached to each POINT, as raw_tp, fentry or kprobe: no program can cost less.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/perf_event.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static const struct bpf_insn empty[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, /* r0 = 0 */
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load(enum bpf_prog_type type, const struct bpf_prog_load_opts *opts)
{
	return bpf_prog_load(type, "empty", "GPL", empty,
			     sizeof(empty) / sizeof(empty[0]), opts);
}

static int raw_tp(const char *point)
{
	int prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL);

	return prog < 0 ? prog : bpf_raw_tracepoint_open(point, prog);
}

static int fentry(const char *point)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_TRACE_FENTRY);
	int prog, id = libbpf_find_vmlinux_btf_id(point, BPF_TRACE_FENTRY);

	if (id < 0)
		return id;
	opts.attach_btf_id = (__u32)id;
	prog = load(BPF_PROG_TYPE_TRACING, &opts);
	return prog < 0 ? prog : bpf_raw_tracepoint_open(NULL, prog);
}

static int kprobe(const char *point)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.kprobe_func = (uintptr_t)point };
	FILE *type = fopen("/sys/bus/event_source/devices/kprobe/type", "r");
	int prog = load(BPF_PROG_TYPE_KPROBE, NULL), event;

	if (prog < 0 || !type || fscanf(type, "%u", &attr.type) != 1)
		return -1;
	fclose(type);
	event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
	if (event < 0 || ioctl(event, PERF_EVENT_IOC_SET_BPF, prog))
		return -1;
	return ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
}

/* Whether it is attached, until we end. */
static bool attach(const char *how, const char *point)
{
	if (strcmp(how, "raw_tp") == 0)
		return raw_tp(point) >= 0;
	if (strcmp(how, "fentry") == 0)
		return fentry(point) >= 0;
	if (strcmp(how, "kprobe") == 0)
		return kprobe(point) >= 0;
	return false;
}

int main(int argc, char **argv)
{
	char *point;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		point = strchr(argv[i], ':');
		if (point)
			*point++ = '\0';
		if (!point || !attach(argv[i], point)) {
			fprintf(stderr, "floor: no %s at %s: %s\n", argv[i],
				point ? point : "?", strerror(errno));
			return 3;
		}
	}
	if (i == 1 || i + 1 >= argc)
		return 2; /* with no point at all there is no floor */
	if (fork() == 0) {
		execvp(argv[i + 1], argv + i + 1);
		_exit(127);
	}
	return wait(&i) > 0 && WIFEXITED(i) ? WEXITSTATUS(i) : 1;
}
