#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What is on a redacted tape no more is refused in one line, info and replay say that it is one, pack says what was kept, and
# a distilled tape, of which too little is left to be redacted, is refused; the other way round is what both make.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

tape=$KMT_TESTS/frozen/format-1.tape
"$KMEMTAPE" pack --redact -o public.tar "$tape" 2>said || fail "pack: $(cat said)"
for words in "left out: names of tasks" "made up: addresses" "kept: pids, times" "not the kernel's own: new_mod"; do
	grep -qF "$words" said || fail "pack doesn't say '$words': $(cat said)"
done
awk 'length > 80 { print; bad = 1 } END { exit bad }' said || fail "pack is wider than 80 columns"
"$KMEMTAPE" info public.tar | grep -q '^redacted *yes' || fail "info doesn't say that it is redacted"
"$KMEMTAPE" replay public.tar | grep -q '^note: redacted' || fail "replay doesn't say that it is redacted"

# refused WORDS COMMAND...: in one line, with these words in it
refused() {
	local words=$1 status
	shift
	"$KMEMTAPE" "$@" >out 2>err
	status=$?
	[ $status = 1 ] || fail "$*: exit $status"
	[ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -qF -- "$words" err || fail "$*: $(cat out err)"
}

refused "no names of tasks" replay --by comm public.tar
refused "no names of tasks" replay --interval 1s --only comm=sh public.tar
"$KMEMTAPE" replay --by pid public.tar >out 2>&1 || fail "--by pid: $(cat out)"

"$KMEMTAPE" pack --distill -o small.tar "$tape" 2>said || fail "distill: $(cat said)"
refused "redact the whole tape" pack --redact -o never.tar small.tar
[ ! -e never.tar ] || fail "there is a tar of what was refused"
"$KMEMTAPE" pack --redact --distill -o both.tar "$tape" 2>said || fail "both: $(cat said)"
"$KMEMTAPE" info both.tar | grep -q '^redacted *yes' || fail "what is redacted and distilled doesn't say so"
refused "no names of tasks" replay --by comm both.tar

# Nor is the path of whoever packed it on the tape, though messages about what is damaged begin with one.
cp -r "$tape" cut.tape
truncate -s -40 cut.tape/cpu/0000.zst
for options in --redact "--redact --distill"; do
	rm -rf secret plain
	mkdir secret plain
	# shellcheck disable=SC2086 # options are words
	"$KMEMTAPE" pack $options -o "$dir/secret/leak.tar" "$dir/cut.tape" 2>said || fail "$options: $(cat said)"
	"$KMEMTAPE" replay --format json "$dir/secret/leak.tar" | jq -r '.notes[]' | grep -q 'cpu/0000.zst: ' || fail "$options: damage isn't told"
	tar -C plain -xf secret/leak.tar
	find plain -name '*.zst' -exec zstd -dqf {} \; 2>/dev/null
	! grep -rF "${dir##*/}" plain || fail "$options: has a path"
done
exit $failed
