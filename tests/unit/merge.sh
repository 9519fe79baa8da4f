#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat merge on traces of a capture that is a fake.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
. tests/perfetto.bash
a=$tmp/a b=$tmp/b c=$tmp/c all=$tmp/all
scenes=(stream stream-sve empty)
traces=("$a" "$b" "$c")
for i in 0 1 2; do
	FPSTAT_FAKE=${scenes[i]} "$fpstat" record -o "${traces[i]}" -- true
done

merge() { run "$1" none merge "${@:2}"; }
look() { cut -c 1-200 "$tmp/out" "$tmp/err"; }

whole() { merge 0 -o "$all" "$c" "$a" "$b" && silent && [ ! -s "$tmp/out" ] && [ "$(stat -c %a "$all")" = 600 ]; }
is "one of three" whole
# What is said of each is what is said of it alone.
same() # COMMAND...: FILE is the last argument
{
	local t

	for t in "${traces[@]}"; do
		FPSTAT_FAKE=none "$fpstat" "$@" "$t"
	done 2>&1 | sed "s|$tmp/[abc] |$all |; s/at byte [0-9]*/at byte N/" >"$tmp/each"
	FPSTAT_FAKE=none "$fpstat" "$@" "$all" 2>&1 |
		sed 's/fpstat: section [1-3] ([^ ]*): /fpstat: /; s/at byte [0-9]*/at byte N/' >"$tmp/merged"
	sed '/^==> [1-3]: /d; /"type":"section"/d; /^==> all: /,$d; /"type":"fleet/d' "$tmp/merged" | diff "$tmp/each" - &&
	[ "$(grep -c "^==> [1-3]: $(uname -n) <==\|\"section\":[1-3],\"name\":\"$(uname -n)\"" "$tmp/merged")" -eq 3 ]
}
is "report: the same of each" same report
is "report: the same of each, JSON" same report --json
is "stat: the same of each" same stat -r
is "stat: the same of each, JSON" same stat --json -r
is "whatif: the same of each" same whatif -v -r
is "whatif: the same of each, JSON" same whatif --json -r
is "report: the same of a part of each" same report --json --from 5 --to 15
# What all hosts come to is the sum of what each comes to.
fleet()
{
	FPSTAT_FAKE=none "$fpstat" whatif --json -r "$all" >"$tmp/out" 2>/dev/null &&
	all '. as $all | def of(t): $all | map(select(.type == t));
	     def total(f): map(f) | add;
	     (of("vcpu") | [length, total(.runs), total(.exits), total(.guest.save.done), total(.host.load.done)]) as $sum |
	     (of("fleet")[0] | [.vcpus, .runs, .exits, .guest.save, .host.load]) == $sum and
	     (of("fleet-host") | [total(.vcpus), total(.runs), total(.exits), total(.guest.save), total(.host.load)]) == $sum and
	     of("fleet")[0].sections == 3 and of("fleet")[0].hosts == 1 and
	     (of("fleet-policy") | length == 9 and all(.[];
		.name as $name | .save == ([of("policy")[] | select(.name == $name and .vm == null).save] |
			if any(.[]; . == null) then null else transpose | map(add) end)))'
}
is "all together" fleet
on_paper()
{
	run 0 none report "$all" && out '^==> all: 1 hosts, 3 sections <==$' && out '^total  *[1-9]' &&
	run 0 none stat -r "$all" && out '^==> all: 1 hosts, 3 sections <==$' &&
	run 0 none whatif -r "$all" && out '^==> all: 1 hosts' && [ "$(grep -c '^uncond ' "$tmp/out")" -eq 4 ]
}
is "all together, on paper" on_paper
each_record() # FORMAT: all but the number of the section
{
	local t

	for t in "${traces[@]}"; do
		FPSTAT_FAKE=none "$fpstat" export "$1" "$t"
	done 2>"$tmp/why" | sed 's/,0$//; s/"section":0//; 1!{/^ns,/d}' >"$tmp/each"
	run 0 none export "$1" "$all" && [ -s "$tmp/each" ] &&
	sed 's/,[1-3]$//; s/"section":[1-3]//' "$tmp/out" | diff "$tmp/each" -
}
is "csv: all records, one title" each_record csv
is "ndjson: all records" each_record ndjson
sections() { run 0 none export ndjson "$all" && all 'map(.section) | unique == [1, 2]'; }
is "ndjson: sections" sections
perfetto()
{
	run 0 none export perfetto "$all" &&
	jq -e --arg host "$(uname -n)" '[.traceEvents[] | select(.name == "process_name")] |
		(map(.pid) | unique) == [range(1; 10)] and
		all(.[]; .args.name | startswith($host + ": "))' "$tmp/out" &&
	processor_agrees "$tmp/out"
}
perfetto_times()
{
	run 0 none export perfetto "$all" &&
	jq -e '[.traceEvents[] | select(.ph == "X")] | length > 8 and all(.[]; .ts > 0 and .dur >= 0)' "$tmp/out"
}
is "perfetto: tracks of each" perfetto
is "perfetto: one scale" perfetto_times
ctf()
{
	run 0 none export -o "$tmp/ctf" ctf "$all" && [ "$(echo "$tmp"/ctf/*)" = "$tmp/ctf/1 $tmp/ctf/2 $tmp/ctf/3" ] &&
	run 0 none export ndjson "$all" &&
	[ "$(babeltrace2 "$tmp/ctf" | wc -l)" -eq "$(wc -l <"$tmp/out")" ]
}
! command -v babeltrace2 >/dev/null || is "ctf: a trace of each" ctf
again()
{
	merge 0 -o "$tmp/two" "$a" "$b" && merge 0 -o "$tmp/again" "$c" "$tmp/two" && silent && cmp "$tmp/again" "$all" &&
	merge 0 -o "$tmp/again" "$all" && cmp "$tmp/again" "$all"
}
is "merged before" again
# Consecutive parts are one trace again: all that is said of the whole is said of it.
parts()
{
	local p=$tmp/parts

	mkdir "$p" && FPSTAT_FAKE=stream "$fpstat" record -o "$p/p" --rotate 1s -d 2.5 && [ -s "$p/p.2" ] &&
	merge 0 -o "$tmp/joined" $(ls -r "$p"/*) && silent &&
	run 0 none whatif --json --strict -r "$tmp/joined" && cp "$tmp/out" "$tmp/merged" &&
	cat $(ls -v "$p"/*) >"$tmp/joined" && run 0 none whatif --json --strict -r "$tmp/joined" &&
	grep -v '"type":"section"' "$tmp/merged" | cmp - "$tmp/out"
}
is "consecutive parts" parts
screen()
{
	local i

	for i in 1 2 3; do
		run 0 none top -b -r "${traces[i - 1]}" && mv "$tmp/out" "$tmp/alone" &&
			run 0 none top -b -r "$all" --section $i && diff "$tmp/alone" "$tmp/out" || return
	done
	run 0 none top -b -r "$all" && mv "$tmp/out" "$tmp/first" &&
		run 0 none top -b -r "$all" --section 1 && diff "$tmp/first" "$tmp/out" &&
		run 3 none top -b -r "$all" --section 4 && err 'there is no section 4 in' &&
		run 3 none top -b -r "$a" --section 1 && err 'there is no section 1 in' &&
		run 2 none top --section 2 && err 'wants --read'
}
is "a screen of each" screen
piped() { FPSTAT_FAKE=none "$fpstat" merge -o - "${traces[@]}" | cmp - "$all"; }
is "to standard output" piped
zstd_reads() { zstd -qdc "$all" >"$tmp/plain" && [ "$(grep -ac '^host ' "$tmp/plain")" -eq 3 ]; }
! command -v zstd >/dev/null || is "a .zst stream" zstd_reads

# What is missing in one of them is missing in that section only.
block() { echo $(($(grep -abo FPtr "$1" | sed -n "$2s/:.*//p") - 8)); }
break_at() { printf X | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
cp "$b" "$tmp/whole"
shorter() # BYTES
{
	head -c "$1" "$tmp/whole" >"$b"
	merge 0 -o "$all" "${traces[@]}" && err '/b has no end' && merge 4 --strict -o "$all" "${traces[@]}" &&
	same report && same stat --json -r
}
is "cut between blocks" shorter "$(block "$tmp/whole" 3)"
is "cut in a block" shorter $(($(block "$tmp/whole" 3) + 90))
is "cut in the index" shorter $(($(block "$tmp/whole" 4) + 90))
is "cut: no footer" shorter $(($(wc -c <"$tmp/whole") - 10))
damaged()
{
	cp "$tmp/whole" "$b" && break_at "$b" $(($(block "$b" 2) + 90)) &&
	merge 0 -o "$all" "${traces[@]}" && err '/b is damaged in 1 places, the first is at byte' &&
	same report && same stat --json -r &&
	run 0 none stat -r "$all" && err 'section 2 .* damaged in 1 places'
}
is "damaged" damaged
# Nobody knows whose the other blocks of that section are.
left_out()
{
	cp "$tmp/whole" "$b" && merge 0 -o "$all" "${traces[@]}" &&
	break_at "$all" $(($(wc -c <"$a") + 90)) &&
	run 0 none stat --json -r "$all" && err 'section 2 is left out: it is damaged' &&
	all 'map(select(.type == "section").section) == [1, 3]' && run 4 none stat --strict -r "$all" &&
	merge 3 -o "$tmp/two" "$all" && err 'cannot read .*all: it is damaged, or cut, at its beginning'
}
is "a section without its beginning" left_out
# Without the second one, or the last one: it is told, and still after another merge.
gone() # HEAD TAIL MESSAGE
{
	{ head -c "$1" "$tmp/good"; tail -c "$2" "$tmp/good"; } >"$all"
	run 0 none stat --json -r "$all" && err "$3" && run 4 none stat --strict -r "$all" &&
	merge 4 --strict -o "$tmp/two" "$all" && err '1 sections of it are missing' &&
	run 4 none stat --strict -r "$tmp/two" && err '1 sections before number [23] are missing'
}
cp "$tmp/whole" "$b"
FPSTAT_FAKE=none "$fpstat" merge -o "$tmp/good" "${traces[@]}"
size() { wc -c <"$1"; }
is "a section in the middle is gone" gone "$(size "$a")" "$(size "$c")" '1 sections before number 3 are missing'
is "the last section is gone" gone $(($(size "$a") + $(size "$b"))) 0 'section 2 .*the sections after this one are missing'

# What is none, or none that can be taken.
precious() # WHAT CODE TRACE...: says so, and leaves the output alone
{
	echo precious >"$tmp/precious"
	merge "$2" -o "$tmp/precious" "${@:3}" && err "$1" && [ "$(cat "$tmp/precious")" = precious ]
}
echo "no trace" >"$tmp/none"
is "not a trace" precious 'cannot read .*none: it is not a trace of fpstat' 3 "$a" "$tmp/none"
is "no file" precious 'cannot read /nonexistent: No such file' 3 "$a" /nonexistent
is "a directory" precious 'cannot read .*: Is a directory' 3 "$a" "$tmp"
is "a pipe" precious 'is no file, and each trace is read twice' 3 /dev/null
is "the same file twice" precious 'are the same file: name it once' 2 "$a" "$b" "$a"
linked() { ln -f "$a" "$tmp/link" && precious 'are the same file' 2 "$a" "$tmp/link"; }
is "the same by another name" linked
copied() { cp "$a" "$tmp/copy" && precious 'have the same records' 2 "$a" "$b" "$tmp/copy" &&
	merge 0 -o "$tmp/two" "$a" "$b" && precious 'have the same records' 2 "$tmp/two" "$a"; }
is "the same in another file" copied
onto_itself() { cp "$a" "$tmp/before" && merge 2 -o "$a" "$a" "$b" && err 'cannot write .*/a: it is .*/a, one of the traces' &&
	cmp "$a" "$tmp/before"; }
is "onto itself" onto_itself
is "no room" says 'cannot write /dev/full: No space left' 3 none merge -o /dev/full "$a" "$b"
no_half() { (ulimit -f 1; trap '' XFSZ; merge 3 -o "$tmp/half" "$a" "$b") && err 'cannot write .*half: File too large' &&
	[ ! -e "$tmp/half" ]; }
is "no room: no half" no_half
is "nowhere" says 'cannot write /nonexistent/x' 3 none merge -o /nonexistent/x "$a"
is "no trace given" says 'no trace is given' 2 none merge -o "$all"
is "no output" says '--output is missing' 2 none merge "$a"
echo "1..$n"
