#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat export on traces of a capture that is a fake.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
trace=$tmp/trace

record() { run 0 "$1" record -o "$trace" -- true; }
export_as() { run "$1" none export "${@:2}" "$trace"; }
look() { head -n 5 "$tmp/out" "$tmp/err"; }

# As many of each as the report has.
csv()
{
	record stream && export_as 0 csv && silent && [ "$(wc -l <"$tmp/out")" -eq 41 ] &&
	[ "$(awk -F, 'NR == 1 { nf = NF } NF != nf { n++ } END { print n + 0 }' "$tmp/out")" -eq 0 ] &&
	[ "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ exits += $at["exits"]; saves += $at["guest_save"]; why[$at["cause"]]++ }
		END { print exits, saves, why["softirq-neon"] }' "$tmp/out")" = "36 4 2" ]
}
is "csv" csv
ndjson()
{
	record stream && export_as 0 ndjson && silent &&
	all 'length == 40 and (map(.exits) | add) == 36 and
	     (map(select(.guest_save)) | length) == 4 and
	     (map(select(.cause == "softirq-neon")) | length) == 2 and
	     (map(keys) | unique | length) == 1 and
	     .[2].kind == "vload" and .[2].slot == 0 and .[0].slot == null'
}
is "ndjson" ndjson
# Each guest state that was loaded is on the track of its vcpu once.
perfetto()
{
	record stream && export_as 0 perfetto && silent &&
	jq -e '.traceEvents as $e |
	       ($e | map(select(.ph == "M" and .name == "process_name")) | length) == 2 and
	       ($e | map(select(.ph == "X" and .pid == 2)) | length) == 4 and
	       ($e | map(select(.ph == "X" and .pid == 2).name) | unique) == ["live on CPU 0"] and
	       ($e | map(select(.ph == "X" and .pid == 1 and .tid == 0).name) | unique) ==
		["a task", "kernel NEON", "vcpu 0"] and
	       ($e | map(select(.ph == "X")) | all(.[]; .dur >= 0 and .ts > 0))' "$tmp/out"
}
is "perfetto" perfetto
gaps()
{
	run 0 stream-gap record -o "$trace" -- true &&
	export_as 0 csv && err 'records of the stream were lost' && [ "$(cut -d, -f13 "$tmp/out" | grep -c 1)" -eq 2 ] &&
	export_as 0 ndjson && all 'map(select(.gap)) | length == 2' &&
	export_as 0 perfetto && jq -e '.traceEvents | map(select(.ph == "i")) | length == 2' "$tmp/out" &&
	export_as 4 --strict csv
}
is "loss is marked" gaps
nothing() { record empty && export_as 0 csv && [ "$(wc -l <"$tmp/out")" -eq 1 ] && export_as 0 perfetto && jq . "$tmp/out"; }
is "no records" nothing
apart() { record stream && export_as 0 -o "$tmp/apart" csv && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/apart")" -eq 41 ]; }
is "output apart" apart
is "disk full" run 3 none export -o /dev/full csv "$trace"

none() { run 2 none export xml "$trace" && err "there is no format 'xml'" && err '^  perfetto '; }
is "no such format" none
is "no trace given" run 2 none export csv
is "none there" run 3 none export csv /nonexistent
echo "1..$n"
