// SPDX-License-Identifier: GPL-2.0-only
#include "view_report.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "human.h"
#include "json.h"
#include "report.h"
#include "trace.h"
#include "util.h"
#include "view_sum.h"

/* ---- VMs ---- */

/* The rows of one VM stand together: how many from @first on are of that. */
static size_t of_same_vm(const struct snapshot *s, size_t first)
{
	size_t i = first;

	while (i < s->nr_vcpus && s->vcpus[i].vm_pid == s->vcpus[first].vm_pid)
		i++;
	return i - first;
}

static struct snap_vcpu sum_of(const struct snapshot *s, size_t first,
			       size_t nr)
{
	const struct snapshot part = { .nr_vcpus = nr,
				       .vcpus = &s->vcpus[first] };
	struct snap_vcpu sum;

	snapshot__total(&part, &sum);
	return sum;
}

/* ---- on paper ---- */

static void put(FILE *out, uint64_t n)
{
	char cell[COLUMN_CELL];

	column__number(n, 0, cell);
	fprintf(out, " %9s", cell);
}

static void print_time(FILE *out, const struct view_report *r)
{
	uint64_t ns = r->about->realtime + (uint64_t)(r->from * 1e9);
	time_t t = (time_t)(ns / 1000000000);
	char text[32];
	struct tm tm;

	fprintf(out, "%.3f s", r->to - r->from);
	if (r->about->realtime && gmtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fprintf(out, " from %s", text);
	if (*r->about->command)
		fprintf(out, ", of: %s", r->about->command);
	fputc('\n', out);
}

static void print_head(FILE *out, const struct view_report *r)
{
	const struct snapshot *s = r->view->s;
	double share = snapshot__overhead(s);
	char lost[COLUMN_CELL];

	column__number(s->lost, 0, lost);
	fprintf(out, "%s, %s, %s, policy %s, %u CPUs\n",
		*r->about->host ? r->about->host : "unknown", s->kernel,
		s->mode, snap_policy__name(s->policy), s->cpus);
	print_time(out, r);
	fprintf(out, "%" PRIu64 " records, ", r->records);
	if (r->bytes != SNAP_NA)
		fprintf(out, "%.2f bytes each, ",
			r->records ? (double)r->bytes / (double)r->records :
				     0.0);
	fprintf(out, "%s lost", lost);
	if (r->missing)
		fprintf(out, ", %" PRIu64 " damaged", r->missing);
	if (share >= 0)
		fprintf(out, ", overhead %.2f%%", share * 100);
	fprintf(out, "%s\n", r->cut ? ", no end" : "");
	fprintf(out, "%s, and %s\n\n",
		r->agrees ? "Records and counters agree" :
			    "Records and counters do not agree",
		r->broken ? r->broken : "all sums hold");
}

static void print_vms(FILE *out, const struct snapshot *s)
{
	size_t i, nr;

	if (!s->nr_vcpus)
		return;
	fprintf(out, "%-15s %7s %5s", "VM", "PID", "VCPUS");
	view_sum__titles(out);
	for (i = 0; i < s->nr_vcpus; i += nr) {
		struct snap_vcpu sum;

		nr = of_same_vm(s, i);
		sum = sum_of(s, i, nr);
		fprintf(out, "%-15s %7u %5zu", s->vcpus[i].vm,
			s->vcpus[i].vm_pid, nr);
		view_sum__print(out, &sum);
	}
}

static void put_ops(FILE *out, const struct report_ops *o)
{
	put(out, o->save);
	put(out, o->load);
}

static void print_cpus(FILE *out, const struct view_report *r)
{
	const struct report_cpu *c;
	uint32_t i;

	fprintf(out, "\n%-5s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s %4s\n",
		"CPU", "RECORDS", "EXIT", "G-SAVE", "G-LOAD", "H-SAVE",
		"H-LOAD", "T-SAVE", "T-LOAD", "N-SAVE", "N-LOAD", "GAPS");
	for (i = 0; i < r->view->s->cpus; i++) {
		c = report__cpu(r->report, i);
		if (!c->records)
			continue;
		fprintf(out, "%-5u", i);
		put(out, c->records);
		put(out, c->exits);
		put_ops(out, &c->guest);
		put_ops(out, &c->host);
		put_ops(out, &c->task);
		put_ops(out, &c->kernel);
		fprintf(out, " %4" PRIu64 "\n", c->gaps);
	}
}

static void print_causes(FILE *out, const struct snapshot *s)
{
	struct snap_vcpu all;
	int i;

	snapshot__total(s, &all);
	if (!all.guest.save.done || all.guest.save.done == SNAP_NA)
		return;
	fprintf(out, "\n%-15s %9s\n", "CAUSE", "G-SAVE");
	for (i = 0; i < FP_CAUSE_MAX; i++) {
		if (!all.cause[i])
			continue;
		fprintf(out, "%-15s", snap_cause__name(i));
		put(out, all.cause[i]);
		fprintf(out, " %3" PRIu64 "%%\n",
			100 * all.cause[i] / all.guest.save.done);
	}
}

static void print_bar(FILE *out, uint64_t n, uint64_t most)
{
	enum { WIDTH = 40 };
	uint64_t i, len = (n * WIDTH + most - 1) / most;

	put(out, n);
	fputc(' ', out);
	for (i = 0; i < len; i++)
		fputc('#', out);
	fputc('\n', out);
}

static void print_histogram(FILE *out, const char *title,
			    const struct report_histogram *h,
			    void (*name)(char *, size_t, uint64_t, uint64_t))
{
	uint64_t most = 0, low;
	char text[32];
	int i;

	for (i = 0; i < REPORT_BUCKETS; i++)
		most = h->n[i] > most ? h->n[i] : most;
	if (!most)
		return;
	fprintf(out, "\n%s\n", title);
	for (i = 0; i < REPORT_BUCKETS; i++) {
		low = i ? 1ull << i : 0;
		name(text, sizeof(text), low, low);
		if (!h->n[i])
			continue;
		fprintf(out, "%9s up", text);
		print_bar(out, h->n[i], most);
	}
}

void view_report__print(FILE *out, const struct view_report *r)
{
	view_text__section(out, r->view);
	print_head(out, r);
	view_text__print(out, r->view);
	print_vms(out, r->view->s);
	print_cpus(out, r);
	print_causes(out, r->view->s);
	print_histogram(out,
			"How long a guest's state stayed in the registers:",
			report__lifetimes(r->report), human__ns);
	print_histogram(out, "How often the guest was entered meanwhile:",
			report__entries(r->report), human__count);
	fflush(out);
}

/* ---- as JSON ---- */

static void json_trace(struct json *j, const struct view_report *r)
{
	json__object(j, NULL);
	json__str(j, "type", "trace");
	json__str(j, "name", r->about->host);
	json__str(j, "command", r->about->command);
	json__count(j, "realtime",
		    r->about->realtime ? r->about->realtime : SNAP_NA);
	json__double(j, "from", r->from);
	json__double(j, "to", r->to);
	json__u64(j, "records", r->records);
	json__count(j, "bytes", r->bytes);
	json__u64(j, "missing", r->missing);
	json__bool(j, "cut", r->cut);
	json__bool(j, "agrees", r->agrees);
	json__bool(j, "sums_hold", !r->broken);
	json__end(j);
}

static void json_ops(struct json *j, const char *key,
		     const struct report_ops *o)
{
	json__object(j, key);
	json__u64(j, "save", o->save);
	json__u64(j, "load", o->load);
	json__end(j);
}

static void json_vms(struct json *j, const struct snapshot *s)
{
	size_t i, nr;

	for (i = 0; i < s->nr_vcpus; i += nr) {
		struct snap_vcpu sum;

		nr = of_same_vm(s, i);
		sum = sum_of(s, i, nr);
		json__object(j, NULL);
		json__str(j, "type", "vm");
		json__str(j, "vm", s->vcpus[i].vm);
		json__u64(j, "vm_pid", s->vcpus[i].vm_pid);
		json__u64(j, "vcpus", nr);
		view_sum__json(j, &sum);
		json__end(j);
	}
}

static void json_cpus(struct json *j, const struct view_report *r)
{
	const struct report_cpu *c;
	uint32_t i;

	for (i = 0; i < r->view->s->cpus; i++) {
		c = report__cpu(r->report, i);
		json__object(j, NULL);
		json__str(j, "type", "cpu");
		json__u64(j, "cpu", i);
		json__u64(j, "records", c->records);
		json__u64(j, "exits", c->exits);
		json__u64(j, "gaps", c->gaps);
		json_ops(j, "guest", &c->guest);
		json_ops(j, "host", &c->host);
		json_ops(j, "task", &c->task);
		json_ops(j, "kernel", &c->kernel);
		json__end(j);
	}
}

static void json_histogram(struct json *j, const char *name,
			   const struct report_histogram *h)
{
	int i;

	json__object(j, NULL);
	json__str(j, "type", "histogram");
	json__str(j, "name", name);
	json__array(j, "buckets");
	for (i = 0; i < REPORT_BUCKETS; i++) {
		if (!h->n[i])
			continue;
		json__array(j, NULL);
		json__u64(j, NULL, i ? 1ull << i : 0);
		json__u64(j, NULL, h->n[i]);
		json__end(j);
	}
	json__end(j);
	json__end(j);
}

void view_report__json(FILE *out, const struct view_report *r)
{
	struct json j;

	json__init(&j, out);
	view_json__section(out, r->view);
	json_trace(&j, r);
	view_json__print(out, r->view);
	json_vms(&j, r->view->s);
	json_cpus(&j, r);
	json_histogram(&j, "lifetime_ns", report__lifetimes(r->report));
	json_histogram(&j, "entries", report__entries(r->report));
	fflush(out);
}
