// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "snapshot.h"
#include "utf8.h"
#include "vmname.h"

#define N(s) s, sizeof(s)

static const struct {
	const char *cmdline;
	size_t len;
	const char *name; /* NULL: none to be found */
} cmdlines[] = {
	{ N("qemu\0-name\0guest=web,debug-threads=on"), "web" },
	{ N("qemu\0-name\0debug-threads=on,guest=web"), "web" },
	{ N("qemu\0-name\0web"), "web" },
	{ N("qemu\0--name\0web"), "web" },
	{ N("lkvm\0run\0--name=web"), "web" },
	{ N("qemu\0-name\0web,process=qemu:web"), "web" },
	{ N("qemu\0-name\0guest=a,,b,process=c"), "a,b" },
	{ N("qemu\0-name\0guest=my web server"), "my web server" },
	{ N("qemu\0-name\0process=x"), NULL },
	{ N("qemu\0-name\0process=x\0-name\0late"), "late" },
	{ N("qemu\0-name\0"), NULL },
	{ "qemu\0-name", 10, NULL },
	{ "qemu\0-name\0trunc", 16, "trunc" },
	{ N("qemu\0-smp\0" "4\0-m\0" "1G"), NULL },
	{ N("qemu\0-named\0x"), NULL },
	{ N(""), NULL },
	{ "", 0, NULL },
	{ N("qemu\0-name\0guest=,,,,"), ",," },
	{ N("qemu\0-name\0guest="), NULL },
	/* hostile */
	{ N("qemu\0-name\0\033[31mred"), "?[31mred" },
	{ N("qemu\0-name\0a\nb\rc\td\177e"), "a?b?c?d?e" },
	{ N("qemu\0-name\0x\xc2\x9b" "31my"), "x?31my" }, /* C1 CSI */
	{ N("qemu\0-name\0x\x9b" "31my"), "x?31my" },
	{ N("qemu\0-name\0x\xff\xfe\xc3"), "x???" },
	{ N("qemu\0-name\0\xc0\xaf\xe0\x80\xaf"), "?????" }, /* overlong */
	{ N("qemu\0-name\0\xed\xa0\x80"), "???" }, /* surrogate */
	{ N("qemu\0-name\0\xf4\x90\x80\x80"), "????" }, /* past the end */
	{ N("qemu\0-name\0a\xe2\x80\xae" "b"), "a?b" }, /* right to left */
	{ N("qemu\0-name\0a\xe2\x80\xa8" "b"), "a?b" }, /* line separator */
	{ N("qemu\0-name\0gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f" },
	{ N("qemu\0-name\0\xe6\x9c\xba"), "\xe6\x9c\xba" },
};

static void names_on_command_lines(void **state)
{
	char name[VMNAME_LEN], *copy;
	int err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cmdlines) / sizeof(cmdlines[0]); i++) {
		/* a copy as long as it is: the sanitizer sees what we read */
		copy = malloc(cmdlines[i].len + 1);
		memcpy(copy, cmdlines[i].cmdline, cmdlines[i].len);
		copy[cmdlines[i].len] = '\0';
		err = vmname__from_cmdline(copy, cmdlines[i].len, name,
					   sizeof(name));
		if (cmdlines[i].name) {
			assert_int_equal(err, 0);
			assert_string_equal(name, cmdlines[i].name);
		} else {
			assert_int_not_equal(err, 0);
		}
		free(copy);
	}
}

static void names_of_scopes(void **state)
{
	static const char *const cgroups[][2] = {
		{ "0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/emulator\n",
		  "web" },
		{ "0::/machine.slice/machine-qemu\\x2d12\\x2da\\x2db.scope\n",
		  "a-b" },
		{ "1:cpu:/\n0::/machine.slice/machine-qemu-3-web.scope\n",
		  "web" },
		{ "0::/machine.slice/machine-qemu\\x2d1\\x2d\\x1b\\x5b.scope",
		  "?[" },
		{ "0::/machine.slice/machine-qemu\\x2d1\\x2d.scope", NULL },
		{ "0::/machine.slice/machine-qemu\\x2", NULL },
		{ "0::/user.slice\n", NULL },
		{ "", NULL },
	};
	char name[VMNAME_LEN];
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < sizeof(cgroups) / sizeof(cgroups[0]); i++) {
		err = vmname__from_cgroup(cgroups[i][0], name, sizeof(name));
		assert_int_equal(!err, cgroups[i][1] != NULL);
		if (cgroups[i][1])
			assert_string_equal(name, cgroups[i][1]);
	}
}

static void names_are_cut_between_characters(void **state)
{
	char in[3 * 64 + 1], out[VMNAME_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < 64; i++)
		memcpy(in + 3 * i, "\xe6\x9c\xba", 4);
	utf8__clean(out, sizeof(out), in, strlen(in));
	assert_int_equal(strlen(out), 63);
	utf8__clean(out, 63, in, strlen(in));
	assert_int_equal(strlen(out), 60);
	utf8__clean(out, 1, in, strlen(in));
	assert_string_equal(out, "");
	utf8__clean(out, sizeof(out), "ab\xe6\x9c", 4);
	assert_string_equal(out, "ab??");
}

/* Whatever the bytes: the result is UTF-8 without control characters. */
static void any_bytes_come_out_clean(void **state)
{
	char in[40], out[VMNAME_LEN];
	size_t i, n, step, left;
	const char *p;
	int32_t cp;

	(void)state;
	srandom(20180523);
	for (i = 0; i < 200000; i++) {
		for (n = 0; n < sizeof(in); n++)
			in[n] = (char)(random() % 3 ? 0x80 | random() :
						       random());
		utf8__clean(out, 1 + i % sizeof(out), in, sizeof(in));
		left = strlen(out);
		for (p = out; left; p += step, left -= step) {
			cp = utf8__next(p, left, &step);
			assert_true(cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0));
		}
	}
}

static void write_file(const char *dir, const char *name, const char *text,
		       size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

#define STAT(start) "42 (a) ( b) S 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 " start

static void remembers_a_process(void **state)
{
	char root[] = "/tmp/fpstat-vmname-XXXXXX", dir[64], cmd[64];
	char name[VMNAME_LEN];
	struct vmname *n;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(dir, sizeof(dir), "%s/42", root);
	mkdir(dir, 0700);
	n = vmname__new(root);
	vmname__get(n, 43, "qemu\033-sys", name, sizeof(name));
	assert_string_equal(name, "qemu?-sys");
	vmname__get(n, 44, "\0", name, sizeof(name));
	assert_string_equal(name, "?");
	vmname__get(n, 45, "sixteen bytes :)", name, sizeof(name));
	assert_string_equal(name, "sixteen bytes :)");

	write_file(dir, "stat", N(STAT("100 1")));
	write_file(dir, "cmdline", N("qemu\0-name\0first"));
	vmname__get(n, 42, "comm", name, sizeof(name));
	assert_string_equal(name, "first");
	write_file(dir, "cmdline", N("qemu\0-name\0changed"));
	vmname__get(n, 42, "comm", name, sizeof(name));
	assert_string_equal(name, "first"); /* asked once */
	write_file(dir, "stat", N(STAT("200 1")));
	vmname__get(n, 42, "comm", name, sizeof(name));
	assert_string_equal(name, "changed"); /* another process */
	snprintf(cmd, sizeof(cmd), "rm -r %s", root);
	assert_int_equal(system(cmd), 0);
	vmname__get(n, 42, "comm", name, sizeof(name));
	assert_string_equal(name, "changed"); /* though it has gone */
	vmname__free(n);
	vmname__free(NULL);
}

static void memory_stays_flat(void **state)
{
	struct vmname *n = vmname__new("/nonexistent");
	char name[VMNAME_LEN];
	uint32_t pid;

	(void)state;
	for (pid = 1; pid < 20000; pid++)
		vmname__get(n, pid, "vmm", name, sizeof(name));
	assert_string_equal(name, "vmm");
	vmname__free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_on_command_lines),
		cmocka_unit_test(names_of_scopes),
		cmocka_unit_test(names_are_cut_between_characters),
		cmocka_unit_test(any_bytes_come_out_clean),
		cmocka_unit_test(remembers_a_process),
		cmocka_unit_test(memory_stays_flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
