#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The commands as a user calls them, on a capture that is a fake.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash

exits() { run "$@"; }

# exit codes and words
is "help"                 exits 0 two --help
is "help of a command"    exits 0 two stat --help
is "version"              exits 0 two -V
is "unknown command"      says 'doctor' 2 two nonsense
is "unknown option"       says 'interval' 2 two stat --nonsense
is "option of no command" says 'batch' 2 two --nonsense
is "operand"              says 'after --' 2 two stat sleep 1
is "no command"           says 'no command after' 2 two stat --
is "no such column"       says 'guest-save' 2 two top -s nonsense
is "count needs interval" says 'needs --interval' 2 two stat -c 3 -- true
is "no capture"           says 'without KVM' 3 impossible stat -- true
is "no capture, top"      says 'without KVM' 3 impossible
is "cannot open"          says 'takes no programs' 3 noopen stat -- true
is "unreadable counters"  says 'cannot read' 3 unreadable stat -- true
is "conservation broken"  says 'conservation broken' 1 broken stat --json -- true
nothing_printed() { run 1 broken stat --json -- true; [ ! -s "$tmp/out" ]; }
is "broken is not shown"  nothing_printed
changed() { run 1 fickle stat "$@" && err 'host.load: done' && [ ! -s "$tmp/out" ]; }
is "a changed verdict is not shown" changed --json -- true
is "nor in a table"       changed -i 0.1 -c 3
is "lossy"                exits 0 lossy stat -- true
is "lossy, strict"        says 'missed 3 (kvm_exit, no slot), undecided' 4 lossy stat --strict -- true
is "strict, all well"     exits 0 two stat --strict -- true
is "output nowhere"       says 'cannot write' 3 two stat -o /nonexistent/x -- true
is "full disk"            says 'cannot write' 3 two stat -o /dev/full -- true
is "full stdout" bash -c '"$0" stat -- true >/dev/full 2>"$1"; [ $? -eq 3 ]' \
	"$fpstat" "$tmp/err"

# the command
is "status 7"             exits 7 two stat -- sh -c 'exit 7'
is "killed"               exits 143 two stat -- sh -c 'kill $$'
is "not found"            says 'cannot run' 127 two stat -- /nonexistent
is "not executable"       says 'cannot run' 126 two stat -- /etc/passwd
never() { run 3 noopen stat -- touch "$tmp/ran"; [ ! -e "$tmp/ran" ]; }
is "no capture, no run"   never
keeps_stdout()
{
	run 0 two stat --json -o "$tmp/rec" -- echo mine &&
	[ "$(cat "$tmp/out")" = mine ] && jq -e -s 'length > 3' "$tmp/rec"
}
is "output apart"         keeps_stdout
stdin_too() { [ "$(echo hello | "$fpstat" stat -o /dev/null -- cat)" = hello ]; }
is "stdin is the command's" stdin_too

# records
cumulative()
{
	run 0 two stat --json -- true &&
	all '[.[].type] == ["host","vcpu","vcpu","vcpu","vcpu","other"]'
}
is "one set with a command" cumulative
contract()
{
	all '.[0] as $h | ($h | has("t","kernel","mode","policy","backend",
	     "cpus","sve_vl","lost","missed","overhead","overhead_ns_per_exit","shed","undecided",
	     "foreign_bit","events")) and
	     all(.[] | select(.type == "vcpu"); has("t","vm","vm_pid","vcpu",
	     "tid","state","runs","exits","guest_runs_live","guest","host",
	     "avoided","oracle","collateral","window","cause"))'
}
is "keys of the contract" contract
# 9 ms in BPF programs and 1 ms of its own, each second, of 4 CPUs.
overhead()
{
	run 0 lossy stat --json -i 0.1 -c 1 &&
	all '.[0] | .overhead == 0.0025 and .shed == "records"' &&
	all '([.[] | select(.type == "vcpu") | .exits] | add) as $exits |
	     .[0] | .overhead_ns_per_exit * $exits / (9000000 * .dt) | . > 0.999999 and . < 1.000001'
}
is "what it costs, of all CPUs and an exit" overhead
causes()
{
	all '[.[] | select(.type == "vcpu") |
	     ([.cause[]] | add) == .guest.save.done] | length == 4 and all'
}
is "causes add up to the saves" causes
derived()
{
	all '[.[] | select(.type == "vcpu") |
	     .oracle.save == .guest.save.needed + .host.save.needed and
	     .oracle.load == .guest.load.needed + .host.load.needed and
	     .window == { n: (.guest_runs_live + .guest.load.done), ns: null,
			  hit_softirq: .cause["softirq-neon"],
			  hit_task: .cause["task-neon"] }] | length == 4 and all'
}
is "what follows from the counters" derived
# of each interval but the first; the sets have six records each
conserved()
{
	run 0 two stat --json -i 0.1 -c 4 &&
	all '. as $r | [range(6; length) as $i | $r[$i] |
	     paths(type == "object" and has("done") and .done != null) as $p |
	     ($r[$i - 6] | getpath($p).pending // 0) as $before | getpath($p) |
	     .done == .needed + .redundant + .unknown + (.pending // 0) - $before] |
	     length == 60 and all' &&
	all '[.[] | select(.vm == "alpha" and .vcpu == 1).guest.save.pending] ==
	     [0, 1, 0, 1]'
}
is "conservation" conserved
ni()
{
	run 0 pkvm stat --json -- true &&
	all '[.[] | select(.type == "vcpu") | .guest_runs_live, .guest.save[],
	     .guest.load[], .oracle[], .window[], .cause[]] |
	     length > 60 and all(. == null)' &&
	all '[.[] | select(.type == "vcpu").host.save.done] | all(. > 0)'
}
is "protected: null, never 0" ni
marks()
{
	run 0 two stat --json --mark --witness -- true &&
	all '.[0].marks == [1, 2] and (.[-1] | .type == "witness" and
	     .exits == 4600 and .last_state_readable)'
}
is "marks and witness" marks
intervals()
{
	run 0 two stat --json -i 0.1 -c 3 --mark &&
	all '[.[] | select(.type == "host").t] == [2, 3, 4]' &&
	all '[.[] | select(.type == "host").marks[1]] == [null, null, 2]'
}
is "three intervals" intervals
with_command()
{
	run 5 two stat --json -i 0.1 -c 2 -- sh -c 'sleep 0.6; exit 5' &&
	all '[.[] | select(.type == "host")] | length == 2'
}
is "two intervals, then wait for the command" with_command
ended()
{
	run 0 ending stat --json -i 0.1 -c 4 &&
	all '[.[] | select(.type == "ended").vcpus] == [1]' &&
	all '[.[] | select(.state == "ended")] | length == 2'
}
is "ended vcpus" ended
hostile()
{
	run 0 hostile stat --json -- true && ! grep -q '[[:cntrl:]]' "$tmp/out" &&
	run 0 hostile stat -- true && ! grep -q '[[:cntrl:]]' "$tmp/out"
}
is "no control characters" env LC_ALL=C bash -c "$(declare -f run hostile)
	tmp='$tmp' fpstat='$fpstat'; hostile"

# the end
signalled()
{
	local pid code
	FPSTAT_FAKE=two "$fpstat" stat --json -i 60 >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	sleep 0.7
	kill "-$1" $pid
	wait $pid
	code=$?
	[ $code -eq 0 ] && all '[.[] | select(.type == "host")] | length == 1'
}
is "SIGINT: a last record"  signalled INT
is "SIGTERM: a last record" signalled TERM
passed_on()
{
	local pid
	FPSTAT_FAKE=two "$fpstat" stat --json -- sleep 60 >"$tmp/out" &
	pid=$!
	sleep 0.7
	kill -TERM $pid
	wait $pid
	[ $? -eq 143 ] && all '.[0].type == "host"'
}
is "SIGTERM goes to the command" passed_on
twice()
{
	local pid
	FPSTAT_FAKE=two "$fpstat" stat --json -- \
		sh -c 'trap "" TERM; sleep 3' >"$tmp/out" &
	pid=$!
	sleep 0.7
	kill -TERM $pid
	sleep 0.3
	kill -TERM $pid
	wait $pid
	[ $? -eq 143 ] && all '.[0].type == "host"'
}
is "who asks twice means it" twice
closed() { "$fpstat" stat -i 0.1 2>/dev/null | head -1 | grep -q '^# t'; }
is "a closed pipe ends it" timeout 10 bash -c "$(declare -f closed)
	fpstat='$fpstat'; closed"

# doctor
doctor() { run 0 two doctor && out '^policy *eager-host' && out 'not in this kernel'; }
is "doctor" doctor
quiet() { run 0 noguest doctor -w 0.3 && out 'start a guest and ask again'; }
is "doctor without a guest" quiet
ill() { run 3 impossible doctor && out 'not possible: .*without KVM' && out '^kernel '; }
is "doctor where nothing works" ill
json() { run 0 two doctor --json && all '.[0].hooks | length == 3' &&
	run 3 noopen doctor --json && all '.[0].possible == false and (.[0].why | length > 5)'; }
is "doctor --json" json

# top without a screen
batch() { run 0 two top -b -i 0.1 -n 2 && [ "$(grep -c ^VM "$tmp/out")" = 2 ] && [ ! -s "$tmp/err" ]; }
is "top -b" batch
shed() { run 0 lossy top -b -i 0.1 -n 1 "$@" && out '^# t .* lost 7, missed 3, .* overhead 0.25%, over the budget: no records$'; }
is "top -b: what can be trusted, and at what cost" shed
is "beside each view" shed -v cpus
# the fake loses one record in each second of both captures
less() { run 0 stream-gap top -b -i 0.1 -n 2 -v causes && out 'was followed, but for [1-9][0-9]* that were lost$'; }
is "and what a view lacks" less
offline() { run 0 coming top -b -i 0.1 -n 2 -v cpus && out '^ *2 *0 guest .*100%' && out '^ *2 *0 offline .* n/a *n/a'; }
is "top -b: a CPU goes offline" offline
fallback() { run 0 two -i 0.1 -c 1 && out '^VM' && err 'not a terminal'; }
is "top without a terminal" fallback
echo "1..$n"
