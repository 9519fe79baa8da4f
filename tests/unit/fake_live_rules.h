/* SPDX-License-Identifier: GPL-2.0-only */
/* In the place of bpf/live_rules.h, with fake_kernel.h: hooks that ask nothing. */
#ifndef FPSTAT_LIVE_RULES_H
#define FPSTAT_LIVE_RULES_H

#define CHECKED(section, name, handler, type) \
	static inline int name(type *ctx)     \
	{                                     \
		return handler(ctx, false);   \
	}

#define rule_load(c, vcpu) ((void)0)
#define rule_save(ctx, c, foreign) ((void)0)
#define rule_bind(ctx, c, buf, foreign) ((void)0)
#define rule_bind_again(ctx, c, buf) ((void)0)
#define rule_exit(ctx, c) ((void)0)
#define rule_exit_settled(ctx, c, v) ((void)0)
#define rule_neon(ctx, c) ((void)0)
#define rule_switch(ctx, c) ((void)0)
#define rule_run_end(c) ((void)0)
#define rule_end(ctx, vcpu) ((void)0)

#endif /* FPSTAT_LIVE_RULES_H */
