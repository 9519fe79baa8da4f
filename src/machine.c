// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"
#include "utf8.h"
#include "util.h"

static void set(struct fact *f, bool ok, const char *value)
{
	utf8__clean(f->value, sizeof(f->value), value, strlen(value));
	f->ok = ok;
}

static void kernel(struct fact *f, const char *root)
{
	struct utsname u;

	(void)root;
	set(f, true, uname(&u) ? "?" : u.release);
}

static void arch(struct fact *f, const char *root)
{
	struct utsname u;
	bool arm = false;

	(void)root;
	if (!uname(&u))
		arm = !strcmp(u.machine, "aarch64");
	set(f, arm, arm ? "aarch64" : u.machine);
}

static void cpus(struct fact *f, const char *root)
{
	char value[32];

	(void)root;
	snprintf(value, sizeof(value), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	set(f, true, value);
}

static void user(struct fact *f, const char *root)
{
	char value[32];

	(void)root;
	snprintf(value, sizeof(value), "uid %u", (unsigned int)geteuid());
	set(f, geteuid() == 0, geteuid() ? value : "root");
}

static void there(struct fact *f, const char *root, const char *path)
{
	char full[512];
	bool ok;

	snprintf(full, sizeof(full), "%s%s", root, path);
	ok = !access(full, F_OK);
	snprintf(full, sizeof(full), "%s%s", path, ok ? "" : " is not there");
	set(f, ok, full);
}

static void btf(struct fact *f, const char *root)
{
	there(f, root, "/sys/kernel/btf/vmlinux");
}

static void kvm(struct fact *f, const char *root)
{
	there(f, root, "/dev/kvm");
}

/* "none [integrity] confidentiality": the one in brackets is on. */
static void lockdown(struct fact *f, const char *root)
{
	char path[512], text[128], *from, *to;

	snprintf(path, sizeof(path), "%s/sys/kernel/security/lockdown", root);
	if (fps_read_file(path, text, sizeof(text)) <= 0) {
		set(f, true, "none (no such file)");
		return;
	}
	from = strchr(text, '[');
	to = from ? strchr(from, ']') : NULL;
	if (!to) {
		set(f, true, "?");
		return;
	}
	*to = '\0';
	set(f, strcmp(from + 1, "confidentiality") != 0, from + 1);
}

static const struct {
	const char *name, *json, *advice;
	void (*ask)(struct fact *f, const char *root);
} questions[MACHINE_FACTS] = {
	{ "kernel", "kernel", "", kernel },
	{ "architecture", "arch", "fpstat captures on arm64 only", arch },
	{ "cpus", "cpus", "", cpus },
	{ "user", "user", "run fpstat as root", user },
	{ "kernel BTF", "btf", "boot a kernel with CONFIG_DEBUG_INFO_BTF",
	  btf },
	{ "lockdown", "lockdown",
	  "boot without lockdown=confidentiality: it forbids to read the "
	  "kernel's memory",
	  lockdown },
	{ "KVM", "kvm", "load KVM, or boot at EL2: there are no guests to see",
	  kvm },
};

void machine__facts(struct fact facts[MACHINE_FACTS], const char *root)
{
	size_t i;

	memset(facts, 0, sizeof(*facts) * MACHINE_FACTS);
	for (i = 0; i < MACHINE_FACTS; i++) {
		facts[i].name = questions[i].name;
		facts[i].json = questions[i].json;
		facts[i].advice = questions[i].advice;
		questions[i].ask(&facts[i], root);
	}
}
