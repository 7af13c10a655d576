#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An executable with the capabilities that the doctor names records for anybody, and gives nobody more than that.
. "$(dirname "$0")/lib.sh"

command -v setcap >/dev/null || skip "needs setcap"
command -v setpriv >/dev/null || skip "needs setpriv"
# What has more capabilities than who looks can't be looked through for leaks.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
chmod 755 "$WORK"
install -d -o 65534 "$WORK/nobody"
install -m 755 "$KMEMTAPE" "$WORK/kmemtape"
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
"${as_nobody[@]}" "$WORK/kmemtape" --version >/dev/null || skip "nobody can't run it"
tape=$WORK/nobody/a.tape

# record ARG...: as nobody, with the executable's capabilities
record()
{
	rm -rf "$tape"
	timeout 60 "${as_nobody[@]}" "$WORK/kmemtape" record -o "$tape" -d 200ms --settle 0 "$@" 2>"$WORK/log"
}

tracefs_state >"$WORK/before"
record && fail "without capabilities: it records"
expect_line "$WORK/log" "or with the capabilities that 'kmemtape doctor' names"

# What the doctor says, to the letter.
"${as_nobody[@]}" "$WORK/kmemtape" doctor --format json >"$WORK/json" || fail "doctor: exit status $?"
advice=$(jq -r '.host[] | select(.name == "privilege") | .text' "$WORK/json" | grep -o 'setcap .*') ||
	fail "the doctor names no setcap: $(jq -c .host "$WORK/json")"
$advice 2>"$WORK/log" || skip "capabilities can't be set here: $(cat "$WORK/log")"
[ "$advice" != "${advice% "$WORK/kmemtape"}" ] || fail "not of this executable: $advice"
grep -qF "setcap $(cut -d' ' -f2 <<<"$advice") " "$KMT_TESTS/../tools/man/kmemtape-record.1.scd" ||
	fail "the man page has another advice than $advice"
"${as_nobody[@]}" "$WORK/kmemtape" doctor >"$WORK/text" || fail "doctor: exit status $?"
grep -qE '^ +yes +tracefs' "$WORK/text" || fail "the doctor doesn't see tracefs: $(cat "$WORK/text")"
grep -q 'largest slab caches' "$WORK/text" || fail "the doctor doesn't see slabinfo"
grep -q 'next:  kmemtape record' "$WORK/text" || fail "the doctor wants sudo: $(cat "$WORK/text")"

record || fail "exit status $?: $(cat "$WORK/log")"
is_closed "$tape" || fail "not closed"
grep -q '(SCHED_FIFO 1)' "$WORK/log" || fail "not by SCHED_FIFO: $(cat "$WORK/log")"
grep -q '^the recorder was nobody, with cap_dac_override,' "$WORK/log" || fail "not told: $(cat "$WORK/log")"
grep -q '^kmemtape record: ' "$WORK/log" && fail "something lacks: $(cat "$WORK/log")"
grep -q '"symbols": *"good"' "$tape/manifest.json" || fail "no symbols"
zstd -dc "$tape/snapshots.zst" | grep -A1 '^==> /proc/slabinfo' | grep -q '^slabinfo' || fail "no slabinfo"
find "$tape" ! -user 65534 | grep . && fail "not the user's"
tracefs_state | diff "$WORK/before" - || fail "tracefs differs"

# The command has none, and nobody becomes somebody else.
show='id -u; grep -E "^(Cap|NoNew)" /proc/self/status'
"${as_nobody[@]}" sh -c "$show" >"$WORK/without"
record -q -- sh -c "$show" >"$WORK/with" || fail "command: exit status $?"
diff "$WORK/without" "$WORK/with" || fail "the command isn't run as without us"
record -q --user root && fail "nobody became root"
grep -q "can't become user root" "$WORK/log" || fail "--user root: $(cat "$WORK/log")"
SUDO_UID=0 SUDO_GID=0 record -q || fail "SUDO_UID: nobody is believed: $(cat "$WORK/log")"

# No file that the user may not read or write, whatever command it is; nor with an effective set.
install -d -m 700 "$WORK/root"
"$KMEMTAPE" record -q -o "$WORK/root/a.tape" -d 100ms --settle 0 || fail "root: exit status $?"
for set in p ep; do
	setcap "$(cut -d' ' -f2 <<<"${advice%=p *}")=$set" "$WORK/kmemtape"
	for command in info verify replay; do
		"${as_nobody[@]}" "$WORK/kmemtape" $command "$WORK/root/a.tape" >"$WORK/out" 2>"$WORK/log" &&
			fail "=$set: $command reads what is root's"
		grep -q 'Permission denied' "$WORK/log" || fail "=$set: $command: $(cat "$WORK/log")"
	done
	"${as_nobody[@]}" "$WORK/kmemtape" record -q -o "$WORK/root/b.tape" -d 100ms 2>"$WORK/log" &&
		fail "=$set: record writes to what is root's"
	grep -q 'Permission denied' "$WORK/log" || fail "=$set: record: $(cat "$WORK/log")"
done
exit 0
