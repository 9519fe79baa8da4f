#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: the counts of each scenario equal, to the unit,
#  (i)  the scenario's formula, evaluated with what the run itself measured,
#  (ii) in VHE up to 6.12, QEMU's log of executed save and load routines
#       between the two marks, for all contexts together,
# and what the witness programs counted; and those are redundant that should be.
# The table is printed as comments.
#
# KERNELS="5.10 6.1" MODES=vhe SCENARIOS="a b" narrow it down.
cd "$(dirname "$0")/../.." || exit 1
. tests/lab/tap.sh
. tests/lab/counted.sh

all="a b c d d' e e' f f' g g' h w r s"
logs=build/check/scenarios

# judge DIR SCENARIO POLICY LOG MODE: sets row; fails if it does not fit.
judge()
{
	local dir=$1 s=$2 policy=$3 log=$4 mode=$5 why= want slack primed logged redundant
	local gs gl hs hl all

	[ "$(cat "$dir/$s.status")" = 0 ] || why="status $(cat "$dir/$s.status"): $(tail -n 1 "$dir/$s.err")"
	read -r gs gl hs hl all < <(counted "$dir/$s.json")
	want=$(jq -r ".expect.$policy | [.gs, .gl, .hs, .hl] | @tsv" "$dir/$s.truth")
	slack=$(jq .slack "$dir/$s.truth")
	primed=$(jq .primed "$dir/$s.truth")
	fits "$gs $gl $hs $hl" "$want" "$slack" "$primed" || why="${why:-not the formula}"
	logged=$(logged "$dir/$s.json" "$log")
	[ -z "$log" ] || [ "$logged" = "$all" ] || why="${why:-not the log}"
	why="${why:-$(contradictions "$dir/$s.json" "$dir/$s.truth" "$policy" "$mode")}"
	redundant=$(judged "$dir/$s.json")
	fits_verdicts "$redundant" "$policy $s" "$slack" "$gs" "$gl" "$hs" "$hl" ||
		why="${why:-the wrong ones are redundant}"
	printf -v row '# %-4s %5s %5s %5s %5s | %5s %5s %5s %5s | %5s %5s %5s %5s | %5s %5s %5s %5s | %s | %s %s %s %s %s' \
		"$s" "$gs" "$gl" "$hs" "$hl" $want $all $logged "$slack" $redundant "$why"
	[ -z "$why" ]
}

# Equal, but where unplanned switches hit the run: these may have come when there
# was nothing to lose. Before the first load of the vcpu, they may have taken the
# host's state away, and with it the first host save.
fits()
{
	local off i slack=$3 primed=$4

	set -- $1 $2
	for i in gs gl hs hl; do
		off=$(($5 - $1))
		[ $i != hs ] || [ $off -le 0 ] || off=$((off > primed ? off - primed : 0))
		shift
		[ ${off#-} -le "$slack" ] || return 1
	done
}

# Which should be redundant, worked out by hand: of the guest's saves and loads,
# then of the host's. A switch that nobody planned may change the verdict of one
# of each. Of w, r and s it depends on who else runs.
fits_verdicts()
{
	local got=$1 want slack=$3 off i

	case $2 in
	eager\ a | eager\ g\' | eager\ e\')	want="0 0 $6 $7" ;;
	martin\ e\')				want="0 0 $6 0" ;;
	*\ e)					want="$(($4 - 1)) $(($5 - 1)) 0 0" ;;
	*\ [wrs])				return 0 ;;
	*)					want="0 0 0 0" ;;
	esac
	set -- $got $want
	for i in gs gl hs hl; do
		off=$(($5 - $1))
		shift
		[ ${off#-} -le "$slack" ] || return 1
	done
}

run()
{
	local kernel=$1 mode=$2 policy=eager log= dir=$logs/$1-$2 s
	local options=(--kernel "$kernel" --mode "$mode" --timeout 1800)

	[ "$kernel" = 5.10 ] && policy=martin
	rm -rf "$dir"
	mkdir -p "$dir"
	case $mode-$kernel in
	vhe-5.10 | vhe-6.1 | vhe-6.12)
		log=$dir/truth.log
		options+=(--truth "$log") ;;
	esac
	for s in ${SCENARIOS:-$all}; do echo "$s $s"; done >"$dir/list"
	count_each "$dir" "${options[@]}" >"$dir/output" 2>&1
	result "$kernel $mode: the lab ran all scenarios" "$dir/output" || return
	echo "# $kernel $mode ($policy), GS GL HS HL: counted | formula | all saves, loads, those of SVE: counted | log | slack | redundant"
	for s in ${SCENARIOS:-$all}; do
		judge "$dir" "$s" "$policy" "$log" "$mode"
		result "$kernel $mode: scenario $s"
		echo "$row" # behind its result, which it explains
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
