#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat export on traces of a capture that is a fake.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
. tests/perfetto.bash
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
	       ($e | map(select(.ph == "M" and .name == "process_name")) | length) == 3 and
	       ($e | map(select(.ph == "X" and .pid == 2)) | length) == 4 and
	       ($e | map(select(.ph == "X" and .pid == 2).name) | unique) == ["live on CPU 0"] and
	       ($e | map(select(.ph == "X" and .pid == 1 and .tid == 100000).name) | unique) ==
		["a task", "kernel NEON", "vcpu 0"] and
	       ($e | map(select(.ph == "X")) | all(.[]; .dur >= 0 and .ts > 0))' "$tmp/out" &&
	processor_agrees "$tmp/out"
}
is "perfetto" perfetto
# In the end as much as the report has; on the way a sample for each turn, and for
# what is there before.
perfetto_counters()
{
	record stream-long && run 0 none report --json "$trace" && mv "$tmp/out" "$tmp/report" &&
	export_as 0 perfetto && counters_add_up "$tmp/out" "$tmp/report" &&
	jq -e '[.traceEvents[] | select(.ph == "C" and .name == "guest")] |
	       (map(.ts) | . == sort) and (map(.args.exits) | . == [0, (range(0; 201) * 18)])' "$tmp/out"
}
is "perfetto: counters" perfetto_counters
perfetto_hidden()
{
	record pkvm && export_as 0 perfetto &&
	jq -e '[.traceEvents[] | select(.ph == "C") | .args | keys] | unique == [["exits"], ["loads", "saves"]]' "$tmp/out"
}
is "perfetto: no counters of what nobody sees" perfetto_hidden
# ctf CODE: the trace, as Babeltrace reads it, is in $tmp/text
ctf()
{
	rm -rf "$tmp/ctf"
	export_as "$1" -o "$tmp/ctf" ctf && [ ! -s "$tmp/out" ] &&
	babeltrace2 --clock-cycles --no-delta "$tmp/ctf" >"$tmp/text" 2>"$tmp/warnings"
}
# Each field of each record is what the NDJSON has.
ctf_fields()
{
	# [cycles] host kind: { cpu_id = 0 }, { ns = .., cause = ( "none" : .. ) }
	sed 's/^[^ ]* [^ ]* \([a-z-]*\): { \(cpu\)_id = \([0-9]*\) }, {\(.*\)}$/kind = \1, \2 = \3,\4/
		s/( "\([a-z-]*\)" : [^)]*)/\1/; s/ //g' "$tmp/text" | tr ',' '\n' |
		sed 's/=none$/=null/; s/=-1$/=null/' | sort >"$tmp/babeltrace"
	run 0 none export ndjson "$trace"
	jq -r 'del(.host, .section) | (.buf, .other) |= (tostring | "x" + .) |
		to_entries[] | "\(.key)=\(.value)"' "$tmp/out" |
	while IFS= read -r line; do
		case $line in
		*=x*) printf '%s=0x%X\n' "${line%=*}" "${line#*=x}" ;;
		*=true) echo "${line%=*}=1" ;;
		*=false) echo "${line%=*}=0" ;;
		*) echo "$line" ;;
		esac
	done | sort | diff - "$tmp/babeltrace"
}
in_ctf()
{
	record stream && ctf 0 && silent && [ ! -s "$tmp/warnings" ] &&
	[ "$(wc -l <"$tmp/text")" -eq 40 ] && ctf_fields &&
	[ "$(stat -c %a "$tmp/ctf" "$tmp/ctf/cpu0" | tr '\n' ' ')" = "700 600 " ]
}
ctf_gaps()
{
	run 0 stream-gap record -o "$trace" -- true && ctf 0 && ctf_fields &&
	[ "$(grep -c 'discarded 1 event .*/cpu0' "$tmp/warnings")" -eq 2 ] &&
	[ "$(grep -c 'gap = 1, lost = ' "$tmp/text")" -eq 2 ]
}
ctf_about()
{
	record stream && ctf 0 && grep -q 'policy = "eager-host"' "$tmp/ctf/metadata" &&
	grep -q 'kernel_release = "6.1.0-fake-arm64"' "$tmp/ctf/metadata" &&
	grep -q "hostname = \"$(uname -n)\"" "$tmp/ctf/metadata" &&
	[ "$(babeltrace2 --clock-seconds "$tmp/ctf" | sed -n 's/^\[\([0-9]*\)\..* vload:.*/\1/p' | head -n 1)" -ge $((EPOCHSECONDS - 60)) ]
}
ctf_empty() { record empty && ctf 0 && [ ! -s "$tmp/text" ]; }
if command -v babeltrace2 >/dev/null; then
	is "ctf" in_ctf
	is "ctf: loss" ctf_gaps
	is "ctf: whose it is, and when it was" ctf_about
	is "ctf: no records" ctf_empty
fi
ctf_refused()
{
	mkdir "$tmp/full" && echo precious >"$tmp/full/metadata" &&
	export_as 3 -o "$tmp/full" ctf && err 'cannot write .*/full: Directory not empty' &&
	[ "$(cat "$tmp/full/metadata")" = precious ] && [ "$(ls "$tmp/full")" = metadata ] &&
	export_as 3 -o "$tmp/full/metadata" ctf && err 'Not a directory' &&
	export_as 3 -o /nonexistent/x ctf && err 'No such file' &&
	export_as 2 ctf && err 'ctf is a directory: --output is missing'
}
is "ctf: only into what is new or empty" ctf_refused
ctf_full()
{
	record stream && mkdir "$tmp/none" && (ulimit -f 1; trap '' XFSZ; export_as 3 -o "$tmp/none" ctf) &&
	err 'cannot write .*/none: File too large'
}
is "ctf: no room" ctf_full
gaps()
{
	run 0 stream-gap record -o "$trace" -- true &&
	export_as 0 csv && err 'records of the stream were lost' && [ "$(cut -d, -f13 "$tmp/out" | grep -c 1)" -eq 2 ] &&
	export_as 0 ndjson && all 'map(select(.gap)) | length == 2' &&
	export_as 0 perfetto && jq -e '.traceEvents | map(select(.ph == "i")) | length == 2' "$tmp/out" &&
	processor_agrees "$tmp/out" &&
	export_as 4 --strict csv
}
is "loss is marked" gaps
nothing() { record empty && export_as 0 csv && [ "$(wc -l <"$tmp/out")" -eq 1 ] && export_as 0 perfetto && jq . "$tmp/out"; }
is "no records" nothing
apart() { record stream && export_as 0 -o "$tmp/apart" csv && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/apart")" -eq 41 ]; }
is "output apart" apart
is "disk full" run 3 none export -o /dev/full csv "$trace"
# The table in the manual has the columns that there are.
manual()
{
	record stream && export_as 0 csv &&
	sed -n '/^create table records (/,/)$/s/^\(create table records (\)\{0,1\} *//p' man/fpstat-export.8 |
		tr -s ',)' '\n' | sed -n 's/^ *\([a-z_]*\) [A-Z].*/\1/p' >"$tmp/columns"
	head -n 1 "$tmp/out" | tr ',' '\n' | diff - "$tmp/columns" || return
	export_as 0 ndjson && head -n 1 "$tmp/out" | jq -r 'keys_unsorted[]' | diff - "$tmp/columns"
}
is "the columns of the manual" manual

none() { run 2 none export xml "$trace" && err "there is no format 'xml'" && err '^  perfetto '; }
is "no such format" none
is "no trace given" run 2 none export csv
is "none there" run 3 none export csv /nonexistent
echo "1..$n"
