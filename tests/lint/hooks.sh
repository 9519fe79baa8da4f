#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: fpstat attaches to what tests/lint/allowed lists, and to nothing else.
cd "$(dirname "$0")/../.." || exit 1

n=0
report() # DESCRIPTION; offences on stdin
{
	local offences

	offences=$(cat)
	n=$((n + 1))
	[ -z "$offences" ] && echo "ok $n - $1" || echo "not ok $n - $1"
	[ -z "$offences" ] || sed 's/^/# /' <<<"$offences"
}

not_allowed() { sort -u | grep -vxFf <(grep -v '^#' tests/lint/allowed); }

# The names in { { "first", "second" }, .. of the table, comments left out.
table=$(sed -n '/^const struct hook hooks/,/^};/p' src/hooks.c | tr '\n' ' ' |
	sed 's:/\*[^*]*\*/::g')
functions=$(grep -o '{ { [^}]*}' <<<"$table" | grep -o '"[^"]*"' | tr -d '"')
programs=$(grep -o '},[[:space:]]*"[^"]*",[[:space:]]*\("[^"]*"\|NULL\)' <<<"$table" |
	   grep -o '"[^"]*"' | tr -d '"')

report "the table of src/hooks.c was understood" < <(
	[ "$(wc -w <<<"$functions")" -ge 20 ] || echo "functions: $functions"
	[ "$(wc -w <<<"$programs")" -ge 20 ] || echo "programs: $programs"
)
report "each function of src/hooks.c is allowed" < <(not_allowed <<<"$functions")
report "each target named in bpf/ is allowed" < <(
	grep -oh 'SEC("[a-z_.]*/[^"]*")' bpf/*.[ch] | sed 's:.*/::; s/").*//' |
		not_allowed
)
report "nothing else in src/ names a target" < <(
	grep -n 'set_attach_target\|attach_kprobe\|attach_raw_tracepoint\|attach_ksyscall\|attach_uprobe\|attach_tracepoint' \
		src/*.c | grep '"'
)
report "the list has nothing of the hypervisor" < <(
	grep -v '^#' tests/lint/allowed | grep -n '^__kvm\|hyp\|_vhe\|_nvhe\|^__guest\|handle_exit\|^__\(fpsimd\|sve\)_'
)
report "each program of src/hooks.c is in the capture object" < <(
	skel=${FPSTAT_SKEL:-build/bpf/capture.skel.h}
	[ -e "$skel" ] || { echo "$skel is missing: make first"; exit; }
	for p in $programs; do
		grep -q "struct bpf_program \*$p;" "$skel" || echo "$p"
	done
)
echo "1..$n"
