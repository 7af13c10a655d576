#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# --exit-code fails a kernel's CI for a leak, and for nothing else: not for what is small, slow or known.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# A minute of traffic; with an argument, one of eight objects of foo_alloc stays: 62.5 a second, 64 bytes each.
make_tape() { # [LEAK]
	echo "formats 6.18"
	echo "start 1000000000"
	echo "allocs_on 1000000000"
	echo "allocs_off 61000000000"
	echo "end 61000000000"
	echo "closed yes"
	echo "symbol ffffffff81000000 T foo_alloc"
	echo "symbol ffffffff81000100 T bar_alloc"
	echo "symbol ffffffff81000200 T last"
	awk -v leak="${1-}" 'BEGIN {
		for (i = 1; i <= 60000; i++) {
			t = 1000000000 + i * 1000000
			site = i % 2 ? "foo_alloc" : "bar_alloc"
			stays = leak && i % 16 == 1
			ptr = sprintf("0xffff8880%08x", (stays ? 100000 + i : i % 1000 + 1) * 64)
			printf "%.0f 0 kmalloc call_site=%s+0x10 ptr=%s bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1\n", t, site, ptr
			if (!stays)
				printf "%.0f 0 kfree call_site=last+0x10 ptr=%s pid=1\n", t + 500000, ptr
		}
	}'
}

make_tape leak >leak.script
make_tape >healthy.script
"$MKTAPE" leak.script -o leak.tape && "$MKTAPE" healthy.script -o healthy.tape || exit 1

exits() { # STATUS TAPE OPTION...: text and JSON agree
	local wanted=$1 format status
	shift
	for format in text json; do
		"$KMEMTAPE" replay --format $format "$@" >$format 2>err
		status=$?
		[ $status -eq "$wanted" ] || fail "$*: $format: exit $status, wanted $wanted: $(head -n 1 text) $(cat err)"
		[ -s err ] && fail "$*: $(cat err)"
	done
}

exits 0 healthy.tape
exits 0 healthy.tape --exit-code
exits 0 healthy.tape --exit-code --fail-on possible
grep -q '^NO LEAK' text || fail "healthy: $(head -n 1 text)"
jq -e '.verdict.leak == "none"' json >/dev/null || fail "healthy: $(jq -c .verdict json)"

exits 0 leak.tape
head -n 1 text | grep -q '^LEAK LIKELY: foo_alloc+0x10' || fail "the first line: $(head -n 1 text)"
awk 'length > 80 { exit 1 }' text || fail "wider than 80 columns: $(awk 'length > 80' text)"
LC_ALL=C grep -q '[^ -~]' text && fail "not ASCII in a pipe: $(LC_ALL=C grep '[^ -~]' text)"
jq -e '.verdict.leak == "likely" and .sites[0].class == "leak" and .sites[0].function == "foo_alloc" and
	(.sites[0].reasons.for | length > 0) and .sites[0].rate_bytes_per_s > 3800 and .sites[0].rate_bytes_per_s < 4200 and
	(.sites[0].history.live_objects | length) == .history.buckets' json >/dev/null ||
	fail "leak: $(jq -c '.verdict, .sites[0]' json)"
exits 3 leak.tape --exit-code
exits 3 leak.tape --exit-code --fail-on likely
exits 3 leak.tape --exit-code --fail-on possible
exits 3 leak.tape --exit-code --by cache
exits 3 leak.tape --exit-code --top 1 --sort allocs

# 4000 bytes a second: 13.7 MiB an hour, and 234 KiB at the end, of which the last 10 s aren't judged.
exits 3 leak.tape --exit-code --min-rate 12M
exits 0 leak.tape --exit-code --min-rate 16M
exits 3 leak.tape --exit-code --min-bytes 150K
exits 0 leak.tape --exit-code --min-bytes 250K
exits 0 leak.tape --exit-code --min-bytes 250K --fail-on possible

# What is known is still shown, but no verdict.
printf '# known\n\nleak:^foo_alloc$\n' >known
printf 'leak:^nobody\r\n' >stale
exits 0 leak.tape --exit-code --fail-on possible --suppress stale --suppress known
grep -q '^NO LEAK' text || fail "suppressed: $(head -n 1 text)"
grep -qE '^suppressed: 1 suspect, [0-9]+ objects, .* by leak:\^foo_alloc\$$' text || fail "no hits: $(cat text)"
grep -qF 'suppressions that hid nothing: leak:^nobody' text || fail "no word of the stale one: $(cat text)"
jq -e '.verdict.leak == "none" and ([.suppressions[].rows] == [0, 1]) and
	(.sites[] | select(.function == "foo_alloc") | .suppressed and .class == "leak")' json >/dev/null ||
	fail "suppressed: $(jq -c '.verdict, .suppressions' json)"
exits 0 leak.tape --exit-code --suppress known --by cache
exits 3 leak.tape --exit-code --suppress stale

# Mistakes in such a file are named, and nothing is reported.
refused() { # PATTERN FILE
	"$KMEMTAPE" replay --exit-code --suppress "$2" leak.tape >out 2>err
	[ $? -eq 1 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] && grep -qE -- "$1" err || fail "$2: $(cat err), wanted $1"
}
refused '^kmemtape replay: nowhere: No such file' nowhere
printf 'leak:a\nfoo_alloc\n' >bad
refused '^kmemtape replay: bad:2: not a line like leak:PATTERN' bad
printf 'leak:\n' >empty
refused '^kmemtape replay: empty:1: an empty pattern' empty
head -c 1100000 /dev/zero >large
refused '^kmemtape replay: large: ' large
exit $failed
