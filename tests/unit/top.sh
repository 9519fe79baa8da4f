#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The screen, in a real terminal (tmux), on a capture that is a fake: it has the
# same rates at each look, so what is on the screen does not depend on time.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/is.bash
. tests/unit/screen.bash

begin 80 24 two -i 0.2
is "80x24: rows"            sees '^beta  *1001  *1  *13  *1300  *930  *23  *23  *34%  *8.0  *7.0  *60%$'
is "header"                 has 'mode vhe  policy eager-host  cpus 4'
is "other"                  has '^other .* 52 *42 *23%$'
is "sums and shares"        has '^save/s *164 redundant *28%  guest *86 *17%  host *26 *76%  other *52 *23%$'
is "of loads, too"          has '^load/s *150 redundant *27%  guest *86 *17%  host *22 *72%  other *42 *23%$'
is "the largest first"      starts_with 'beta .* 1300 '
key r
is "reversed"               starts_with 'alpha .* 1000 '
key r G
is "by a column's letter"   starts_with 'beta .* 1300 '
key E
is "by a share"             starts_with 'alpha .* 1000 .*100%'
key Y
is "by what is not shown"   starts_with 'beta .* 1300 '
key V
is "by name"                starts_with 'alpha .* 1000 '
key '>'
is "by the column right of it" starts_with 'alpha .* 1000 '
key h
is "help"                   sees 'bystanders, and what they paid'
key h
is "and back"               sees '^beta'
key +
is "a longer interval"      sees 'every 0.5 s'
key - -
is "a shorter interval"     sees 'every 0.1 s'
key Space
is "frozen"                 sees 'frozen'
frozen() { local a; a=$(screen); sleep 0.5; [ "$a" = "$(screen)" ]; }
is "stands still"           frozen
key Space
is "goes on"                loses 'frozen'
key y Escape Left
is "other keys do nothing"  alive
t resize-window -x 40 -y 8
is "40x8"                   sees '^VM  *VCPU  *EXIT/s  *G-SAVE  *G-LOAD  *GRED$'
is "40x8: room for all"     has '^beta  *1  *1300  *23  *23  *34%$'
is "40x8: rows"             sees '^alpha  *0  *1000  *20  *20  *0%$'
t resize-window -x 60 -y 10
is "60x10"                  sees '^VM  *VCPU  *EXIT/s  *G-SAVE  *G-LOAD  *GRED  *H-SAVE  *H-LOAD  *HRED$'
for size in '1 1' '2 1' '1 2' '10 3' '200 5' '3 60'; do
	t resize-window -x "${size% *}" -y "${size#* }"
	sleep 0.2
	key h
	sleep 0.1
	key h
done
is "tiny ones"              alive
t resize-window -x 160 -y 50
is "large again: all columns" sees '^beta  *1001  *1  *1103 live .* 60%  *8.0  *8.0  *5.0  *4.0$'
key q
is "q: terminal as before"  ended 0
is "screen left behind is clean" hasnt 'G-SAVE'

begin 40 8 two
is "starts small"           sees '^beta'
key C-c
is "Ctrl-C"                 ended 0
begin 80 24 two
sees '^beta'
key F10
is "F10"                    ended 0
begin 80 24 two -c 2 -i 0.1
is "-c"                     ended 0
begin 80 24 broken -i 0.1
is "an error is told after the screen" ended 1
is "in words"               sees 'conservation broken'

begin 80 24 many
is "1024 rows"              sees '1024 rows'
is "large sums"             has '^save/s  *1.1M redundant .*guest  *544k .*host  *529k .*%$'
key V
is "from the start"         starts_with '1000  *0'
key NPage
is "PgDn"                   starts_with '1006  *1'
key -N 13 Down
is "down, until it scrolls" starts_with '1007  *0'
key End
is "End"                    sees '1511  *1 '
key PPage Up Home
is "Home"                   starts_with '1000  *0'
kill -TERM "$(cat "$tmp/pid")"
is "SIGTERM"                ended 0

color() { t capture-pane -p -e | grep 'missed' | grep -q $'\033\[[0-9;]*31m'; }
begin 80 24 lossy
is "loss is there"          sees 'missed [1-9][0-9]* (kvm_exit, no slot)'
is "and red"                color
env=NO_COLOR=1
begin 80 24 lossy
is "NO_COLOR"               sees 'missed [1-9]'
nocolor() { ! color; }
is "is obeyed"              nocolor
env=

begin 80 24 hostile
is "hostile names"          sees '^?\]0;owne'
is "UTF-8"                  has '^gäst?'
locale=C
begin 80 24 hostile
is "no UTF-8"               sees '^g?st?'
locale=
begin 80 24 pkvm
is "protected"              sees 'n/a  *n/a  *n/a  *8.0  *7.0  *n/a$'
is "protected: sums"        has '^save/s *n/a redundant *n/a  guest *n/a *n/a  host *26 *n/a  other *52 *n/a$'
begin 132 43 two
is "132x43: all columns"    sees '^VM  *PID VCPU  *TID STATE .* HRED G-SRED G-LRED H-SRED H-LRED$'
is "132x43: rows"           has '^alpha  *1000  *0  *1100 live .* 100%  *0  *0  *5.0  *4.0$'
is "132x43: other"          has '^other .* - *52 *42 *23% *- *- *12 *10$'
begin 80 24 empty
is "no guests"              sees '0 rows'

# curses itself forgets some memory then
env='TERM=no-such-terminal ASAN_OPTIONS=detect_leaks=0'
begin 140 40 two -i 0.1 -c 1
is "unknown terminal: plain text" sees "^beta .*4.0$"
is "says so"                has "no-such-terminal"
is "and ends"               ended 0
env=TERM=dumb
begin 140 40 two -i 0.1 -c 1
is "a dumb one"             sees "^beta .*4.0$"
is "and ends, too"          ended 0
env=

# job control
other_server
rm -f "$tmp"/{done,pid}
t new-session -d -x 80 -y 24 "FPSTAT_FAKE=two PS1='prompt>' bash --norc -i"
sees 'prompt>'
key "$fpstat" Enter
is "from a shell"           sees '^beta'
key C-z
is "Ctrl-Z"                 sees 'Stopped'
key 'echo a$((1+1))b' Enter
is "the shell is usable"    sees '^a2b'
key fg Enter
is "and back again"         sees '^beta'
key q
is "and out"                loses '^beta'

# the terminal goes away
begin 80 24 two
sees '^beta'
t kill-server
is "the terminal has gone"  until_ dead

echo "1..$n"
