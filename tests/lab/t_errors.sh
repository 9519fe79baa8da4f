#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: bad input, and machines that lack something: the exit status is the one
# of the manual, and the message says what is wrong and what there is instead.
cd "$(dirname "$0")/../.." || exit 1
. tests/lab/tap.sh

logs=build/check/errors
arm64=${FPSTAT_ARM64:-build/arm64/fpstat}
native=${FPSTAT_PROGRAM:-build/$(uname -m | sed s/aarch64/arm64/)/fpstat}
kernel=${KERNEL:-6.1} pkvm_kernel=${PKVM_KERNEL:-6.12}
rm -rf $logs
mkdir -p $logs

in_lab() # NAME WHAT [OPTION]...
{
	local name=$1 cases=$2
	shift 2
	dir=$logs/$name
	mkdir -p "$dir"
	# shellcheck disable=SC2086 # cases are words
	tests/lab/lab --timeout 900 "$@" --out "$dir" --console "$dir/console" \
		--add "$arm64" --add tests/lab/workloads/build/fpload \
		--add tests/lab/in-errors -- in-errors $cases >"$dir/output" 2>&1
	result "the lab ran: $name" "$dir/output"
}

# expect CASE STATUS WHAT [WORD]...: each word is in what was said.
expect()
{
	local case=$1 want=$2 what=$3 word got why=
	shift 3

	got=$(cat "$dir/$case.status" 2>/dev/null)
	[ "$got" = "$want" ] || why="exit status $got"
	for word; do
		grep -qF -- "$word" "$dir/$case" || why="$why, '$word' is not said"
	done
	echo "${why:-fine}" | cat - "$dir/$case" >"$dir/$case.why" 2>/dev/null
	[ -z "$why" ]
	result "$what: exit status $want" "$dir/$case.why"
}

# The same sentence from both commands, and CMD was not run.
lacks() # CASE WHAT [WORD]...
{
	local case=$1 what=$2
	shift 2

	expect "$case" 3 "$what" "$@"
	[ "$(wc -l <"$dir/$case")" = 1 ] && [ "$(wc -c <"$dir/$case")" -gt 30 ]
	result "$what: one sentence" "$dir/$case"
	expect "$case-doctor" 3 "$what, doctor" "$(sed 's/^fpstat: //' "$dir/$case")" "not possible"
}

here() # CASE COMMAND...: run it on this machine
{
	local case=$1
	shift
	"$@" >"$dir/$case" 2>&1 </dev/null
	echo $? >"$dir/$case.status"
}

in_lab plain "usage lacks commands" --kernel "$kernel"
expect no-command 2 "unknown command" "'nosuch'" top stat doctor
expect no-option 2 "unknown option" nosuch --batch --interval
expect no-option-of-stat 2 "unknown option of stat" nosuch --json --strict
expect no-option-of-doctor 2 "unknown option of doctor" nosuch --wait
expect no-column 2 "unknown column" nosuch guest-save
expect no-number 2 "an interval that is none" soon
expect no-dashes 2 "operand without --" sleep "after --"

lacks no-root "no root" permission "run as root" CAP_BPF
lacks no-btf "no BTF" BTF CONFIG_DEBUG_INFO_BTF
lacks no-kvm "no KVM" /dev/kvm EL2
lacks no-kprobes "kprobes switched off" kprobes/enabled

expect true 0 "CMD ends with 0" total
expect false 1 "CMD ends with 1" total
expect seven 7 "CMD ends with 7" total
expect nothing 127 "no such CMD" "cannot run nosuch"
expect no-program 126 "CMD is no program" "cannot run /etc/passwd"
expect killed-9 137 "CMD is killed by SIGKILL" total
expect killed-15 143 "CMD is killed by SIGTERM" total

in_lab lockdown lockdown --kernel "$kernel" --append "lockdown=confidentiality"
lacks lockdown "lockdown" confidentiality lockdown=integrity

in_lab protected protected --kernel "$pkvm_kernel" --mode protected
expect pkvm-json 0 "protected: stat --json"
jq -s -e '
	(map(select(.type == "host"))[0] | .mode == "pkvm" and .policy == "pkvm") and
	(map(select(.type == "vcpu" and .vm == "hidden")) | length == 2 and
	 all(.exits > 0 and .guest_runs_live == null and
	     ([.guest.save[], .guest.load[], .cause[]] | all(. == null)) and
	     (.host.save.done | type == "number") and (.host.load.done | type == "number")))' \
	"$dir/pkvm-json" >/dev/null
result "protected: guest columns are null, the host's are numbers, mode and policy are pkvm" "$dir/pkvm-json"
expect pkvm-text 0 "protected: stat" "mode pkvm" "policy pkvm" n/a
expect pkvm-top 0 "protected: top" "mode pkvm" n/a
awk '/^ *hidden/ && / n\/a .* n\/a .* n\/a/ { n++ } END { exit n != 2 }' "$dir/pkvm-top"
result "protected: three columns of each row of top are n/a" "$dir/pkvm-top"
expect pkvm-doctor 0 "protected: doctor" pkvm n/a

dir=$logs/here
mkdir -p "$dir"
here no-kernel tests/lab/lab --kernel 9.9 -- true
expect no-kernel 2 "lab: unknown kernel" "'9.9'" 5.10 6.1 6.12 7.3
here no-mode tests/lab/lab --mode nosuch -- true
expect no-mode 2 "lab: unknown mode" "'nosuch'" vhe nvhe protected
here no-lab-option tests/lab/lab --nosuch
expect no-lab-option 2 "lab: unknown option" nosuch --kernel 6.12
here no-lab-command tests/lab/lab --kernel 6.1
expect no-lab-command 2 "lab: no command" "which command"
here old-protected tests/lab/lab --kernel 5.10 --mode protected -- true
expect old-protected 2 "lab: 5.10 has no protected mode" "use vhe or nvhe"
if [ "$(uname -m)" = aarch64 ]; then
	skip "another architecture" "this is arm64"
else
	here other "$native" stat -- touch "$dir/touched"
	here other-doctor "$native" doctor
	here other-top "$native"
	lacks other "another architecture" "$(uname -m)" arm64 "make run"
	expect other-top 3 "another architecture, top" arm64
	[ ! -e "$dir/touched" ]
	result "another architecture: CMD is not run"
fi
plan
