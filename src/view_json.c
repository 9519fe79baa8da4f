// SPDX-License-Identifier: GPL-2.0-only
/*
 * The NDJSON contract. More keys may be added, none is renamed. A key whose
 * number fpstat does not know yet, or not on this host, is null, never 0.
 */
#include "json.h"
#include "param.h"
#include "util.h"
#include "view.h"
#include "whatif.h"
#include "whatif_sum.h"

/* A guest state is never saved without a cause, nor by the guest's trap. */
static bool never_guest(int cause)
{
	return cause == FP_CAUSE_NONE || cause == FP_CAUSE_GUEST_TRAP;
}

static void begin(struct json *j, const struct view *v, const char *type)
{
	json__object(j, NULL);
	json__str(j, "type", type);
	json__double(j, "t", v->s->t);
}

static void save(struct json *j, const struct snap_xfer *x)
{
	bool na = x->done == SNAP_NA;

	json__object(j, "save");
	json__count(j, "done", x->done);
	json__count(j, "needed", na ? SNAP_NA : x->needed);
	json__count(j, "redundant", na ? SNAP_NA : x->redundant);
	json__count(j, "clean", na ? SNAP_NA : x->clean);
	json__count(j, "unclobbered", na ? SNAP_NA : x->unclobbered);
	json__count(j, "dead", na ? SNAP_NA : x->dead);
	json__count(j, "pending", na ? SNAP_NA : x->pending);
	json__count(j, "unknown", na ? SNAP_NA : x->unknown);
	json__count(j, "bytes", na ? SNAP_NA : x->bytes);
	json__count(j, "irqoff", na ? SNAP_NA : x->irqoff);
	json__end(j);
}

static void load(struct json *j, const struct snap_xfer *x)
{
	bool na = x->done == SNAP_NA;

	json__object(j, "load");
	json__count(j, "done", x->done);
	json__count(j, "needed", na ? SNAP_NA : x->needed);
	json__count(j, "redundant", na ? SNAP_NA : x->redundant);
	json__count(j, "unknown", na ? SNAP_NA : x->unknown);
	json__count(j, "bytes", na ? SNAP_NA : x->bytes);
	json__count(j, "irqoff", na ? SNAP_NA : x->irqoff);
	json__end(j);
}

static void ops(struct json *j, const char *key, const struct snap_ops *o)
{
	json__object(j, key);
	save(j, &o->save);
	load(j, &o->load);
	json__end(j);
}

static void host(struct json *j, const struct view *v)
{
	const struct snapshot *s = v->s;
	int i;

	begin(j, v, "host");
	json__double(j, "dt", s->dt);
	json__str(j, "kernel", s->kernel);
	json__str(j, "mode", s->mode);
	json__str(j, "policy", snap_policy__name(s->policy));
	json__str(j, "backend", s->backend);
	json__u64(j, "cpus", s->cpus);
	json__u64(j, "sve_vl", s->sve_vl);
	json__count(j, "lost", s->lost);
	json__count(j, "missed", s->missed);
	json__double(j, "overhead", snapshot__overhead(s));
	json__double(j, "overhead_ns_per_exit", snapshot__ns_per_exit(s));
	json__str(j, "shed", budget__shed_name(s->shed));
	json__count(j, "undecided", s->undecided);
	json__count(j, "impossible", s->impossible);
	json__count(j, "pending", s->pending);
	if (v->foreign_bit < 0)
		json__null(j, "foreign_bit");
	else
		json__u64(j, "foreign_bit", (uint64_t)v->foreign_bit);
	if (v->marks) {
		json__array(j, "marks");
		for (i = 0; i < 2; i++)
			json__count(j, NULL,
				    v->marks[i] < 0 ? SNAP_NA :
						      (uint64_t)v->marks[i]);
		json__end(j);
	}
	json__object(j, "events");
	for (i = 0; i < FP_EV_MAX; i++)
		json__count(j, snap_event__name(i), s->events[i]);
	json__end(j);
	json__end(j);
}

static void range(struct json *j, const char *key, struct range r)
{
	if (range__na(r)) {
		json__null(j, key);
		return;
	}
	json__array(j, key);
	json__u64(j, NULL, r.lo);
	json__u64(j, NULL, r.hi);
	json__end(j);
}

/* What a policy would have done and the kernel did not; negative: it did more. */
static void avoided_range(struct json *j, const char *key, struct range a,
			  struct range b, uint64_t done)
{
	json__array(j, key);
	json__i64(j, NULL, (int64_t)(a.lo + b.lo - done));
	json__i64(j, NULL, (int64_t)(a.hi + b.hi - done));
	json__end(j);
}

#define REFERENCE POLICY_DEFENSIVE

static void avoided(struct json *j, const struct view *view,
		    const struct snap_vcpu *v)
{
	struct whatif_sum sum = { .why = "it is not asked for" };

	if (view->whatif)
		sum = whatif_sum__row(view->whatif, view->s, v,
				      WHATIF_POLICY + REFERENCE);
	if (sum.why) {
		json__null(j, "avoided");
		return;
	}
	json__object(j, "avoided");
	json__str(j, "ref", policy__name(REFERENCE));
	avoided_range(j, "save", sum.host_save, sum.guest_save,
		      v->host.save.done + v->guest.save.done);
	avoided_range(j, "load", sum.host_load, sum.guest_load,
		      v->host.load.done + v->guest.load.done);
	json__end(j);
}

static void oracle(struct json *j, const struct snap_vcpu *v)
{
	struct snap_oracle o = snap_vcpu__oracle(v);

	json__object(j, "oracle");
	json__count(j, "save", o.save);
	json__count(j, "load", o.load);
	json__end(j);
}

static void window(struct json *j, const struct snap_vcpu *v)
{
	struct snap_window w = snap_vcpu__window(v);

	json__object(j, "window");
	json__count(j, "n", w.n);
	json__count(j, "hit_softirq", w.hit_softirq);
	json__count(j, "hit_task", w.hit_task);
	json__null(j, "ns");
	json__end(j);
}

/* What vcpu and ended records have in common. */
static void numbers(struct json *j, const struct view *view,
		    const struct snap_vcpu *v)
{
	bool na = v->guest.save.done == SNAP_NA;
	int i;

	json__count(j, "runs", v->runs);
	json__count(j, "exits", v->exits);
	json__count(j, "guest_runs_live", v->guest_runs_live);
	ops(j, "guest", &v->guest);
	ops(j, "host", &v->host);
	avoided(j, view, v);
	oracle(j, v);
	json__object(j, "collateral");
	json__count(j, "load", v->collateral);
	json__end(j);
	window(j, v);
	json__object(j, "cause");
	for (i = 0; i < FP_CAUSE_MAX; i++) {
		if (!never_guest(i) || v->cause[i])
			json__count(j, snap_cause__name(i),
				    na ? SNAP_NA : v->cause[i]);
	}
	/* a vcpu migrates after it was saved by what switched it out */
	json__count(j, "migrate", na ? SNAP_NA : 0);
	json__end(j);
}

static void vcpu(struct json *j, const struct view *view,
		 const struct snap_vcpu *v)
{
	begin(j, view, "vcpu");
	json__str(j, "vm", v->vm);
	json__u64(j, "vm_pid", v->vm_pid);
	json__u64(j, "vcpu", v->vcpu_id);
	json__u64(j, "tid", v->tid);
	json__str(j, "state", v->state == SNAP_VCPU_ENDED ? "ended" : "live");
	numbers(j, view, v);
	json__end(j);
}

static void ended(struct json *j, const struct view *v)
{
	if (!snapshot__has_folded(v->s))
		return;
	begin(j, v, "ended");
	json__u64(j, "vcpus", v->s->folded);
	numbers(j, v, &v->s->folded_sum);
	json__end(j);
}

static void other(struct json *j, const struct view *v)
{
	begin(j, v, "other");
	ops(j, "task", &v->s->task);
	ops(j, "kernel", &v->s->kernel_neon);
	ops(j, "efi", &v->s->efi);
	json__end(j);
}

/* Null if both are. */
static void range_ops(struct json *j, const char *key, struct range save,
		      struct range load)
{
	if (range__na(save) && range__na(load)) {
		json__null(j, key);
		return;
	}
	json__object(j, key);
	range(j, "save", save);
	range(j, "load", load);
	json__end(j);
}

static void range_ns(struct json *j, const char *key, const struct cost *cost,
		     const struct whatif_sum *sum, const struct cost_xfer *c)
{
	if (cost->why)
		json__null(j, key);
	else
		range(j, key, whatif_sum__ns(sum, c));
}

static void policy_numbers(struct json *j, const struct whatif_sum *sum,
			   const struct cost *cost)
{
	range(j, "save", range__add(sum->host_save, sum->guest_save));
	range(j, "load", range__add(sum->host_load, sum->guest_load));
	range_ops(j, "guest", sum->guest_save, sum->guest_load);
	range_ops(j, "host", sum->host_save, sum->host_load);
	range(j, "bytes", whatif_sum__bytes(sum));
	range(j, "irqoff", sum->irqoff);
	range(j, "irqoff_bytes", sum->irqoff_bytes);
	range(j, "unsafe", sum->unsafe);
	range(j, "refused", sum->refused);
	range_ns(j, "ns_hot", cost, sum, &cost->hot);
	range_ns(j, "ns_cold", cost, sum, &cost->cold);
}

static const char *row_name(int row)
{
	if (row == WHATIF_KERNEL)
		return "kernel";
	if (row == WHATIF_ORACLE)
		return "oracle";
	return policy__name(row - WHATIF_POLICY);
}

static void whose(struct json *j, const struct snap_vcpu *vcpu)
{
	if (!vcpu)
		return;
	json__str(j, "vm", vcpu->vm);
	json__u64(j, "vm_pid", vcpu->vm_pid);
	json__u64(j, "vcpu", vcpu->vcpu_id);
}

/* A row for one vcpu, or (@vcpu is NULL) for all. */
static void policy(struct json *j, const struct view *v,
		   const struct snap_vcpu *vcpu, int row, const char *name)
{
	struct whatif_sum sum = whatif_sum__row(v->whatif, v->s, vcpu, row);

	begin(j, v, "policy");
	json__str(j, "name", name);
	whose(j, vcpu);
	policy_numbers(j, &sum, v->cost);
	json__end(j);
}

static void diff_range(struct json *j, const char *key, const int64_t r[2])
{
	json__array(j, key);
	json__i64(j, NULL, r[0]);
	json__i64(j, NULL, r[1]);
	json__end(j);
}

static void diff(struct json *j, const struct whatif_diff *d)
{
	if (d->na) {
		json__null(j, "diff");
		return;
	}
	json__object(j, "diff");
	diff_range(j, "save", d->save);
	diff_range(j, "load", d->load);
	json__end(j);
}

/* One value of the curve. */
static void sweep(struct json *j, const struct view *v,
		  const struct snap_vcpu *vcpu, unsigned int i)
{
	const struct param *p = &v->params->param[i];
	struct whatif_sum sum =
		whatif_sum__row(v->whatif, v->s, vcpu, WHATIF_PARAM + (int)i);
	struct whatif_sum kernel =
		whatif_sum__row(v->whatif, v->s, vcpu, WHATIF_KERNEL);
	struct whatif_diff d = whatif_sum__diff(&sum, &kernel);

	begin(j, v, "sweep");
	json__str(j, "name", param__name(p->kind));
	if (p->value == PARAM_INF)
		json__null(j, "value");
	else
		json__u64(j, "value", p->value);
	whose(j, vcpu);
	policy_numbers(j, &sum, v->cost);
	diff(j, &d);
	json__end(j);
}

static void params_of(struct json *j, const struct view *v,
		      const struct snap_vcpu *vcpu)
{
	char name[PARAM_TEXT];
	unsigned int i;

	for (i = 0; v->params && i < v->params->nr; i++) {
		param__text(&v->params->param[i], name, sizeof(name));
		if (i < v->params->curve)
			policy(j, v, vcpu, WHATIF_PARAM + (int)i, name);
		else
			sweep(j, v, vcpu, i);
	}
}

static void policies_of(struct json *j, const struct view *v,
			const struct snap_vcpu *vcpu)
{
	int i;

	for (i = 0; i < WHATIF_ROWS; i++) {
		if (whatif_sum__shown(v->policies, i))
			policy(j, v, vcpu, i, row_name(i));
	}
	params_of(j, v, vcpu);
}

void view_json__hosts(FILE *out, const struct whatif_sum *rows,
		      uint32_t policies)
{
	static const struct cost none = { .why = "each host has its own" };
	struct json j;
	int i;

	json__init(&j, out);
	for (i = 0; i < WHATIF_ROWS; i++) {
		if (!whatif_sum__shown(policies, i))
			continue;
		json__object(&j, NULL);
		json__str(&j, "type", "fleet-policy");
		json__str(&j, "name", row_name(i));
		policy_numbers(&j, &rows[i], &none);
		json__end(&j);
	}
}

static void cost_xfer(struct json *j, const char *key, const struct cost *cost,
		      const struct cost_xfer *c)
{
	if (cost->why) {
		json__null(j, key);
		return;
	}
	json__object(j, key);
	json__double(j, "save", c->save);
	json__double(j, "load", c->load);
	json__end(j);
}

static void cost(struct json *j, const struct view *v)
{
	begin(j, v, "cost");
	json__u64(j, "bytes", FP_FPSIMD_BYTES);
	cost_xfer(j, "hot", v->cost, &v->cost->hot);
	cost_xfer(j, "cold", v->cost, &v->cost->cold);
	if (v->cost->why)
		json__str(j, "why", v->cost->why);
	json__end(j);
}

static void policies(struct json *j, const struct view *v)
{
	size_t i;

	cost(j, v);
	for (i = 0; i < v->s->nr_vcpus; i++)
		policies_of(j, v, &v->s->vcpus[i]);
	policies_of(j, v, NULL);
}

static void witness(struct json *j, const struct view *v)
{
	const struct witness *w = v->witness;

	if (!w)
		return;
	begin(j, v, "witness");
	json__u64(j, "exits", w->exits);
	json__u64(j, "live", w->live);
	json__u64(j, "binds", w->binds);
	json__u64(j, "switch_saves", w->switch_saves);
	json__u64(j, "counted_switch_saves", w->counted_switch_saves);
	json__u64(j, "neon", w->neon);
	json__u64(j, "last_state_checked", w->last_state_checked);
	json__u64(j, "last_state_differs", w->last_state_differs);
	json__bool(j, "last_state_readable", w->last_state_readable);
	json__end(j);
}

void view_json__print(FILE *out, const struct view *v)
{
	struct json j;
	size_t i;

	json__init(&j, out);
	host(&j, v);
	for (i = 0; i < v->s->nr_vcpus; i++)
		vcpu(&j, v, &v->s->vcpus[i]);
	ended(&j, v);
	other(&j, v);
	if (v->whatif) {
		policies(&j, v);
		view_blame__json(&j, v);
		view_prove__json(&j, v);
	}
	witness(&j, v);
	fflush(out);
}

/* All objects up to the next one of these are of that host. */
void view_json__section(FILE *out, const struct view *v)
{
	struct json j;

	if (!v->section)
		return;
	json__init(&j, out);
	json__object(&j, NULL);
	json__str(&j, "type", "section");
	json__u64(&j, "section", v->section);
	json__str(&j, "name", v->host);
	json__end(&j);
}
