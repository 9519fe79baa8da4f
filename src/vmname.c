// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"
#include "utf8.h"
#include "util.h"
#include "vmname.h"

/* Enough for QEMU; -name comes first on the command lines of libvirt. */
#define CMDLINE_MAX (128 * 1024)
#define BUCKETS 256
#define ENTRIES_MAX 4096 /* then forget all: guests come and go for months */

struct entry {
	struct entry *next;
	uint32_t pid;
	unsigned long long start; /* pids are recycled */
	char name[VMNAME_LEN];
};

struct vmname {
	char *proc;
	struct entry *bucket[BUCKETS];
	size_t entries;
	char buf[CMDLINE_MAX];
};

struct vmname *vmname__new(const char *proc)
{
	struct vmname *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->proc = strdup(proc);
	if (!n->proc) {
		free(n);
		return NULL;
	}
	return n;
}

static void forget(struct vmname *n)
{
	struct entry *e, *next;
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		for (e = n->bucket[i]; e; e = next) {
			next = e->next;
			free(e);
		}
		n->bucket[i] = NULL;
	}
	n->entries = 0;
}

void vmname__free(struct vmname *n)
{
	if (!n)
		return;
	forget(n);
	free(n->proc);
	free(n);
}

/*
 * One element of "guest=a,,b,process=c" into @raw with ",," undone; returns
 * the element after it, or NULL.
 */
static const char *element(const char *s, char *raw, size_t len)
{
	size_t out = 0;

	for (; *s; s++) {
		if (*s == ',' && *++s != ',')
			break;
		if (out + 1 < len)
			raw[out++] = *s;
	}
	raw[out] = '\0';
	return *s ? s : NULL;
}

static int from_value(const char *value, char *name, size_t len)
{
	char raw[4 * VMNAME_LEN];
	const char *next = value, *from;
	bool first = true;

	while (next) {
		next = element(next, raw, sizeof(raw));
		from = NULL;
		if (!strncmp(raw, "guest=", 6))
			from = raw + 6;
		else if (first && !strchr(raw, '='))
			from = raw; /* guest= may be left out in front */
		if (from && *from) {
			utf8__clean(name, len, from, strlen(from));
			return 0;
		}
		first = false;
	}
	return -ENOENT;
}

int vmname__from_cmdline(const char *cmdline, size_t n, char *name, size_t len)
{
	const char *end = cmdline + n, *arg = cmdline, *opt;
	bool value = false;

	for (; arg < end; arg += strnlen(arg, (size_t)(end - arg)) + 1) {
		if (value && !from_value(arg, name, len))
			return 0;
		opt = !strncmp(arg, "--", 2) ? arg + 1 : arg;
		value = !strcmp(opt, "-name");
		if (!strncmp(opt, "-name=", 6) &&
		    !from_value(opt + 6, name, len))
			return 0;
	}
	return -ENOENT;
}

/* systemd writes '-' in a name as "\x2d". */
static size_t unescape(char *dst, size_t len, const char *src, size_t n)
{
	char hex[3] = "";
	size_t i, out = 0;

	for (i = 0; i < n && out + 1 < len; i++) {
		if (n - i < 4 || src[i] != '\\' || src[i + 1] != 'x') {
			dst[out++] = src[i];
			continue;
		}
		memcpy(hex, src + i + 2, 2);
		dst[out++] = (char)strtoul(hex, NULL, 16);
		i += 3;
	}
	dst[out] = '\0';
	return out;
}

/* "0::/machine.slice/machine-qemu\x2d1\x2dNAME.scope/libvirt/emulator" */
int vmname__from_cgroup(const char *cgroup, char *name, size_t len)
{
	const char *s = strstr(cgroup, "machine-qemu"), *end;
	char raw[4 * VMNAME_LEN];
	const char *p = raw;
	size_t n;

	if (!s)
		return -ENOENT;
	s += strlen("machine-qemu");
	end = s + strcspn(s, "/\n");
	if (end - s > 6 && !strncmp(end - 6, ".scope", 6))
		end -= 6;
	n = unescape(raw, sizeof(raw), s, (size_t)(end - s));
	if (*p == '-') /* "-1-NAME": the number is libvirt's, not ours */
		p += 1 + strspn(p + 1, "0123456789");
	if (*p != '-' || !p[1])
		return -ENOENT;
	p++;
	utf8__clean(name, len, p, n - (size_t)(p - raw));
	return 0;
}

/* Field 22 of /proc/PID/stat; comm may hold anything, so from its last ')'. */
static unsigned long long start_time(struct vmname *n, uint32_t pid)
{
	char path[256], *s;
	int i;

	snprintf(path, sizeof(path), "%s/%u/stat", n->proc, pid);
	if (fps_read_file(path, n->buf, sizeof(n->buf)) <= 0)
		return 0;
	s = strrchr(n->buf, ')');
	for (i = 0; s && i < 20; i++)
		s = strchr(s + 1, ' ');
	return s ? strtoull(s, NULL, 10) : 0;
}

static void look_up(struct vmname *n, struct entry *e, const char *comm)
{
	char path[256];
	long got;

	snprintf(path, sizeof(path), "%s/%u/cmdline", n->proc, e->pid);
	got = fps_read_file(path, n->buf, sizeof(n->buf));
	if (got > 0 && !vmname__from_cmdline(n->buf, (size_t)got, e->name,
					     sizeof(e->name)))
		return;
	snprintf(path, sizeof(path), "%s/%u/cgroup", n->proc, e->pid);
	got = fps_read_file(path, n->buf, sizeof(n->buf));
	if (got > 0 && !vmname__from_cgroup(n->buf, e->name, sizeof(e->name)))
		return;
	utf8__clean(e->name, sizeof(e->name), comm, FP_COMM_LEN);
	if (!e->name[0])
		strcpy(e->name, "?");
}

static struct entry *find(struct vmname *n, uint32_t pid)
{
	struct entry **head = &n->bucket[pid % BUCKETS], *e;

	for (e = *head; e; e = e->next) {
		if (e->pid == pid)
			return e;
	}
	if (n->entries >= ENTRIES_MAX)
		forget(n);
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->pid = pid;
	e->next = *head;
	*head = e;
	n->entries++;
	return e;
}

void vmname__get(struct vmname *n, uint32_t vm_pid, const char *comm,
		 char *name, size_t len)
{
	unsigned long long start = start_time(n, vm_pid);
	struct entry *e = find(n, vm_pid), spare = { .pid = vm_pid };

	if (!e)
		e = &spare;
	if (!e->name[0] || (start && e->start != start)) {
		e->start = start;
		look_up(n, e, comm);
	}
	utf8__clean(name, len, e->name, sizeof(e->name));
}
