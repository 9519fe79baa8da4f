# SPDX-License-Identifier: GPL-2.0-only
# For tests in bash: check NAME COMMAND... reports what became of that command,
# result NAME [FILE] the status of the last one; FILE, if it failed, is shown. plan
# ends the test.
tap_n=0

result()
{
	local status=$?

	tap_n=$((tap_n + 1))
	if [ $status -eq 0 ]; then
		echo "ok $tap_n - $1"
	else
		echo "not ok $tap_n - $1"
		[ -z "${2:-}" ] || tail -n 20 "$2" | sed 's/^/# /'
	fi
	return $status
}

# What it says comes behind the result, which it explains.
check()
{
	local name=$1 said status
	shift

	said=$(mktemp)
	"$@" >"$said" 2>&1
	result "$name"
	status=$?
	sed '/^#/!s/^/# /' "$said"
	rm "$said"
	return $status
}

skip()
{
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

plan()
{
	echo "1..$tap_n"
}
