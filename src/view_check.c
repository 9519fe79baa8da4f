// SPDX-License-Identifier: GPL-2.0-only
#include "view_check.h"

#include <inttypes.h>
#include <string.h>

#include "fpstat/charge.h"
#include "json.h"

static const char *bound_name(uint8_t bound)
{
	static const char *const names[] = {
		[FP_BOUND_UNKNOWN] = "not known",
		[FP_BOUND_NONE] = "nothing",
		[FP_BOUND_TASK] = "a task",
		[FP_BOUND_VCPU] = "a vcpu",
		[FP_BOUND_KERNEL] = "a section of kernel-mode NEON",
	};

	return names[bound];
}

static const char *owner_name(uint8_t hint)
{
	static const char *const names[] = {
		[FP_HINT_NONE] = "not readable",
		[FP_HINT_GUEST] = "the guest",
		[FP_HINT_HOST] = "not the guest",
	};

	return names[hint];
}

static const char *flag_name(bool foreign)
{
	return foreign ? "set" : "clear";
}

/* "vcpu:NAME/0" where that is known, else by address. */
static void name_context(const struct violation *v,
			 const struct check_names *names, char *text,
			 size_t len)
{
	size_t i;

	for (i = 0; names->s && i < names->s->nr_vcpus; i++) {
		const struct snap_vcpu *row = &names->s->vcpus[i];

		if (row->slot != v->slot)
			continue;
		snprintf(text, len, "vcpu:%s/%u", row->vm, row->vcpu_id);
		return;
	}
	if (v->fact)
		snprintf(text, len, "%s:%s/%u", v->fact->vcpu ? "vcpu" : "task",
			 v->fact->comm, v->fact->pid);
	else if (v->context)
		snprintf(text, len, "buffer:0x%" PRIx64, v->context);
	else
		snprintf(text, len, "none");
}

static const char *whose(const struct fp_fact *f)
{
	if (!f->last)
		return "nobody's";
	if (f->last == f->task)
		return "that of current";
	return f->last == f->vcpu ? "that of its vcpu" : "that of another one";
}

/* How many there are. */
static int name_stack(const struct fp_fact *f, const struct check_names *names,
		      char (*name)[NAMES_LEN])
{
	uint64_t address[FP_STACK];
	int i, nr;

	for (nr = 0; nr < FP_STACK && f->stack[nr]; nr++)
		address[nr] = f->stack[nr];
	if (names->functions)
		names->functions(address, (size_t)nr, name);
	for (i = 0; !names->functions && i < nr; i++)
		snprintf(name[i], NAMES_LEN, "0x%" PRIx64, address[i]);
	return nr;
}

static double time_of(const struct violation *v,
		      const struct check_names *names)
{
	return v->ns ? names->time(names->ctx, v->ns) : -1;
}

/* ---- text ---- */

static void print_fact(FILE *out, const struct fp_fact *f,
		       const struct check_names *names)
{
	char stack[FP_STACK][NAMES_LEN];
	int i, nr = name_stack(f, names, stack);

	fprintf(out,
		"  kernel  flag %s, owner: %s, %s 0x%" PRIx64
		": %s, fpsimd_cpu %u\n",
		flag_name(f->foreign), owner_name(f->owner),
		f->last_read ? "fpsimd_last_state" : "bound as far as seen",
		(uint64_t)f->last, whose(f), f->home);
	fprintf(out, "  thread  %s/%u\n", f->comm, f->pid);
	for (i = 0; i < nr; i++)
		fprintf(out, "  %s  %s\n", i ? "       " : "stack  ", stack[i]);
}

static void print_events(FILE *out, const struct violation *v)
{
	unsigned int i;

	for (i = 0; i < v->nr_events; i++) {
		const struct fp_rec *r = &v->events[i];

		fprintf(out,
			"  %s %+12.3f us  %-13s flag %-5s 0x%" PRIx64 "%s\n",
			i ? "      " : "events",
			((double)r->ns - (double)v->ns) / 1000,
			snap_event__name(r->ev.kind), flag_name(r->ev.foreign),
			(uint64_t)r->ev.buf, r->ev.in_run ? " in KVM_RUN" : "");
	}
}

static void print_text(FILE *out, const struct violation *v,
		       const struct check_names *names)
{
	double t = time_of(v, names);
	char context[128];

	name_context(v, names, context, sizeof(context));
	fprintf(out, "%s is broken", rule__id(v->rule));
	if (t >= 0)
		fprintf(out, " at %.6f s, CPU %u, %s", t, v->cpu, context);
	fprintf(out, ": %s\n  rule    %s\n", breach__says(v->breach),
		rule__says(v->rule));
	if (v->log)
		fprintf(out, "  kernel  %s\n", v->log);
	if (v->fact)
		print_fact(out, v->fact, names);
	if (v->foretelling)
		fprintf(out, "  kernel  %s in the registers\n",
			prove_found__name(v->found));
	if (v->foretelling)
		fprintf(out, "  model   %s in the registers\n",
			prove_found__name(v->foretold));
	else if (!v->log)
		fprintf(out, "  model   bound is %s\n", bound_name(v->bound));
	print_events(out, v);
}

/* ---- JSON ---- */

static void json_fact(struct json *j, const struct fp_fact *f,
		      const struct check_names *names)
{
	char stack[FP_STACK][NAMES_LEN];
	int i, nr;

	json__object(j, "kernel");
	json__bool(j, "foreign", f->foreign);
	json__str(j, "owner", owner_name(f->owner));
	json__u64(j, "last", f->last);
	json__bool(j, "last_read", f->last_read);
	json__str(j, "last_is", whose(f));
	json__u64(j, "fpsimd_cpu", f->home);
	json__str(j, "comm", f->comm);
	json__u64(j, "tid", f->pid);
	json__end(j);
	json__array(j, "stack");
	nr = name_stack(f, names, stack);
	for (i = 0; i < nr; i++)
		json__str(j, NULL, stack[i]);
	json__end(j);
}

static void json_events(struct json *j, const struct violation *v,
			const struct check_names *names)
{
	unsigned int i;

	json__array(j, "events");
	for (i = 0; i < v->nr_events; i++) {
		const struct fp_rec *r = &v->events[i];

		json__object(j, NULL);
		json__double(j, "t", names->time(names->ctx, r->ns));
		json__str(j, "event", snap_event__name(r->ev.kind));
		json__bool(j, "foreign", r->ev.foreign);
		json__u64(j, "buffer", r->ev.buf);
		json__bool(j, "in_run", r->ev.in_run);
		json__end(j);
	}
	json__end(j);
}

static void print_json(FILE *out, const struct violation *v,
		       const struct check_names *names)
{
	char context[128];
	struct json j;

	name_context(v, names, context, sizeof(context));
	json__init(&j, out);
	json__object(&j, NULL);
	json__str(&j, "type", "violation");
	json__double(&j, "t", time_of(v, names));
	json__u64(&j, "ns", v->ns);
	json__str(&j, "rule", rule__id(v->rule));
	if (v->log)
		json__null(&j, "cpu");
	else
		json__u64(&j, "cpu", v->cpu);
	json__str(&j, "context", context);
	json__str(&j, "text", breach__says(v->breach));
	json__u64(&j, "record", v->record);
	if (v->log)
		json__str(&j, "log", v->log);
	if (v->fact)
		json_fact(&j, v->fact, names);
	if (v->foretelling) {
		json__str(&j, "found", prove_found__name(v->found));
		json__str(&j, "foretold", prove_found__name(v->foretold));
	}
	json__str(&j, "bound", bound_name(v->bound));
	json_events(&j, v, names);
	json__end(&j);
}

void view_check__violation(FILE *out, enum check_format format,
			   const struct violation *v,
			   const struct check_names *names)
{
	if (format == CHECK_JSON)
		print_json(out, v, names);
	else
		print_text(out, v, names);
}

/* ---- the verdict ---- */

static bool is_required(const struct check_verdict *v, int rule)
{
	return v->required & 1u << rule;
}

bool check_verdict__broken(const struct check_verdict *v)
{
	int i;

	for (i = 0; i < FP_RULES; i++) {
		if (v->row[i].broken)
			return true;
	}
	return false;
}

bool check_verdict__void(const struct check_verdict *v)
{
	int i;

	for (i = 0; i < FP_RULES; i++) {
		if (is_required(v, i) && !v->row[i].asked)
			return true;
	}
	return v->lost || v->dropped;
}

static const char *verdict_name(const struct check_verdict *v)
{
	if (check_verdict__broken(v))
		return "broken";
	return check_verdict__void(v) ? "void" : "clean";
}

/* What is to be said of a rule beside its numbers, or NULL. */
static const char *remark(const struct check_row *r, int rule)
{
	if (rules[rule].how == RULE_NEVER)
		return rules[rule].guards;
	return r->cannot;
}

static bool is_covered(const struct check_row *r, int rule)
{
	switch (rules[rule].how) {
	case RULE_NEVER:
		return false;
	case RULE_LOG: /* can't be asked: it tells, or it does not */
		return !r->cannot;
	default:
		return r->asked;
	}
}

static void print_reasons(FILE *out, const struct check_verdict *v)
{
	int i;

	for (i = 0; i < FP_RULES; i++) {
		if (is_required(v, i) && !v->row[i].asked)
			fprintf(out, "  %s was never asked\n", rule__id(i));
	}
	if (v->lost)
		fprintf(out, "  %" PRIu64 " records were lost\n", v->lost);
	if (v->dropped)
		fprintf(out, "  %" PRIu64 " probe hits were dropped\n",
			v->dropped);
}

static void verdict_text(FILE *out, const struct check_verdict *v)
{
	const char *what;
	int i;

	fprintf(out, "%-5s%14s%10s\n", "RULE", "ASKED", "BROKEN");
	for (i = 0; i < FP_RULES; i++) {
		const struct check_row *r = &v->row[i];

		what = remark(r, i);
		if (rules[i].how == RULE_NEVER)
			fprintf(out, "%-5s%14s%10s", rule__id(i), "n/a", "n/a");
		else if (rules[i].how == RULE_LOG)
			fprintf(out, "%-5s%14s%10" PRIu64, rule__id(i), "-",
				r->broken);
		else
			fprintf(out, "%-5s%14" PRIu64 "%10" PRIu64, rule__id(i),
				r->asked, r->broken);
		if (what)
			fprintf(out, "  %s", what);
		else if (!is_covered(r, i))
			fputs("  not covered: it never came to that", out);
		fputc('\n', out);
	}
	fprintf(out, "%s: %" PRIu64 " records in %.1f s\n", verdict_name(v),
		v->records, v->t);
	print_reasons(out, v);
	if (v->trace)
		fprintf(out, "  what happened before is in %s\n", v->trace);
}

static void verdict_json(FILE *out, const struct check_verdict *v)
{
	struct json j;
	int i;

	json__init(&j, out);
	for (i = 0; i < FP_RULES; i++) {
		const struct check_row *r = &v->row[i];

		json__object(&j, NULL);
		json__str(&j, "type", "rule");
		json__str(&j, "rule", rule__id(i));
		json__str(&j, "says", rule__says(i));
		json__count(&j, "asked",
			    rules[i].how & (RULE_STREAM | RULE_KERNEL) ?
				    r->asked :
				    SNAP_NA);
		json__count(&j, "broken",
			    rules[i].how == RULE_NEVER ? SNAP_NA : r->broken);
		json__bool(&j, "required", is_required(v, i));
		if (remark(r, i))
			json__str(&j, "why", remark(r, i));
		json__end(&j);
	}
	json__object(&j, NULL);
	json__str(&j, "type", "verdict");
	json__double(&j, "t", v->t);
	json__str(&j, "verdict", verdict_name(v));
	json__u64(&j, "records", v->records);
	json__u64(&j, "lost", v->lost);
	json__u64(&j, "dropped", v->dropped);
	if (v->trace)
		json__str(&j, "trace", v->trace);
	json__end(&j);
}

static void as_comment(FILE *out, const char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		fprintf(out, "# %.*s\n", (int)strcspn(text, "\n"), text);
}

static void verdict_tap(FILE *out, const struct check_verdict *v)
{
	const char *what;
	int i;

	fprintf(out, "TAP version 13\n1..%d\n", FP_RULES + 1);
	for (i = 0; i < FP_RULES; i++) {
		const struct check_row *r = &v->row[i];

		fprintf(out, "%sok %d - %s %s", r->broken ? "not " : "", i + 1,
			rule__id(i), rule__says(i));
		what = remark(r, i);
		if (!is_covered(r, i))
			fprintf(out, " # SKIP %s",
				what ? what : "it never came to that");
		fputc('\n', out);
		if (r->evidence)
			as_comment(out, r->evidence);
	}
	fprintf(out,
		"%sok %d - what had to be asked was, and nothing was lost\n",
		check_verdict__void(v) ? "not " : "", FP_RULES + 1);
}

static void xml(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static unsigned int count_rows(const struct check_verdict *v, bool skipped)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < FP_RULES; i++) {
		if (skipped)
			n += !is_covered(&v->row[i], i);
		else
			n += v->row[i].broken > 0;
	}
	return n;
}

static void junit_case(FILE *out, const struct check_row *r, int rule)
{
	const char *what = remark(r, rule);

	fprintf(out, "  <testcase classname=\"fpstat.check\" name=\"%s ",
		rule__id(rule));
	xml(out, rule__says(rule));
	fputs("\">", out);
	if (r->broken) {
		fprintf(out, "<failure message=\"broken %" PRIu64 " times\">",
			r->broken);
		xml(out, r->evidence ? r->evidence : "");
		fputs("</failure>", out);
	} else if (!is_covered(r, rule)) {
		fputs("<skipped message=\"", out);
		xml(out, what ? what : "it never came to that");
		fputs("\"/>", out);
	}
	fputs("</testcase>\n", out);
}

static void verdict_junit(FILE *out, const struct check_verdict *v)
{
	bool is_void = check_verdict__void(v);
	int i;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"fpstat check\" tests=\"%d\" failures=\"%u\" "
		"skipped=\"%u\" time=\"%.3f\">\n",
		FP_RULES + 1, count_rows(v, false) + is_void,
		count_rows(v, true), v->t);
	for (i = 0; i < FP_RULES; i++)
		junit_case(out, &v->row[i], i);
	fputs("  <testcase classname=\"fpstat.check\" name=\"what had to be "
	      "asked was, and nothing was lost\">",
	      out);
	if (is_void) {
		fputs("<failure message=\"void\">", out);
		print_reasons(out, v);
		fputs("</failure>", out);
	}
	fputs("</testcase>\n</testsuite>\n", out);
}

void view_check__verdict(FILE *out, enum check_format format,
			 const struct check_verdict *v)
{
	static void (*const print[])(FILE * out,
				     const struct check_verdict *v) = {
		[CHECK_TEXT] = verdict_text,
		[CHECK_JSON] = verdict_json,
		[CHECK_TAP] = verdict_tap,
		[CHECK_JUNIT] = verdict_junit,
	};

	print[format](out, v);
}

/* ---- the table of rules ---- */

static void print_how(FILE *out, unsigned int how)
{
	fputs(how == RULE_NEVER ? "nothing" : "", out);
	fputs(how & RULE_STREAM ? "the stream" : "", out);
	fputs(how & RULE_STREAM && how & RULE_KERNEL ? "; " : "", out);
	fputs(how & RULE_KERNEL ? "the kernel's variables, where it happens" :
				  "",
	      out);
	fputs(how & RULE_LOG ? "the kernel's log" : "", out);
}

void view_check__list(FILE *out)
{
	int i;

	for (i = 0; i < FP_RULES; i++)
		fprintf(out, "%-4s %s %s\n", rule__id(i),
			rules[i].how == RULE_NEVER ? "-" : "+", rule__says(i));
}

void view_check__explain(FILE *out, enum fp_rule rule)
{
	const struct rule *r = &rules[rule];
	int i;

	fprintf(out, "%s: %s\n", rule__id(rule), rule__says(rule));
	fprintf(out, "  seen in     ");
	print_how(out, r->how);
	fprintf(out,
		"\n  kernels     %s\n  %s %s\n  needs       %s\n"
		"  a breach    %s\n  kept by     %s\n  broken by   %s\n",
		r->kernels,
		r->how == RULE_NEVER ? "why not    " : "asked      ", r->guards,
		r->needs, r->breaks, r->mirrors, r->bug);
	for (i = 0; i < FP_BREACHES; i++) {
		if (breach__rule(i) == rule)
			fprintf(out, "  told as     %s\n", breach__says(i));
	}
}
