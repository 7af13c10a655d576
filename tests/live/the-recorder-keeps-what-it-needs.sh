#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Called by sudo, the recorder is the user, with few capabilities in its first thread and none in the others; the tape is the
# user's, and has all that only root may read. The command has what it would have had.
. "$(dirname "$0")/lib.sh"

command -v setpriv >/dev/null || skip "needs setpriv"
# A process whose user has changed can't be looked through for leaks.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
nobody=(env SUDO_UID=65534 SUDO_GID=65533)
chmod 755 "$WORK"
install -d -o 65534 "$WORK/nobody"

status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$RECORDER/task/$1/status" | tr '\t' ' '; }

# expect FIELD PATTERN THREAD
expect()
{
	[[ $(status_of "$3" "$1") =~ ^$2$ ]] || fail "$(status_of "$3" Name): $1 is $(status_of "$3" "$1"), not $2"
}

# check_threads UID GID: of $RECORDER
check_threads()
{
	[ "$(ls "/proc/$RECORDER/task" | wc -l)" -gt 1 ] || fail "it has no threads"
	for thread in /proc/"$RECORDER"/task/*; do
		thread=${thread##*/}
		expect Uid "$1 $1 $1 $1" "$thread"
		expect Gid "$2 $2 $2 $2" "$thread"
		expect NoNewPrivs 1 "$thread"
		for set in CapInh CapBnd CapAmb; do
			expect $set '0+' "$thread"
		done
		[ "$thread" = "$RECORDER" ] && continue
		expect CapPrm '0+' "$thread"
		expect CapEff '0+' "$thread"
	done
}

# has NUMBER SET: is this capability in the hexadecimal set?
has() { (((0x$2 >> $1) & 1)); }

gives_up() { ! has 21 "$(status_of $RECORDER CapPrm)"; } # cap_sys_admin

# start_as UMASK USER-COMMAND... -- ARG...: sets $RECORDER
start_as()
{
	mask=$1
	shift
	as=()
	while [ "$1" != -- ]; do as+=("$1") && shift; done
	shift
	(umask "$mask" && exec "${as[@]}" env --default-signal=HUP "$KMEMTAPE" record "$@") 2>"$WORK/log" &
	RECORDER=$!
	until_true 20 is_recording $RECORDER || fail "it doesn't start: $(cat "$WORK/log")"
	# The last of it goes once events are on.
	until_true 20 gives_up || fail "it keeps $(status_of $RECORDER CapPrm)"
}

tracefs_state >"$WORK/before"
for mask in 0000 0777; do
	tape=$WORK/nobody/$mask.tape
	start_as $mask "${nobody[@]}" -- -o "$tape" --settle 0
	check_threads 65534 65533
	[ "$(stat -c %u "/proc/$RECORDER/mem")" = 0 ] || fail "the user's debugger could attach to it"
	janitor=$(pgrep -P $RECORDER -x kmt-janitor) || fail "there is no janitor"
	grep -qE '^CapPrm:\s0+2$' "/proc/$janitor/status" ||
		fail "the janitor has more than cap_dac_override: $(grep ^Cap "/proc/$janitor/status")"
	permitted=$(status_of $RECORDER CapPrm) effective=$(status_of $RECORDER CapEff)
	for number in {0..63}; do
		case $number in
		1) has 1 "$permitted" || fail "cap_dac_override is gone" ;;
		34) has 34 "$effective" || fail "cap_syslog is gone" ;;
		14 | 23) ;; # cap_ipc_lock and cap_sys_nice depend on the limits
		*) has $number "$permitted" && fail "capability $number stayed: $permitted" ;;
		esac
	done
	has 1 "$effective" && fail "cap_dac_override has an effect while nothing is opened"
	# What others touch is seen without being root, too, whether by a look or by a watch.
	echo 512 >"$TRACEFS/instances/kmemtape-$RECORDER/buffer_size_kb"
	until_true 20 grep -q buffer_size_kb "$WORK/log" || fail "it doesn't see what others touch: $(cat "$WORK/log")"
	end_recorder INT
	[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
	grep -qE "^the recorder was nobody, with cap_dac_override,[a-z_,]*cap_syslog only" "$WORK/log" ||
		fail "it doesn't say which: $(cat "$WORK/log")"
	is_closed "$tape" || fail "not closed"
	find "$tape" -type d ! -perm 0700 -o -type f ! -perm 0600 -o ! -user 65534 -o ! -group 65533 >"$WORK/wrong"
	[ ! -s "$WORK/wrong" ] || fail "umask $mask: owner or mode: $(head -3 "$WORK/wrong")"
done
tracefs_state | diff "$WORK/before" - || fail "tracefs differs"

# Nothing is missing that only root may read.
grep -q '"symbols": *"good"' "$tape/manifest.json" || fail "no symbols: $(cat "$tape/manifest.json")"
zstd -dc "$tape/snapshots.zst" >"$WORK/snapshots"
for file in /proc/slabinfo /proc/vmallocinfo /sys/kernel/slab; do
	[ -e "$file" ] || continue
	wanted=2
	[ $file != /sys/kernel/slab ] || wanted=1
	[ "$(grep -A1 "^==> $file" "$WORK/snapshots" | grep -cv '^==>\|^--')" -ge $wanted ] || fail "$file isn't on the tape"
done

# Who is root stays it, and has nothing beyond.
start_as 0022 env -- -q -o "$WORK/root.tape" --settle 0
check_threads 0 0
has 1 "$(status_of $RECORDER CapPrm)" && fail "root keeps cap_dac_override for its own files"
end_recorder INT
[ $STATUS = 0 ] || fail "root: exit status $STATUS: $(cat "$WORK/log")"

# Where proc hides the tasks of others, their names are on the tape nevertheless.
if unshare --mount true 2>/dev/null; then
	"${nobody[@]}" unshare --mount sh -c "mount -t proc -o hidepid=2 proc /proc && exec $KMEMTAPE \
		record -q -o $WORK/nobody/hidden.tape -d 100ms --settle 0" || fail "hidepid: exit status $?"
	grep -q "^$$	bash" "$WORK/nobody/hidden.tape/comms" || fail "hidepid: names are missing"
fi

# The command: by default as root, as without us; as the user if told.
show='id -u; id -G; umask; grep -E "^(Cap|NoNew)" /proc/self/status; ulimit -r; ulimit -l'
sh -c "$show" >"$WORK/without"
"${nobody[@]}" "$KMEMTAPE" record -q -o "$WORK/nobody/command.tape" --settle 0 -- sh -c "$show" >"$WORK/with" ||
	fail "command: exit status $?"
diff "$WORK/without" "$WORK/with" || fail "the command isn't run as without us"
"$KMEMTAPE" record -q -o "$WORK/nobody/as.tape" --settle 0 --user nobody -- sh -c "$show; echo \$USER" >"$WORK/with" ||
	fail "--user: exit status $?"
setpriv --reuid nobody --regid nogroup --init-groups sh -c "$show; echo nobody" | diff - "$WORK/with" ||
	fail "--user: the command isn't the user's"
[ "$(stat -c %U "$WORK/nobody/as.tape")" = nobody ] || fail "--user: the tape isn't the user's"

# It is root's, and is ended all the same.
timeout 60 "${nobody[@]}" "$KMEMTAPE" record -q -o "$WORK/nobody/end.tape" -d 300ms --settle 0 -- sleep 1001.125 2>"$WORK/log" ||
	fail "root's command: exit status $?: $(cat "$WORK/log")"
has_ended() { ! pgrep -f '^sleep 1001[.]125$'; }
until_true 20 has_ended || fail "root's command goes on: $(cat "$WORK/log")"
exit 0
