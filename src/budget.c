// SPDX-License-Identifier: GPL-2.0-only
#include "budget.h"

#define SECONDS 10 /* that neither thrift nor waste is remembered for longer */

enum budget_shed budget__spend(struct budget *b, double spent, double dt)
{
	double most = b->share * SECONDS;

	b->debt += (spent - b->share) * dt;
	b->debt = b->debt > most ? most : b->debt < -most ? -most : b->debt;
	if (b->debt <= 0)
		b->shed = SHED_NOTHING;
	else if (b->shed == SHED_NOTHING)
		b->shed = SHED_RECORDS;
	else if (spent > b->share)
		b->shed = SHED_DETAIL; /* no records, and still too much */
	return b->shed;
}

const char *budget__shed_name(enum budget_shed shed)
{
	static const char *const names[] = { "nothing", "records", "detail" };

	return names[shed];
}
