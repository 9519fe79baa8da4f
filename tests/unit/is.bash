# SPDX-License-Identifier: GPL-2.0-only
# For the tests in shell that run the program with a capture that is a fake.
fpstat=$(readlink -f "${FPSTAT_FAKE_PROGRAM:-build/$(uname -m)/san/fpstat-fake}")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0

look() { :; } # what else to show when something fails

# is NAME COMMAND...: the command must succeed
is()
{
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >"$tmp/why" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		{ cat "$tmp/why"; look; } 2>&1 | sed 's/^/# /'
	fi
}

# run CODE SCENE ARG...: run fpstat; output in $tmp/out and $tmp/err
run()
{
	local want=$1 scene=$2 got
	shift 2
	FPSTAT_FAKE=$scene "$fpstat" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] && return
	echo "exit status $got, not $want: $*"
	cat "$tmp/out" "$tmp/err"
	return 1
}

out() { grep -q -- "$@" "$tmp/out"; }
err() { grep -q -- "$@" "$tmp/err"; }
silent() { [ ! -s "$tmp/err" ] || { cat "$tmp/err"; return 1; }; }
says() { local what=$1; shift; run "$@" && err "$what"; }
# all records, by jq
all() { jq -e -s "$1" "$tmp/out"; }
