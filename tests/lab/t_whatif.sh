#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: what other policies would have moved, on real kernels.
#
# The self-proof: fed with nothing but needs, the policy of the kernel that runs
# makes each save and each load that this kernel made, in every scenario and
# load. And the stream, replayed, comes to the counters of the kernel: fpstat
# says so itself, if not. Each single decision is foretold, and each kind of them
# comes up. The other policies make what the table below says,
# worked out by hand; martin-rfc and the two after it only know hosts without SVE.
# A load that fails by itself is skipped: see t_load.sh.
#
# In nVHE mode a few stand for all, but with MODES="vhe nvhe"; and so they do on a
# host with SVE, but with SVE="off on".
# KERNELS="5.10 6.1" SCENARIOS="a b" LOADS="r|s" narrow it down; MIX=60000 is ten minutes,
# and STRUCK=10000 has softirqs strike at nearly each instruction of the end of KVM_RUN.
cd "$(dirname "$0")/../.." || exit 1
. tests/lab/tap.sh
. tests/lab/counted.sh

logs=build/check/whatif
scenarios="a c d d' e e' f f' g g' h"
loads="
r r
s s
w w
neon-task mix --mode 3,7 --neon 1000 --neon-task 1000 --bystanders 1 -n 200
struck mix --vcpus 2 --mode 4,7 --neon 3000 --bystanders 1 -n ${STRUCK:-500}
signals mix --mode 2,3,6,7 --signals 500 -n 300
overcommit mix --vcpus 4 --mode 2,3,6,7 --bystanders 2 --neon 1000 -n 200
wfi mix --vgic --mode 8,9,15 -n 100
mixed mix --vgic --vcpus 4 --mode 2,3,6,7,9,15 --signals 100 --neon 500 --neon-task 200 --bystanders 2 -n ${MIX:-100}
idle g' -n 10000
host-sve mix --vcpus 2 --mode 3,7 --host-sve --signals 300 --neon 1000 --bystanders 2 -n ${MIX:-200}
"

# What a host decides at; one with SVE at sve-trap, too.
kinds="bind-vcpu exec fork load neon-softirq neon-task preserve restore save switch task-end vload"

# HS HL GS GL of a policy in a scenario, n: times it happens, x: guest exits, l:
# of them with live state; or more, where a policy keeps live what the kernel does
# not.
table="
a  martin     0 0 0 0
a  eager-host n n 0 0
a  defensive  0 0 0 0
a  martin-rfc 0 0 0 0
a  dall       0 0 0 0
a  uncond     x x x x
c  martin     1 1 1 1
c  eager-host 1 1 1 1
c  martin-rfc 1 1 l 1
c  dall       1 1 1 1
c  uncond     x x x x
d  martin     1 1 n+1 n+1
d  eager-host 1 1 n+1 n+1
d  martin-rfc 1 1 l n+1
d  dall       1 1 n+1 n+1
d  block-neon 1 1 1 1
d' martin     1 1 0 0
d' eager-host 1 1 0 0
d' defensive  1 1 0 0
e  martin     1 1 n+1 n+1
e  eager-host 1 1 n+1 n+1
e  martin-rfc 1 1 l 1
e  dall       1 1 n+1 1
e  block-neon 1 1 n+1 1
e' martin     n 0 0 0
e' eager-host 1 1 0 0
e' martin-rfc n 0 0 0
e' dall       n 0 0 0
e' defensive  n 0 0 0
f  martin     1 1 n+1 n+1
f  eager-host 1 1 n+1 n+1
f  martin-rfc 1 1 l n+1
f  dall       1 1 n+1 n+1
f' martin     1 1 0 0
f' eager-host 1 1 0 0
f' dall       1 1 0 0
g  martin     n n n n
g  eager-host n n n n
g  martin-rfc n n l n
g  dall       n n n n
g  block-neon n n n n
g' martin     0 0 0 0
g' eager-host n n 0 0
g' dall       0 0 0 0
g' defensive  0 0 0 0
g' uncond     x x x x
h  martin     1 1 n+1 n+1
h  eager-host 1 1 n+1 n+1
h  martin-rfc 1 1 l n+1
h  dall       1 1 n+1 n+1
"

# numbers SET PID: lines "NAME HS HL GS GL unsafe refused", each "LO HI"; the
# first is of the kernel. Of all vcpus whose VMM is process PID.
numbers()
{
	jq -s -r --argjson pid "$2" '
	def total(f): map(f) | add // 0;
	def sums(f): (map(f[0]) | add // 0 | tostring) + " " + (map(f[1]) | add // 0 | tostring);
	(map(select(.type == "vcpu" and .vm_pid == $pid))) as $v |
	"kernel " + ([($v | total(.host.save.done)), ($v | total(.host.load.done)),
		($v | total(.guest.save.done)), ($v | total(.guest.load.done))] |
		map("\(.) \(.)") | join(" ")) + " 0 0 0 0",
	(map(select(.type == "policy" and .vm_pid == $pid and .save != null and .name != "kernel")) | group_by(.name)[] |
		.[0].name + " " + sums(.host.save) + " " + sums(.host.load) + " " +
		sums(.guest.save) + " " + sums(.guest.load) + " " + sums(.unsafe) + " " + sums(.refused))
	' "$1"
}

# own DIR NAME POLICY PID: does the running policy make what the kernel made?
own()
{
	local kernel policy

	kernel=$(numbers "$1/$2.json" "$4" | sed -n 's/^kernel //p' | cut -d ' ' -f 1-8)
	policy=$(numbers "$1/$2.json" "$4" | sed -n "s/^$3 //p" | cut -d ' ' -f 1-8)
	echo "$2: kernel $kernel, $3 $policy"
	[ -n "$kernel" ] && [ "$kernel" = "$policy" ]
}

# cell EXPECTED LO HI SLACK: EXPECTED may use n, x and l of the caller. One may be
# in doubt: nobody sees if a thread was in user mode once more before its end.
cell()
{
	local want=$(($1)) most=$(($1))

	[ "$1" = l ] && most=$x
	[ $((want - $3)) -le "$4" ] && [ $(($2 - most)) -le "$4" ] &&
		[ $(($3 - $2)) -le 1 ]
}

# row DIR SCENARIO POLICY PID N X L SLACK HS HL GS GL
row()
{
	# shellcheck disable=SC2034 # the cells name them
	local n=$5 x=$6 l=$7 slack=$8 got i want
	got=($(numbers "$1/$2.json" "$4" | sed -n "s/^$3 //p"))
	want=("${@:9:4}")

	[ ${#got[@]} -gt 0 ] || return 0 # not defined on this machine
	for i in 0 1 2 3; do
		cell "${want[i]}" "${got[2 * i]}" "${got[2 * i + 1]}" "$slack" && continue
		echo "$2: $3: ${got[*]} is not ${want[*]}, n $n, x $x, l $l, slack $slack"
		return 1
	done
}

# How often the scenario's event happened; KVM_RUN is one, too.
happened()
{
	case $2 in
	a | g | g\')	jq .runs "$1/$2.truth" ;;
	*)		jq .n "$1/$2.truth" ;;
	esac
}

# in_table DIR SCENARIO PID
in_table()
{
	local file=$1/$2.json n x l slack s p cells bad=0

	n=$(happened "$1" "$2")
	slack=$(jq .slack "$1/$2.truth")
	x=$(jq -s --argjson pid "$3" 'map(select(.type == "vcpu" and .vm_pid == $pid) | .exits) | add' "$file")
	l=$(jq -s --argjson pid "$3" 'map(select(.type == "vcpu" and .vm_pid == $pid) | .guest_runs_live + .guest.load.done) | add' "$file")
	while read -r s p cells; do
		[ "$s" = "$2" ] || continue
		# shellcheck disable=SC2086 # they are four
		row "$1" "$2" "$p" "$3" "$n" "$x" "$l" "$slack" $cells || bad=1
	done <<<"$table"
	return $bad
}

# What must be lost by a design that does not see the NEON of softirqs.
unsafe()
{
	local n slack got

	n=$(happened "$1" d)
	slack=$(jq .slack "$1/d.truth")
	got=($(numbers "$1/d.json" "$2" | sed -n 's/^dall //p'))
	cell "$n" "${got[8]}" "${got[9]}" "$slack" || return
	got=($(numbers "$1/d.json" "$2" | sed -n 's/^block-neon //p'))
	cell "$n" "${got[10]}" "${got[11]}" "$slack"
}

# 10,000 exits to user space of a guest without FP. What is needed is at most what
# bystanders loaded and NEON took meanwhile.
idle()
{
	jq -s -e --arg policy "$2" --argjson pid "$3" '
	(map(select(.type == "vcpu" and .vm_pid == $pid))[0]) as $v |
	(map(select(.type == "other"))[0].task.load.done) as $loads |
	(map(select(.type == "host"))[0].events["neon-softirq"]) as $neon |
	if $policy == "martin" then
		$v.runs >= 10000 and $v.host.save.done <= $v.host.save.needed + 10 and $v.host.save.done < 100
	else
		$v.runs == $v.host.save.done and $v.runs == $v.host.load.done and
		$v.runs >= 10000 and
		$v.host.save.redundant + $v.host.save.needed + $v.host.save.pending == $v.runs and
		$v.host.save.needed <= $loads + $neon and $v.host.save.redundant > 9000
	end' "$1/idle.json" >/dev/null
}

# first_wrong SETS: the last events before it
first_wrong()
{
	jq -r 'select(.type == "wrong") | "# record \(.record), CPU \(.cpu): \(.found), not \(.foretold)",
		(.events[] | "# \(.ts) \(.event) \(.buf) foreign \(.foreign) in_run \(.in_run) other \(.other) flags \(.flags)")' \
		"$1" | head -n 17
}

# Of all that happened in DIR, load by load: is no decision wrong, no kind missing?
decisions()
{
	local want=$kinds last met

	[ "$2" = off ] || want="${kinds/ switch/ sve-trap switch}"
	last=$(tail -n 1 "$1/list")
	last=$1/${last%% *}.json
	jq -r 'select(.type == "decision") |
		"\(.event): nothing \(.nothing), user \(.user), guest \(.guest), open \(.open), wrong \(.wrong)"' "$last"
	met=$(jq -r 'select(.type == "decision" and .nothing + .user + .guest > 0) | .event' "$last" | sort | xargs)
	[ "$met" = "$want" ] || { echo "met: $met"; return 1; }
	jq -s -e 'all(.[]; .type != "wrong")' "$last" >/dev/null
}

# Of what host threads with SVE have, formats were foretold, and none of them wrong; and
# inside KVM_RUN none is saved in the format of SVE.
formats()
{
	jq -s -e 'map(select(.type == "format")) as $f | map(select(.type == "vcpu")) as $v |
		($f | length) == 2 and all($f[]; .fpsimd > 0 and .wrong == 0) and $f[1].sve > 0 and
		all($v[].host.save; .bytes == 520 * .done)' "$1/host-sve.json" >/dev/null && return
	jq -c 'select(.type == "format")' "$1/host-sve.json"
	return 1
}

# run KERNEL MODE SVE
run()
{
	local on="$1 $2" policy=eager-host without=host-sve dir=$logs/$1-$2-$3 name pid

	[ "$3" = off ] || { on+=" with SVE" without=none; }
	[ "$1" = 5.10 ] && policy=martin
	rm -rf "$dir"
	mkdir -p "$dir"
	{ for name in ${SCENARIOS-$scenarios}; do echo "$name $name"; done
	echo "$loads" | grep -E "^(${LOADS-[a-z-]+}) " | grep -v "^$without "; } >"$dir/list"
	whatif_each "$dir" --kernel "$1" --mode "$2" --timeout "${LAB_TIMEOUT:-1800}" \
		--cpu "max,sve=$3,sme=off" >"$dir/output" 2>&1
	result "$on: the stream says what the counters say" "$dir/output" ||
		{ first_wrong "$dir/sets"; return; }
	while read -r name _; do
		if [ "$(cat "$dir/$name.status")" != 0 ]; then
			skip "$on: $name" "the load itself failed: $(tail -n 1 "$dir/$name.err")"
			continue
		fi
		pid=$(jq 'select(.vm_pid > 0 and .truth == "vm" or .vms > 0) | .vm_pid' "$dir/$name.truth" | head -n 1)
		check "$on: $name: $policy makes what the kernel made" own "$dir" "$name" "$policy" "$pid"
		case " $scenarios " in
		*" $name "*)
			check "$on: $name: the other policies, as worked out by hand" in_table "$dir" "$name" "$pid" ;;
		esac
		case $name in
		d)	[ "$3" = off ] || continue # neither was ever defined there
			check "$on: d: what dall loses, what block-neon refuses" unsafe "$dir" "$pid" ;;
		host-sve)
			check "$on: host-sve: formats were foretold" formats "$dir" ;;
		idle)
			check "$on: 10,000 exits without FP: redundant, where anything is moved" idle "$dir" "$policy" "$pid" ;;
		esac
	done <"$dir/list"
	[ -n "${SCENARIOS+x}${LOADS+x}" ] && return
	check "$on: each decision was foretold, of each kind" decisions "$dir" "$3"
}

mkdir -p $logs
for kernel in ${KERNELS:-5.10 6.1 6.12 7.3}; do
	for mode in ${MODES:-vhe}; do
		for sve in ${SVE:-off}; do
			run "$kernel" "$mode" "$sve"
		done
	done
	[ -n "${MODES+x}" ] || SCENARIOS="c d g" LOADS="r|mixed" run "$kernel" nvhe off
	[ -n "${SVE+x}" ] || SCENARIOS="c g" LOADS="signals|mixed|host-sve" run "$kernel" vhe on
done
plan
