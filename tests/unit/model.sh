#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: tests/model/fp.pml, all of its states, by spin(1): no rule can be broken, and with
# a fault the rule that is there for it is. Its assertions are made of the list of fpstat
# check, so each rule that is asked is in the model, or named here as one that is not.
cd "$(dirname "$0")/../.." || exit 1
command -v spin >/dev/null || { echo "1..0 # SKIP spin is not installed"; exit; }
. tests/lab/tap.sh

fpstat=$(readlink -f "${FPSTAT_PROGRAM:-build/$(uname -m | sed s/aarch64/arm64/)/fpstat}")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cp tests/model/fp.pml "$tmp/"

# Signals, fork, the end of a vcpu, the kernel's log: not in this small world.
absent="I19 I22 I23 I24"
asked=$("$fpstat" check --list | awk '$2 == "+" { print $1 }')
for rule in $asked; do
	echo "#define $rule(so) assert((so) || ${rule#I} == 0)"
done >"$tmp/rules.pml"

diff <(tr ' ' '\n' <<<"$asked" | grep -vxF "$(tr ' ' '\n' <<<"$absent")" | sort) \
     <(grep -o '\bI[0-9]*(' "$tmp/fp.pml" | tr -d '(' | sort -u) >"$tmp/diff"
result "each rule that is asked is in the model" "$tmp/diff"

# explore EAGER FAULT: all states; "none", or the rule of the shortest way to break one
explore()
{
	(cd "$tmp" && spin -a -DEAGER="$1" -DFAULT="$2" fp.pml &&
	 gcc -O1 -w -DSAFETY -DBFS -o pan pan.c && ./pan -m100000) >"$tmp/log" 2>&1
	if grep -q 'errors: 0' "$tmp/log"; then
		echo none
	else
		sed -n 's/.*assertion violated.*||(\([0-9]*\)==0).*/I\1/p' "$tmp/log"
	fi
}

for eager in 0 1; do
	[ "$(explore $eager 0)" = none ]
	result "no rule is broken, EAGER=$eager" "$tmp/log"
done
while read -r fault eager want; do
	got=$(explore "$eager" "$fault")
	grep -qw -- "$got" <<<"$want" && [ "$got" != none ]
	result "fault $fault, EAGER=$eager: $got" "$tmp/log"
done <<'LIST'
1 1 I5
2 1 I21 I16 I8
3 1 I2
4 1 I16
5 1 I20
6 1 I8
7 1 I9
8 1 I5
9 1 I18
10 1 I3
1 0 I5
3 0 I2
4 0 I16
5 0 I20
LIST
plan
