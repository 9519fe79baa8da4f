// SPDX-License-Identifier: GPL-2.0-only
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util.h"

#define MAX_NODES 64
#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* linux/capability.h */
#define CAP_SYS_ADMIN_BIT (1ULL << 21)
#define CAP_PERFMON_BIT (1ULL << 38)
#define CAP_BPF_BIT (1ULL << 39)

/* PSTATE.M, arch/arm64/include/uapi/asm/ptrace.h */
#define PSR_MODE_MASK 0xf
#define PSR_MODE_EL2h 0x9
#define PSR_MODE_EL1h 0x5

#define MAX_SYMS 128

struct ksyms {
	size_t nr;
	struct {
		const char *name;
		uint64_t address, end;
		bool found;
	} sym[MAX_SYMS];
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void *look_up(const struct ksyms *k, const char *name)
{
	return bsearch(&name, k->sym, k->nr, sizeof(k->sym[0]), by_name);
}

/* "ffff800008018878 T fpsimd_save\n"; a tab and a module's name may follow */
static const char *symbol_in(char *line)
{
	char *type = strchr(line, ' ');

	if (!type || !type[1] || type[2] != ' ')
		return NULL;
	type[3 + strcspn(type + 3, "\t\n")] = '\0';
	return type + 3;
}

struct ksyms *ksyms__find(const char *const *names)
{
	struct ksyms *k = calloc(1, sizeof(*k));
	FILE *f = fopen("/proc/kallsyms", "re");
	typeof(&k->sym[0]) hit, before = NULL;
	char line[1024];
	const char *name;
	uint64_t address;

	if (!k || !f) {
		free(k);
		if (f)
			fclose(f);
		return NULL;
	}
	while (*names && k->nr < MAX_SYMS)
		k->sym[k->nr++].name = *names++;
	qsort(k->sym, k->nr, sizeof(k->sym[0]), by_name);
	while (fgets(line, sizeof(line), f)) {
		address = strtoull(line, NULL, 16);
		if (before && address > before->address) {
			before->end = address;
			before = NULL;
		}
		name = symbol_in(line);
		hit = name ? look_up(k, name) : NULL;
		if (hit) {
			hit->found = true;
			hit->address = address;
			before = hit;
		}
	}
	fclose(f);
	return k;
}

void ksyms__free(struct ksyms *k)
{
	free(k);
}

bool ksyms__have(const struct ksyms *k, const char *name)
{
	const typeof(k->sym[0]) *hit = look_up(k, name);

	return hit && hit->found;
}

uint64_t ksyms__address(const struct ksyms *k, const char *name)
{
	const typeof(k->sym[0]) *hit = look_up(k, name);

	return hit && hit->found ? hit->address : 0;
}

uint64_t ksyms__end(const struct ksyms *k, const char *name)
{
	const typeof(k->sym[0]) *hit = look_up(k, name);

	return hit && hit->found ? hit->end : 0;
}

static uint64_t effective_caps(void)
{
	char status[4096];
	const char *line;

	if (fps_read_file("/proc/self/status", status, sizeof(status)) < 0)
		return 0;
	line = strstr(status, "\nCapEff:");
	return line ? strtoull(line + strlen("\nCapEff:"), NULL, 16) : 0;
}

static bool may_trace(void)
{
	uint64_t caps = effective_caps();

	return caps & CAP_SYS_ADMIN_BIT ||
	       (caps & CAP_BPF_BIT && caps & CAP_PERFMON_BIT);
}

static bool locked_down(void)
{
	char mode[128];

	return fps_read_file("/sys/kernel/security/lockdown", mode,
			     sizeof(mode)) > 0 &&
	       strstr(mode, "[confidentiality]");
}

int kernel__can_capture(char *why, size_t len)
{
	struct utsname u;

	if (uname(&u) == 0 && strcmp(u.machine, "aarch64") != 0)
		snprintf(why, len,
			 "this machine is %s: fpstat counts on arm64 KVM hosts "
			 "only; `make run` shows it in an emulated one",
			 u.machine);
	else if (access("/dev/kvm", F_OK) != 0)
		snprintf(why, len,
			 "no KVM: /dev/kvm is missing; boot the kernel at EL2 "
			 "with CONFIG_KVM, without kvm-arm.mode=none");
	else if (access(BTF_PATH, R_OK) != 0)
		snprintf(why, len,
			 "no BTF: " BTF_PATH " is missing; use a kernel built "
			 "with CONFIG_DEBUG_INFO_BTF=y");
	else if (locked_down())
		snprintf(why, len,
			 "the kernel is locked down (confidentiality), which "
			 "forbids BPF to read kernel memory; boot with "
			 "lockdown=integrity or none");
	else if (!may_trace())
		snprintf(why, len,
			 "no permission: run as root, or with the capabilities "
			 "CAP_BPF and CAP_PERFMON");
	else
		return 0;
	return -ENOTSUP;
}

/* One record a read; the first that matches @needle. */
static bool kmsg_find(const char *needle, char *record, size_t len)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool found = false;
	ssize_t n;

	if (fd < 0)
		return false;
	for (;;) {
		n = read(fd, record, len - 1);
		if (n < 0 && errno == EPIPE)
			continue; /* overwritten meanwhile: go on at the next */
		if (n <= 0)
			break;
		record[n] = '\0';
		if (strstr(record, needle)) {
			found = true;
			break;
		}
	}
	close(fd);
	return found;
}

/* arch/arm64/kvm/arm.c: "%s%sVHE mode initialized successfully" and sisters */
static const char *mode_below_el2(void)
{
	char text[8192];

	if (kmsg_find("mode initialized successfully", text, sizeof(text))) {
		if (strstr(text, "Protected"))
			return "pkvm";
		return strstr(text, "hVHE") ? "hvhe" : "nvhe";
	}
	if (fps_read_file("/proc/cmdline", text, sizeof(text)) > 0 &&
	    (strstr(text, "kvm-arm.mode=protected") ||
	     strstr(text, "kvm_arm.mode=protected")))
		return "pkvm";
	return "nvhe";
}

const char *kernel__mode(uint64_t pstate)
{
	switch (pstate & PSR_MODE_MASK) {
	case PSR_MODE_EL2h:
		return "vhe";
	case PSR_MODE_EL1h:
		return mode_below_el2();
	default:
		return "unknown";
	}
}

uint32_t kernel__sve_vl(void)
{
	char text[32];

	if (fps_read_file("/proc/sys/abi/sve_default_vector_length", text,
			  sizeof(text)) <= 0)
		return 0;
	return strtoul(text, NULL, 10);
}

bool kernel__has_sme(void)
{
	return access("/proc/sys/abi/sme_default_vector_length", F_OK) == 0;
}

uint32_t kernel__cpu_node(unsigned int cpu)
{
	char path[64];
	unsigned int node;

	for (node = 0; node < MAX_NODES; node++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%u/node%u", cpu, node);
		if (!access(path, F_OK))
			return node;
	}
	return 0;
}

struct bpf_prog_info kernel__prog_info(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		return (struct bpf_prog_info){};
	return info;
}

void kernel__online(bool *online, unsigned int cpus)
{
	FILE *f = fopen("/sys/devices/system/cpu/online", "re");
	unsigned int first, last;
	int n;

	memset(online, !f, cpus);
	/* 0-3,6 */
	while (f && (n = fscanf(f, "%u-%u", &first, &last)) > 0) {
		for (last = n > 1 ? last : first; first <= last; first++) {
			if (first < cpus)
				online[first] = true;
		}
		if (getc(f) != ',')
			break;
	}
	if (f)
		fclose(f);
}

static bool has_member(const struct btf *btf, const char *type,
		       const char *member)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t;
	const struct btf_member *m;
	int i;

	if (id < 0)
		return false;
	t = btf__type_by_id(btf, id);
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++) {
		if (strcmp(btf__name_by_offset(btf, m[i].name_off), member) ==
		    0)
			return true;
	}
	return false;
}

static bool kernel_has_member(const char *type, const char *member)
{
	struct btf *btf = btf__parse(BTF_PATH, NULL);
	bool has;

	if (!btf)
		return false;
	has = has_member(btf, type, member);
	btf__free(btf);
	return has;
}

bool kernel__guest_visible(const char *mode)
{
	return strcmp(mode, "pkvm") != 0 ||
	       kernel_has_member("kvm_vcpu_arch", "fp_state");
}

bool kernel__owner_is_per_cpu(void)
{
	return kernel_has_member("kvm_host_data", "fp_owner");
}

bool kernel__owner_is_state(void)
{
	return kernel__owner_is_per_cpu() ||
	       kernel_has_member("kvm_vcpu_arch", "fp_state");
}

static bool has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

void kernel__vcpu(struct kernel_vcpu *kv)
{
	struct btf *btf = btf__load_vmlinux_btf();

	*kv = (struct kernel_vcpu){};
	if (!btf)
		return;
	kv->counts_exits = has_member(btf, "kvm_vcpu_stat", "exits");
	kv->alone_is_bound =
		has_member(btf, "kvm_vcpu_arch", "fp_state") &&
		!has_member(btf, "thread_struct", "kernel_fpsimd_state");
	kv->can_cast = has_function(btf, "bpf_rdonly_cast");
	kv->can_stay = has_function(btf, "bpf_preempt_disable");
	btf__free(btf);
}
