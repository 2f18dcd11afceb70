#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/recipes.md: each block is run or read by a test of tests/e2e/where-*.bats, but for Windows' own; its links lead somewhere.

bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	page=$top/docs/recipes.md
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "each block has a name, and a test that takes it by that name" {
	sed -n 's/^<!-- \(.*\) -->$/\1/p' "$page" | sort >named
	grep -ohE 'recipe [a-z0-9]+(-[a-z0-9]+)+' "$top"/tests/e2e/where-*.bats | cut -d' ' -f2 | sort -u >taken
	[[ $(wc -l <named) -ge 20 && -z $(uniq -d named) ]]
	# Where a test goes over several.
	sed -nE 's/^.*for name in ([a-z -]+); do recipe "\$name".*/\1/p' "$top"/tests/e2e/where-*.bats | tr ' ' '\n' | sort -u - taken >all
	diff named all
	awk '/^<!--/ { mark = NR } /^```/ { open = !open; if (open && mark != NR - 1) { getline; print } }' "$page" >nameless
	[[ $(<nameless) == 'wsl.exe --exec alation-cred token' ]]
}

headings() { sed -nE 's/^#+ (.*)/\1/p' "$1" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9 -]//g; s/ /-/g'; }

@test "README's links lead to a file, and to a heading of it" {
	grep -oE '\]\([^)]*\)' "$top/README.md" | sed 's/^](//; s/)$//' | sort -u >links
	[[ $(wc -l <links) -ge 8 ]]
	while read -r link; do
		[[ $link != *://* ]] || continue
		[[ -e $top/${link%%#*} ]] && { [[ $link != *#* ]] || headings "$top/${link%%#*}" | grep -qxF -- "${link#*#}"; } || { echo "no such place: $link" && false; }
	done <links
}

@test "links lead to a heading or a file" {
	headings "$page" >headings
	grep -oE '\]\([^)]*\)' "$page" | sed 's/^](//; s/)$//' | sort -u >links
	[[ $(wc -l <links) -ge 8 ]]
	while read -r link; do
		case $link in
		'#'*) grep -qxF -- "${link#\#}" headings ;;
		*) [[ -e $top/docs/$link ]] ;;
		esac || { echo "no such place: $link" && false; }
	done <links
}
