// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>

#include "json.h"
#include "view.h"
#include "whatif.h"

enum { WORST = 10 }; /* lines on paper */

void view_blame__print(FILE *out, const struct view *v)
{
	size_t i, nr;
	const struct blame_row *row = whatif__blame(v->whatif, &nr);
	uint64_t saves = 0, loads = 0;

	if (!nr)
		return;
	fputs("\nGuest states saved and loaded again, by who took the registers:\n"
	      "  GUEST-SV   GUEST-LD  CAUSE        WHO\n",
	      out);
	for (i = 0; i < nr && i < WORST; i++)
		fprintf(out, "%10" PRIu64 " %10" PRIu64 "  %-12s %s\n",
			row[i].saves, row[i].loads, blame__cause(row[i].cause),
			row[i].who);
	for (; i < nr; i++) {
		saves += row[i].saves;
		loads += row[i].loads;
	}
	if (nr > WORST)
		fprintf(out, "%10" PRIu64 " %10" PRIu64 "  and %zu others\n",
			saves, loads, nr - WORST);
}

void view_blame__json(struct json *j, const struct view *v)
{
	size_t i, nr;
	const struct blame_row *row = whatif__blame(v->whatif, &nr);

	for (i = 0; i < nr; i++) {
		json__object(j, NULL);
		json__str(j, "type", "blame");
		json__double(j, "t", v->s->t);
		json__str(j, "cause", blame__cause(row[i].cause));
		json__str(j, "who", *row[i].who ? row[i].who : NULL);
		json__u64(j, "save", row[i].saves);
		json__u64(j, "load", row[i].loads);
		json__end(j);
	}
}
