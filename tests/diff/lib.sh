# SPDX-License-Identifier: GPL-2.0-only
# Tapes that are compared. Sourced: makes a directory and goes there; `failed` is for the exit status.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# Usage: make NAME [WORD=VALUE...]: NAME.tape, of traffic of two sites in the kernel and one in a module.
#   seconds=60 rate=100            how long, and allocations of each site a second
#   leak=0 core_leak=0             one in so many of foo_alloc [foo], of bar_alloc is never freed
#   base=ffffffff81000000 module=ffffffffc0000000    where the kernel and foo are
#   shift=0                        bytes that functions and the calls within them are further on
#   build=1a foo_build=2b kernel=6.18.0
#   suffix= bytes=64               of the function foo_alloc, of what it allocates
#   has_foo=1 unload=0             is foo there, and does it go before the end
#   lost=0                         events, in the middle
#   sample=1                       one page in so many is recorded
#   pair=0 pair_leak=0             does foo have a pair of functions, and which part of its objects is never put
#   areas=                         of vmalloc() by map_alloc, in the kernel's own counters; else there are no snapshots
#   host=
# Each is another recording: it begins later than all before it.
nr_made=0
make() {
	local name=$1 build=1a word args
	shift
	nr_made=$((nr_made + 1))
	args=$(printf -- '-v %s ' start=$((1000000000 + nr_made)) seconds=60 rate=100 leak=0 core_leak=0 base=ffffffff81000000 module=ffffffffc0000000 \
		shift=0 foo_build=2b kernel=6.18.0 suffix= bytes=64 has_foo=1 unload=0 lost=0 sample=1 pair=0 pair_leak=0 areas= host= "$@")
	for word in "$@"; do
		[ "${word%%=*}" != build ] || build=${word#build=}
	done
	# shellcheck disable=SC2086 # words
	awk $args -f "$KMT_TESTS/diff/traffic.awk" >"$name.script" && "$MKTAPE" "$name.script" -o "$name.tape" || exit 1
	[ -z "$build" ] || echo "kernel $build" >"$name.tape/symbols/build-ids"
}

# Usage: make_helper NAME LEAK [WORD=VALUE...]: NAME.tape, of a helper that allocates for two, of whom foo_rx [foo] leaks if LEAK
# is 1, see helper.awk
make_helper() {
	local name=$1 leak=$2
	shift 2
	nr_made=$((nr_made + 1))
	# shellcheck disable=SC2046 # words
	awk $(printf -- '-v %s ' start=$((1000000000 + nr_made)) leak="$leak" "$@") \
		-f "$KMT_TESTS/diff/helper.awk" >"$name.script" && "$MKTAPE" "$name.script" -o "$name.tape" || exit 1
	echo "kernel 1a" >"$name.tape/symbols/build-ids"
}

# Usage: compare STATUS A B [OPTION...]: the report is in text, its lines joined in out, as JSON in json.
compare() {
	local wanted=$1
	shift
	what="diff $*"
	"$KMEMTAPE" diff --exit-code "$@" >text 2>err
	[ $? -eq "$wanted" ] || fail "$what: exit status is not $wanted: $(head -n 3 text) $(head -n 5 err)"
	[ ! -s err ] || fail "$what: $(cat err)"
	"$KMEMTAPE" diff --exit-code --format json "$@" >json
	[ $? -eq "$wanted" ] || fail "$what: json: exit status is not $wanted"
	awk 'length > 80 { print; bad = 1 } END { exit bad }' text || fail "$what: wider than 80 columns"
	! LC_ALL=C grep '[^ -~]' text || fail "$what: not ASCII"
	awk '/^ / { sub(/^ +/, ""); printf " %s", $0; next } { printf "%s%s", sep, $0; sep = "\n" } END { print "" }' text >out
}

# Usage: says TEXT: it is in the first sentence
says() {
	head -n 1 out | grep -qF -- "$1" || fail "$what: wanted '$1', and not '$(head -n 1 out)'"
}

# Usage: tells TEXT: it is anywhere
tells() {
	grep -qF -- "$1" out || fail "$what: wanted '$1' in: $(cat out)"
}

# Usage: holds FILTER: of the JSON
holds() {
	jq -e "$1" json >/dev/null || fail "$what: not so: $1: $(jq -c '.answer, .changes, (.items[] | del(.a, .b))' json)"
}
