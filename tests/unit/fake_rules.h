/* SPDX-License-Identifier: GPL-2.0-only */
/* In the place of bpf/rules.h, with fake_kernel.h: hooks that ask nothing. */
#ifndef FPSTAT_RULES_H
#define FPSTAT_RULES_H

#define CHECKED(section, name, handler, type) \
	static inline int name(type *ctx)     \
	{                                     \
		return handler(ctx, false);   \
	}

#define rule_load(c, vcpu) ((void)0)
#define rule_save(ctx, c, foreign) ((void)0)
#define rule_bind(ctx, c, buf, foreign) ((void)0)
#define rule_quiet(ctx, cpu) false
#define rule_exit(ctx, c) ((void)0)
#define rule_exit_settled(ctx, c) ((void)0)
#define rule_neon(ctx, c) ((void)0)
#define rule_switch(ctx, c) ((void)0)
#define rule_run_end(c) ((void)0)
#define rule_end(ctx, vcpu) ((void)0)

#endif /* FPSTAT_RULES_H */
