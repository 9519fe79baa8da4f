// SPDX-License-Identifier: GPL-2.0-only
#include "fold_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "fold.h"
#include "util.h"

static int fold_program(struct bpf_program *prog,
			struct bpf_prog_load_opts *opts, long cookie)
{
	const struct bpf_map *rodata = *(struct bpf_map *const *)cookie;
	size_t nr = bpf_program__insn_cnt(prog), size;
	const void *data = bpf_map__initial_value((void *)rodata, &size);
	struct bpf_insn *insns = malloc(nr * sizeof(*insns));
	int err = insns ? 0 : -ENOMEM;

	(void)opts;
	if (insns && data) {
		memcpy(insns, bpf_program__insns(prog), nr * sizeof(*insns));
		if (fold(insns, nr, bpf_map__fd(rodata), data, size))
			err = bpf_program__set_insns(prog, insns, nr);
	}
	free(insns);
	return err;
}

static const struct {
	const char *sec;
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
} frequent[] = {
	{ "fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY },
	{ "raw_tp+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0 },
	{ "tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP },
};

static int handler[ARRAY_SIZE(frequent)];
static size_t nr_handlers;

int fold_load__begin(struct bpf_map *const *rodata)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)rodata,
		    .prog_prepare_load_fn = fold_program);
	int id;

	while (nr_handlers < ARRAY_SIZE(frequent)) {
		id = libbpf_register_prog_handler(frequent[nr_handlers].sec,
						  frequent[nr_handlers].type,
						  frequent[nr_handlers].attach,
						  &opts);
		if (id < 0) {
			fold_load__end();
			return id;
		}
		handler[nr_handlers++] = id;
	}
	return 0;
}

void fold_load__end(void)
{
	while (nr_handlers)
		libbpf_unregister_prog_handler(handler[--nr_handlers]);
}
