// SPDX-License-Identifier: GPL-2.0-only
#include "fold_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "fold.h"
#include "util.h"

static const struct bpf_map *rodata; /* of what is being loaded, or NULL */

static int fold_program(struct bpf_program *prog,
			struct bpf_prog_load_opts *opts, long cookie)
{
	size_t nr = bpf_program__insn_cnt(prog), size;
	struct bpf_insn *insns;
	const void *data;
	int err = 0;

	(void)opts, (void)cookie;
	data = rodata ? bpf_map__initial_value((void *)rodata, &size) : NULL;
	if (!data)
		return 0;
	insns = malloc(nr * sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(prog), nr * sizeof(*insns));
	if (fold(insns, nr, bpf_map__fd(rodata), data, size))
		err = bpf_program__set_insns(prog, insns, nr);
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

/* They stay: libbpf 1.1 keeps a list that it has freed when the last one goes. */
int fold_load__init(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts,
		    .prog_prepare_load_fn = fold_program);
	static size_t nr;
	int id;

	for (; nr < ARRAY_SIZE(frequent); nr++) {
		id = libbpf_register_prog_handler(frequent[nr].sec,
						  frequent[nr].type,
						  frequent[nr].attach, &opts);
		if (id < 0)
			return id;
	}
	return 0;
}

void fold_load__by(const struct bpf_map *map)
{
	rodata = map;
}
