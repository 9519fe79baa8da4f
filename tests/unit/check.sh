#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat check and fpstat explain as a user calls them, with a kernel that is a fake.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash

check() { run "$1" "$2" check "${@:3}"; }

clean() { check 0 clean --require I8 --strict -- true && silent && out '^clean: ' && out '^I8  *8  *0$'; }
is "clean and covered" clean
void() { check 0 two -- true && out '^void: ' && out '  I8 was never asked'; }
is "what was not asked is no pass" void
is "under --strict it has a code" check 4 two --strict -- true
is "the status of the command" check 7 clean -- sh -c 'exit 7'
rows() { check 0 clean -- true && [ "$(grep -c '^I[0-9]' "$tmp/out")" = 24 ]; }
is "each rule has a row" rows
cannot() { check 0 clean -- true && out '^I22 .* the fake kernel hides it' && out '^I7 .* n/a .*vector length'; }
is "and why it was not asked" cannot

broken()
{
	check 1 corrupt -d 0.3 && out '^I8 is broken at .* CPU 0, vcpu:vmm/7: the guest runs' &&
	out '  kernel  flag clear, owner: the guest, fpsimd_last_state 0x3000: that of another one' &&
	out '^broken: ' && out '^I8  *8  *1$'
}
is "a violation is told, with what the kernel had" broken
is "and beats the command's status" check 1 corrupt -- sh -c 'sleep 0.2; exit 7'
json()
{
	check 1 corrupt --json -d 0.3 &&
	all '([.[] | select(.type == "violation")] | length == 1 and (.[0] | .rule == "I8" and
		.cpu == 0 and .kernel.owner == "the guest" and (.stack | length) == 1)) and
	     ([.[] | select(.type == "rule")] | length == 24) and
	     (.[-1] | .type == "verdict" and .verdict == "broken")'
}
is "as JSON" json
tap()
{
	check 1 corrupt --tap --require I8 -d 0.3 && out '^1\.\.25$' && out '^not ok 8 - I8 ' &&
	out '^# I8 is broken' && out '^ok 7 - .* # SKIP ' && out '^ok 25 - '
}
is "as TAP" tap
tap_void() { check 0 two --tap -- true && out '^not ok 25 - '; }
is "TAP fails if it is void" tap_void
junit()
{
	check 1 corrupt --junit --require I8 -d 0.3 && out 'failures="1"' && out '<failure message="broken 1 times">I8 is' &&
	{ ! command -v xmllint >/dev/null || xmllint --noout "$tmp/out"; }
}
is "as JUnit" junit

flight()
{
	check 1 corrupt -t "$tmp/trace" -d 0.3 && out "what happened before is in $tmp/trace" &&
	run 0 two report "$tmp/trace"
}
is "a trace of what happened before" flight
trace()
{
	run 0 stream record -o "$tmp/t" -- true && check 0 two -r "$tmp/t" && out '^void: ' &&
	out '^I20 .* a trace does not tell'
}
is "a trace is checked" trace

is "no rule of that name"     says "there is no rule 'I99'" 2 clean check --require I8,I99
is "a rule that is never asked" says "I11 is never asked: " 2 clean check --require I11
is "one format"               says "don't go together" 2 clean check --tap --json
is "--flight without --trace" says "\-\-flight is of --trace" 2 clean check --flight 3
is "--read with a command"    says "don't go together" 2 clean check -r x -- true
is "a trace that can't be written" says "cannot write /none/x" 3 corrupt check -t /none/x -d 0.3
list() { run 0 clean check --list && [ "$(wc -l <"$tmp/out")" = 24 ] && out '^I5   + ' && out '^I11  - '; }
is "the list of rules" list
explain()
{
	run 0 clean explain i5 I11 && out '^I5: ' && out 'CVE-2025-22013' && out 'fpsimd_save' && out '^  why not '
}
is "a rule is explained" explain
is "explain which?"    says "which rule?" 2 clean explain
is "explain no rule"   says "there is no rule 'x'" 2 clean explain x
echo "1..$n"
