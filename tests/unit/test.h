/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka wants these in scope before itself. */
#ifndef FPSTAT_TEST_H
#define FPSTAT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif /* FPSTAT_TEST_H */
