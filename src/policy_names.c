// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "policy.h"

static const struct {
	const char *name;
	const char *what;
} texts[POLICY_MAX] = {
#define X(id, name, what, from) [POLICY_##id] = { name, what },
	POLICY_MAP(X)
#undef X
};

const char *policy__name(enum policy policy)
{
	return texts[policy].name;
}

const char *policy__what(enum policy policy)
{
	return texts[policy].what;
}

enum policy policy__by_name(const char *name)
{
	int i;

	for (i = 0; i < POLICY_MAX; i++) {
		if (!strcmp(texts[i].name, name))
			break;
	}
	return i;
}
