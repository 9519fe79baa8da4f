/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WORKLOADS_OPTIONS_H
#define WORKLOADS_OPTIONS_H

#include "scenario.h"

/* Returns the name of what to run, or "--list". */
const char *options__parse(struct options *options, int argc, char **argv);

#endif
