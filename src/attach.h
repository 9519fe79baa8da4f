/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads the capture object and attaches the allow-list, each hook by the
 * cheapest mechanism that this kernel really lets us attach.
 */
#ifndef FPSTAT_ATTACH_H
#define FPSTAT_ATTACH_H

#include <stddef.h>
#include <stdint.h>

#include "capture.h"
#include "snapshot.h"

struct attach;
struct calibration;
struct capture_bpf;

/*
 * @cpus: possible CPUs. Nothing is counted before attach__enable(). On failure
 * returns NULL, sets errno, and puts one sentence into @why.
 */
struct attach *attach__open(const struct calibration *cal, unsigned int cpus,
			    const struct capture_opts *opts, char *why,
			    size_t len);
/* Detaches. NULL is fine. */
void attach__close(struct attach *a);
void attach__enable(struct attach *a);

/* Where exits have no hook: brings fp_vcpu.exits_read of the first @slots up to date. */
void attach__count_exits(const struct attach *a, uint32_t slots);

/* Where saves and loads have no hook: counts the last load of who runs on @cpus CPUs. */
void attach__infer_now(const struct attach *a, unsigned int cpus);

/* With a stream: the same of fp_percpu.passed_read of @cpu, if that is online. */
void attach__read_passed(const struct attach *a, uint32_t cpu);

/* File descriptors of the maps that the reader maps. */
int attach__vcpus_fd(const struct attach *a);
int attach__cpus_fd(const struct attach *a);
int attach__rings_fd(const struct attach *a);
/* Where quiet exits are counted, by CPU; and whether that is all exits, or live ones. */
const struct fp_quiet *attach__quiet(const struct attach *a);
bool attach__counts_away(const struct attach *a);
uint32_t attach__ring_size(const struct attach *a); /* records in each */

/* The object that is loaded; and whether this program of it is attached. */
struct capture_bpf *attach__object(const struct attach *a);
bool attach__is_attached(const struct attach *a, const char *program);

/* Whether the shadow is compared with fpsimd_last_state at each save. */
bool attach__has_xcheck(const struct attach *a);

enum snap_policy attach__policy(const struct attach *a);
size_t attach__hooks(const struct attach *a, const struct capture_hook **h);

/*
 * How often the kernel dropped a program because one was running already; @by gets
 * the names of these programs.
 */
uint64_t attach__missed(const struct attach *a, char *by, size_t len);
/* How long all programs ran while the kernel measured it, ns. */
uint64_t attach__run_time(const struct attach *a);

#endif /* FPSTAT_ATTACH_H */
