#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: what fpstat leaves behind, and what becomes of vcpus that end.
#
#  - Attached and detached again and again, and killed at random moments, it
#    leaves no program, map, link or probe, and the guests go on.
#  - While VMs come and go, each operation is charged to the VM that it was of,
#    none is lost, and neither memory nor maps grow.
#  - Of guests that run when fpstat is started, nothing counts that came before.
#  - A vcpu that is plugged in has a row, and a CPU that is offline is said to be.
#
# A cycle takes an emulated CPU seconds, with 7.3 more than ten, so here are as many as fit;
# `make check-full` makes 1,000, kills 50 and lets 10,000 VMs come and go.
# KERNELS="6.1 7.3" CYCLES=1000 CYCLE_SECONDS=25 KILLS=5 VMS=400 STARTS=2
cd "$(dirname "$0")/../.." || exit 1
. tests/lab/tap.sh

logs=build/check/lifecycle
arm64=${FPSTAT_ARM64:-build/arm64/fpstat}
cycle=${arm64%/*}/tests/lab/cycle
work=tests/lab/workloads/build
want_cycles=${CYCLES:-1000} for_seconds=${CYCLE_SECONDS:-${CYCLES:+100000}}
kills=${KILLS:-5} vms=${VMS:-400} starts=${STARTS:-2} limit=${LAB_TIMEOUT:-1800}

cycles()
{
	local dir=$1 done_cycles

	# The first one was for all workers together.
	done_cycles=$(jq -s 'map(.cycles) | add + 1' "$dir/cycles")
	jq -r '"# a worker: \(.cycles) cycles, attach \(.attach_ms) ms, detach \(.detach_ms) ms, fentry \(.fentry)"' \
		"$dir/cycles"
	echo "# a start of fpstat takes $(cat "$dir/start_ms") ms"
	[ "$(grep -c '^{"cycles"' "$dir/cycles")" -eq 4 ] &&
	{ [ -z "${CYCLES:-}" ] || [ "$done_cycles" -eq "$CYCLES" ]; }
	result "$kernel: attached and detached ${done_cycles:-0} times, by 4 processes (make check-full: 1000)" \
		"$dir/cycles"
}

# Each line: the status, how many probes there were, whether it had counted.
killed()
{
	local dir=$1 before early late

	early=$(awk '$2 == 0' "$dir/kills" | wc -l)
	late=$(grep -c counted "$dir/kills")
	before=$(($(wc -l <"$dir/kills") - early - late))
	echo "# killed: $early without a probe, $before while attaching, $late while counting"
	[ "$(grep -c '^137 ' "$dir/kills")" -eq "$kills" ]
	result "$kernel: killed $kills times at a random moment" "$dir/kills"
}

left()
{
	local dir=$1

	diff "$dir/before" "$dir/after" >"$dir/left"
	result "$kernel: no program, map, link or probe is left" "$dir/left"
	! grep -n 'WARNING:\|BUG:\|Oops\|Internal error\|Call trace' "$dir/dmesg" >"$dir/warnings"
	result "$kernel: the kernel did not complain" "$dir/warnings"
}

guests_work()
{
	local dir=$1

	jq -s -e 'map(select(.type == "vcpu" and (.vm | startswith("at-work")))) |
		length == 4 and all(.exits > 0 and .guest.load.done > 0)' \
		"$dir/last" >/dev/null
	result "$kernel: all vcpus made progress in the last second" "$dir/last"
	jq -s -e 'length == 2 and all(.guest_fp_lost == 0 and .guest_turns > 0)' \
		"$dir"/guest-* >/dev/null && [ "$(sort -u "$dir/guests")" = 0 ]
	result "$kernel: the guests lost nothing, and ended well" <(cat "$dir"/guest-*)
}

# The first set of records only: see in-churn.
first_set()
{
	awk '/"type":"host"/ { n++ } n == 1' "$1/churn"
}

churn_sums()
{
	local dir=$1 policy=$2

	first_set "$dir" >"$dir/set"
	jq -s -r --slurpfile truth "$dir/truth" --arg policy "$policy" '
	def total(f): map(f // 0) | add // 0;
	def differ($name; $got; $want): if $got == $want then empty else "\($name) \($got), not \($want)" end;
	($truth | map(.slack) | add) as $slack |
	# an unplanned switch may have come when no guest state was live
	def differ_more($name; $got; $want): if ($got - $want | fabs) <= $slack then empty else differ($name; $got; $want) end;
	map(select(.type == "host"))[0] as $h |
	map(select(.type == "witness"))[0] as $w |
	map(select((.type == "vcpu" or .type == "ended"))) as $v |
	($truth | map(.expect[$policy])) as $e |
	[ differ("missed"; $h.missed; 0), differ("lost"; $h.lost; 0), differ("undecided"; $h.undecided; 0),
	  differ("rows"; ($v | map(.vcpus // 1) | add); ($truth | map(.vms) | add)),
	  differ("runs"; ($v | total(.runs)); ($truth | map(.runs) | add)),
	  differ("exits"; ($v | total(.exits)); $w.exits),
	  differ("live entries"; ($v | total(.guest_runs_live)); $w.live),
	  differ_more("guest saves"; ($v | total(.guest.save.done)); ($e | map(.gs) | add)),
	  differ_more("guest loads"; ($v | total(.guest.load.done)); ($e | map(.gl) | add)),
	  differ("host saves"; ($v | total(.host.save.done)); ($e | map(.hs) | add)),
	  differ("host loads"; ($v | total(.host.load.done)); ($e | map(.hl) | add))
	] | .[]' "$dir/set" >"$dir/why" 2>&1 && [ ! -s "$dir/why" ]
	result "$kernel: nothing lost of $vms VMs that came and went: runs, exits, saves, loads" "$dir/why"
}

# A VM of churn touches FP in each of its three KVM_RUNs.
churn_rows()
{
	local dir=$1

	jq -r 'select(.type == "vcpu") |
		[.state, .runs, .guest.save.done, .guest.load.done, .host.save.done, .host.load.done] | @tsv' \
		"$dir/set" | sort | uniq -c >"$dir/rows"
	sed 's/^/# rows, state, runs, GS GL HS HL:/' "$dir/rows"
	echo "# the kernel made memory for $(awk '{ print $3 }' "$dir/slab") vcpus"
	# With an unplanned switch, a row may have one save and load of the guest more.
	awk -v slack="$(jq -s 'map(.slack) | add' "$dir/truth")" '
		$2 != "ended" || $3 != 3 || $6 != 3 || $7 != 3 { print; next }
		$4 != 3 || $5 != 3 { odd += $1; if (odd > slack) print }' "$dir/rows" >"$dir/why"
	[ -s "$dir/rows" ] && [ ! -s "$dir/why" ] && [ "$(awk '{ print $3 }' "$dir/slab")" -lt $((vms / 4)) ]
	result "$kernel: each VM was charged its own, although its memory was used before" "$dir/why"
}

churn_memory()
{
	local dir=$1 quarter end rows

	quarter=$(cat "$dir/size-quarter")
	end=$(cat "$dir/size-end")
	# Up to 1,024 rows of ended vcpus are kept, half a kB each, in an array
	# that doubles: that much may still come after the first quarter.
	rows=$(((vms < 1024 ? vms : 1024) - (vms / 4 < 1024 ? vms / 4 : 1024)))
	echo "# fpstat: $quarter kB after a quarter of the VMs, $end kB at the end, $rows more rows kept"
	[ -n "$end" ] && [ "$end" -le $((quarter + rows + 100)) ]
	result "$kernel: fpstat did not grow" <(echo "$quarter -> $end")
	[ "$(grep -c ': \[\]' "$dir/maps")" = 6 ] &&
	grep -q '"owed_loads": 0 ' "$dir/maps" && grep -q '"saved_neon": 0 ' "$dir/maps" &&
	grep -q '"trapped_tasks": 0 ' "$dir/maps" && grep -q '"begun_neon": 0 ' "$dir/maps"
	result "$kernel: the maps are empty, also after VMMs were killed" "$dir/maps"
}

# Exits of which the entry was seen, and of each vcpu perhaps one of which it was not.
# At the first look guests go on, and entries are looked at before exits.
late()
{
	local dir=$1

	jq -s -e --argjson starts "$starts" '
		reduce .[] as $r ([]; if $r.type == "host" then . + [[$r]] else .[-1] += [$r] end) |
		length == $starts and all(
			(map(select(.type == "host"))[0] | .missed == 0 and .lost == 0) and
			(map(select(.type == "witness"))[0].exits) as $entries |
			(map(select(.type == "vcpu" or .type == "ended") | .exits) | add) as $exits |
			$exits > 0 and $exits <= $entries + 2)' "$dir/late" >/dev/null
	result "$kernel: started $starts times while guests ran, and counted what came since" "$dir/late"
}

hotplug()
{
	local dir=$1

	jq -s -e --slurpfile truth "$dir/grows" '
		map(select(.type == "host"))[0] as $h | map(select(.vm == "grows")) as $v |
		$h.missed == 0 and $h.lost == 0 and ($v | length) == 2 and
		($v | map(.runs) | add) == ($truth | map(.runs) | add) and
		($v | all(.exits > 0 and .guest.load.done > 0)) and
		($truth | all(.guest_fp_lost == 0))' "$dir/plug" >/dev/null
	result "$kernel: a vcpu that is plugged in is counted from its first KVM_RUN" "$dir/plug"
	# Of CPU 1, its last number is n/a when it was offline all the time.
	awk '$1 == 1 { print $3, $NF }' "$dir/cpus" >"$dir/owners"
	grep -qx 'offline n/a' "$dir/owners" && ! sed -n '1p;$p' "$dir/owners" | grep -q offline
	result "$kernel: while a CPU is offline nobody owns its registers" "$dir/owners"
}

run()
{
	local kernel=$1 policy=eager dir=$logs/$1

	[ "$kernel" = 5.10 ] && policy=martin
	rm -rf "$dir"
	mkdir -p "$dir"
	# Grace periods would take most of the time, some hundred of them a cycle.
	# And khugepaged fills the heap up to 2 MB when it likes: half a megabyte
	# of zeros in a resident size that is to tell what fpstat touched.
	tests/lab/lab --kernel "$kernel" --timeout "$limit" \
		--append "rcupdate.rcu_expedited=1 transparent_hugepage=never" \
		--out "$dir" --console "$dir/console" --add "$arm64" --add "$cycle" \
		--add $work/fpload --add tests/lab/in-cycles --add tests/lab/in-churn --add tests/lab/in-hotplug \
		--add tests/lab/in-late \
		"in-cycles $want_cycles ${for_seconds:-25} $kills &&
		 fpstat stat --json --witness -o /out/churn -- in-churn /out/churn $vms &&
		 fpstat stat --json -o /out/plug -- in-hotplug && in-late $starts" \
		>"$dir/output" 2>&1
	result "$kernel: the lab ran" "$dir/output" || return
	cycles "$dir"
	killed "$dir"
	guests_work "$dir"
	left "$dir"
	churn_sums "$dir" "$policy"
	churn_rows "$dir"
	churn_memory "$dir"
	hotplug "$dir"
	late "$dir"
}

for kernel in ${KERNELS:-6.1 7.3}; do
	start=$SECONDS
	run "$kernel"
	echo "# $kernel took $((SECONDS - start)) s"
done
plan
