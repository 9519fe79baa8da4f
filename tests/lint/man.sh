#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: the manual pages are well formed, and say what the program's own help
# says: the same options, columns, causes and version.
cd "$(dirname "$0")/../.." || exit 1

program=${FPSTAT_PROGRAM:-build/$(uname -m | sed s/aarch64/arm64/)/fpstat}
n=0
report() # DESCRIPTION; offences on stdin
{
	local offences

	offences=$(cat)
	n=$((n + 1))
	[ -z "$offences" ] && echo "ok $n - $1" || echo "not ok $n - $1"
	[ -z "$offences" ] || sed 's/^/# /' <<<"$offences"
}

commands=$("$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || { echo "Bail out! $program --help lists no commands"; exit 1; }

for page in man/*.[578]; do
	report "$page is well formed" < <(groff -t -man -ww -Tutf8 -z "$page" 2>&1)
done

# The page without its markup.
plain() { sed 's/\\-/-/g; s/\\f[A-Z]//g; s/^\.[A-Z]* //; s/[",]//g' "$1"; }
options() { grep -o '\(^\|[[:space:]]\)--[a-z][a-z-]*' | tr -d '[:blank:]' | sort -u; }

for c in $commands; do
	page=man/fpstat-$c.8
	[ -e "$page" ] || { report "$c has a page" <<<"$page is missing"; continue; }
	report "fpstat $c: --help and $page have the same options" < <(
		diff <("$program" "$c" --help | sed -n '/^Options/,/^[A-Z][a-z]*:$/p' |
			sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' | sort -u) \
		     <(plain "$page" | sed -n '/^SH OPTIONS\|^OPTIONS/,/^EXIT STATUS\|^COLUMNS\|^JSON/p' |
			grep '^\(-. *\)\{0,1\}--[a-z]' | options)
	)
done

report "fpstat.8 names each command" < <(
	for c in $commands; do grep -q "fpstat-$c (8)" man/fpstat.8 || echo "$c"; done
)
report "fpstat-top.8 has the columns of the help" < <(
	"$program" top --help | sed -n '/^Columns/,$s/^  \([A-Z]\)  \([a-z-]*\) *\([A-Z/s-]*\)  .*/\2\t\3\t\1\t/p' |
	while IFS= read -r row; do
		grep -q "^${row}T{" man/fpstat-top.8 || echo "$row"
	done
)
report "fpstat.8 names each cause" < <(
	sed -n '/define FP_CAUSE_MAP/,/^$/s/.*X([A-Z_]*, "\([a-z-]*\)").*/\1/p' include/fpstat/event.h |
	while read -r cause; do
		case $cause in
		other|guest-trap) continue ;; # never a guest's save
		esac
		grep -q "^\.B $cause$" man/fpstat.8 || echo "$cause"
	done
)
fake=${FPSTAT_FAKE_PROGRAM:-${program%/*}/san/fpstat-fake}
if command -v jq >/dev/null && [ -x "$fake" ]; then
	report "fpstat-stat.8 names each key of the JSON" < <(
		for scene in two ending-5; do
			FPSTAT_FAKE=$scene "$fake" stat --json -i 0.1 -c 2
			FPSTAT_FAKE=$scene "$fake" stat --json --witness --mark -- true
		done | jq -r '.type, (del(.events) | paths | map(strings) | last | strings)' |
		sort -u | while read -r key; do
			cat man/fpstat-stat.8 man/fpstat.8 | grep -qw -- "$key" || echo "$key"
		done
	)
fi
if command -v jq >/dev/null && [ -x "$fake" ]; then
	report "fpstat-whatif.8 names each key of the JSON" < <(
		for scene in stream stream-x86; do
			FPSTAT_FAKE=$scene "$fake" whatif --json --sweep keep -- true
		done | jq -r 'select(.type == "policy" or .type == "cost" or .type == "sweep") |
			.type, (paths | map(strings) | last | strings)' |
		sort -u | while read -r key; do
			cat man/fpstat-whatif.8 man/fpstat-stat.8 | grep -qw -- "$key" || echo "$key"
		done
	)
fi
if command -v jq >/dev/null && [ -x "$fake" ]; then
	report "fpstat-report.8 names each key of the JSON" < <(
		FPSTAT_FAKE=stream "$fake" record -o - -- true 2>/dev/null | "$fake" report --json - |
		jq -r 'select(.type == "trace" or .type == "vm" or .type == "cpu" or .type == "histogram") |
			.type, (paths | map(strings) | last | strings)' |
		sort -u | while read -r key; do
			cat man/fpstat-report.8 man/fpstat-stat.8 | grep -qw -- "$key" || echo "$key"
		done
	)
fi
report "fpstat-export.8 has each format" < <(
	"$program" export --help | sed -n '/^Formats/,$s/^  \([a-z]*\)  *[a-z].*/\1/p' |
	while read -r format; do
		grep -q "^\.B $format$" man/fpstat-export.8 || echo "$format"
	done
)
report "fpstat-whatif.8 has each policy" < <(
	"$program" whatif --help | sed -n '/^Policies/,$s/^  \([a-z-]*=*\)[A-Z]*  *[a-z].*/\1/p' |
	while read -r policy; do
		sed 's/\\-/-/g' man/fpstat-whatif.8 | grep -q "^\.BI* $policy\( [A-Z]\)*$" || echo "$policy"
	done
)
version=$(sed -n 's/^VERSION := //p' Makefile)
report "all pages have version $version" < <(grep -L "^\.TH .*\"fpstat $version\"" man/*.[578])
echo "1..$n"
