# SPDX-License-Identifier: GPL-2.0-only
# For tests of the screen, in a real terminal (tmux). After is.bash.
if ! command -v tmux >/dev/null; then
	echo "1..0 # SKIP no tmux"
	exit 0
fi
export TMUX_TMPDIR=$tmp
unset TMUX NO_COLOR
server=0
t() { tmux -L "top$server" -f /dev/null "$@"; }
# A server that was told to go may still be going: the next is another one.
other_server() { t kill-server 2>/dev/null; server=$((server + 1)); }
trap 't kill-server 2>/dev/null; rm -rf "$tmp"' EXIT
look() { t capture-pane -p; }

# until COMMAND...: try for ten seconds
until_()
{
	local i
	for i in $(seq 100); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

screen() { t capture-pane -p; }
has() { screen | grep -q -- "$1"; }
hasnt() { ! has "$1"; }
sees() { until_ has "$1"; }
loses() { until_ hasnt "$1"; }
key() { t send-keys "$@"; }
first_row() { screen | sed -n 10p | grep -q "$1"; }
starts_with() { until_ first_row "$1"; }

# A list and no tree, unless a test wants it.
mkdir -p "$tmp/config/fpstat"
echo "tree no" >"$tmp/config/fpstat/top"

# begin COLS LINES SCENE [ARG...]: a shell that runs fpstat; $tmp/done gets its
# status and what stty said before and after. $input is put before it: "COMMAND |"
begin()
{
	local cols=$1 lines=$2 scene=$3
	shift 3
	other_server
	rm -f "$tmp"/{done,pid,before,after}
	cat >"$tmp/sh" <<-END
	export XDG_CONFIG_HOME=$tmp/config FPSTAT_FAKE=$scene LC_ALL=${locale:-C.UTF-8} ${env:-}
	cd $tmp # what is recorded stays there
	stty -g >$tmp/before
	${input:-} sh -c 'echo \$\$ >$tmp/pid; exec $fpstat $*'
	code=\$?
	stty -g >$tmp/after
	echo \$code >$tmp/done
	exec cat
	END
	t new-session -d -x "$cols" -y "$lines" "bash $tmp/sh"
}

ended()
{
	until_ test -s "$tmp/done" && [ "$(cat "$tmp/done")" = "$1" ] &&
		cmp "$tmp/before" "$tmp/after"
}
alive() { kill -0 "$(cat "$tmp/pid")"; }
dead() { ! alive 2>/dev/null; }
