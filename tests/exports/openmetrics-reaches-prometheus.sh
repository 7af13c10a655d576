#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format openmetrics` is strict OpenMetrics, and a file of it goes through node_exporter's textfile collector; its sums
# are those of the JSON report.
. "$(dirname "$0")/lib.sh"
$python -c 'import prometheus_client' 2>/dev/null || {
	echo "no python3-prometheus-client here"
	exit 77
}

cat >read.py <<'END'
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
from prometheus_client.parser import text_string_to_metric_families as plain

text, report, group = open(sys.argv[1], newline="").read(), json.load(open(sys.argv[2])), sys.argv[3]
both = []
for parse in strict, plain:
	samples = {}
	for family in parse(text):
		assert family.type == "gauge" and family.documentation, family.name
		for sample in family.samples:
			key = sample.name, tuple(sorted(sample.labels.items()))
			assert key not in samples, "twice: %s" % (key,)
			samples[key] = sample.value
	both.append(samples)
samples = both[0]
assert both[0] == both[1], "the two formats differ"

def total(name):
	return sum(value for key, value in samples.items() if key[0] == "kmemtape_" + name)

assert total("live_bytes") == report["matching"]["live_bytes"], "live_bytes"
assert total(group + "_live_bytes") + total("other_live_bytes") == report["matching"]["live_bytes"], "rows"
assert total("lost_events") == report["events"]["lost"], "lost"
assert total("losses") == report["events"]["losses"], "losses"
assert samples["kmemtape_verdict", (("leak", report["verdict"]["leak"]),)] == 1 and total("verdict") == 1, "verdict"
assert total("suspects_bytes") == report["verdict"]["leaking_bytes"], "suspects"
for key in samples:
	for name, value in key[1]:
		assert not any(ord(c) < 32 or ord(c) == 127 for c in value), "raw: %r" % value
		assert "0xffff" not in value, "an address: a new series after each boot"
print(len([key for key in samples if key[0] == "kmemtape_" + group + "_live_bytes"]))
END

# Usage: check GROUP TAPE ARG...: how many series of live bytes there are goes to stdout
check() {
	local group=$1 tape=$2
	shift 2
	"$KMEMTAPE" replay --format openmetrics "$@" -o leak.prom "$tape" || fail "$tape $*: exit $?"
	"$KMEMTAPE" replay --format json "$tape" >report.json
	$python read.py leak.prom report.json "$group" || fail "$tape $*: $(cat -v leak.prom)"
}

[ "$(check site evil)" = 3 ] || fail "not three sites"
[ "$(check cache good --by cache)" = 3 ] || fail "not three caches"
[ "$(check site good --top 1)" = 1 ] || fail "not one site"
check comm evil --by comm >/dev/null
check site good --by stack >/dev/null
grep -qF 'kmemtape_site_live_bytes{site="in_mod+0x10",module="mod",cache="cache",space="slab"} 15168' leak.prom || fail "$(cat leak.prom)"
grep -q '^kmemtape_recording_end_timestamp_seconds 1700000090.000$' leak.prom || fail "no end: $(cat leak.prom)"
"$MKTAPE" "$KMT_TESTS/golden/spaces-are-never-mixed.script" -o spaces && check site spaces >/dev/null
"$MKTAPE" "$KMT_TESTS/golden/an-empty-tape.script" -o empty && check site empty >/dev/null

# A module that was loaded twice is one series, and there are 20 unless it is told otherwise.
{
	sed -n '/^symbol/q; p' good.script | sed 's/^stacks.*//; /^module /d; /^$/d'
	echo "module load 0 mod 16384 0xffffffffc0000000 OE 22220000000000000000000000000000deadbeef"
	echo "module unload 30000000000 mod"
	echo "module load 40000000000 mod 16384 0xffffffffc0010000 OE 22220000000000000000000000000000deadbeef"
	echo "symbol ffffffff81000000 T _stext"
	for ((i = 1; i < 60; i++)); do printf 'symbol ffffffff8101%03x0 T f%d\n' $((i * 16)) $i; done
	echo "symbol ffffffff81f00000 T _etext"
	echo "module_symbol 1 ffffffffc0001000 t in_mod"
	echo "module_symbol 3 ffffffffc0011000 t in_mod"
	echo "1000000000 0 kmalloc call_site=0xffffffffc0001010 ptr=0xffff888100000000 bytes_req=9000 bytes_alloc=16384 gfp=0xcc0 pid=42"
	echo "50000000000 0 kmalloc call_site=0xffffffffc0011010 ptr=0xffff888200000000 bytes_req=9000 bytes_alloc=16384 gfp=0xcc0 pid=42"
	for ((i = 1; i < 60; i++)); do printf '%d 0 kmalloc call_site=0xffffffff8101%03x8 ptr=0xffff88830%04x000 bytes_req=100 bytes_alloc=128 gfp=0xcc0 pid=42\n' $((51000000000 + i)) $((i * 16)) $i; done
} >many.script
"$MKTAPE" many.script -o many || fail "many"
[ "$("$KMEMTAPE" replay --format json many | jq '[.sites[] | select(.function == "in_mod")] | length')" = 2 ] || fail "the module is one row already"
n=$(check site many)
[ "$n" = 19 ] && grep -qF 'kmemtape_site_live_bytes{site="in_mod+0x10",module="mod",cache="kmalloc-large",space="slab"} 32768' leak.prom || fail "$n series: $(cat leak.prom)"
[ "$(check site many --top 0)" = 60 ] || fail "not all"

same_for_any_threads openmetrics

# Usage: find_program NAME: where it is, if it isn't installed as a service
find_program() {
	command -v "$1" || echo "/usr/local/lib/kmemtape-tests/usr/bin/$1"
}
exporter=$(find_program prometheus-node-exporter) promtool=$(find_program promtool)
[ $failed -eq 0 ] && [ ! -x "$exporter" -o ! -x "$promtool" ] && {
	echo "no prometheus-node-exporter or no promtool here"
	exit 77
}
# It has names, units and help as they should be.
"$KMEMTAPE" replay --format openmetrics evil | "$promtool" check metrics >said 2>&1 && [ ! -s said ] || fail "promtool: $(cat said)"
# The manual's alert is for a likely leak, unless events were lost.
rule=$(sed -n '/^and a rule for an alert/,/^# /p' "$KMT_TESTS/../tools/man/kmemtape-formats.7.scd" | grep ^kmemtape_)
printf 'groups:\n- name: kmemtape\n  rules:\n  - alert: Leak\n    expr: %s\n' "$rule" >rules.yml
{
	printf 'rule_files: [rules.yml]\ntests:\n- input_series:\n'
	while read -r host likely lost losses; do
		printf '  - {series: "kmemtape_verdict{leak=\\"%s\\",instance=\\"%s\\"}", values: "%d"}\n' likely "$host" "$likely" possible "$host" $((!likely))
		printf '  - {series: "%s{instance=\\"%s\\"}", values: "%d"}\n' kmemtape_lost_events "$host" "$lost" kmemtape_losses "$host" "$losses"
	done <<-END
	leaks 1 0 0
	loses 1 5 1
	cut 1 0 1
	well 0 0 0
	END
	printf '  alert_rule_test:\n  - {eval_time: 0, alertname: Leak, exp_alerts: [{exp_labels: {instance: leaks, leak: likely}}]}\n'
} >test.yml
"$promtool" test rules test.yml >said 2>&1 || fail "the manual's alert: $rule: $(cat said test.yml)"
mkdir textfile
"$KMEMTAPE" replay --format openmetrics -o textfile/kmemtape.prom evil || fail "textfile"
port=$($python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$exporter" --web.listen-address="127.0.0.1:$port" --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory=textfile 2>log &
pid=$!
for ((i = 0; i < 200; i++)); do
	$python -c 'import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen("http://127.0.0.1:%s/metrics" % sys.argv[1]).read())' "$port" >got 2>/dev/null && break
	sleep 0.05
done
kill $pid
wait $pid 2>/dev/null
grep -q '^node_textfile_scrape_error 0$' got || fail "node_exporter: $(cat -v got log)"
# It says the same, in its own order.
same() { grep '^kmemtape_' "$1" | sed 's/{.*}//' | awk '{ printf "%s %.3f\n", $1, $2 }' | sort; }
diff <(same textfile/kmemtape.prom) <(same got) || fail "node_exporter says something else"
exit $failed
