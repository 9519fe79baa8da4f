#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fpstat record as a user calls it, with a capture that is a fake.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
trace=$tmp/trace

record() { run "$1" "$2" record "${@:3}"; }
begun() { [ "$(head -c 4 "$1" | od -An -tx1)" = " 5b 2a 4d 18" ]; }
ended() { begun "$1" && [ "$(tail -c 24 "$1" | head -c 4)" = FPix ]; }
says() { local what=$1; shift; record "$@" && err "$what"; }

plain() { record 0 stream -o "$trace" -- true && silent && ended "$trace" && [ ! -s "$tmp/out" ]; }
is "a trace" plain
mine() { rm -f "$trace"; record 0 stream -o "$trace" -- true && [ "$(stat -c %a "$trace")" = 600 ]; }
is "nobody else may read it" mine
shorter() { head -c 100000 /dev/zero >"$trace" && record 0 stream -o "$trace" -- true &&
	[ "$(wc -c <"$trace")" -lt 5000 ] && ended "$trace"; }
is "what was there is gone" shorter
alone() { record 0 stream -o - -- echo mine && ended "$tmp/out" && err '^mine$' &&
	! grep -q mine "$tmp/out"; }
is "to standard output, alone" alone
piped() { FPSTAT_FAKE=stream "$fpstat" record -o - -- true | cat >"$trace" && ended "$trace"; }
is "into a pipe" piped
seconds() { local start=$SECONDS; record 0 stream -o "$trace" -d 0.5 && silent && ended "$trace" &&
	[ $((SECONDS - start)) -lt 5 ]; }
is "a while" seconds

# options
is "no file" says '--output is missing' 2 stream -- true
is "operand" says 'after --' 2 stream -o "$trace" true
is "no time" says 'wants seconds' 2 stream -o "$trace" -d 0 -- true
is "a ring of three pages" says 'wants a power of two' 2 stream -o "$trace" --ring 3 -- true
is "a ring that is too large" says 'at most 4096' 2 stream -o "$trace" --ring 8192 -- true

# status
is "status 7" record 7 stream -o "$trace" -- sh -c 'exit 7'
is "killed" record 143 stream -o "$trace" -- sh -c 'kill $$'
is "strict, all well" record 0 stream --strict -o "$trace" -- true
is "strict: records were lost" says 'data was lost: lost 1' 4 stream-gap --strict -o "$trace" -- true
no_trace() { rm -f "$trace"; "$@" && [ ! -e "$trace" ]; }
is "not found: no trace" no_trace says 'cannot run' 127 stream -o "$trace" -- /nonexistent
is "no capture: no trace" no_trace says 'without KVM' 3 impossible -o "$trace" -- true
kept() { echo precious >"$trace"; says 'without KVM' 3 impossible -o "$trace" -- true &&
	[ "$(cat "$trace")" = precious ]; }
is "no capture: what was there stays" kept

# the file
is "nowhere" says 'cannot write /nonexistent/x: No such file' 3 stream -o /nonexistent/x -- true
is "no room" says 'cannot write /dev/full: No space left' 3 stream -o /dev/full -- true
# in_background COMMAND...: as $pid, once there is something in the file
in_background()
{
	rm -f "$trace"
	"$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	for _ in $(seq 100); do
		[ ! -s "$trace" ] || return 0
		sleep 0.1
	done
	echo "no trace"
	return 1
}
forever() { FPSTAT_FAKE=stream exec "$fpstat" record -o "$trace"; }
four_kib() { trap '' XFSZ; ulimit -f 4; forever; }
# No block is half there: what does not fit is taken back.
full()
{
	local code

	in_background four_kib || return
	while kill -USR1 $pid 2>/dev/null; do
		sleep 0.1
	done
	wait $pid
	code=$?
	[ $code -eq 3 ] && err 'cannot write .*: File too large' && begun "$trace" &&
		[ "$(wc -c <"$trace")" -lt 4096 ]
}
is "no room after a while" full
killed() { in_background forever && sleep 1.5 && kill -KILL $pid; wait $pid; begun "$trace" && ! ended "$trace"; }
is "killed: there is a trace, with no end" killed
removed()
{
	in_background forever || return
	rm "$trace"
	wait $pid
	[ $? -eq 3 ] && err 'cannot write .*trace: No such file'
}
is "removed meanwhile" removed
stopped() { in_background forever && kill -INT $pid && wait $pid && silent && ended "$trace"; }
is "SIGINT: a trace with its end" stopped
signalled()
{
	local size

	in_background forever || return
	sleep 1.5
	size=$(wc -c <"$trace")
	kill -USR1 $pid
	sleep 0.5
	[ "$(wc -c <"$trace")" -gt "$size" ]
	local grew=$?
	kill -INT $pid
	wait $pid && [ $grew -eq 0 ]
}
is "SIGUSR1: at once" signalled
echo "1..$n"
