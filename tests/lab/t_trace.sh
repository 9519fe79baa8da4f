#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: traces of real kernels.
#
# The counters that the kernel had, and those that are counted anew from the records
# of the trace, are the same in every field, of each vcpu; the policy of that kernel
# makes what it made; and a trace says the same on its own machine and on this one.
# A disk that is full, a recorder that is killed and a directory that vanishes leave
# a trace that is good up to there, or a clear word.
#
# KERNELS="5.10 6.1", LOADS="r|s" narrow it down; MIX=60000 is all loads on all kernels,
# and one of ten minutes.
cd "$(dirname "$0")/../.." || exit 1
. tests/lab/tap.sh
. tests/perfetto.bash

program=${FPSTAT_PROGRAM:-build/$(uname -m | sed s/aarch64/arm64/)/fpstat}
logs=build/check/trace
loads="
a a
c c
d d
d' d'
e e
e' e'
f f
f' f'
g g
h h
r r
s s
w w
neon-task mix --mode 3,7 --neon 1000 --neon-task 1000 --bystanders 1 -n 200
signals mix --mode 2,3,6,7 --signals 500 -n 300
overcommit mix --vcpus 4 --mode 2,3,6,7 --bystanders 2 --neon 1000 -n 200
wfi mix --vgic --mode 8,9,15 -n 100
mixed mix --vgic --vcpus 4 --mode 2,3,6,7,9,15 --signals 100 --neon 500 --neon-task 200 --bystanders 2 -n ${MIX:-100}
"

# In half an hour there is room for a part of it.
some="a|d|g|r|signals|mixed" kernels="5.10 7.3"
if [ -n "${MIX+x}" ]; then
	some="[a-z'-]+" kernels="5.10 6.1 6.12 7.3"
fi

# silent DIR NAME: it succeeded, and said nothing
silent()
{
	[ "$(cat "$1/$2.code")" = 0 ] && [ ! -s "$1/$2.said" ] && return
	sed "s/^/$2: /" "$1/$2.said"
	echo "$2: status $(cat "$1/$2.code")"
	return 1
}

recorded()
{
	silent "$1" record && return
	tail -n 20 "$1/output"
	return 1
}

# here DIR COMMAND OPTION...: the same words on this machine
here()
{
	local dir=$1 name=$2

	"$program" "${@:2}" "$dir/trace.fpt" >"$dir/$name.here" 2>"$dir/$name.said.here"
	silent "$dir" "$name" && cmp "$dir/$name.out" "$dir/$name.here" &&
		cmp "$dir/$name.said" "$dir/$name.said.here"
}

same_words()
{
	here "$1" stat --json -r && here "$1" whatif --json -r && here "$1" report
}

counted_anew()
{
	silent "$1" stat && silent "$1" recorded &&
		diff <(jq -S . "$1/recorded.out") <(jq -S . "$1/stat.out") | head -n 20
	cmp "$1/recorded.out" "$1/stat.out"
}

# for_perfetto DIR: what its counters come to is what the kernel counted; and nothing
# was before the trace, or Perfetto would drop it.
for_perfetto()
{
	local out=$1/perfetto.json

	"$program" export -o "$out" perfetto "$1/trace.fpt" &&
		"$program" report --json "$1/trace.fpt" >"$1/report.json" &&
		counters_add_up "$out" "$1/report.json" &&
		jq -e '[.traceEvents[].ts // 0] | min >= 0' "$out" >/dev/null && processor_agrees "$out"
}

# all_exits DIR: each exit is a record, and so is the entry before it; the counters
# come to the same, and the guests know how often they called the hypervisor (22).
all_exits()
{
	local counted records entries calls hvc

	silent "$1" exits || return
	"$program" stat --json --strict -r "$1/exits.fpt" >"$1/exits.json" || return
	counted=$(jq -s 'map(select(.type == "vcpu").exits) | add' "$1/exits.json")
	read -r records entries calls < <("$program" export ndjson "$1/exits.fpt" | jq -r -s '
		map(select(.kind == "exit" and .buf != 0)) as $exits |
		[($exits | length), (map(select(.kind == "enter")) | length),
		 ($exits | map(select(.arg == 2 and .gen == 22)) | length)] | join(" ")')
	hvc=$(jq -s 'map(.guest_exits_hvc) | add' "$1/exits.truth")
	echo "$counted exits counted, $records recorded, $entries entries; $calls hypercalls, $hvc by the guests"
	[ "$counted" -gt 0 ] && [ "$records" -eq "$counted" ] && [ "$entries" -eq "$counted" ] &&
		[ "$calls" -eq "$hvc" ]
}

# parts DIR: one after the other they are one trace, of which all can be told.
parts()
{
	local truth=$1/parts.truth all=$1/parts.fpt

	silent "$1" parts || return
	# shellcheck disable=SC2046 # names without blanks
	cat $(ls -v "$1"/part.fpt*) >"$all"
	"$program" whatif --json --strict -r "$all" >"$1/parts.json" || return
	echo "$(ls "$1"/part.fpt* | wc -l) parts, $(jq -s 'map(.runs) | add' "$truth") runs"
	[ -s "$1/part.fpt.1" ] &&
		[ "$(jq -s 'map(select(.type == "vcpu").runs) | add' "$1/parts.json")" -eq "$(jq -s 'map(.runs) | add' "$truth")" ]
}

# lossy DIR: the counters are right and say how many records were lost, and the
# records say where.
lossy()
{
	local lost told runs

	[ "$(cat "$1/lossy.code")" = 0 ] || { cat "$1/lossy.said"; return 1; }
	"$program" report --json "$1/lossy.fpt" >"$1/lossy.json" 2>"$1/lossy.here" || return
	grep -q 'records of the stream were lost: these are the counters' "$1/lossy.here" || return
	lost=$(jq -s 'map(select(.type == "host"))[0].lost' "$1/lossy.json")
	runs=$(jq -s 'map(select(.type == "vcpu").runs) | add' "$1/lossy.json")
	told=$("$program" export csv "$1/lossy.fpt" 2>/dev/null |
		awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			{ n += $at["lost"]; if ($at["lost"] && !$at["gap"]) exit 1 } END { print n }')
	echo "$lost records lost, $told by the records; $runs runs, $(jq -s 'map(.runs) | add' "$1/lossy.truth") in truth"
	[ "$lost" -gt 0 ] && [ "$told" -eq "$lost" ] &&
		[ "$runs" -eq "$(jq -s 'map(.runs) | add' "$1/lossy.truth")" ]
}

# part_alone DIR: from a file what lies before is skipped, with and without an index;
# from a pipe all is read.
part_alone()
{
	local trace=$1/trace.fpt file from

	head -c $(($(stat -c %s "$trace") - 1)) "$trace" >"$1/no_footer.fpt"
	for file in "$trace" "$1/no_footer.fpt"; do
		for from in 1 2 3 5 100; do
			second $from "$file" >"$1/alone.json"
			second $from - <"$file" >"$1/all.json"
			cmp -s "$1/alone.json" "$1/all.json" && continue
			echo "$file, from $from:"
			diff <(jq -S . "$1/alone.json") <(jq -S . "$1/all.json") | head -n 20
			return 1
		done
	done
}

second() # FROM FILE
{
	"$program" report --json --from "$1" --to $(($1 + 1)) "$2" 2>/dev/null
}

# lossy_policies DIR: the intervals hold what is known of these policies whatever is
# lost. This kernel follows one of two, whose guests are the same; and uncond saves and
# loads the guest at each exit.
lossy_policies()
{
	"$program" whatif --json -r "$1/lossy.fpt" 2>/dev/null >"$1/lossy.whatif" || return
	jq -r 'select(.type == "policy" and .vm == null) |
		"\(.name): saves \(.save), loads \(.load), guest \(.guest)"' "$1/lossy.whatif"
	jq -s -e '
		def holds($n): .[0] <= $n and $n <= .[1];
		def row($name): map(select(.type == "policy" and .vm == null and .name == $name))[0];
		map(select(.type == "host"))[0].policy as $own | row("kernel") as $kernel |
		(map(select(.type == "vcpu").exits) | add) as $exits |
		(row($own) | (.save | holds($kernel.save[0])) and (.load | holds($kernel.load[0]))) and
		all(row("martin", "eager-host").guest;
			(.save | holds($kernel.guest.save[0])) and (.load | holds($kernel.guest.load[0]))) and
		(row("uncond").guest | (.save | holds($exits)) and (.load | holds($exits)))
		' "$1/lossy.whatif" >/dev/null
}

# readable FILE: it is good up to where it was cut, and says so
readable()
{
	"$program" stat --json -r "$1" >"$1.json" 2>"$1.said" &&
		grep -q 'has no end' "$1.said" && jq -e . "$1.json" >/dev/null &&
		! "$program" stat --strict -r "$1" >/dev/null 2>&1 && return
	cat "$1.said"
	return 1
}

failed_with() # DIR NAME WORDS
{
	[ "$(cat "$1/$2.code")" = 3 ] && grep -q "$3" "$1/$2.said" && return
	sed "s/^/$(cat "$1/$2.code"): /" "$1/$2.said"
	return 1
}

full()
{
	failed_with "$1" full 'No space left' && readable "$1/full.fpt"
}

# A disk may be too small for the first records, but this one had some.
killed()
{
	readable "$1/killed.fpt" &&
		jq -s -e 'any(.[]; .type == "vcpu" and .exits > 0)' "$1/killed.fpt.json" >/dev/null
}

run()
{
	local kernel=$1 dir=$logs/$1 work=tests/lab/workloads/build nr

	rm -rf "$dir"
	mkdir -p "$dir"
	grep -E "^(${LOADS-$some}) " <<<"$loads" >"$dir/list"
	tests/lab/lab --kernel "$kernel" --timeout "${LAB_TIMEOUT:-1800}" --cpu max,sve=off,sme=off \
		--out "$dir" --console "$dir/console" \
		--add build/arm64/fpstat --add $work/fpload --add "$dir/list" \
		--add "$work/fpneon-$kernel.ko:/lab/fpneon.ko" --add tests/lab/in-trace \
		-- in-trace list >"$dir/output" 2>&1
	nr=$(wc -l <"$dir/list")
	check "$kernel: a trace of $nr loads" recorded "$dir" || return
	check "$kernel: counted anew, all is as the kernel counted" counted_anew "$dir"
	check "$kernel: its own policy makes what the kernel made" silent "$dir" whatif
	check "$kernel: the same words on this machine" same_words "$dir"
	check "$kernel: the counters for Perfetto come to the same" for_perfetto "$dir"
	check "$kernel: a part that is read alone is as if all had been read" part_alone "$dir"
	check "$kernel: each guest entry and exit as a record" all_exits "$dir"
	check "$kernel: parts of a trace are one" parts "$dir"
	check "$kernel: a ring that is far too small: what was lost is known" lossy "$dir"
	check "$kernel: what policies would have moved is in their intervals" lossy_policies "$dir"
	check "$kernel: a full disk: the trace is good up to there" full "$dir"
	check "$kernel: killed: the trace is good up to there" killed "$dir"
	check "$kernel: the directory has gone" failed_with "$dir" gone 'No such file'
}

mkdir -p $logs
for kernel in ${KERNELS:-$kernels}; do
	run "$kernel"
done
plan
