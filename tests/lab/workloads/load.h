/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads without a formula: they run freely and print what they counted. */
#ifndef WORKLOADS_LOAD_H
#define WORKLOADS_LOAD_H

struct options;

/* All return an exit status. */
int load__mix(const struct options *options);
int load__demo(const struct options *options);
int load__vm(const struct options *options);
int load__churn(const struct options *options);
int load__debug(const struct options *options);
int load__cost(const struct options *options);

#endif
