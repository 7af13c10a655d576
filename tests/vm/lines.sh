#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What replay --lines says of a tape of the VM lab against the modules' own sources: tests/vm/lines.sh SCENARIO DIR
# DIR as check.sh has it; the program is $KMEMTAPE. Each announced leak of an object has the line of its allocation, from
# the debug information of the modules as they were built here. Adds to DIR/result as check.sh does, and exits as it does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/vm/lib.sh
. "$here/../../tools/vm/lib.sh"

[ $# -eq 2 ] || {
	sed -n '3,6s/^# *//p' "$0" >&2
	exit 2
}
scenario=$1
dir=$2
: "${KMEMTAPE:?is the program to test}"
failed=false

say() { echo "$1 $scenario ${*:2}" | tee -a "$dir/result"; }
fail() {
	failed=true
	say fail "$*"
}

# Usage: line_of FUNCTION FILE: the line of the first allocation in it.
line_of() {
	awk -v head="[ *]$1\\\\(" '
		$0 ~ head && !/;$/ { is_in = 1 }
		/^}/ { is_in = 0 }
		is_in && /= *(k|kv|v|kmem_cache_)z?[mc]?alloc[a-z_]*\(/ { print NR; exit }' "$2"
}

if "$KMEMTAPE" replay --lines "$dir/tape" 2>&1 | grep -q "without 'lines'"; then
	exit 0 # nor does this build claim to have any
fi
modules=
release=$(jq -r .kernel.release "$dir/tape/manifest.json")
while read -r _ suite; do
	[ "$(vm_release "$suite" 2>/dev/null)" != "$release" ] || modules=$VM_BUILD/$suite/modules
done < <(vm_kernels)
"$KMEMTAPE" replay --debuginfo "$modules" --format json "$dir/tape" >"$dir/lines.json" 2>"$dir/lines.err" ||
	fail "--debuginfo: $(head -n 1 "$dir/lines.err")"

nr=0
while read -r site module; do
	wanted=$module.c:$(line_of "$site" "$here/modules/$module.c")
	# What is inlined into it comes first: kmalloc() of a header.
	found=$(jq -r --arg site "$site" --arg of "$module" '
		[.sites[] | select(.function == $site and .module == $of) | .lines // "nothing"] | unique | join(", ")' \
		"$dir/lines.json")
	if [ "$found" = "$wanted" ] || [[ $found == include/*" < $wanted" && $found != *,* ]]; then
		nr=$((nr + 1))
	else
		fail "$site [$module]: the source line is $found, not $wanted"
	fi
done < <(sed -nE 's/^leak site=([^ ]*) module=([^ ]*) kind=slab .*/\1 \2/p' "$dir/truth" | sort -u)
[ $nr -gt 0 ] || fail "there is no call site to have a line"
$failed && exit 1
say pass "source lines: of $nr call sites, such as $found"
