#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: the counts of each scenario equal, to the unit,
#  (i)  the scenario's formula, evaluated with what the run itself measured,
#  (ii) in VHE up to 6.12, QEMU's log of executed save and load routines
#       between the two marks, for all contexts together,
# and what the witness programs counted. The table is printed as comments.
#
# KERNELS="5.10 6.1" MODES=vhe SCENARIOS="a b" narrow it down.
cd "$(dirname "$0")/../.." || exit 1
. tests/lab/tap.sh

all="a b c d d' e e' f f' g g' h w r s"
logs=build/check/scenarios
work=tests/lab/workloads/build


# The four numbers that are charged to vcpus, then all saves and all loads.
counted()
{
	jq -s -c '
	def total(f): map(f // 0) | add // 0;
	map(select(.type == "vcpu" or .type == "ended")) as $v |
	map(select(.type == "other"))[0] as $o |
	[ ($v | total(.guest.save.done)), ($v | total(.guest.load.done)),
	  ($v | total(.host.save.done)), ($v | total(.host.load.done)) ] as $c |
	$c + [ $c[0] + $c[2] + $o.task.save.done + $o.kernel.save.done + $o.efi.save.done,
	       $c[1] + $c[3] + $o.task.load.done + $o.kernel.load.done + $o.efi.load.done ] |
	@tsv' -r "$1"
}

# judge DIR SCENARIO POLICY LOG: prints one row and fails if it does not fit.
judge()
{
	local dir=$1 s=$2 policy=$3 log=$4 first last
	local gs gl hs hl save load want slack logged why=

	[ "$(cat "$dir/$s.status")" = 0 ] || why="status $(cat "$dir/$s.status"): $(tail -n 1 "$dir/$s.err")"
	read -r gs gl hs hl save load < <(counted "$dir/$s.json")
	want=$(jq -r ".expect.$policy | [.gs, .gl, .hs, .hl] | @tsv" "$dir/$s.truth")
	slack=$(jq .slack "$dir/$s.truth")
	fits "$gs $gl $hs $hl" "$want" "$slack" || why="${why:-not the formula}"
	logged="- -"
	if [ -n "$log" ]; then
		read -r first last < <(jq -r 'select(.marks).marks | @tsv' "$dir/$s.json")
		logged=$(tests/lab/truth-count "$log" --from "$first" --to "$last" |
			jq -r '[.save, .load] | @tsv')
		[ "$(echo $logged)" = "$save $load" ] || why="${why:-not the log}"
	fi
	checks "$dir/$s.json" "$dir/$s.truth" "$policy" >"$dir/why" 2>&1
	why="${why:-$(cat "$dir/why")}"
	printf '# %-4s %5s %5s %5s %5s | %5s %5s %5s %5s | %5s %5s | %5s %5s | %s %s\n' \
		"$s" "$gs" "$gl" "$hs" "$hl" $want "$save" "$load" $logged "$slack" "$why"
	[ -z "$why" ]
}

# Equal, but where unplanned switches hit the run: these may have come when
# there was nothing to lose.
fits()
{
	local a b slack=$3
	set -- $1 $2
	for i in 1 2 3 4; do
		a=$1 b=$5
		shift
		[ $((a > b ? a - b : b - a)) -le "$slack" ] || return 1
	done
}

# What must hold besides; says what does not.
checks()
{
	jq -s -r --arg policy "$3" --slurpfile truth "$2" '
	(map(select(.type == "host"))[0]) as $h |
	(map(select(.type == "witness"))[0]) as $w |
	(map(select(.type == "vcpu" or .type == "ended"))) as $v |
	def total(f): map(f // 0) | add // 0;
	[ if $h.missed != 0 or $h.undecided != 0 then "missed" else empty end,
	  if ($h.policy | sub("-host"; "")) != $policy then "policy \($h.policy)" else empty end,
	  if ($v | total(.runs)) != $truth[0].runs then "runs \($v | total(.runs)), not \($truth[0].runs)" else empty end,
	  if ($v | total(.exits)) != $w.exits then "exits, not entries" else empty end,
	  if ($v | total(.guest_runs_live)) != $w.live then "live exits, not entries" else empty end,
	  if $w.switch_saves != $w.counted_switch_saves then "saves at switches" else empty end,
	  if $h.events["neon-softirq"] + $h.events["neon-task"] != $w.neon then "NEON sections" else empty end,
	  if $w.last_state_differs != 0 then "last state" else empty end
	] | join(", ")' "$1"
}

# The sets of records, in the order of the scenarios: DIR/NAME.json
split_sets()
{
	local dir=$1
	shift
	awk -v dir="$dir" -v names="$*" '
		BEGIN { split(names, name, " ") }
		/"type":"host"/ { n++ }
		n && name[n] != "" { print >(dir "/" name[n] ".json") }' "$dir/sets"
}

run()
{
	local kernel=$1 mode=$2 policy=eager log= dir=$logs/$1-$2 s
	local options=(--kernel "$kernel" --mode "$mode" --timeout 800)

	[ "$kernel" = 5.10 ] && policy=martin
	rm -rf "$dir"
	mkdir -p "$dir"
	case $mode-$kernel in
	vhe-5.10 | vhe-6.1 | vhe-6.12)
		log=$dir/truth.log
		options+=(--truth "$log") ;;
	esac
	for s in ${SCENARIOS:-$all}; do echo "$s $s"; done >"$dir/list"
	tests/lab/lab "${options[@]}" --out "$dir" --console "$dir/console" \
		--add build/arm64/fpstat --add $work/fpload --add "$dir/list" \
		--add "$work/fpneon-$kernel.ko:/lab/fpneon.ko" --add tests/lab/in-each \
		-- fpstat stat --json --mark --witness -o /out/sets -- in-each /out/sets list \
		>"$dir/output" 2>&1
	result "$kernel $mode: the lab ran all scenarios" "$dir/output"
	split_sets "$dir" ${SCENARIOS:-$all}
	echo "# $kernel $mode ($policy), GS GL HS HL: counted | formula | all saves, loads: counted | log | slack"
	for s in ${SCENARIOS:-$all}; do
		judge "$dir" "$s" "$policy" "$log"
		result "$kernel $mode: scenario $s"
	done
	rm -f "$log"
}

mkdir -p $logs
for kernel in ${KERNELS:-5.10 6.1 6.12 7.3}; do
	for mode in ${MODES:-vhe nvhe}; do
		run "$kernel" "$mode"
	done
done
plan
