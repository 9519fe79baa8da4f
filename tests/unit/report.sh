#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat report on traces of a capture that is a fake: one turn of its stream is
# at 10 s, the next one at 20 s.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
trace=$tmp/trace

record() { run 0 "$1" record -o "$trace" -- true; }
report() { run "$1" none report "${@:2}" "$trace"; }
look() { cat "$tmp/out" "$tmp/err"; }

paper()
{
	record stream && report 0 && silent && out '^40 records, .* bytes each, 0 lost$' &&
	out '^Records and counters agree, and all sums hold$' && out '^vm\|^[a-z].*6.1.0-fake-arm64, vhe, policy eager-host, 4 CPUs$' &&
	out '^alpha  *1000  *2  *4  *36  *26  *4  *4  *4  *4$' &&
	out '^0  *19  *30  *4  *4  *2  *2  *0  *0  *0  *0  *0$' &&
	out '^softirq-neon  *2  50%$' && out ' UTC, of: true$'
}
is "on paper" paper
# CPUs and VMs come to the same as vcpus.
adds_up()
{
	record stream && report 0 --json && silent &&
	all '. as $all | def of(t): $all | map(select(.type == t));
	     def total(f): map(f) | add;
	     (of("vcpu") | [total(.guest.save.done), total(.host.load.done), total(.exits)]) as $sum |
	     (of("cpu") | [total(.guest.save), total(.host.load), total(.exits)]) == $sum and
	     (of("vm") | [total(.guest.save), total(.host.load), total(.exits)]) == $sum and
	     (of("cpu") | total(.records)) == (of("trace") | .[0].records) and
	     (of("cpu") | total(.task.save)) == (of("other")[0].task.save.done) and
	     (of("histogram") | map(.buckets | map(.[1]) | add)) == [4, 4]'
}
is "sums" adds_up
json()
{
	record stream && report 0 --json &&
	all '.[0] | .type == "trace" and .command == "true" and .records == 40 and
	     .missing == 0 and (.cut | not) and .agrees and .sums_hold'
}
is "about the trace" json
part() # EXITS ARG...
{
	report 0 --json "${@:2}" && silent &&
	all "[.[] | select(.type == \"vcpu\")] | map(.exits) == $1 and all(.[]; .runs == null)"
}
parts()
{
	record stream && part '[15, 3]' --to 15 && part '[15, 3]' --from 15 &&
	part '[30, 6]' --from 5 && part '[0, 0]' --from 25 && part '[15, 3]' --from 5 --to 15 &&
	all '[.[] | select(.type == "cpu").records] == [9, 4, 6, 0]'
}
is "a part" parts
nothing() { record empty && report 0 && out '^0 records'; }
is "no records" nothing
piped() { record stream && FPSTAT_FAKE=none "$fpstat" report - <"$trace" >"$tmp/out" && out '^40 records'; }
is "from a pipe" piped
lost()
{
	record stream-gap && report 0 && out ', 2 lost$' && out '^Records and counters do not agree' &&
	err '2 records of the stream were lost' && out '^0 .* 2$' && report 4 --strict
}
is "records were lost" lost
cut()
{
	record stream && head -c $(($(grep -abo FPtr "$trace" | sed -n '3s/:.*//p') - 8)) "$trace" >"$tmp/cut" &&
	mv "$tmp/cut" "$trace" && report 0 && out ', no end$' && err 'has no end' && report 4 --strict
}
is "cut" cut

is "no trace given" run 2 none report
is "two of them" run 2 none report a b
is "to before from" run 2 none report --from 2 --to 1 x
is "none there" run 3 none report /nonexistent
echo "1..$n"
