// SPDX-License-Identifier: GPL-2.0-only
/* fpstat explain: what a rule of fpstat check says, and why. */
#include <stdio.h>

#include "cmd.h"
#include "exit.h"
#include "rules.h"
#include "view_check.h"

static const struct opt opts[] = { OPT_COMMON, {} };

static int no_rule(const struct command *cmd, const char *id)
{
	int code = opt__usage_error(cmd, "there is no rule '%s'", id);

	fputs("\nRules:\n", stderr);
	view_check__list(stderr);
	return code;
}

static int explain_main(const struct command *cmd, int argc, char **argv)
{
	struct opt_rest rest;
	enum fp_rule rule;
	int i;

	if (!opt__parse(cmd, argc, argv, NULL, &rest))
		return rest.code;
	if (!rest.argc)
		return opt__usage_error(cmd, "which rule? fpstat check --list "
					     "has them all");
	for (i = 0; i < rest.argc; i++) {
		rule = rule__by_id(rest.argv[i]);
		if (rule == FP_RULES)
			return no_rule(cmd, rest.argv[i]);
		view_check__explain(stdout, rule);
	}
	return EXIT_FINE;
}

const struct command cmd_explain = {
	.name = "explain",
	.args = "RULE...",
	.summary = "Tell what a rule of fpstat check says, and why.",
	.text = "Prints what must be so, when it is asked, which code of the "
		"kernel it mirrors, and which bug broke it once.",
	.opts = opts,
	.run = explain_main,
};
