#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: the layers of tests/lint/layers, and what only one layer may know.
cd "$(dirname "$0")/../.." || exit 1
shopt -s nullglob

sources=(src/*.[ch] src/*/*.[ch])
includes() { grep -Hn '^#include' "$@"; }

n=0
report() # DESCRIPTION; offences on stdin
{
	local offences

	offences=$(cat)
	n=$((n + 1))
	[ -z "$offences" ] && echo "ok $n - $1" || echo "not ok $n - $1"
	[ -z "$offences" ] || sed 's/^/# /' <<<"$offences"
}

place() # FILE: sets layer to its line in the table, 0 if it has none
{
	local name=${1##*/} words pattern rank=0

	name=${name%.[ch]}
	layer=0
	while read -ra words; do
		rank=$((rank + 1))
		for pattern in "${words[@]:1}"; do
			# shellcheck disable=SC2053 # a pattern
			[[ $name != $pattern ]] || { layer=$rank; return; }
		done
	done < <(grep -v '^#' tests/lint/layers)
}
source_layer=$(grep -v '^#' tests/lint/layers | grep -n '^source' | cut -d: -f1)

report "each file of src/ has its layer" < <(
	for file in "${sources[@]}"; do
		place "$file"
		[ "$layer" -ne 0 ] || echo "$file: add it to tests/lint/layers"
	done
)

report "nothing includes a higher layer" < <(
	for file in "${sources[@]}"; do
		place "$file"
		mine=$layer
		while IFS=: read -r line include; do
			other=${include#*\"}
			other=${other%%\"*}
			place "$other"
			[ "$mine" -eq 0 ] || [ "$layer" -le "$mine" ] ||
				echo "$file:$line: $other is of a higher layer"
		done < <(grep -n '^#include "' "$file" |
			 grep -v '\.skel\.h"\|"fpstat/\|"version\.h"')
	done
)

report "include/ knows itself only, bpf/ knows itself and include/ only" < <(
	includes include/fpstat/*.h | grep -v '<linux/\|"fpstat/'
	own=$(cd bpf && printf '\|"%s"' *.h)
	includes bpf/* | grep -v '<linux/\|<bpf/bpf_\|<stdbool.h>\|"fpstat/'"$own"
)

report "only sources know libbpf and skeletons" < <(
	for file in "${sources[@]}"; do
		place "$file"
		[ "$layer" -eq "$source_layer" ] ||
			includes "$file" | grep '<bpf/\|<linux/bpf\|\.skel\.h'
	done
)

report "only one file includes ncurses" < <(
	grep -l '^#include <n\?curses' "${sources[@]}" | sed 1d
)
echo "1..$n"
