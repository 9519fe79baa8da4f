#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The screen of a trace, and of a host that sends one. The stream of the fake has the
# same records each ten seconds, so that each ten seconds look the same.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
. tests/unit/screen.bash
trace=$tmp/trace
# It begins when the fake is open: a slow machine may take its time for that.
quick() { run 0 stream record -o "$trace" -- true && run 0 none report "$trace" && out '^19\.9'; }
for _ in $(seq 30); do quick && break; done
# Its blocks are meta, events, counters and index.
block() { echo $(($(grep -abo FPtr "$trace" | sed -n "$1s/:.*//p") - 8)); }
head -c "$(block 3)" "$trace" >"$tmp/cut"
head -c "$(block 2)" "$trace" >"$tmp/begin"
cp "$trace" "$tmp/damaged"
printf 'X' | dd of="$tmp/damaged" bs=1 seek=$(($(block 2) + 90)) conv=notrunc 2>/dev/null
echo "no trace" >"$tmp/none"

# ---- on paper ----

# counts FILE: of each row, as numbers; where these are a second, times the seconds
counts()
{
	awk '/^# t/ { dt = $6 + 0 }
	     /^[a-z]/ { printf "%s", substr($0, 1, 26)
			for (i = /^[^o]/ ? NF - 12 : 3; i <= NF; i++)
				if ($i ~ /^[0-9.]+$/)
					printf " %.0f", $i * (per ? dt : 1)
				else
					printf " %s", $i
			print "" }' per="$2" "$1" | sort
}
equal()
{
	run 0 none stat -r "$trace" && counts "$tmp/out" 0 >"$tmp/want" &&
	run 0 none top -b -r "$trace" -i 9999 && silent &&
	counts "$tmp/out" 1 >"$tmp/got" && grep -q 30 "$tmp/got" && diff "$tmp/want" "$tmp/got"
}
is "one interval: the counters of stat"  equal
alone()
{
	run 0 none top -b -r "$trace" -i 10 && silent &&
	[ "$(grep -c '^# t' "$tmp/out")" = 2 ] && out '^# t 10.000 s, interval 10.000 s, .*lost n/a' &&
	[ "$(grep -c '^[a-z]*  *[0-9]*  *0 .* n/a  *1.5  *1.3  *0.2  *0.2  *0% ' "$tmp/out")" = 2 ]
}
is "one after the other"    alone
some() { run 0 none top -b -r "$trace" -i 0.5 -c 3 && [ "$(grep -c '^# t' "$tmp/out")" = 3 ]; }
is "-c"                     some
piped()
{
	run 0 none top -b -r "$trace" -i 3 && FPSTAT_FAKE=none "$fpstat" top -b -i 3 -r - <"$trace" |
		diff "$tmp/out" - && cat "$trace" | FPSTAT_FAKE=none "$fpstat" top -b -i 3 -r - | diff "$tmp/out" -
}
is "from standard input"    piped
plain() { run 0 none top -r "$trace" -i 10 && err 'plain text' && out '^# t 10.000'; }
is "no terminal"            plain
reverse() { run 0 none top -b -R -i 9999 -r "$trace" && sed -n 3p "$tmp/out" | grep -q '^alpha .* 0.3 '; }
is "reversed"               reverse
said() { sed 's/: these are .*//' "$tmp/err"; }
like_stat() # CODE FILE
{
	run "$1" none stat -r "$2" && said >"$tmp/said" && [ -s "$tmp/said" ] &&
	run "$1" none top -b -r "$2" && said | diff "$tmp/said" -
}
is "not a trace: as stat says"  like_stat 3 "$tmp/none"
is "no file"                like_stat 3 /nonexistent
is "cut"                    like_stat 0 "$tmp/cut"
is "cut at its beginning"   like_stat 0 "$tmp/begin"
is "damaged"                like_stat 0 "$tmp/damaged"
lossy() { run 0 stream-gap record -o "$tmp/gap" -- true; like_stat 0 "$tmp/gap"; }
is "records were lost"      lossy
unlike() { run 0 stream-unlike record -o "$tmp/unlike" -- true; like_stat 0 "$tmp/unlike"; }
is "a record is missing"    unlike

# ---- a file on the screen ----

begin 100 24 none top -r "$trace" -i 10
is "nothing yet"            sees 'counting'
key n
is "an interval"            sees '^unknown .* n/a  *1.5  *1.3  *0.2  *0.2  *0%'
is "of when"                has '^replay 0:00:10 of 0:00:19 x1  paused   missed n/a  lost n/a'
is "of what"                has "^fpstat  $(uname -n)  6.1.0-fake-arm64  mode vhe"
frozen() { local a; a=$(screen); sleep 0.5; [ "$a" = "$(screen)" ]; }
is "stands still"           frozen
key .
is "the next, and the end"  sees '^replay 0:00:19 of 0:00:19 x1  end   missed 0  lost 0  undecided 0'
is "names are known then"   has '^alpha  *1000  *0 .* n/a  *1.5  *1.3'
key r
is "sorted the other way"   starts_with '^alpha .* 0.3 '
key g 5 Enter
is "back"                   sees '^replay 0:00:05 of'
is "when nothing was"       has '^load/s *0 '
key g 0 : 1 0 BSpace 0
is "a time is typed"        sees 'go to .*: 0:10'
key Enter
is "and gone to"            sees '^replay 0:00:10 of'
key g 7 Escape
is "not so"                 loses 'go to (sec'
is "then it stays"          has '^replay 0:00:10 of'
key e
is "to the end"             sees '^replay 0:00:19 .* end '
key h
key NPage; key -N 15 Down
is "help"                   sees 'the next interval, and pause'
key h
is "and back"               sees '^alpha'
key q
is "q: terminal as before"  ended 0

begin 100 24 none top -r "$trace" -i 0.5
is "it plays"               sees '^replay 0:00:[01][1-9] of 0:00:19 x1  missed'
key Space
is "paused"                 sees 'x1  paused '
is "and stands"             frozen
key ']' ']' ']'
is "faster"                 sees 'x8  paused '
key '['
is "slower"                 sees 'x4  paused '
key Space
is "goes on to the end"     sees 'end '
key C-c
is "Ctrl-C"                 ended 0
begin 100 24 none top -r - -i 10 "<$trace"
sees 'counting' && key e
is "a file as standard input" sees '^replay 0:00:19 of 0:00:19 x1  end '
key g 5 Enter
is "has a way back"         sees '^replay 0:00:05 of'
key q
is "keys are the terminal's" ended 0

begin 100 24 none top -r "$tmp/none"
is "not a trace"            ended 3
is "says so"                has 'it is not a trace of fpstat'
red() { t capture-pane -p -e | grep -q $'\033\[[0-9;]*31m cut off'; }
begin 100 24 none top -r "$tmp/cut" -i 10
sees 'counting' && key e
is "cut"                    sees '^replay 0:00:19 x1  cut off '
is "and red"                red
key q
is "cut: terminal as before" ended 0
is "says what is missing"   has 'has no end: what happened after'

# ---- a stream ----

input="FPSTAT_FAKE=stream $fpstat record -o - -d 4 2>/dev/null |"
begin 100 24 none top -r - -i 10
is "as it comes"            sees '^stream 0:00:[12]9  missed 0  lost 0'
is "what only counters tell" sees '^alpha  *1000  *0 .* 0.1  *1.5  *1.3  *0.2'
key r
is "keys are the terminal's, too" starts_with '^alpha .* 0.3 '
key Space
is "frozen"                 sees 'frozen '
key Space
is "its end"                sees '^stream 0:00:[2-9]9  end   missed 0'
# Who spins is never switched out because it waits.
waits() { sed -n 's/^voluntary_ctxt_switches:\t*//p' "/proc/$(cat "$tmp/pid")/status"; }
rests() { local a; a=$(waits); sleep 2; [ $(($(waits) - a)) -ge 5 ]; }
is "and it rests"           rests
key q
is "its end: terminal as before" ended 0
is "all is well"            hasnt 'fpstat: '

# Nothing comes, and then the sender goes away.
input="sh -c 'cat $tmp/cut; echo \$\$ >$tmp/sender; exec sleep 1000' |"
begin 100 24 none top -r - -i 10
is "no data"                sees 'no data for [3-9] s'
is "what came is there"     has '^unknown .* 1.5 '
key h
is "keys work meanwhile"    sees 'bystanders'
key h
kill "$(cat "$tmp/sender")"
is "it was cut off"         sees 'cut off '
key q
is "cut off: terminal as before" ended 0
is "in words"               has 'standard input has no end'
begin 100 24 none top -r - -i 10
sees 'no data'
key q
is "q while it waits"       until_ dead
kill "$(cat "$tmp/sender")"
input="cat $tmp/none |"
begin 100 24 none top -r -
is "no stream"              ended 3
is "no stream: says so"     has 'cannot read standard input: it is not a trace of fpstat'
echo "1..$n"
