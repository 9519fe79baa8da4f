/* SPDX-License-Identifier: GPL-2.0-only */
/* What a CTF 1.8 trace of ours has in it: once, so that data and metadata agree. */
#ifndef FPSTAT_EXPORT_CTF_H
#define FPSTAT_EXPORT_CTF_H

#include <stdio.h>

struct export;

#define CTF_MAGIC 0xc1fc1fc1
#define CTF_NO_CAUSE 255

/* X(bytes, TSDL type, name, value): the fields of an event, of @r and @step. */
#define CTF_FIELDS(X)                                                          \
	X(8, "u64", "ns", r->ns)                                               \
	X(8, "x64", "buf", r->ev.buf)                                          \
	X(4, "u32", "gen", r->ev.gen)                                          \
	X(8, "x64", "other", r->other)                                         \
	X(4, "s32", "slot", r->slot)                                           \
	X(1, "u8", "foreign", r->ev.foreign)                                   \
	X(1, "u8", "in_run", r->ev.in_run)                                     \
	X(1, "u8", "arg", r->ev.arg)                                           \
	X(4, "u32", "exits", r->exits)                                         \
	X(4, "u32", "live", r->live)                                           \
	X(1, "u8", "gap", !!(r->flags & FP_REC_GAP))                           \
	X(4, "u32", "lost", r->lost)                                           \
	X(1, "u8", "guest_save", !!(FP_OPS(step) & FP_OP_GUEST_SAVE))          \
	X(1, "u8", "guest_load", !!(FP_OPS(step) & FP_OP_GUEST_LOAD))          \
	X(1, "u8", "user_save", !!(FP_OPS(step) & FP_OP_USER_SAVE))            \
	X(1, "u8", "user_load", !!(FP_OPS(step) & FP_OP_USER_LOAD))            \
	X(1, "u8", "kernel_save", !!(FP_OPS(step) & FP_OP_KERNEL_SAVE))        \
	X(1, "u8", "kernel_load", !!(FP_OPS(step) & FP_OP_KERNEL_LOAD))        \
	X(1, "why", "cause", cause(step))

/* The same of the context of a packet, of @c; its times are of the clock. */
#define CTF_CONTEXT(X)                                                         \
	X(8, "when", "timestamp_begin", c->begin)                              \
	X(8, "when", "timestamp_end", c->end)                                  \
	X(8, "u64", "content_size", 8 * c->len)                                \
	X(8, "u64", "packet_size", 8 * c->len)                                 \
	X(8, "u64", "events_discarded", c->discarded)                          \
	X(4, "u32", "cpu_id", c->cpu)

/* The text that says how to read them. Errors stay in @out. */
void export_ctf__metadata(const struct export *x, FILE *out);

#endif /* FPSTAT_EXPORT_CTF_H */
