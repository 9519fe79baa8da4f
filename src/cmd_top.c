// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"
static const struct opt opts[] = { OPT_COMMON, {} };
static int top_main(const struct command *cmd, int argc, char **argv) { (void)cmd;(void)argc;(void)argv; return 3; }
const struct command cmd_top = { .name = "top", .args="", .summary = "Show all vcpus, live.", .opts=opts, .run = top_main };
