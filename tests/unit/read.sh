#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat stat and whatif on traces of a capture that is a fake.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
trace=$tmp/trace
some="uncond,defensive,martin-rfc,martin,eager-host"

record() { run 0 "$1" record -o "$trace" -- true; }
# read CODE COMMAND...: of $trace
reads() { run "$1" none "${@:2}" -r "$trace"; }
look() { cat "$tmp/err"; }

# The same as live: the trace has the names and the times of its machine.
same() # SCENE ARG...
{
	local scene=$1
	shift
	run 0 "$scene" whatif "$@" -- true && mv "$tmp/out" "$tmp/live" &&
	record "$scene" && reads 0 whatif "$@" && silent && diff "$tmp/live" "$tmp/out"
}
is "whatif: as live"            same stream
is "whatif: as live, vcpus"     same stream -v --policy $some
is "whatif: as live, SVE"       same stream-sve
protected()
{
	record pkvm && reads 0 whatif && silent && out '^this kernel *n/a *n/a *[1-9]' &&
	reads 0 stat --json && silent &&
	all '[.[] | select(.type == "vcpu")] | length == 4 and
	     all(.[]; .guest.save.done == null and .host.save.done > 0)'
}
is "pKVM: the counters of the kernel" protected
is "whatif: as live, no time"   same stream-x86
is "whatif: as live, JSON"      same stream --json

# The numbers of the kernel, and those of the records.
anew() # SCENE ARG...
{
	record "$1" && reads 0 stat "${@:2}" --recorded && mv "$tmp/out" "$tmp/recorded" &&
	reads 0 stat "${@:2}" && silent && diff "$tmp/recorded" "$tmp/out"
}
is "stat: counted anew"         anew stream
is "stat: counted anew, JSON"   anew stream --json
is "stat: counted anew, SVE"    anew stream-sve --json
numbers()
{
	record stream && reads 0 stat --json &&
	all '[.[] | select(.type == "vcpu") | [.vm, .vm_pid, .vcpu, .runs, .exits,
	      .guest_runs_live, .guest.save.done, .host.load.redundant]] ==
	     [["alpha", 1000, 0, 2, 30, 26, 4, 0], ["alpha", 1000, 1, 2, 6, 0, 0, 2]]'
}
is "stat: whose they are"       numbers
piped()
{
	record stream && FPSTAT_FAKE=none "$fpstat" stat -r - <"$trace" >"$tmp/out" &&
	FPSTAT_FAKE=stream "$fpstat" record -o - -- true 2>/dev/null |
		FPSTAT_FAKE=none "$fpstat" stat -r - | diff "$tmp/out" -
}
is "stat: from a pipe"          piped
apart() { record stream && reads 0 stat -o "$tmp/apart" && grep -q '^total' "$tmp/apart" && [ ! -s "$tmp/out" ]; }
is "stat: output apart"         apart

# What is missing. The blocks are meta, events, counters and index.
block() { echo $(($(grep -abo FPtr "$trace" | sed -n "$1s/:.*//p") - 8)); }
cut() { head -c "$1" "$trace" >"$tmp/cut" && mv "$tmp/cut" "$trace"; }
# What no record tells is not known.
no_end()
{
	record stream && cut "$(block 3)" && reads 0 stat --json &&
	err 'has no end: what happened after' &&
	all '[.[] | select(.type == "vcpu")] | length == 2 and
	     all(.[]; .vm == "unknown" and .runs == null and .exits != null and
		 .guest.save.done != null)' &&
	all '.[] | select(.type == "host") | .lost == null and .missed == null and
	     (.events | all(. == null)) and .kernel == "6.1.0-fake-arm64"' &&
	reads 0 stat && out '^total .*n/a'
}
is "cut: n/a, never 0" no_end
no_index()
{
	record stream && reads 0 stat --json && mv "$tmp/out" "$tmp/whole" &&
	cut "$(block 4)" && reads 0 stat --json &&
	err 'has no end' && diff "$tmp/whole" "$tmp/out"
}
is "cut: nothing but the index" no_index
strict() { record stream && cut "$(block 3)" && reads 4 stat --strict && reads 4 whatif --strict; }
is "cut, strict" strict
up_to() { record stream && cut "$(block 3)" && reads 0 whatif && err 'has no end' && out '^uncond  *36 '; }
is "cut: what policies would have moved up to there" up_to
torn()
{
	record stream && printf X | dd of="$trace" bs=1 seek=$(($(block 2) + 90)) conv=notrunc 2>/dev/null
	reads 0 whatif && err 'would have moved is n/a' && out '^uncond  *n/a: ' && reads 4 whatif --strict
}
is "damaged: nobody knows what they would have moved" torn
each_byte()
{
	local i code want first

	record stream
	first=$(block 2)
	cp "$trace" "$tmp/all"
	for i in $(seq 0 97 "$(wc -c <"$trace")"); do
		head -c "$i" "$tmp/all" >"$trace"
		FPSTAT_FAKE=none "$fpstat" stat -r "$trace" >"$tmp/out" 2>"$tmp/err"
		code=$?
		want=0
		[ "$i" -ge "$first" ] || want=3
		[ -s "$tmp/err" ] && [ $code -eq $want ] || { echo "$i: status $code"; return 1; }
	done
}
is "cut anywhere" each_byte
damaged()
{
	local at

	record stream
	at=$(block 2)
	printf 'X' | dd of="$trace" bs=1 seek=$((at + 90)) conv=notrunc 2>/dev/null
	reads 0 stat && err 'damaged in 1 places, the first is at byte' && reads 4 stat --strict
}
is "damaged" damaged
lost()
{
	run 0 stream-gap record -o "$trace" -- true && reads 0 stat --json &&
	err '2 records of the stream were lost: these are the counters of the kernel' &&
	all '[.[] | select(.type == "vcpu") | .guest.save.done] == [4, 0]' &&
	reads 4 stat --strict && reads 0 whatif && err 'intervals are wider' && out '^uncond  *24-49 '
}
is "records were lost" lost
unlike()
{
	record stream-unlike && reads 0 stat && err 'records cannot be.*these are the counters of the kernel' &&
	reads 4 stat --strict && reads 4 whatif --strict
}
is "a record is missing" unlike

# What is none.
none() { echo "no trace" >"$trace" && reads 3 stat && err 'cannot read .*: it is not a trace of fpstat'; }
is "not a trace" none
nowhere() { rm -f "$trace" && reads 3 whatif && err 'cannot read .*: No such file'; }
is "no file" nowhere
together() { record stream && reads 2 stat -i 1 && err "don't go together" && run 2 none stat -r "$trace" -- true &&
	run 2 none whatif -r "$trace" -- true; }
is "not with what is for live counts" together
echo "1..$n"
