#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat record into parts, and its flight recorder, with a capture that is a fake: one
# turn of it has 19 records and 18 exits in ten seconds, and comes with each signal. The
# first one has two records more.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
dir=$tmp/dir
trace=$dir/trace

look() { cat "$tmp/err"; ls -l "$dir"; }
anew() { rm -rf "$dir"; mkdir "$dir"; }
parts() { ls -v "$dir"; }
nr_parts() { parts | wc -l; }
bytes() { cat "$dir"/* 2>/dev/null | wc -c; }
record() { run "$1" "$2" record -o "$trace" "${@:3}"; }
refused() { local what=$1; shift; anew; record 2 stream "$@" -- true && err "$what" && [ -z "$(parts)" ]; }
# started ARG...: as $pid, once it takes both SIGUSR
started()
{
	FPSTAT_FAKE=${scene:-stream} "$fpstat" record -o "$trace" -d 100 "$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	for _ in $(seq 100); do
		! grep -q "^SigBlk:.*[abef]..$" /proc/$pid/status || return 0
		sleep 0.05
	done
	return 1
}
# stopped [SIGNAL]: it ends well, and says nothing
stopped() { kill -INT $pid && wait $pid && silent; }
# signals SIGNAL N [WHAT]: each is answered, which WHAT shows: two at once are one
signals()
{
	local what=${3:-bytes} before

	for _ in $(seq "$2"); do
		before=$($what)
		kill -"$1" $pid || return
		for _ in $(seq 200); do
			[ "$($what)" = "$before" ] || break
			sleep 0.01
		done
	done
}

# exits FILE: that its counters tell; all of it must be there
exits()
{
	run 0 none stat --json --strict -r "$1" >&2 && silent >&2 || return
	jq -s 'map(select(.type == "vcpu").exits) | add // 0' "$tmp/out"
}
records() { FPSTAT_FAKE=none "$fpstat" export csv "$1" 2>/dev/null | sed 1d; }

# All parts are good, and together they have each record once, and all exits.
nothing_is_lost()
{
	local file sum=0 more

	: >"$tmp/records"
	for file in $(parts); do
		more=$(exits "$dir/$file") || { echo "$file is not whole"; return 1; }
		sum=$((sum + more))
		records "$dir/$file" >>"$tmp/records"
	done
	echo "$sum exits in $(wc -l <"$tmp/records") records of $(nr_parts) parts"
	[ -z "$(sort "$tmp/records" | uniq -d)" ] &&
		[ "$(wc -l <"$tmp/records")" -eq $((2 + 19 * sum / 18)) ]
}

by_size()
{
	anew
	started --rotate 8K && signals USR1 30 && stopped && nothing_is_lost &&
		[ "$(nr_parts)" -ge 3 ] && [ "$(nr_parts)" -le 10 ] &&
		[ "$(parts | head -n 3 | xargs)" = "trace trace.1 trace.2" ]
}
is "by size" by_size
by_time()
{
	anew
	record 0 stream --rotate 1s -d 3.5 && silent && nothing_is_lost && [ "$(nr_parts)" -ge 3 ] && [ "$(nr_parts)" -le 4 ]
}
is "by time" by_time
by_signal() { anew; started --rotate 1h && signals USR2 4 nr_parts && stopped && nothing_is_lost && [ "$(nr_parts)" -eq 5 ]; }
is "by SIGUSR2" by_signal
private() { anew; started --rotate 1h && signals USR2 1 && stopped && [ "$(stat -c %a "$trace.1")" = 600 ]; }
is "nobody else may read a part" private
ended() { anew; record 7 stream --rotate 1h -- sh -c 'exit 7' && [ "$(nr_parts)" -eq 1 ] && nothing_is_lost; }
is "one part alone" ended

too_late()
{
	anew
	started --rotate 1h && signals USR2 1 && kill -STOP $pid || return
	kill -INT $pid; kill -USR1 $pid; kill -USR2 $pid; kill -CONT $pid
	wait $pid && silent && nothing_is_lost
}
is "asked when it ends" too_late

# One after the other, they are one trace: counted anew it comes to what the kernel had.
joined()
{
	anew
	started --rotate 1h && signals USR1 1 && signals USR2 4 nr_parts && signals USR1 1 && stopped || return
	cat "$trace" "$trace.1" "$trace.2" "$trace.3" "$trace.4" >"$tmp/joined"
	run 0 none stat --strict --json -r "$tmp/joined" && silent && mv "$tmp/out" "$tmp/anew" &&
		run 0 none stat --json --recorded -r "$trace.4" &&
		run 0 none stat --strict --json --recorded -r "$tmp/joined" && diff "$tmp/anew" "$tmp/out" &&
		run 0 none whatif --strict -r "$tmp/joined" && silent &&
		[ "$(records "$tmp/joined" | wc -l)" -eq $((2 + 19 * $(exits "$tmp/joined") / 18)) ] &&
		cat "$trace.2" "$trace.3" >"$tmp/joined" && exits "$tmp/joined"
}
is "one after the other" joined
# not_joined PART...: they are not consecutive
not_joined() { cat "$@" >"$tmp/joined"; run 4 none stat --strict -r "$tmp/joined" && err 'damaged in 1 places'; }
apart()
{
	anew
	started --rotate 1h && signals USR2 3 && stopped || return
	mkdir "$tmp/other"
	mv "$dir"/* "$tmp/other"
	started --rotate 1h && signals USR2 1 && stopped || return
	not_joined "$tmp/other/trace" "$tmp/other/trace.2" && not_joined "$trace.1" "$trace" &&
		not_joined "$trace" "$tmp/other/trace.1" && not_joined "$trace.1" "$trace.1" || return
	anew
	started --flight 1000 && signals USR1 2 && stopped && not_joined "$trace" "$trace.1"
}
is "only if they are consecutive" apart

# What a part says.
middle()
{
	anew
	started --rotate 1h && signals USR2 2 && stopped &&
		zstd -dcq "$trace.1" | grep -a -q '^trace .*part=1 middle=1' &&
		! zstd -dcq "$trace" | grep -a -q middle= &&
		run 0 none report --strict "$trace.1" && silent && out alpha &&
		run 0 none whatif -r "$trace.1" && err 'trace.1 begins in the middle of a capture' &&
		err 'intervals are wider' && out '^uncond  *[0-9]*-[0-9]' && run 4 none whatif --strict -r "$trace.1" &&
		run 0 none whatif --strict -r "$trace"
}
is "it begins in the middle" middle
# names: all files have them
names() { local file; for file in $(parts); do zstd -dcq "$dir/$file" | grep -a -q '^task .*name=' || return; done; }
named() { anew; scene=stream-away started --rotate 1h && signals USR2 3 && stopped && names; }
is "names are told in each" named
lost()
{
	local file sum=0

	anew
	scene=stream-gap started --rotate 1h && signals USR2 3 && kill -INT $pid
	wait $pid
	for file in $(parts); do
		run 0 none stat --json -r "$dir/$file" && err 'records of the stream were lost' || return
		sum=$((sum + $(jq -s 'map(select(.type == "host"))[0].lost' "$tmp/out")))
	done
	run 0 none stat --json -r "$dir/$file"
	[ $sum -ge 4 ] && [ "$(jq -s 'map(select(.type == "host"))[0].lost' "$tmp/out")" -lt $sum ]
}
is "its own loss" lost
# A part that was cut at its beginning can't tell what happened since.
no_counters()
{
	local at

	anew
	started --rotate 1h && signals USR2 2 && stopped || return
	at=$(grep -abo FPtr "$trace.1" | sed -n '2s/:.*//p')
	printf X | dd of="$trace.1" bs=1 seek=$((at + 90)) conv=notrunc 2>/dev/null
	run 4 none stat --json --strict -r "$trace.1" && err 'damaged' &&
		all '[.[] | select(.type == "vcpu")] | length > 0 and all(.[]; .runs == null and .exits < 100)'
}
is "its first counters are damaged" no_counters

# Room.
# bytes_now: while nothing is written
bytes_now()
{
	kill -STOP $pid
	until grep -q '^State:.T' /proc/$pid/status; do :; done
	bytes
	kill -CONT $pid
}
bounded()
{
	local most=0 now

	anew
	started --max-size 32K || return
	for _ in $(seq 60); do
		signals USR1 1 || return
		now=$(bytes_now)
		[ "$now" -le $most ] || most=$now
	done
	stopped || return
	echo "at most $most bytes, $(nr_parts) parts"
	[ $most -le 32768 ] && [ $most -gt 20000 ] && [ ! -e "$trace" ] &&
		for now in $(parts); do exits "$dir/$now" || return; done
}
is "the oldest parts go" bounded
foreign()
{
	anew
	started --max-size 32K && signals USR2 2 || return
	mv "$trace" "$dir/mine"
	echo precious >"$trace"
	signals USR1 40 && stopped && [ ! -e "$trace.1" ] && [ "$(cat "$trace")" = precious ] &&
		[ -s "$dir/mine" ]
}
is "nothing else goes" foreign
earlier()
{
	anew
	echo precious >"$trace.3"
	record 3 stream --rotate 1h -- true && err "there is .*trace.3 of an earlier run" &&
		[ "$(parts)" = trace.3 ] && record 0 stream -- true && rm "$trace" &&
		mv "$trace.3" "$trace.3x" && record 0 stream --rotate 1h -- true
}
is "parts of an earlier run stay" earlier
meanwhile()
{
	anew
	started --rotate 1h && echo precious >"$trace.1" || return
	kill -USR2 $pid
	wait $pid
	[ $? -eq 3 ] && err 'cannot write .*trace.1: File exists' && exits "$trace" &&
		[ "$(cat "$trace.1")" = precious ]
}
is "nor is any file replaced" meanwhile

# Accidents.
# no_more_than FILE BYTES: FILE can't be larger, and who tries is told
no_more_than()
{
	local code

	signals USR1 1 && prlimit --pid $pid --fsize="$2" && kill -USR2 $pid
	wait $pid
	code=$?
	[ $code -eq 3 ] && err "cannot write .*/$1: File too large"
}
full()
{
	trap '' XFSZ
	anew
	started --rotate 1h && signals USR1 10 && no_more_than trace 100 &&
		run 0 none stat -r "$trace" && err 'has no end'
}
is "no room" full
# A disk with room for two of them.
small_disk='mount -t tmpfs -o size=8k none "$1" && "$2" record -o "$1/trace" --rotate 1s
	code=$?; cp "$1"/* "$3"; exit $code'
full_disk()
{
	anew
	mkdir "$tmp/disk"
	FPSTAT_FAKE=stream unshare -rm sh -c "$small_disk" - "$tmp/disk" "$fpstat" "$dir" 2>"$tmp/err"
	[ $? -eq 3 ] && err 'cannot write .*/trace.2: No space left' && [ "$(nr_parts)" -eq 3 ] &&
		exits "$trace" && exits "$trace.1" && run 3 none stat -r "$trace.2"
}
if unshare -rm mount -t tmpfs none "$tmp" 2>/dev/null; then
	is "no room for another part" full_disk
else
	is "no room for another part # SKIP nobody but root may mount" true
fi
gone()
{
	anew
	started --rotate 1h && rm -r "$dir" || return
	kill -USR2 $pid
	wait $pid
	[ $? -eq 3 ] && err 'cannot write .*trace.*: No such file'
}
is "the directory has gone" gone
moved()
{
	anew
	started --rotate 1h && mv "$dir" "$tmp/elsewhere" || return
	kill -USR2 $pid
	wait $pid
	[ $? -eq 3 ] && err 'cannot write .*trace.1: No such file' && exits "$tmp/elsewhere/trace"
}
is "the directory was moved" moved
# Whenever it is killed: all parts but the last are whole, and that is good up to its cut.
killed()
{
	local file last most=0

	for _ in $(seq 10); do
		anew
		started --rotate 1h || return
		(while kill -USR2 $pid; do sleep 0.01; done) 2>/dev/null &
		sleep 0.$((RANDOM % 5 + 1))$RANDOM
		kill -KILL $pid
		wait $pid $! 2>/dev/null
		[ "$(nr_parts)" -le $most ] || most=$(nr_parts)
		last=$(parts | tail -n 1)
		for file in $(parts); do
			[ "$file" = "$last" ] || exits "$dir/$file" >/dev/null || return
		done
		FPSTAT_FAKE=none "$fpstat" stat -r "$dir/$last" >"$tmp/out" 2>"$tmp/err"
		case $? in
		0) err 'has no end' || silent || return ;;
		3) err 'not a trace\|damaged, or cut, at its beginning' || return ;;
		*) return 1 ;;
		esac
	done
	echo "up to $most parts"
	[ $most -gt 1 ]
}
is "killed while it goes to the next" killed

# The flight recorder.
dumps()
{
	anew
	started --flight 35 && signals USR1 9 && kill -USR2 $pid && sleep 0.2 && stopped &&
		[ "$(nr_parts)" -eq 11 ] && [ "$(parts | tail -n 1)" = trace.10 ]
}
is "a dump for each signal, and at the end" dumps
# The last 35 seconds: four turns, and one that was under way.
last_seconds()
{
	local file n

	dumps && n=$(exits "$trace") && [ "$n" -gt 0 ] && ! zstd -dcq "$trace" | grep -a -q middle= || return
	for file in "$trace.8" "$trace.9" "$trace.10"; do
		n=$(exits "$file") && [ "$n" -ge $((18 * 4)) ] && [ "$n" -le $((18 * 5)) ] &&
			[ "$(records "$file" | wc -l)" -eq $((n / 18 * 19)) ] &&
			zstd -dcq "$file" | grep -a -q '^trace .*middle=1' &&
			run 0 none report --strict "$file" && silent && out 'alpha' || return
	done
}
is "what happened in the last seconds" last_seconds
long_ago() { anew; scene=stream-away started --flight 15 && signals USR1 6 && stopped && names; }
is "names that were told long ago" long_ago
nothing_yet() { anew; started --flight 30 && [ ! -s "$trace" ] && stopped && nothing_is_lost; }
is "nothing before" nothing_yet
stays() { anew; echo precious >"$trace"; started --flight 30 && kill -KILL $pid; wait $pid; [ "$(cat "$trace")" = precious ]; }
is "what was there stays until a dump" stays
# One for the violation, and one at the end.
rule()
{
	anew
	scene=corrupt started --flight 30 --check || return
	for _ in $(seq 200); do
		[ ! -s "$trace" ] || break
		sleep 0.05
	done
	kill -INT $pid
	wait $pid
	[ $? -eq 1 ] && [ "$(nr_parts)" -eq 2 ] && err '^I8 is broken at ' && err 'I8 was broken 1 times'
}
is "a dump when a rule is broken" rule
no_rule() { anew; scene=clean started --flight 30 --check && sleep 0.3 && [ ! -s "$trace" ] && stopped && [ "$(nr_parts)" -eq 1 ]; }
is "and none when none is" no_rule

# Options.
for bad in 0 0K 0s -1K -1s 10 10X 1.5M 99999999999999999999s 16777216T "" K 1KB nan; do
	is "rotate: '$bad'" refused 'rotate wants a size such as 10M' --rotate "$bad"
done
is "rotate: too small" refused 'parts are too small' --rotate 3K
for bad in 0 -1M 10 10s 16777216T ""; do
	is "max-size: '$bad'" refused 'max-size wants a size such as 10M' --max-size "$bad"
done
is "max-size: too small" refused 'parts are too small' --max-size 31K
is "max-size: one part" refused 'room for two parts' --max-size 15M --rotate 8M
for bad in 0 -1 nan 1e3 86401 5m; do
	is "flight: '$bad'" refused 'flight wants seconds' --flight "$bad"
done
is "check without flight" refused 'check is of --flight' --check
is "flight and rotate" refused "don't go together" --flight 10 --rotate 1h
is "flight and max-size" refused "don't go together" --flight 10 --max-size 1G
for bad in "--rotate 1h" "--max-size 1G" "--flight 10"; do
	is "standard output: $bad" says "${bad% *} wants a file" 2 stream record -o - $bad -- true
done
is "not a file" says 'in parts: it is not a regular file' 3 stream record -o /dev/null --rotate 1h -- true
is "nowhere" says 'cannot write /nonexistent/x: No such file' 3 stream record -o /nonexistent/x --rotate 1h -- true
unborn() { anew; record 3 impossible --rotate 1h -- true && [ -z "$(parts)" ]; }
is "no capture: no trace" unborn
progress()
{
	anew
	FPSTAT_FAKE=stream script -qec "$fpstat record -o $trace --rotate 1s -d 2.5" /dev/null >"$tmp/out" </dev/null &&
		grep -a -q 'records, .* bytes, .*/s, 0 lost' "$tmp/out" && nothing_is_lost
}
is "progress on a terminal" progress
echo "1..$n"
