/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slots of the shared memory, as the reader sees them: hands free ones to
 * the CPUs, keeps the numbers of vcpus that ended, and folds the oldest of
 * those into one sum, so that memory stays flat whatever comes and goes.
 */
#ifndef FPSTAT_SLOTS_H
#define FPSTAT_SLOTS_H

#include "snapshot.h"

struct slots;

/*
 * @vcpus, @cpus: the mapped arrays; they stay the caller's. @user_bytes: as for
 * snap_ops__read(), of user states. NULL: errno.
 */
struct slots *slots__new(struct fp_vcpu *vcpus, struct fp_percpu *cpus,
			 unsigned int nr_cpus, uint64_t user_bytes);
void slots__free(struct slots *s);
/* Before any is read: where quiet exits are counted; @away: all, not only live ones. */
void slots__quiet(struct slots *s, const struct fp_quiet *quiet, bool away);
/* How many ended vcpus keep a row of their own. */
void slots__keep(struct slots *s, size_t ended);
/* Recycles and refills. Returns 0 or a negative errno. */
int slots__tick(struct slots *s);
/*
 * Fills nr_vcpus, vcpus, folded and folded_sum from @vcpus: the mapped array or
 * a copy of its first slots__high(). Returns 0 or -ENOMEM.
 */
int slots__snapshot(struct slots *s, const struct fp_vcpu *vcpus,
		    struct snapshot *snap);
/* No slot from here on was ever in use. */
size_t slots__high(const struct slots *s);
/* In such a copy, their shares become sums, as they are now. */
void slots__copy_quiet(const struct slots *s, struct fp_vcpu *vcpus);

#endif /* FPSTAT_SLOTS_H */
