#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: t_model is worth its name: each of these one-line changes of the
# automaton makes it fail.
cd "$(dirname "$0")/../.." || exit 1

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/include/fpstat"

mutations=(
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

compile()
{
	"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -I"$tmp/include" -Iinclude \
		tests/unit/t_model.c -o "$tmp/t_model" -lcmocka 2>"$tmp/errors"
}

echo "1..$((${#mutations[@]} + 1))"
cp include/fpstat/*.h "$tmp/include/fpstat/"
if compile && "$tmp/t_model" >/dev/null 2>&1; then
	echo "ok 1 - as it is, it passes"
else
	echo "not ok 1 - as it is, it passes"
	sed 's/^/# /' "$tmp/errors"
fi

n=1
for m in "${mutations[@]}"; do
	n=$((n + 1))
	sed "$m" include/fpstat/model.h >"$tmp/include/fpstat/model.h"
	if [ "$(diff include/fpstat/model.h "$tmp/include/fpstat/model.h" | grep -c '^>')" != 1 ]; then
		echo "not ok $n - this does not change one line any more: $m"
	elif ! compile; then
		echo "not ok $n - this does not compile: $m"
		sed 's/^/# /' "$tmp/errors"
	elif "$tmp/t_model" >/dev/null 2>&1; then
		echo "not ok $n - nobody notices: $m"
	else
		echo "ok $n - noticed: $m"
	fi
done
