/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who owned the registers of each CPU, and how long. Whoever knows what automaton and
 * judge of a CPU say shows them here: at each record, or every now and then.
 */
#ifndef FPSTAT_OWNERS_H
#define FPSTAT_OWNERS_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "fpstat/judge.h"

struct owners;
struct snapshot;

/* NULL if there is no memory. owners__free(NULL) is fine. */
struct owners *owners__new(unsigned int cpus);
void owners__free(struct owners *o);
void owners__set_node(struct owners *o, uint32_t cpu, uint32_t node);

/* By CPU, for kernel__online(); all of them, unless somebody writes there. */
bool *owners__online(struct owners *o);

/* At @ns; @slot: of the vcpu that was loaded there last. */
void owners__look(struct owners *o, uint32_t cpu, const struct fp_cpu *model,
		  const struct fp_judge *judge, uint32_t slot, uint64_t ns);
/* Puts what was seen up to @ns into @s. 0 or -ENOMEM. */
int owners__read(const struct owners *o, uint64_t ns, struct snapshot *s);

#endif /* FPSTAT_OWNERS_H */
