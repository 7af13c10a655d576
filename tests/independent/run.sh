#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# compare.sh for the tape of each golden script, and for the tapes given as arguments. In TAP.
#
# Environment: KMEMTAPE, MKTAPE, KBUFDUMP: the programs.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
: "${KMEMTAPE:=kmemtape}" "${MKTAPE:=mktape}" "${KBUFDUMP:=kbufdump}"
work=$(mktemp -d "${TMPDIR:-/tmp}/independent-run.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export KMEMTAPE KBUFDUMP
nr=0
failed=0

# result STATUS NAME
result()
{
	nr=$((nr + 1))
	case $1 in
	0) echo "ok $nr - $2" ;;
	77) echo "ok $nr - $2 # SKIP $(sed 's/.*: //' "$work/said" | head -1)" ;;
	*)
		failed=$((failed + 1))
		echo "not ok $nr - $2"
		sed 's/^/# /' "$work/said"
		;;
	esac
}

compare()
{
	"$here/compare.sh" "$1" >"$work/said" 2>&1
	result $? "$2: an independent path finds the same"
}

for script in "$here"/../golden/*.script; do
	name=$(basename "$script" .script)
	if "$MKTAPE" "$script" -o "$work/$name" >"$work/said" 2>&1; then
		compare "$work/$name" "$name"
	else
		result 1 "$name: can be made"
	fi
done
for tape; do
	compare "$tape" "$tape"
done

# The comparison itself: one allocation more, one byte more, one event more are noticed.
for change in '.sites[0].allocs += 1' '.sites[0].live_bytes += 1' '.events.total += 1' 'del(.sites[0])'; do
	cat >"$work/liar" <<-END
	#!/bin/sh
	"$KMEMTAPE" "\$@" | jq '$change'
	END
	chmod +x "$work/liar"
	KMEMTAPE="$work/liar" "$here/compare.sh" "$work/another-cpu-may-free" >"$work/said" 2>&1
	[ $? -eq 1 ]
	result $? "$change is noticed"
done
echo "1..$nr"
[ "$failed" -eq 0 ]
