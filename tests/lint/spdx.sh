#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP: each source says its licence in its first or second line, and is plain
# text without trailing blanks.
cd "$(dirname "$0")/../.." || exit 1

sources() {
	{ git ls-files -co --exclude-standard 2>/dev/null || find . -type f -not -path './build/*'; } |
	grep -E '\.([chS]|sh|py|mk|[578])$|(^|/)Makefile$|^(tests|contrib|\.ci)/' |
	grep -Ev '\.(md|golden|txt|out|json|expected|log)$|/(golden|data|expected|corpus)/|(^|/)\.gitignore$|(^|/)(packages|layers|allowed)$'
}
existing() { while read -r f; do [ ! -f "$f" ] || echo "$f"; done; }

report()
{
	local offences

	offences=$(cat)
	[ -z "$offences" ] && echo "ok $1 - $2" || echo "not ok $1 - $2"
	[ -z "$offences" ] || sed 's/^/# /' <<<"$offences"
}

echo 1..2
sources | existing | while read -r f; do
	head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' || echo "$f"
done | report 1 "each file has its SPDX line"
sources | existing | xargs grep -nI '[[:blank:]]$' | report 2 "no trailing blanks"
