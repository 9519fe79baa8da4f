#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: where saves and loads are inferred while only counting, and have hooks for a
# trace, both say the same of each vcpu of one load: to the unit and to the byte, with
# verdicts and causes.
#
# KERNELS=6.1 LOAD="mix --mode 7 -n 100" narrow it down.
cd "$(dirname "$0")/../.." || exit 1
. tests/lab/tap.sh

load=${LOAD:-mix --vcpus 3 --mode 3,6,7 --neon 2000 --neon-task 500 --signals 300 --bystanders 1 -n 150}
logs=build/check/infer
work=tests/lab/workloads/build

# rows FILE: one line for each vcpu of the load. A start of fpstat loads one, too.
rows()
{
	jq -c 'select(.type == "vcpu" and .exits > 0) |
		[.tid, .vcpu, .runs, .exits, .guest_runs_live, .guest, .host, .collateral, .cause]' "$1" | sort
}

run()
{
	local kernel=$1 dir=$logs/$1

	rm -rf "$dir"
	mkdir -p "$dir"
	tests/lab/lab --kernel "$kernel" --out "$dir" --console "$dir/console" --timeout 600 \
		--add build/arm64/fpstat --add $work/fpload \
		--add "$work/fpneon-$kernel.ko:/lab/fpneon.ko" -- sh -c "
		insmod /lab/fpneon.ko; fpload mix --seconds 20 >/out/others & sleep 1
		fpstat doctor --wait 0.1 >/out/doctor; kill %1; wait
		fpstat stat --json -o /out/counted -- fpstat record -o /out/trace.fpt -- fpload $load >/out/truth &&
		fpstat report --json /out/trace.fpt >/out/told" >"$dir/output" 2>&1
	result "$kernel: the lab ran the load" "$dir/output" || return
	[ "$(grep -c ' inferred ' "$dir/doctor")" = 3 ]
	result "$kernel: saves and loads are inferred, while guests of others run" "$dir/doctor"
	rows "$dir/counted" >"$dir/counted.rows"
	rows "$dir/told" >"$dir/told.rows"
	[ -s "$dir/told.rows" ] && diff "$dir/counted.rows" "$dir/told.rows" >"$dir/diff"
	result "$kernel: $(wc -l <"$dir/told.rows") vcpus, as with hooks" "$dir/diff"
}

mkdir -p $logs
for kernel in ${KERNELS:-6.1}; do
	run "$kernel"
done
plan
