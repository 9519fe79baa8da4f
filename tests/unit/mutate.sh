#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: the tests of the automaton, of the judge, of the policies, of the sweep and of
# the rings and the rules are worth their names: each of these one-line changes makes
# the test of its file fail.
cd "$(dirname "$0")/../.." || exit 1
shopt -s nullglob # most tests are linked with no object

all=$(mktemp -d)
trap 'rm -rf "$all"' EXIT

model=(
	's/int guest = cpu->bound == FP_BOUND_VCPU;/int guest = 0;/'
	's/return 0; \/\* a request that was satisfied before \*\//;/'
	's/if (guest && ev->in_run)/if (guest)/'
	's/cause == FP_CAUSE_NONE || cause == FP_CAUSE_VCPU_LOAD/cause == FP_CAUSE_NONE/'
	's/cpu->cause = ev->arg ? FP_CAUSE_PREEMPT : FP_CAUSE_BLOCK;/cpu->cause = FP_CAUSE_PREEMPT;/'
	's/(was == FP_BOUND_VCPU ? FP_OP_MISSED : 0)/0/'
	's/if (same)$/if (1)/'
	's/return FP_OP_USER_SAVE | FP_OP_GUEST_LOAD | FP_OP_MARTIN |/return FP_OP_GUEST_LOAD | FP_OP_MARTIN |/'
	's/return ev->arg ? FP_OP_KERNEL_SAVE | FP_OP_KERNEL_LOAD :/return 0 ? 0 :/'
	's/__u32 ops = cpu->bound == FP_BOUND_VCPU ? FP_OP_MISSED : 0;/__u32 ops = 0;/'
	's/if (!ev->foreign)$/if (0)/'
	'/fp_step_guest_save/,/^}/s/cpu->bound = FP_BOUND_NONE;/;/'
	's/cpu->gen == ev->gen;/1;/'
	's/cpu->buf != ev->buf))/0))/'
	's/if (ops && !ev->foreign && ev->arg)/if (0)/'
	's/return FP_OP_UNDECIDED; .*/;/'
	's/if (cpu->bound == FP_BOUND_UNKNOWN \&\& cause/if (cause/'
	's/return !ev->foreign \&\& cpu->bound == FP_BOUND_TASK/return cpu->bound == FP_BOUND_TASK/'
)
answers=(
	'/fp_ops_of/,/^}/s/FP_OP_EAGER |$/0 |/'
	'/fp_ops_of/,/^}/s/FP_OP_MARTIN | FP_OP_MISSED/FP_OP_MISSED/'
	'/fp_ops_of/,/^}/s/return FP_OP_MISSED;/return 0;/'
)
judge=(
	's/		verdict = j->is.old;/		;/'
	's/j->dirty && j->held == FP_HELD_STATE/0/'
	'/fp_judge_gone/,/^}/s/FP_VERDICT_DEAD/FP_VERDICT_NEEDED/'
	'/fp_judge_clobber/,/^}/s/FP_HELD_GARBAGE, 0, 0/FP_HELD_STATE, j->buf, j->gen/'
	's/^	j->dirty = 1;/	;/'
	's/} else if (!j->dirty) {/} else if (0) {/'
	's/if (j->held == FP_HELD_DEAD) {/if (0) {/'
	's/} else if (j->record == FP_RECORD_LOST) {/} else if (0) {/'
	's/if (ev->buf == j->switching)/if (0)/'
	's/if (note & FP_NOTE_READ)/if (0)/'
	's/if (note & FP_NOTE_GONE)/if (0)/'
	's/ && !(j->note & FP_NOTE_GONE))/)/'
	's/	j->note = 0;/	;/'
	'/int fp_judge_came_from_user/,/^}/s/case FP_EV_VLOAD:/case FP_EV_MAX:/'
	's/return !ev->foreign && !ev->in_run;/return !ev->foreign;/'
	's/if (!ev->in_run &&/if (/'
	's/if (ev->foreign && j->after == FP_AFTER_READ)/if (0)/'
	's/	j->resume = 0;/	;/'
	'/void fp_judge_resume/,/^}/s/fp_judge_hold(j, FP_HELD_GARBAGE, 0, 0);/;/'
	's/if (mine && j->record)/if (0)/'
	's/(note & FP_NOTE_MOVED) == FP_NOTE_MOVED && j->dirty/0/'
	's/		fp_judge_doubt(j);/		;/'
	's/is.impossible |= j->dirty;/is.impossible |= 0;/'
)

# What dice don't find: only each step from each state does.
rare=(
	's/^		j->record = FP_RECORD_LOST;/		;/'
	's/if (j->after != FP_AFTER_GONE)/if (1)/'
	's/if (mine && j->dirty)/if (0)/'
	's/else if (mine)/else if (0)/'
	's/(j->buf == ev->buf || guest))/j->buf == ev->buf)/'
	's/j->after == FP_AFTER_GONE ? FP_AFTER_STRUCK/0 ? FP_AFTER_STRUCK/'
	's/else if (after == FP_AFTER_STRUCK)/else if (0)/'
	's/j->note = buf | (j->note & FP_NOTE_READ) | why;/j->note = buf | why;/'
)

# What only those notice who do not see all.
gaps=(
	's/if (!ev->in_run && j->held != FP_HELD_UNKNOWN &&/if (!ev->in_run \&\&/'
	's/if (j->held != FP_HELD_UNKNOWN)$/if (1)/'
	's/(ev->buf == j->switching || !j->switching)/ev->buf == j->switching/'
)
replay=(
	's/	if (flags & FP_REC_GAP)/	if (0)/'
	's/		c->judge.after = FP_AFTER_DOUBT;/		;/'
)
needs=(
	's/enter(l, TRI_MAYBE, l->r->live);/enter(l, TRI_YES, l->r->live);/'
	's/	l->cpu->idle_exits--;/	;/'
	's/enter(l, TRI_YES, 1);/enter(l, TRI_MAYBE, 1);/'
	's/user(l, stays ? TRI_YES : TRI_MAYBE);/user(l, TRI_YES);/'
	's/if (l->r->ev.buf != cpu->task)/if (0)/'
	's/of_current(&r->ev) && r->ev.buf)/of_current(\&r->ev))/'
	'/^static void on_neon/,/^}/s/perhaps_user(l);/;/'
	's/	late_exit(l);/	;/'
	's/	resume_begin(l);/	;/'
	's/	cpu->loads = true;/	;/'
	's/add(l, NEED_VPUT); .*/;/'
	's/	case FP_EV_CPU_PM: .*/	case FP_EV_MAX:/'
	's/		l->cpu->edits = true;/		;/'
	's/if (l->r->flags & FP_REC_LAST)/if (0)/'
)
policy=(
	's/among(own_state(c, t), set)/whenever[TRI_NO]/'
	's/both(load, own_state(c, t))/both(load, cpu__holds(c, t))/'
	's/if (why != NEED_VPUT)/if (why == NEED_RUN_END)/'
	's/c->newer = among(c->newer, .*/;/'
	's/either(c->newer, among(use, live.hi))/among(use, live.hi)/'
	's/t->guest->newest &= .*/;/'
	's/save_user(c, t, EAGER, true)/save_user(c, t, ALL_POLICIES \& ~EAGER, true)/'
	's/load_other(c, (struct which){ 0, .*/;/'
	's/if (paid.lo)/if (0)/'
	's/t->perhaps_held |= t->owes .*/;/'
	's/if (t->in_run || t->dead)/if (t->in_run)/'
	's/ALL_POLICIES & ~held.lo/ALL_POLICIES/'
	's/{ EACH_RUN, EACH_RUN }/{ 0, 0 }/'
	's/save_user(c, t, maybe(live), false);/;/'
	's/t->perhaps_refused = .*/;/'
	's/both(live, c->newer)/live/'
	's/takes & (GUEST_TASK | GUEST_PUT)/takes/'
	's/t->account = account__of.*/;/'
	's/		x->newest = 0; .*/		;/'
	's/	if (n->cpu >= p->nr_cpus)/	if (0)/'
	's/		x->dead = true;/		;/'
	's/both(among(load, ~t->owes), whenever\[sure\])/among(load, ~t->owes)/'
	's/		unseen(p, n->count, 0);/		;/'
	's/	if (t->forgotten)/	if (0)/'
	's/ & ~t->perhaps_owes, 0 };/, 0 };/'
	's/t->forgotten ? takes & BLOCKS : 0/0/'
)
state=(
	's/if (c != cpu && c->task == x->buf)/if (0)/'
	's/	c->anybody |= others; .*/	;/'
	's/	c->doubt |= set & ~others;/	;/'
	's/if (x->home != c || c->held\[x->place\] != x)/if (x->home != c)/'
	's/if (!cpu__by(c, i))/if (1)/'
)
holds=(
	's/x && x->home == c && /x \&\& /'
	's/cpu__by(c, x->place) & x->newest/cpu__by(c, x->place)/'
	's/by & ~c->doubt, by | c->anybody/by, by | c->anybody/'
	's/by & ~c->doubt, by | c->anybody/by \& ~c->doubt, by/'
	's/if (n > LANE_MAX)/if (0)/'
	's/if (a->most > LANE_MAX)/if (0)/'
)
rows=(
	's/	if (!irqoff)/	if (0)/'
	's/xfer == HOST_LOAD || xfer == SWAP/xfer == HOST_LOAD/'
	's/	memset(a->recent, .*/	;/'
	's/	r->hi += higher;/	;/'
)
prove=(
	's/if (c->began && !goes_on(r, c))/if (1)/'
	's/!(c->edits \&\& r->ev.kind == FP_EV_LOAD)/1/'
	's/\[FP_EV_SWITCH\] = DECIDES | BEGINS/[FP_EV_SWITCH] = DECIDES/'
	's/\[FP_EV_VLOAD\] = DECIDES | BEGINS/[FP_EV_VLOAD] = DECIDES/'
	's/\[FP_EV_BIND_VCPU\] = DECIDES | OF_VCPU/[FP_EV_BIND_VCPU] = DECIDES/'
	's/ && c->task && r->ev.buf != c->task)/ \&\& 0)/'
)
format=(
	's/(ev->gen \&\& t->gen != ev->gen)/0/'
	's/r->other == FP_BYTES_UNSEEN || !r->other/!r->other/'
	's/return t->plain || t->forks/return t->forks/'
	's/return t->plain || t->forks/return t->plain/'
	's/ || ev->in_run ? FORMAT_FPSIMD/ ? FORMAT_FPSIMD/'
	's/^	t->forks = false;/	;/'
	'/void on_save/,/^}/s/t->memory = said->found;/;/'
	'/void on_load/,/^}/s/t->memory = said->found;/;/'
	's/t->plain = said->found == FORMAT_FPSIMD;/t->plain = true;/'
	's/^		t->memory = FORMAT_UNKNOWN;/		;/'
	'/void on_own/,/^	switch/s/t->traps = false;/;/'
	's/		if (!r->ev.foreign)/		if (1)/'
	'/case FP_EV_VLOAD: .*/,/break/s/t->memory = FORMAT_FPSIMD;/;/'
	'/case FP_EV_SVE_TRAP:$/,/break/s/t->plain = false;/;/'
	'/case FP_EV_EXEC:$/,/break/s/t->memory = FORMAT_FPSIMD;/;/'
	'/case FP_EV_EXEC:$/,/break/s/t->plain = true;/;/'
	's/		\*t = (struct task){};/		;/'
	's/	if (r->flags & FP_REC_GAP)/	if (0)/'
	's/		if (t->traps)/		if (1)/'
	's/		if (t->traps)/		if (0)/'
	's/ \&\& r->other;/;/'
)
sweep=(
	's/if (live == TRI_MAYBE && v->kept != NOWHERE && v->kept != at->nr)/if (0)/'
	's/	v->sure = live;/	v->sure = TRI_YES;/'
	's/	v->away = 0;/	;/'
	's/	if (away > v->away)/	if (1)/'
	's/	v->left = 0;/	;/'
	's/return limit ? TRI_MAYBE : TRI_NO;/return TRI_MAYBE;/'
	's/kept(at) == v && v->away < limit/kept(at) == v \&\& v->away <= limit/'
	's/	at->cpu->kept = NULL;/	;/'
	's/		kept(at)->sure = TRI_MAYBE;/		;/'
	's/		t->guest->kept = NOWHERE;/		;/'
	's/		v->kept = NOWHERE;/		;/'
	's/		t->vcpu->left = ns;/		;/'
	's/		x->home = x->kept = NOWHERE;/		x->home = NOWHERE;/'
	's/at->cpu->held != &anybody)$/1)/'
)
flush=(
	's/if (live \&\& t.live < stay)/if (live \&\& t.live <= stay)/'
	's/n \/ stay + !!(n % stay)/n \/ stay/'
	's/		t.flushes = 1;/		;/'
	's/yes ? gone.flushes : 0/yes ? old.flushes : 0/'
	's/yes ? new.loads : 0/yes ? gone.loads : 0/'
	's/	f->lost = max > 0 \&\& !never;/	f->lost = false;/'
	's/if (live == TRI_NO \&\& n->use == TRI_NO)/if (0)/'
	's/		\*f = (struct flush){};/		;/'
	's/n->use == TRI_YES, stay(max));$/n->use != TRI_NO, stay(max));/'
	's/count(&ops->save, !!f->lo, !!f->hi, irqoff);/count(\&ops->save, 1, 1, irqoff);/'
	's/else if (live != TRI_NO \&\& max)/else if (live != TRI_NO)/'
)
ring=(
	's/if (fp_ring_read(&lane->busy))/if (0)/'
	's/if (\*pos + n > fp_ring_read(&lane->end))/if (0)/'
	's/if (\*pos + n > fp_ring_read(&lane->end))/if (*pos >= fp_ring_read(\&lane->end))/'
	's/fp_ring_write(&lane->head, \*pos + n);/fp_ring_write(\&lane->head, *pos + 1);/'
	's/return ((pos & lane->size) - 1) & FP_LAP;/return FP_LAP;/'
	's/fp_ring_put(word, value & ~FP_LAP, lap);/fp_ring_put(word, value, lap);/'
	's/(void)__sync_fetch_and_add(records, 1);/*records = number + 1;/'
)
stream=(
	's/if ((to\[i\] & FP_LAP) != lap)/if (i == 7 \&\& (to[i] \& FP_LAP) != lap)/'
	's/(l->ready \&\& read_slot(s, l, l->head - 1, &last))/l->ready/'
	's/(l->ready \&\& read_slot/(read_slot/'
	's/UINT64_MAX : c->handed;/UINT64_MAX : l->clear;/'
	's/	c->handed = c->ns;/	;/'
	's/before(number(l), number(c->first))/l->next.ns < c->first->next.ns/'
	's/return (a - b) >> 30 \& 1;/return a < b;/'
	's/l->pos + l->shared->size,/l->pos + l->shared->size + 1,/'
	's/	if (more > UINT32_MAX \/ 4)/	if (0)/'
	's/(sum - \*told) & (UINT32_MAX >> 1)/sum - *told/'
	's/((int64_t)(word << 1) >> 1)/(word << 1 >> 1)/'
	's/	if (c->ns < s->until).*/	if (0)/'
	's/(a->ns == b->ns && a < b)/0/'
	's/			next++;/			;/'
	's/s->heap\[0\]->ns < limit/s->heap[0]->ns <= limit/'
	'/^static uint64_t look(/,/^}/s/limit = bound < limit ? bound : limit;/;/'
	'/^int stream__drain_until/,/^}/s/limit = bound < limit ? bound : limit;/;/'
	's/		sum = c->first->next.passed;/		;/'
	's/		lost = c->first->next.order;/		;/'
	's/	if (!err && limit > s->until)/	if (limit > s->until)/'
)

# Each rule left out, or made weaker.
check=(
	's/replay__bound(c->replay, i) == FP_BOUND_VCPU \&\&/0 \&\&/'
	's/if (ops & FP_OP_MISSED)/if (0)/'
	's/return s->rec->ev.foreign ? FP_BREACH_GUEST_LOST/return 0 ? FP_BREACH_GUEST_LOST/'
	's/return ask(c, FP_RULE_I9, ops & FP_OP_MARTIN,/return ask(c, FP_RULE_I9, 0,/'
	's/return ask(c, FP_RULE_I6, FP_OPS(s->step) & FP_OP_MISSED,/return ask(c, FP_RULE_I6, 0,/'
	's/return ask(c, FP_RULE_I16, FP_OPS(s->step) & FP_OP_MISSED,/return ask(c, FP_RULE_I16, 0,/'
	's/!ev->foreign \&\& s->bound == FP_BOUND_VCPU,/0,/'
	's/s->bound_to == ev->buf),/0),/'
	's/if (c->down)/if (0)/'
	's/return eager ? FP_BREACH_HOST_BOUND/return 0 ? FP_BREACH_HOST_BOUND/'
	's/if (!a->sure)/if (1)/'
	's/ \&\& !s->newer)/ \&\& 0)/'
	's/return j->held == FP_HELD_STATE \&\& j->dirty;/return false;/'
	's/if (a->foretold == PROVE_NOTHING)/if (0)/'
	's/return ask(c, FP_RULE_I5, !is_save(r),/return ask(c, FP_RULE_I5, 0,/'
	'/case FP_EV_NEON_SOFTIRQ:/,/default:/s/return ask(c, FP_RULE_I21, !is_save(r), /return ask(c, FP_RULE_I21, 0, /'
	'/^static enum fp_breach wrong_flag/,/^}/s/!r->ev.foreign, breach);/0, breach);/'
	'/^static enum fp_breach wrong_edit/,/^}/s/!r->ev.foreign, breach);/0, breach);/'
	's/(!cpu->saved ||/(0 ||/'
	's/if (is_neon(r) || r->ev.kind == FP_EV_SWITCH)/if (0)/'
	's/s->lost ? FP_BREACH_STATE_LOST : FP_BREACHES,/FP_BREACHES,/'
	's/if (c->since != FP_EV_VLOAD)/if (1)/'
	's/c->set = c->last_known \&\& c->last != r->other;/c->set = false;/'
	's/since \&\& gives_owner(r)/0/'
	's/(f->cpu == cpu \&\& f->ns < ns))/f->ns < ns)/'
)
look=(
	's/l->has_ctxflush \&\& l->owner == FP_HINT_GUEST/0/'
	'/fp_look_entry/,/^}/s/return l->owner == FP_HINT_HOST ? FP_BREACH_OWNER_FORGOT/return 0 ? FP_BREACH_OWNER_FORGOT/'
	's/l->last != l->task || l->owner == FP_HINT_GUEST)/l->last != l->task)/'
	's/if (l->last != l->task || l->owner/if (l->owner/'
	'/fp_look_entry/,/^}/s/return l->eager ? FP_BREACH_HOST_BOUND/return 0 ? FP_BREACH_HOST_BOUND/'
	'/fp_look_bind/,/^}/s/return l->eager ? FP_BREACH_HOST_BOUND/return 0 ? FP_BREACH_HOST_BOUND/'
	's/if (l->foreign || l->last == l->vcpu)/if (l->last == l->vcpu)/'
	's/if (l->foreign || l->last == l->vcpu)/if (l->foreign)/'
	's/if (bound)/if (0)/'
	's/if (l->last != l->task)$/if (0)/'
	's/return l->foreign ? FP_BREACH_NOT_SYNCED/return 0 ? FP_BREACH_NOT_SYNCED/'
	'/fp_look_exit/,/^}/s/if (l->last == l->vcpu)/if (1)/'
	's/if (!l->last)/if (0)/'
	's/if (!l->vcpu || l->last != l->vcpu)/if (0)/'
	'/fp_look_save/,/^}/s/return l->owner == FP_HINT_HOST ? FP_BREACH_OWNER_FORGOT/return 0 ? FP_BREACH_OWNER_FORGOT/'
	's/return l->home == l->cpu || /return 1 || /'
	's/l->home >= l->nr_cpus/0/'
)
later=(
	's/if (settles && c->settling) {/if (0) {/'
	's/	l->other = other;/	l->other = 0;/'
	's/	l->slot = slot;/	l->slot = FP_NO_SLOT;/'
	's/	other = l->other;/	other = 0;/'
	's/if (ev.kind == FP_EV_SAVE && c->model.bound == FP_BOUND_VCPU)/if (0)/'
	's/	c->later_head++;/	c->later_head += 2;/'
	's/		c->later_full = room < 2;/		;/'
	's/ADD(c->lost, 1);/;/'
	's/	tell_stream(c, other);/	;/'
	's/		c->bytes = other;/		;/'
)
quiet=(
	's/	end_quiet(c);/	;/'
	's/	quiet_at(c->cpu)->open = 0;/	;/'
	's/	note_quiet(c);/	;/'
	's/	if (v \&\& fp_quiet_at(v->quiet_live) == cpu + 1) {/	if (0) {/'
	's/fp_quiet_end(v->quiet_away, q->away);/fp_quiet_end(v->quiet_away, q->live);/'
	's/	v->quiet_live = fp_quiet_begin(v->quiet_live, cpu, q->live);/	v->quiet_live += cpu + 1;/'
)
share=(
	's/share += exits << FP_QUIET_SHIFT;/;/'
	's/share - (exits << FP_QUIET_SHIFT) + cpu/share + cpu/'
)
fold=(
	's/		if (!is_target\[i + 2\])/		if (1)/'
	's/		i++; .*it has two.*/		;/'
	's/(class == BPF_JMP || class == BPF_JMP32)/class == BPF_JMP/'
	's/ \&\& op != BPF_CALL \&\&/ \&\&/'
	's/	       op != BPF_EXIT;/	       1;/'
	's/insn->src_reg != BPF_PSEUDO_MAP_VALUE/0/'
	's/insn->imm != fd/0/'
	's/load->src_reg != insn->dst_reg/0/'
	's/load->dst_reg != insn->dst_reg/0/'
	's/at > size || n > size - at/at > size/'
	's/at > size || n > size - at/n > size - at/'
	's/	insn\[1\].imm = (__s32)(value >> 32);/	;/'
	's/	\*load = (struct bpf_insn)/	(struct bpf_insn)/'
)
taken=(
	's/		note_quiet(c);/		;/'
	's/c->passed + c->passed_quiet;/c->passed;/'
	's/		exits--;/		;/'
	's/	c->running = 0;/	;/'
	'/void begin_exits/,/^}/s/	end_exits(c);/	;/'
	's/vcpu) - made - c->exits;/vcpu) - made;/'
)
exit=(
	's/	if (c->settled == quiet_exits(cpu) + 1) {/	if (0) {/'
	's/	if (c->settled == quiet_exits(cpu) + 1) {/	if (c->settled) {/'
	's/	if (!open || (open | current_flags()) != ~0ull)/	if (!open)/'
	's/	begin_quiet(c, v, ~foreign_mask);/	begin_quiet(c, v, FP_QUIET_LIVE);/'
	'/__u64 known_exits/,/^}/s/ - 1);/);/'
	's/	if (v->exits_before == FP_EXITS_UNKNOWN)/	if (0)/'
	's/ || (have_put_off(c) \&\& !was_foreign(c)))/)/'
	's/(have_put_off(c) \&\& !was_foreign(c))/have_put_off(c)/'
	'/void settle_exit/,/^}/s/			c->exits++;/			;/'
	'/bool count_quiet_exit/,/^}/s/	if (c && have_put_off(c))/	if (0)/'
	'/bool tell_quiet_exit/,/^}/s/	c->settling = 1;/	;/'
	'/int on_settle/,/^}/s/		c->settling = 1;/		;/'
	'/void show_policy/,/^}/s/	record_in_lane(.*/	;/'
	's/	ev.foreign = c->gone &&/	ev.foreign = 0 \&\&/'
	's/		bpf_preempt_disable();/		;/'
	's/		end_exits_here(c);/		;/'
	's/		begin_exits(c, vcpu, 0);/		;/'
	's/begin_exits(c, vcpu, 1);/begin_exits(c, vcpu, 0);/'
	's/		v->exits_before--;/		;/'
	's/		if (!is_enabled(c)) {/		if (0) {/'
	's/			tell_load(c, &ev);/			;/'
	's/	if ((__s64)(n - v->exits_read) < 0)/	if (0)/'
	's/	v->exits_before += n - v->exits_read;/	;/'
	'/void exits_cleared/,/^}/s/		ADD(c->missed, 1);/		;/'
	's/	ev.in_run = c->loading == FP_LOADING_AGAIN;/	;/'
)

infer=(
	's/have_put_off(c) ? c->was_sve : sve/sve/'
	's/have_put_off(c) ? c->was_sve : sve/c->was_sve/'
	's/		if (sve_mask \&\& !have_put_off(c))/		if (0)/'
	's/		if (sve_mask \&\& !have_put_off(c))/		if (sve_mask)/'
	's/		.foreign = c->foreign == FP_FOREIGN_SET,/		.foreign = 0,/'
	's/	    ahead == FP_AHEAD_COPY)/	    0)/'
	's/		c->save.foreign = 1;.*/		;/'
	'/void infer_ahead/,/^}/s/		c->foreign = FP_FOREIGN_SET;/		;/'
	'/case FP_AHEAD_SAVE:$/,/break/s/		is_flushed(c);/		;/'
	's/	if (c->foreign == FP_FOREIGN_CLEAR \&\& set) {/	if (0) {/'
	's/	} else if (c->foreign == FP_FOREIGN_SET \&\& !set) {/	} else if (0) {/'
	'/^__noinline int infer(/,/^}/s/	c->flags_then = flags;/	;/'
	'/void infer_host/,/^}/s/	infer_ahead(c);/	;/'
	's/	if (c->home == c->cpu \&\& c->last == task_buf(next))/	if (c->last == task_buf(next))/'
	's/		c->flags_then = flags;/		;/'
	's/		return is_inside(ctx, c, &code_neon);/		return false;/'
	's/		return is_inside(ctx, c, &code_copy);/		return false;/'
	's/		return is_inside(ctx, c, &code_copy);/		return true;/'
	's/		return is_inside(ctx, c, &code_update);/		return false;/'
	's/		return is_inside(ctx, c, &code_flush);/		return false;/'
	's/		return !nothing \&\& c->save.in_run \&\&/		return 0 \&\&/'
	's/		return !nothing \&\& c->save.in_run \&\&/		return !nothing \&\&/'
	'/void infer_neon(/,/^}/s/	if (c->settling)/	if (0)/'
	'/void infer_neon(/,/^}/s/		catch_up(c->cpu);/		;/'
	'/^int infer_now(/,/^}/s/current_in_softirq() ||/0 ||/'
	's/		if (is_in(address, from, to))/		if (is_in(address, from, end))/'
	's/		if (address == c->returns \&\&/		if (0 \&\&/'
	's/		    is_in(interrupt, code_irq.from, code_irq.end) \&\&/		    1 \&\&/'
	's/	return !is_in(address, from, end) \&\&/	return 1 \&\&/'
	's/	       !is_in(address, code_put.from, code_put.end) \&\&/	       1 \&\&/'
)
infer_kvm=(
	's/	announce(c, t, FP_AHEAD_SAVE);/	;/'
	's/		infer_host(c);/		;/'
	'/int infer_vload/,/^}/s/	infer(cpu);/	;/'
	's/	ev.foreign = c->foreign == FP_FOREIGN_SET;/	ev.foreign = 0;/'
	'/void infer_run_end/,/^}/s/		infer(c->cpu);/		;/'
	'/int on_run_end/,/^}/s/		c->settling = 1;/		;/'
	'/int on_timer_map/,/^}/s/	c->settling = 1;/	;/'
	's/	return c->judge.switching != task_buf(current_task()) \&\&/	return 1 \&\&/'
	's/	if (!set \&\& c->ahead == FP_AHEAD_SAVE \&\& .*/	if (0)/'
	's/	       (c->model.bound != FP_BOUND_VCPU || set);/	       1;/'
)
infer_needs=(
	's/		announce(c, current_task(), c->need_ahead);/		;/'
	's/		c->returns = PT_REGS_RET(ctx);/		;/'
	's/	c->need_kind = kind;/	;/'
	's/	c->need_ahead = ahead;/	;/'
	's/		c->ahead = FP_AHEAD_COPY;/		;/'
)
usual=(
	'/bool holds(/,/^}/s/	return c->model.bound == bound \&\& /	return /'
	'/bool holds(/,/^}/s/c->judge.buf == buf/1/'
	'/bool is_alone(/,/^}/s/ | c->judge.note//'
	'/bool uses_sve(/,/^}/s/	return .*/	return false;/'
	'/bool uses_sve(/,/^}/s/ | c->flags_then//'
	'/^usual_user(/,/^}/s/		if (!holds(c, FP_BOUND_TASK, buf, gen))/		if (0)/'
	'/^usual_user(/,/^}/s/c->judge.buf == buf ||/0 ||/'
	'/bool usual_switch(/,/^}/s/	if (!is_alone(c) || /	if (/'
	'/bool usual_switch(/,/^}/s/c->under_way || /0 || /'
	'/bool usual_switch(/,/^}/s/begun_neon || /0 || /'
	'/bool usual_switch(/,/^}/s/typed_has_vcpu(prev))/0)/'
	'/bool is_announced(/,/^}/s/>> 32/>> 48/'
	'/bool usual_vload(/,/^}/s/v->owed != (__u64)t ||/0 ||/'
	'/bool usual_vload(/,/^}/s/v->task ||/0 ||/'
	'/bool usual_vload(/,/^}/s/uses_sve(c, flags) ||/0 ||/'
	'/bool usual_vload(/,/^}/s/c->ahead ||/0 ||/'
	'/bool runs_dirty/,/^}/s/>> 8/>> 24/g'
	'/bool is_alone(/,/^}/s/(c->later_head ^ c->later_tail)/0/'
	'/^usual_user(/,/^}/s/judge_word(&c->judge) != held_word(FP_WHO_TASK, false)/judge_word(\&c->judge) >> 32 != 0/'
	'/^usual_user(/,/^}/s/	    c->home != c->cpu ||/	    0 ||/'
	'/^usual_user(/,/^}/s/is_owed(c, (__u64)prev)/0/'
	'/bool usual_owed(/,/^}/s/c->judge.slot != v->slot/0/'
	'/bool usual_owed(/,/^}/s/	if (word == held_word(FP_WHO_GUEST, false)/	if (word >> 32 == 0/'
	'/bool usual_owed(/,/^}/s/ \&\& c->judge.buf == v->buf)/)/'
	'/bool usual_owed(/,/^}/s/word == held_word(FP_WHO_HOST, false) \&\&/word >> 32 == 0 \&\&/'
	'/bool usual_host_save(/,/^}/s/c->ahead != FP_AHEAD_SAVE ||/0 ||/'
	'/bool usual_host_save(/,/^}/s/(c->save_bytes \&\& c->save_bytes != FP_FPSIMD_BYTES) ||/0 ||/'
	'/bool usual_host_save(/,/^}/s/c->foreign != FP_FOREIGN_CLEAR ||/0 ||/'
	'/bool usual_host_save(/,/^}/s/c->save.foreign ||/0 ||/'
	'/bool usual_host_save(/,/^}/s/c->judge.note ||/0 ||/'
	'/bool usual_host_save(/,/^}/s/!holds(c, FP_BOUND_TASK, c->save.buf, c->save.gen)/0/'
	'/bool usual_guest_load(/,/^}/s/	if (v->home != c->cpu)/	if (0)/'
	'/bool usual_guest_save(/,/^}/s/c->foreign != FP_FOREIGN_CLEAR ||/0 ||/'
	'/bool usual_guest_save(/,/^}/s/have_put_off(c) ||/0 ||/'
	'/bool usual_guest_save(/,/^}/s/c->judge.note ||/0 ||/'
	'/bool usual_guest_save(/,/^}/s/c->model.cause ||/0 ||/'
	'/bool usual_guest_save(/,/^}/s/!holds(c, FP_BOUND_VCPU, v->buf, v->gen)/0/'
	'/void usual_load(/,/^}/s/	c->unbound_by = FP_NO_SLOT;/	;/'
	'/bool usual_switch(/,/^}/s/	c->judge.switching = buf;/	;/'
	'/bool usual_vload(/,/^}/s/	c->gone = 0;/	;/'
	'/bool usual_vload(/,/^}/s/	end_quiet(c);/	;/'
	'/void guest_has_loaded(/,/^}/s/	c->unbound_by = FP_NO_SLOT;/	;/'
	'/void guest_is_saved(/,/^}/s/	end_quiet(c);/	;/'
	'/bool is_calm(/,/^}/s/ \&\& !c->judge.resume \&\&/ \&\&/'
	'/bool plain_format(/,/^}/s/ \&\& !(current_flags() & sve_mask)//'
	'/bool plain_switch(/,/^}/s/begun_neon ||/0 ||/'
	'/bool plain_switch(/,/^}/s/	    current_loaded_vcpu())/	    0)/'
	'/bool plain_save(/,/^}/s/	if (c->under_way ||/	if (/'
	'/bool plain_save(/,/^}/s/(v \&\& v->task == t) ||/0 ||/'
	'/bool plain_save(/,/^}/s/	    c->model.cause == FP_CAUSE_VCPU_LOAD ||/	    0 ||/'
	'/bool plain_save(/,/^}/s/!holds(c, FP_BOUND_TASK, ev->buf, ev->gen) ||/0 ||/'
	'/bool plain_run_save(/,/^}/s/!c->model.cause \&\&/1 \&\&/'
	'/bool plain_run_save(/,/^}/s/c->loading != FP_LOADING_FIRST ||/0 ||/'
	'/bool plain_run_save(/,/^}/s/c->quiet ||/0 ||/'
	'/bool plain_run_save(/,/^}/s/!seen_eager ||/0 ||/'
	'/bool usual_call(/,/^}/s/ || c->nested)/)/'
	'/bool usual_call(/,/^}/s/	if (ev->foreign ? c->loading ||/	if (ev->foreign ? 0 ||/'
	'/bool plain_load(/,/^}/s/	    current_home() != c->cpu ||/	    0 ||/'
	'/bool plain_load(/,/^}/s/(v \&\& v->task == t) ||/0 ||/'
	'/bool plain_load(/,/^}/s/ is_owed(c, t) ||/ 0 ||/'
	'/bool plain_bind(/,/^}/s/c->judge.slot != v->slot ||/0 ||/'
	'/bool plain_bind(/,/^}/s/c->model.bound != FP_BOUND_TASK ||/0 ||/'
)

nothing=(
	'/bool usual_nothing(/,/^}/s/c->foreign == FP_FOREIGN_SET/1/'
	'/bool usual_nothing(/,/^}/s/flags \& foreign_mask/1/'
	'/bool usual_nothing(/,/^}/s/!have_put_off(c)/1/'
)

live_rules=(
	'/int check_bind/,/^}/s/	l.last = bound_buf.*/	l.last = l.vcpu;/'
	'/void rule_load/,/^}/s/c->loaded = 0;/c->loaded = vcpu;/'
	'/bool has_run/,/^}/s/c->loaded == vcpu &&/1 \&\&/'
	'/bool has_run/,/^}/s/c->loaded_exits != exits_of(vcpu)/1/'
	'/void rule_neon/,/^}/s/	ends_run(c, current_loaded_vcpu());/	;/'
	'/bool ends_run/,/^}/s/	c->loaded_exits = exits;/	;/'
)

cc()
{
	"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O1 -I"$tmp/include" -Iinclude -Isrc -I"$tmp/bpf" \
		"$@" 2>"$tmp/errors"
}

# What these draw from src/.
drawn()
{
	case $1 in
	t_check | t_policy_random) echo "${sources[@]}" ;;
	t_stream) echo src/{stream,util}.c ;;
	t_settle) echo src/{stream,util,replay,needs}.c ;;
	t_dot) echo src/util.c ;;
	esac
}

# What a test is linked with: these, of DIR.
objects() # DIR SOURCE...
{
	local dir=$1 file
	shift

	mkdir -p "$tmp/objects"
	for file; do
		cc -c "$dir/$file" -o "$tmp/objects/$(basename "$file" .c).o" || return
	done
}

# Of BPF's programs those that are called: it takes longer to compile than to run them, and
# more so if all is inlined as they want it, on which nothing of this depends.
compile()
{
	local how=()

	case $1 in
	t_settle | t_infer | t_usual) how=(-Dalways_inline=unused -D__always_inline__=__unused__) ;;
	esac
	cc "${how[@]}" -fwhole-program -c "tests/unit/$1.c" -o "$tmp/$1.o" &&
		cc "$tmp/$1.o" "$tmp"/objects/*.o -o "$tmp/$1" -lcmocka
}

report() { echo "$1 - $2"; }

mutate() # HEADER TEST MUTATION...
{
	local header=$1 test=$2 drawn m
	shift 2

	read -ra drawn < <(drawn "$test")
	if objects . "${drawn[@]}" && compile "$test" && "$tmp/$test" >/dev/null 2>&1; then
		report ok "$test passes with $header as it is"
	else
		report "not ok" "$test passes with $header as it is"
		sed 's/^/# /' "$tmp/errors"
	fi
	for m; do
		sed "$m" "$header" >"$tmp/$header"
		if [ "$(diff "$header" "$tmp/$header" | grep -c '^>')" != 1 ]; then
			report "not ok" "this does not change one line any more: $m"
		elif ! { [ "${header%%/*}" = bpf ] || objects . "${drawn[@]}"; } || ! compile "$test"; then
			report "not ok" "this does not compile: $m"
			sed 's/^/# /' "$tmp/errors"
		elif "$tmp/$test" >/dev/null 2>&1; then
			report "not ok" "nobody notices: $m"
		else
			report ok "noticed: $m"
		fi
	done
}

# What the tests are linked with.
sources=(src/{needs,prove,fold,format,replay,sweep,flush,param,check,rules,snapshot,stream,util}.c
	src/policy*.c)

notices_source() # FILE: 0 if a test of it fails with the sources in $tmp/src
{
	local test tests="t_policy t_policy_random"

	case $1 in
	fold.c) tests=t_fold ;;
	format.c) tests=t_format ;;
	sweep.c|flush.c) tests="t_sweep t_policy_random" ;;
	stream.c) tests=t_stream ;;
	check.c) tests="t_check t_check_random" ;;
	esac
	case $1 in
	*.c)	objects "$tmp" "src/$1" || return 2 ;;
	*)	objects "$tmp" "${sources[@]}" || return 2 ;;
	esac
	for test in $tests; do
		[ -e "$tmp/$test.o" ] || cc -c "tests/unit/$test.c" -o "$tmp/$test.o" || return 2
		cc "$tmp/$test.o" "$tmp"/objects/*.o -o "$tmp/$test" -lcmocka || return 2
		timeout 180 "$tmp/$test" >/dev/null 2>&1 || return 0
	done
	return 1
}

mutate_source() # FILE MUTATION...
{
	local file=$1 m
	shift

	mkdir -p "$tmp/src"
	cp src/*.[ch] "$tmp/src/"
	objects "$tmp" "${sources[@]}" && notices_source "$file"
	case $? in
	1) report ok "the tests pass with $file as it is" ;;
	*) report "not ok" "the tests pass with $file as it is"
	   sed 's/^/# /' "$tmp/errors" ;;
	esac
	for m; do
		sed "$m" "src/$file" >"$tmp/src/$file"
		if [ "$(diff "src/$file" "$tmp/src/$file" | grep -c '^>')" != 1 ]; then
			report "not ok" "this does not change one line any more: $m"
			continue
		fi
		notices_source "$file"
		case $? in
		0) report ok "noticed: $m" ;;
		1) report "not ok" "nobody notices: $m" ;;
		*) report "not ok" "this does not compile: $m"
		   sed 's/^/# /' "$tmp/errors" ;;
		esac
	done
}

# As many at a time as there are CPUs, each in a folder of its own.
parts=0
part()
{
	local tmp=$all/$((++parts))

	[ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n
	mkdir -p "$tmp/include/fpstat"
	cp include/fpstat/*.h "$tmp/include/fpstat/"
	cp -r bpf "$tmp/"
	"$@" >"$tmp/out" &
}

# The longest first.
part mutate bpf/usual.h t_usual "${usual[@]}"
part mutate bpf/infer.h t_infer "${infer[@]}"
part mutate bpf/on_kvm.h t_settle "${exit[@]}"
part mutate_source policy.c "${policy[@]}"
FPSTAT_DEPTH=9 part mutate include/fpstat/judge.h t_exhaustive "${rare[@]}"
part mutate_source needs.c "${needs[@]}"
part mutate include/fpstat/model.h t_model "${model[@]}"
part mutate include/fpstat/model.h t_dot "${answers[@]}"
part mutate include/fpstat/judge.h t_model_random "${judge[@]}"
part mutate include/fpstat/judge.h t_policy_random "${gaps[@]}"
part mutate_source replay.c "${replay[@]}"
part mutate_source policy_state.c "${state[@]}"
part mutate_source policy_state.h "${holds[@]}"
part mutate_source policy_rows.c "${rows[@]}"
part mutate_source prove.c "${prove[@]}"
part mutate_source format.c "${format[@]}"
part mutate_source sweep.c "${sweep[@]}"
part mutate_source flush.c "${flush[@]}"
part mutate bpf/step.h t_settle "${later[@]}"
part mutate bpf/step.h t_settle "${quiet[@]}"
part mutate bpf/step.h t_settle 's/	if (have_put_off(c))$/	if (0)/'
part mutate include/fpstat/counters.h t_settle "${share[@]}"
part mutate bpf/record.h t_settle "${taken[@]}"
part mutate bpf/on_neon.h t_settle 's/	count_quiet(c->cpu, FP_NO_SLOT);.*/	;/'
part mutate bpf/on_neon.h t_settle 's/(streaming || settles)/streaming/'
part mutate bpf/on_neon.h t_settle 's/	if (made != 1)/	if (made)/' 's/		v->exits_before = FP_EXITS_UNKNOWN;/		v->exits_before += made;/'
part mutate bpf/on_sched.h t_settle 's/		count_quiet(c->cpu, FP_NO_SLOT);/		;/'
part mutate bpf/on_kvm.h t_infer "${infer_kvm[@]}"
part mutate bpf/needs.h t_infer "${infer_needs[@]}"
part mutate bpf/on_kvm.h t_usual '/void infer_run_end(/,/^}/s/v->task != t ||/0 ||/'
part mutate bpf/usual.h t_infer "${nothing[@]}"
part mutate include/fpstat/judge.h t_infer 's/		j->dirty = 0; .*memory has it.*/		;/'
part mutate bpf/step.h t_infer 's/		is_flushed(c); .*/		;/' 's/	return have_put_off(c) ? /	return 0 ? /'
part mutate bpf/live_rules.h t_settle "${live_rules[@]}"
part mutate include/fpstat/ring.h t_stream "${ring[@]}"
part mutate_source stream.c "${stream[@]}"
part mutate_source fold.c "${fold[@]}"
part mutate_source check.c "${check[@]}"
part mutate include/fpstat/look.h t_check "${look[@]}"
wait
for i in $(seq $parts); do cat "$all/$i/out"; done
echo "1..$(cat "$all"/*/out | grep -cE '^(not )?ok')"
