#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each view at each size, in a real terminal (tmux), to the letter: of the end of a
# trace, which stands still. In colours, without, and in ASCII. After a change that is
# meant, FPSTAT_GOLDEN=write writes the golden files anew: read the difference.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
. tests/unit/screen.bash
# Recorded in the lab: tests/lab/lab --add build/arm64/fpstat --add .../fpload --out ..
# sh -c 'fpload demo & sleep 2; fpstat record -d 4 -o /out/demo.fpt'
trace=$PWD/tests/unit/golden/demo.fpt
rm "$tmp/config/fpstat/top"

shot() { t capture-pane -p -e | sed 's/[[:space:]]*$//'; }
section() { awk -v v="$2" '/^== / { on = $2 == v; next } on' "$1"; }
same() { cmp -s <(section "$@") <(shot); }
golden() # FILE VIEW
{
	if [ "${FPSTAT_GOLDEN:-}" = write ]; then
		sleep 0.7
		{ echo "== $2"; shot; } >>"$1"
		return
	fi
	until_ same "$@" || { diff <(section "$@") <(shot); return 1; }
}

views="vcpus vms cpus tasks causes policies events detail"
each_view() # MODE SIZE
{
	local v i=1 file=tests/unit/golden/screen-$1-$2.txt

	[ "${FPSTAT_GOLDEN:-}" != write ] || : >"$file"
	t resize-window -x "${2%x*}" -y "${2#*x}"
	for v in $views; do
		key "$i"
		i=$((i + 1))
		is "$1 $2: $v" golden "$file" "$v"
	done
}

modes() # MODE [OPTION...]
{
	local mode=$1 size
	shift
	begin 80 24 none top -r "$trace" -i 1 "$@"
	sees 'counting' && key e
	sees ' end ' || echo "# the trace has no end"
	for size in 40x8 80x24 132x43 300x100; do
		each_view "$mode" "$size"
	done
	key q
	is "$mode: terminal as before" ended 0
}

modes color
env=NO_COLOR=1
modes mono
env=
modes ascii --ascii --mono
echo "1..$n"
