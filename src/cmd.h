/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FPSTAT_CMD_H
#define FPSTAT_CMD_H

#include "opt.h"

extern const struct command cmd_top;
extern const struct command cmd_stat;
extern const struct command cmd_record;
extern const struct command cmd_report;
extern const struct command cmd_whatif;
extern const struct command cmd_check;
extern const struct command cmd_explain;
extern const struct command cmd_export;
extern const struct command cmd_merge;
extern const struct command cmd_doctor;

#endif /* FPSTAT_CMD_H */
