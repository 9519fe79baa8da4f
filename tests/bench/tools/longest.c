// SPDX-License-Identifier: GPL-2.0-only
/*
 * longest NAME... -- COMMAND: how long the BPF programs of these names run at a time,
 * while COMMAND does: one line of JSON each, mean and longest. Those that did not run
 * are left out. What it takes to ask for the time is in both. A second CPU would mix in.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

enum { NAME = BPF_OBJ_NAME_LEN - 1 };

/* Of one program, which never interrupts itself. */
struct times {
	uint64_t begin, sum, runs, longest;
};

#define INSN(CODE, DST, SRC, OFF, IMM)                                         \
	{                                                                      \
		.code = (CODE), .dst_reg = (DST), .src_reg = (SRC),            \
		.off = (OFF), .imm = (IMM)                                     \
	}
#define CALL(ID) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##ID)
#define ALU(OP, DST, IMM) INSN(BPF_ALU64 | BPF_##OP, DST, 0, 0, IMM)
#define ALU_REG(OP, DST, SRC) INSN(BPF_ALU64 | BPF_##OP | BPF_X, DST, SRC, 0, 0)
#define READ(DST, FIELD)                                                       \
	INSN(BPF_LDX | BPF_MEM | BPF_DW, DST, 6,                               \
	     offsetof(struct times, FIELD), 0)
#define WRITE(FIELD, SRC)                                                      \
	INSN(BPF_STX | BPF_MEM | BPF_DW, 6, SRC,                               \
	     offsetof(struct times, FIELD), 0)
#define TIMES_TO_R6(MAP)                                                       \
	INSN(BPF_LD | BPF_IMM | BPF_DW, 6, BPF_PSEUDO_MAP_VALUE, 0, MAP),      \
		INSN(0, 0, 0, 0, 0)
#define RETURN ALU(MOV, 0, 0), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load(enum bpf_attach_type when, int target, int func,
		const struct bpf_insn *insns, size_t nr)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = when,
		    .attach_prog_fd = (__u32)target,
		    .attach_btf_id = (__u32)func);

	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "longest", "GPL", insns, nr,
			     &opts);
}

static int load_begin(int map, int target, int func)
{
	const struct bpf_insn insns[] = { TIMES_TO_R6(map), CALL(ktime_get_ns),
					  WRITE(begin, 0), RETURN };

	return load(BPF_TRACE_FENTRY, target, func, insns,
		    sizeof(insns) / sizeof(insns[0]));
}

static int load_end(int map, int target, int func)
{
	const struct bpf_insn insns[] = {
		CALL(ktime_get_ns),
		ALU_REG(MOV, 7, 0),
		TIMES_TO_R6(map),
		READ(1, begin),
		INSN(BPF_JMP | BPF_JEQ, 1, 0, 10, 0), /* it had begun before */
		ALU_REG(SUB, 7, 1),
		READ(1, sum),
		ALU_REG(ADD, 1, 7),
		WRITE(sum, 1),
		READ(1, runs),
		ALU(ADD, 1, 1),
		WRITE(runs, 1),
		READ(1, longest),
		INSN(BPF_JMP | BPF_JGE | BPF_X, 1, 7, 1, 0),
		WRITE(longest, 7),
		RETURN,
	};

	return load(BPF_TRACE_FEXIT, target, func, insns,
		    sizeof(insns) / sizeof(insns[0]));
}

/* The BTF id of the function that is program @fd; 0 if it is not @name. */
static int func_of(int fd, const char *name)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct btf *btf;
	int func;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) ||
	    strncmp(info.name, name, NAME))
		return 0;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	func = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : 0;
	btf__free(btf);
	return func > 0 ? func : 0;
}

/* The program @name, if it is loaded. */
static int find(const char *name, int *func)
{
	__u32 id = 0;
	int fd;

	while (!bpf_prog_get_next_id(id, &id)) {
		fd = bpf_prog_get_fd_by_id(id);
		*func = fd < 0 ? 0 : func_of(fd, name);
		if (*func)
			return fd;
		close(fd);
	}
	return -1;
}

/* What is going to be there when programs have run; NULL: nobody is @name. */
static struct times *watch(const char *name)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	const size_t size = sizeof(struct times);
	int func, target = find(name, &func), map, begin, end;
	struct times *times;

	if (target < 0)
		return NULL;
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "longest", 4, size, 1, &opts);
	begin = load_begin(map, target, func);
	end = load_end(map, target, func);
	if (map < 0 || begin < 0 || end < 0 ||
	    bpf_raw_tracepoint_open(NULL, end) < 0 ||
	    bpf_raw_tracepoint_open(NULL, begin) < 0) {
		perror(name);
		exit(3);
	}
	times = mmap(NULL, size, PROT_READ, MAP_SHARED, map, 0);
	return times == MAP_FAILED ? NULL : times;
}

static void tell(const char *name, const struct times *t)
{
	if (t->runs)
		printf("{\"name\":\"%s\",\"mean\":%.1f,\"longest\":%llu}\n",
		       name, (double)t->sum / (double)t->runs,
		       (unsigned long long)t->longest);
}

int main(int argc, char **argv)
{
	struct times *times[64] = {};
	int i, n, status;

	for (n = 1; n < argc && n < 64 && strcmp(argv[n], "--"); n++)
		times[n] = watch(argv[n]);
	if (n + 1 >= argc || n == 64)
		return 2;
	if (fork() == 0) {
		execvp(argv[n + 1], argv + n + 1);
		_exit(127);
	}
	if (wait(&status) < 0 || status)
		return 1;
	for (i = 1; i < n; i++) {
		if (times[i])
			tell(argv[i], times[i]);
	}
	return 0;
}
