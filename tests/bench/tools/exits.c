// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many bytes the exits without a change take in a trace: it is written again,
 * block by block, as it is and as if there had been none. Two traces that were
 * recorded would differ in much else.
 *
 * usage: exits FILE
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace_reader.h"
#include "trace_writer.h"

static struct trace_writer *to_nowhere(void)
{
	struct trace_writer *w = trace_writer__new(open("/dev/null", O_WRONLY));

	if (!w || trace_writer__text(w, TRACE_META, "trace\n", 6))
		exit(3);
	return w;
}

static void copy_block(struct trace_reader *r, struct trace_writer *as_is,
		       struct trace_writer *without, uint64_t *exits)
{
	const struct fp_rec *rec;
	struct fp_rec bare;
	int i, n;

	while ((n = trace_reader__records(r, &rec)) > 0) {
		for (i = 0; i < n; i++) {
			*exits += rec[i].exits;
			bare = rec[i];
			bare.exits = bare.live = 0;
			if (trace_writer__record(as_is, &rec[i]) ||
			    trace_writer__record(without, &bare))
				exit(3);
		}
	}
	if (trace_writer__flush(as_is) || trace_writer__flush(without))
		exit(3);
}

int main(int argc, char **argv)
{
	struct trace_writer *as_is = to_nowhere(), *without = to_nowhere();
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	char why[128];
	struct trace_reader *r = trace_reader__new(fd, why, sizeof(why));
	uint64_t exits = 0;

	if (!r) {
		fprintf(stderr, "exits: %s\n", argc == 2 ? why : "which file?");
		return argc == 2 ? 3 : 2;
	}
	while (trace_reader__next(r) > 0)
		copy_block(r, as_is, without, &exits);
	printf("{\"records\":%llu,\"exits\":%llu,\"bytes\":%llu}\n",
	       (unsigned long long)trace_writer__records(as_is),
	       (unsigned long long)exits,
	       (unsigned long long)(trace_writer__bytes(as_is) -
				    trace_writer__bytes(without)));
	trace_reader__free(r);
	trace_writer__free(as_is);
	trace_writer__free(without);
	close(fd);
	return 0;
}
