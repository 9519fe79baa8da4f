/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of what the stream knows by number. Cleaned: they may be printed. */
#ifndef FPSTAT_NAMES_H
#define FPSTAT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define NAMES_LEN 128

/* "crypto_poly1305_update", "chacha_neon [libchacha]", or the address. */
void names__function(uint64_t address, char *name, size_t len);
/* The same for up to 16: the kernel makes its long list of symbols but once. */
void names__functions(const uint64_t *address, size_t nr,
		      char (*name)[NAMES_LEN]);
/* The comm of a thread, or its number if it has gone already. */
void names__task(uint32_t tid, char *name, size_t len);

#endif /* FPSTAT_NAMES_H */
