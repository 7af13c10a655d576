#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A mistake gets exit status 2, one line on stderr that names it, and nothing on stdout.
set -u
failed=0

expect() { # PATTERN ARG...
	local pattern=$1 out err status
	shift
	out=$("$KMEMTAPE" "$@" 2>"$MESON_TMP/err" </dev/null)
	status=$?
	err=$(cat "$MESON_TMP/err")
	if [ $status -ne 2 ] || [ -n "$out" ] || [ "$(wc -l <<<"$err")" -ne 1 ] || ! grep -qF -- "$pattern" <<<"$err"; then
		echo "kmemtape $*: exit $status, stdout '$out', stderr '$err', wanted '$pattern'"
		failed=1
	fi
}
MESON_TMP=$(mktemp -d)
trap 'rm -rf "$MESON_TMP"' EXIT

expect "which command?"
expect "there is no command 'replai'" replai
expect "--pair: pair 'x': is not NAME=" record --pair x
expect "--pair: pair 'x=a:b%9': '%9' is not the number of an argument (1..6)" record --pair x=a:b%9
expect "--pair: 'x=a:b' is one more than 16" record $(printf -- '--pair x=a:b %.0s' $(seq 17))
expect "which TAPE?" replay
expect "one TAPE at a time" replay a b
expect "which two, A and B?" diff a
expect "two at a time, A and B" diff a b c
expect "--by: 'comm' is none of site, cache, module" diff --by comm a b
expect "--fail-on: 'better' is none of worse, cannot-tell" diff --exit-code --fail-on better a b
expect "--fail-on is for --exit-code" diff --fail-on worse a b
expect "which TAPEs, or reports of them?" merge
expect "there is no option '--fromat'" replay --fromat json x
expect "--format: 'xml' is none of text, json" replay --format xml x
expect "--format needs a value: FORMAT" replay --format
expect "--output needs a value: FILE" replay x -o
expect "--older: 'soon' is not a time" replay --older soon x
expect "--older: '99999999999999h' is not in" replay --older 99999999999999h x
expect "--top: '-1' is not a number" replay --top -1 x
expect "--top: '5000000000' is not in 0..4294967295" replay --top=5000000000 x
expect "--threads: '1000' is not in 0..256" replay --threads 1000 x
expect "--by: 'leak' is none of site, cache, module, comm, pid" replay --by leak x
expect "--grace: '-1s' is not a time" replay --grace -1s x
expect "--suppress needs a value: FILE" replay x --suppress
expect "--suppress: 'q' is one more than 16" replay $(printf -- '--suppress %s ' a b c d e f g h i j k l m n o p q) x
expect "'--exit-code=4': --exit-code takes no value" replay --exit-code=4 x
expect "--fail-on: 'none' is none of likely, possible" replay --exit-code --fail-on none x
expect "--min-bytes: 'much' is not a size" replay --exit-code --min-bytes much x
expect "--min-rate: '1M/h' is not a size" replay --exit-code --min-rate 1M/h x
expect "--fail-on is for --exit-code" replay --fail-on likely x
expect "--min-bytes is for --exit-code" replay --min-bytes 1M x
expect "--min-rate is for --exit-code" replay --min-rate 1M x
expect "--explain: 'foo bar' is no call site like" replay --explain 'foo bar' x
expect "--explain: '' is no call site like" replay --explain '' x
expect "--explain is of a call site: no --by cache" replay --explain foo --by cache x
expect "--interval: '0' is not in 1 ns.." replay --interval 0 x
expect "--interval: 'soon' is not a time" replay --interval soon x
expect "--debuginfo needs a value: PATH" replay x --debuginfo
expect "--only is for --interval" replay --only cache=dentry x
expect "--only: 'dentry' is not like cache=dentry" replay --interval 1s --only dentry x
expect "--only: 'cache=' is not like cache=dentry" replay --interval 1s --only cache= x
expect "--only: 'file=x' is not like cache=dentry" replay --interval 1s --only file=x x
expect "--only: 'foo+' is no call site like" replay --interval 1s --only site=foo+ x
expect "--only: 'bash' is no pid" replay --interval 1s --only pid=bash x
if "$KMEMTAPE" record --help >/dev/null 2>&1; then
	expect "--ring: how much may it keep? Needs --max-size" record --ring
	expect "--events: there is no set 'slb': slab, page, percpu, vmalloc, all" record -e slb
	expect "--events: there is no set '': slab, page" record -e slab,
	expect "--events: there is no set 'sla': slab, page" record -e page,sla,percpu
	expect "--stack and --no-stack: which one?" record --stack --no-stack
	expect "--sample: '8' is not like 1/8" record --sample 8
	expect "--sample: '1/3' is not 1/N with N 1, 2, 4, 8, 16, 32 or 64" record --sample 1/3
	expect "--sample: '1/128' is not 1/N with" record --sample 1/128
	expect "--sample: '1/0' is not 1/N with" record --sample 1/0
	expect "--sample: '1/' is not like 1/8" record --sample 1/
	expect "--sample: '1/-8' is not like 1/8" record --sample 1/-8
	expect "--comm: a name with quotes or control" record --comm 'a"b'
	expect "--cache: a name with quotes or control" record --cache $'a\tb'
	expect "--comm: '0123456789abcdef' does not have 1 to 15 characters" record --comm 0123456789abcdef
	expect "--module: '' does not have 1 to 55 characters" record --module ''
	expect "--pid: '0' is not in 1..2147483647" record --pid 0
	expect "--pid: 'bash' is not a number" record --pid bash
	expect "--min-size: 'big' is not a size" record --min-size big
fi
expect "which TAPE?" info
expect "which TAPE?" verify
expect "'--quiet=yes': --quiet takes no value" verify --quiet=yes x
expect "which FILE?" import -o t
expect "one FILE at a time" import -o t a b
expect "-o TAPE is missing" import a
expect "--output needs a value: TAPE" import a --output
expect "which TAPE?" export -o f
expect "one TAPE at a time" export -o f a b
expect "-o FILE is missing" export a
expect "--output: a trace.dat isn't written in one go" export -o - a
expect "--format: 'ctf' is none of trace.dat" export --format ctf -o f a
expect "it takes no operands: 'x'" doctor x
expect "--watch: '1ms' is not in 100 ms..24 h 00 m" doctor --watch 1ms
expect "--format: 'xml' is none of text, json" doctor --format xml
exit $failed
