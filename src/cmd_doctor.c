// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"
static const struct opt opts[] = { OPT_COMMON, {} };
static int doctor_main(const struct command *cmd, int argc, char **argv) { (void)cmd;(void)argc;(void)argv; return 3; }
const struct command cmd_doctor = { .name = "doctor", .args="", .summary = "Say what this machine can and cannot show, and why.", .opts=opts, .run = doctor_main };
