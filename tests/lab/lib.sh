# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the lab's scripts share: messages, the cache, the table of kernels, and
# an apt that knows other suites without touching the machine's own.

lab_cache=${FPSTAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fpstat}/lab
lab_modes="vhe nvhe protected"

# name, then the suites it lives in; the newest version in them wins
lab_kernels="\
5.10 bullseye bullseye-security
6.1 bookworm bookworm-security
6.12 trixie trixie-security
7.3 trixie-backports
forky forky
sid sid"

die()
{
	local status=$1

	shift
	echo "lab: $*" >&2
	exit "$status"
}

list()
{
	echo "kernels:"
	echo "$lab_kernels" | awk '{ print "  " $1 "\t(Debian " $2 ")" }'
	echo "  SUITE/linux-image-...-arm64	(any other arm64 kernel of Debian)"
	echo "modes: $lab_modes"
}

usage_error()
{
	echo "lab: $*" >&2
	list >&2
	exit 2
}

need()
{
	local tool=$1 package=$2

	command -v "$tool" >/dev/null ||
		die 3 "$tool is missing: apt-get install $package"
}

# The suites of a kernel, or nothing if there is no such kernel.
suites_of()
{
	case $1 in
	*[!A-Za-z0-9.+/_-]*) ;;
	?*/linux-image-*-arm64)
		echo "$lab_kernels" | awk -v suite="${1%%/*}" '
		$2 == suite { $1 = ""; found = $0 }
		END { print found ? found : suite }' ;;
	*) echo "$lab_kernels" | awk -v k="$1" '$1 == k { $1 = ""; print }' ;;
	esac
}

# One filler of the cache at a time. Readers need no lock: every fill is
# complete before the one rename that makes it visible.
lock_cache()
{
	mkdir -p "$lab_cache" || die 3 "cannot create the cache $lab_cache"
	exec 9>"$lab_cache/lock"
	flock 9
}

# The mirror that the machine's apt uses, for the main or the security archive.
mirror()
{
	local uris

	# shellcheck disable=SC2016 # apt's variable
	uris=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null | sort -u) || uris=
	case $1 in
	*-security)
		uris=$(echo "$uris" | grep debian-security | head -n 1) || :
		echo "${uris:-http://deb.debian.org/debian-security}" ;;
	*)
		uris=$(echo "$uris" | grep -v security |
		       grep '/debian\(/\|$\|\.list\)' | head -n 1) || :
		echo "${uris:-http://deb.debian.org/debian}" ;;
	esac
}

# use_suites SUITE...: later calls of apt_get and apt_cache see these, only.
use_suites()
{
	local suite architectures
	local dir=$lab_cache/apt/$1
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg

	[ -e "$keys" ] || die 3 "$keys is missing: apt-get install debian-archive-keyring"

	architectures=arm64
	case $(dpkg --print-architecture) in
	arm64)	;;
	*)	architectures=arm64,$(dpkg --print-architecture) ;;
	esac
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/none"
	: >"$dir/status"
	for suite; do
		echo "deb [arch=$architectures signed-by=$keys]" \
		     "$(mirror "$suite") $suite main"
	done >"$dir/sources.list"
	apt_options=(-q -o "Dir::State=$dir" -o "Dir::State::lists=$dir/lists"
		-o "Dir::State::status=$dir/status" -o "Dir::Cache=$dir"
		-o "Dir::Etc::sourcelist=$dir/sources.list"
		-o "Dir::Etc::sourceparts=$dir/none"
		-o "Dir::Etc::preferences=$dir/none/none"
		-o "Dir::Etc::preferencesparts=$dir/none"
		-o APT::Architecture=arm64 -o "APT::Architectures=$architectures"
		-o Acquire::Languages=none -o APT::Sandbox::User=root
		-o APT::Update::Error-Mode=any)
}

apt_get()   { apt-get "${apt_options[@]}" "$@"; }
apt_cache() { apt-cache "${apt_options[@]}" "$@"; }

apt_update()
{
	apt_get update >&2 ||
		die 3 "apt cannot read the suites $*: is the mirror reachable?"
}

# field PACKAGE FIELD: of the version that apt would install
field()
{
	apt_cache show --no-all-versions "$1" 2>/dev/null | sed -n "s/^$2: //p" | head -n 1
}

# download DIR PACKAGE[=VERSION]...: apt verifies what it fetches
download()
{
	local dir=$1
	shift

	mkdir -p "$dir"
	(cd "$dir" && apt_get download "$@" >&2) || {
		echo "lab: apt cannot download $*" >&2
		return 1
	}
}

# unpack FROM TO
unpack()
{
	local deb

	for deb in "$1"/*.deb; do
		dpkg-deb -x "$deb" "$2"
	done
	rm -r "$1"
}
