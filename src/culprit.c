// SPDX-License-Identifier: GPL-2.0-only
#include "culprit.h"

#include <inttypes.h>
#include <stdio.h>

#include "names.h"
#include "trace.h"

static void name_function(const struct trace *t, uint64_t id, char *who,
			  size_t len)
{
	if (!t)
		names__function(id, who, len);
	else if (!id)
		snprintf(who, len, "unknown");
	else if (!trace__function(t, id, who, len))
		snprintf(who, len, "0x%" PRIx64, id);
}

static void name_task(const struct trace *t, uint32_t id, char *who, size_t len)
{
	if (!t)
		names__task(id, who, len);
	else if (!trace__task(t, id, who, len))
		snprintf(who, len, "thread %" PRIu32, id);
}

void culprit__name(void *trace, enum blame_kind kind, uint64_t id, char *who,
		   size_t len)
{
	const char *reason = kind == BLAME_EXIT ? blame__exit_reason(id) : NULL;

	if (kind == BLAME_FUNCTION)
		name_function(trace, id, who, len);
	else if (kind == BLAME_TASK)
		name_task(trace, (uint32_t)id, who, len);
	else if (reason)
		snprintf(who, len, "%s", reason);
	else if (kind == BLAME_OTHERS)
		snprintf(who, len, "others");
	else if (kind == BLAME_EXIT)
		snprintf(who, len, "reason %" PRIu64, id);
}
