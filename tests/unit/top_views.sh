#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the screen can do beside its numbers, in a real terminal (tmux): views, filters,
# lists of columns, recordings; every key in every view; and keys and sizes at random,
# for FPSTAT_RANDOM_SECONDS.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
. tests/unit/screen.bash
config=$tmp/config/fpstat/top
echo "tree yes" >"$config"

begin 100 24 two -i 0.2
is "a tree"                 sees '^├─ beta  *1001  *1 '
is "of VMs"                 has '^beta  *1001  *2 .* 2500 '
is "who owns the registers" sees '^owner  *0 .* 1 alpha/1 .* 3 unknown'
is "how often that changed" sees '^change .*█'
is "what was not needed"    has '^gap/s  *88 of 314 ops  *45K of 159K bytes  *2.2us of 7.8us'
key Left
is "a VM is folded"         sees '^+ beta '
is "without its vcpus"      loses '^├─ beta'
key Right
is "and unfolded"           sees '^├─ beta'
key F4
is "a filter"               sees '^filter (text, column>value):'
key -l 'exit<1.1k'
is "while it is typed"      loses '^beta'
key Enter
is "is shown"               has 'filter: exit<1.1k'
is "with the VM"            has '^alpha  *1000  *2'
key Escape
is "none any more"          sees '^beta'
key F4; key -l 'nosuch>1'
is "no such column"         sees "there is no column 'nosuch'"
key Escape
key F3; key -l 1100; key Enter
is "search"                 loses '^search:'
key Enter
is "detail of that"         sees '^alpha/0  pid 1000  tid 1100'
is "verdicts"               has '^guest save .*done 20 needed 20 redundant 0 (0%)'
is "causes"                 has '^saved by .*preempt 12 .*user-return 5.0'
key Escape
is "and back"               sees '^├─ alpha'
key m
is "per exit"               sees '0.020  *0.020'
key m
is "all"                    sees ' all$'
key z
is "from zero"              sees 'all begins here'
key m u
is "bytes"                  sees '^alpha .* 21K  *21K'
key u
is "time"                   sees '^alpha .* 820ns  *1us\|^alpha .* 820ns  *1.2us'
key u 2
is "VMs"                    sees '2vms .* 2 rows'
key 3
is "CPUs"                   sees '^ *1  *0 guest  *alpha/1  *0  *100%'
key F6
is "columns to sort by"     sees '^Sort by a column of cpus'
key End Down Down Enter
is "one is taken"           sees '3cpus'
key F2
is "columns to show"        sees '^Columns of cpus'
key Down Space Down F8 + s
is "they are saved"         sees "saved to $config"
key Enter
is "one is gone"            sees '^ *CPU OWNER  *CHANGE/s WHO'
key q
is "it ends"                ended 0
is "order and width"        grep -q '^columns cpus cpu owner changes who:15 guest' "$config"
is "and what is sorted by"  grep -q '^sort cpus owner' "$config"
is "nothing else is there"  [ "$(ls "$tmp/config/fpstat")" = top ]
begin 100 24 two -i 0.2 --view cpus
is "they are there again"   sees '^ *CPU OWNER  *CHANGE/s WHO'
key q
echo "columns cpus nosuch" >>"$config"
begin 100 24 two --view cpus
is "bad settings are told"  sees "settings, line [0-9]*: what is 'columns cpus nosuch'?"
rm "$config"

# What a stream tells, and what is recorded of it.
begin 100 24 stream-away -i 0.2 --stream
is "no guest is lost"       sees '^alpha'
key 4
is "tasks"                  sees '^TASK  *TID  *SAVE/s'
key 5
is "causes"                 sees '^softirq-neon .* function unknown'
key 6
is "policies"               sees '^eager-host '
key 7
is "events"                 sees ' save guest: preempt  *redundant: nobody took'
key w
is "a recording starts"     sees 'recording fpstat-[0-9-]*.fpt, with up to 30 s of the past'
key Down
is "it is told"             sees ' REC  fpstat-'
key w
is "and ends"               sees 'recorded: fpstat top -r fpstat-'
key q
is "it ends, too"           ended 0
recorded() { run 0 none report "$tmp"/fpstat-*.fpt && out '^alpha'; }
is "it is a trace"          recorded
rm -f "$tmp"/fpstat-*.fpt
begin 100 24 stream-away -i 0.2
sees '^alpha' && key w && sees 'recording' && key q
is "one that was not ended" ended 0
is "is not forgotten"       recorded
begin 100 24 noopen --view events
is "no capture at all"      ended 3

# It dies, and the terminal is as it was.
crash() # SIGNAL CODE
{
	begin 80 24 two
	sees '^beta'
	kill -"$1" "$(cat "$tmp/pid")"
	ended "$2"
}
env=ASAN_OPTIONS=handle_abort=0:handle_segv=0:detect_leaks=0
is "SIGSEGV"                crash SEGV 139
is "SIGABRT"                crash ABRT 134
env=

# On paper.
paper() { run 0 "$1" top -b -i 0.1 -c 2 --view "$2" && out "$3" && ! grep -q $'\033' "$tmp/out"; }
is "paper: vcpus"           paper two vcpus '^# cpu 1 alpha/1'
is "paper: the gap"         paper two vcpus '^# gap/s  *88 of 314 ops'
is "paper: vms"             paper two vms '^beta  *1001  *2 '
is "paper: cpus"            paper two cpus '^ *1  *0 guest'
is "paper: tasks"           paper stream tasks '^idle '
is "paper: causes"          paper stream causes '^softirq-neon'
is "paper: policies"        paper stream policies '^eager-host'
is "paper: events"          paper stream events 'needed: the registers held something else'
is "paper: detail"          paper stream detail '^guest save'
paper_filter() { run 0 two top -b -i 0.1 -c 1 -f 'exit>=1300' && out '^├─ beta\|^└─ beta' && ! out '^alpha'; }
is "paper: filter"          paper_filter
is "no such view"           says "there is no view 'nosuch'. Views: vcpus vms" 2 two top --view nosuch
is "no such column"         says "there is no column 'nosuch'. Columns: cpu" 2 two top --view cpus --sort nosuch
is "no filter"              says "there is no column 'nosuch'" 2 two top --filter 'nosuch>1'

# Every key in every view, but those that end it.
keys="F1 F1 F2 Escape F3 Escape F4 Escape F5 F6 Escape F7 F8 F9 F9 Tab BTab Enter Escape
	Space Space c Escape t t s Escape < > r r Left Right * F F m m m u u u z w w + -
	Up Down k j PPage NPage Home End n . v ] [ g Escape e h h ? ? A B y 0 Z Z"
every_key()
{
	local view

	sees '1vcpus .* rows' || return
	for view in 1 2 3 4 5 6 7 8; do
		t send-keys $view
		t send-keys $keys
		t resize-window -x $((30 + view * 20)) -y $((5 + view * 4))
		alive || return
	done
	t send-keys 1
	sees '1vcpus .* rows'
}
begin 100 24 stream-away -i 0.1
is "every key in every view" every_key
key q
is "every key: it ends"     ended 0
is "every key: no complaint" hasnt 'ERROR: \|runtime error'

random_key()
{
	local special=(F1 F2 F3 F4 F5 F6 F7 F8 F9 Up Down Left Right PPage NPage Home End
		Tab BTab Enter Escape BSpace Space)
	local printable='abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/\\<>+-*[].?:=%'
	if [ $((RANDOM % 3)) = 0 ]; then
		t send-keys "${special[RANDOM % ${#special[@]}]}"
	else
		t send-keys -l -- "${printable:RANDOM % ${#printable}:1}"
	fi
}
at_random()
{
	local end=$((SECONDS + ${FPSTAT_RANDOM_SECONDS:-4}))
	RANDOM=7
	until_ test -s "$tmp/pid" || return
	while [ $SECONDS -lt $end ]; do
		random_key
		[ $((RANDOM % 8)) = 0 ] &&
			t resize-window -x $((1 + RANDOM % 400)) -y $((1 + RANDOM % 100))
		alive || { echo "it died"; return 1; }
	done
	t resize-window -x 100 -y 24
}
sane()
{
	key Escape Escape
	key C-c
	ended 0 && hasnt 'ERROR: \|runtime error'
}
begin 100 24 stream-away -i 0.1
is "keys and sizes at random" at_random
is "and the terminal is sane" sane
run 0 stream-away record -o "$tmp/trace" -- true
begin 100 24 none top -r "$tmp/trace" -i 0.1
is "the same of a trace"    at_random
is "sane, too"              sane
echo "1..$n"
