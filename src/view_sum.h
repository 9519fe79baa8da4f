/* SPDX-License-Identifier: GPL-2.0-only */
/* Sums of several vcpus, as a row of a table or as JSON. */
#ifndef FPSTAT_VIEW_SUM_H
#define FPSTAT_VIEW_SUM_H

#include <stdio.h>

struct json;
struct fleet;
struct snap_vcpu;

/* The rest of a line, with its end. */
void view_sum__titles(FILE *out);
void view_sum__print(FILE *out, const struct snap_vcpu *sum);
/* The same as keys of an object. */
void view_sum__json(struct json *j, const struct snap_vcpu *sum);

/* A row for each host, and one for all. */
void view_fleet__print(FILE *out, const struct fleet *f);
void view_fleet__json(FILE *out, const struct fleet *f);

#endif /* FPSTAT_VIEW_SUM_H */
