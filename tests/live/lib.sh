# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the live tests. They get the program in $KMEMTAPE and the helper programs' directory in
# $HELPERS, run as root on the live kernel, and exit 77 with a reason where they can't.

set -u

skip()
{
	echo "SKIP: $*"
	exit 77
}

fail()
{
	echo "FAIL: $*" >&2
	exit 1
}

# A tape would be the user's who called sudo, and is to be in a directory of root's.
unset SUDO_UID SUDO_GID PKEXEC_UID

TRACEFS=/sys/kernel/tracing
: "${KMEMTAPE:?is the program to test}"
: "${HELPERS:=}"

[ "$(id -u)" = 0 ] || skip "needs root"
[ -e "$TRACEFS/instances" ] || skip "needs tracefs on $TRACEFS"
[ -w "$TRACEFS/events/kmem/kmalloc/enable" ] || skip "this tracefs can't be written"

WORK=$(mktemp -d "${TMPDIR:-/tmp}/kmemtape-live.XXXXXX") || exit 99
RECORDER=

clean_up()
{
	status=$?
	if [ -n "$RECORDER" ] && kill -0 "$RECORDER" 2>/dev/null; then
		kill -TERM "$RECORDER"
		wait "$RECORDER"
	fi
	if [ "$(type -t clean_up_more 2>/dev/null)" = function ]; then
		clean_up_more
	fi
	[ -n "${KEEP-}" ] || rm -rf "$WORK"
	exit $status
}
trap clean_up EXIT

# All that a recorder could leave changed.
tracefs_state()
{
	echo "instances:"
	ls "$TRACEFS/instances"
	for file in tracing_on set_event current_tracer trace_clock trace_options buffer_size_kb \
		buffer_total_size_kb buffer_subbuf_size_kb buffer_percent tracing_cpumask \
		set_event_pid set_event_notrace_pid kprobe_events uprobe_events dynamic_events; do
		[ -r "$TRACEFS/$file" ] && sed "s|^|$file: |" "$TRACEFS/$file"
	done
	for file in "$TRACEFS"/events/*/enable; do
		echo "$file: $(cat "$file")"
	done
	for file in "$TRACEFS"/events/{kmem,percpu,vmalloc}/*/{filter,trigger}; do
		[ -r "$file" ] && sed "s|^|$file: |" "$file"
	done
	grep -E ' (tracefs|debugfs) ' /proc/mounts
}

# has_events SYSTEM/EVENT...: this kernel has all of them
has_events()
{
	for event in "$@"; do
		[ -e "$TRACEFS/events/$event" ] || return 1
	done
}

# dump TAPE: as text, to $WORK/dump, a line for each event as "TIME CPU EVENT ...", also of those that the kernel wrote a
# time extend before. What is missing where the machine was too slow says nothing: skips
dump()
{
	"$KMEMTAPE" info "$1" >"$WORK/info" || fail "$1: info: exit status $?"
	grep -qE '^lost +0$' "$WORK/info" || skip "$(basename "$1"): events were lost: $(grep ^lost "$WORK/info")"
	"$HELPERS/script/tapedump" "$1" >"$WORK/dump" || fail "$1: tapedump: exit status $?"
	sed -i -E 's/^([0-9]+ [0-9]+) (abs|extend) /\1 /' "$WORK/dump"
}

# events PATTERN: those lines of the dump whose event is called so
events()
{
	grep -E "^[0-9]+ [0-9]+ ($1) " "$WORK/dump"
}

# expect_all PATTERN LINE-PATTERN: there are events called PATTERN, and all of them have LINE-PATTERN
expect_all()
{
	events "$1" >"$WORK/events" || fail "no event is called $1"
	grep -vE -- "$2" "$WORK/events" >"$WORK/wrong" &&
		fail "$(wc -l <"$WORK/wrong") of $(wc -l <"$WORK/events") $1 have no '$2': $(head -3 "$WORK/wrong")"
	return 0
}

# until_true SECONDS COMMAND...: waits for what another process does
until_true()
{
	tries=$(($1 * 50))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}

# "1*" if there is a trigger, too
is_recording()
{
	[[ $(cat "$TRACEFS/instances/kmemtape-$1/events/kmem/kmem_cache_alloc/enable") == 1* ]]
}

# start_recorder ARG...: in the background, with its pid in $RECORDER and its stderr in $WORK/log
start_recorder()
{
	# Who runs the tests under nohup(1) has SIGHUP ignored, and all below inherit it.
	env --default-signal=HUP "$KMEMTAPE" record "$@" 2>"$WORK/log" &
	RECORDER=$!
	until_true 20 is_recording $RECORDER || fail "it doesn't start: $(cat "$WORK/log")"
}

# The recorder's janitor, which cleans up should it be killed
janitor()
{
	pgrep -x -P "$RECORDER" kmt-janitor
}

# end_recorder SIGNAL: sets $STATUS
end_recorder()
{
	kill "-$1" "$RECORDER"
	wait "$RECORDER"
	STATUS=$?
	RECORDER=
}

# expect_line FILE TEXT: it has exactly one line, and TEXT is in it
expect_line()
{
	[ "$(wc -l <"$1")" = 1 ] || fail "expected one line, got: $(cat "$1")"
	grep -qF -- "$2" "$1" || fail "expected '$2', got: $(cat "$1")"
}

is_closed()
{
	grep -q '"closed": *true' "$1/manifest.json"
}

# judge TAPE GRACE: sets $LEAK and $HEADLINE, and leaves the report in $WORK/judged
judge()
{
	"$KMEMTAPE" replay --grace "$2" --format json "$1" >"$WORK/judged" || fail "$1: replay: exit status $?"
	LEAK=$(jq -r .verdict.leak "$WORK/judged")
	HEADLINE=$(jq -r .verdict.headline "$WORK/judged")
	echo "$(basename "$1"): $LEAK: $HEADLINE"
}

# accused FILTER: the call sites of class leak that jq's FILTER doesn't expect
accused()
{
	jq -r '[.sites[] | select(.class == "leak" and ('"$1"' | not)) | "\(.symbol): \(.live_objects)"] | join(", ")' \
		"$WORK/judged"
}

# expect_no_leak TAPE GRACE COMM...: after judge: nothing that these tasks have allocated is called a leak. Of what others do here
# meanwhile nobody knows whether it leaks: then it skips.
expect_no_leak()
{
	local tape=$1 grace=$2 site

	shift 2
	[ "$LEAK" != none ] || [ -n "$(accused false)" ] || return 0
	jq -r --arg line "$HEADLINE" '.sites[] | select(.symbol != null) | select(.symbol as $it | .class == "leak" or ($line | contains($it))) |
		.symbol' "$WORK/judged" | sort -u >"$WORK/suspects"
	[ -s "$WORK/suspects" ] || fail "$LEAK: $HEADLINE"
	while read -r site; do
		"$KMEMTAPE" replay --grace "$grace" --format json --explain "$site" "$tape" >"$WORK/suspect" || fail "--explain $site: exit $?"
		jq -r '.explain[].allocated_by[] | select(.live_objects > 0) | .comm // .context' "$WORK/suspect" | sort -u >"$WORK/tasks"
		! printf '%s\n' "$@" | grep -qxFf - "$WORK/tasks" || fail "$LEAK: $HEADLINE; $site is called by $(paste -sd ' ' "$WORK/tasks")"
	done <"$WORK/suspects"
	skip "what somebody else does here looks like a leak: $HEADLINE; by $(paste -sd ' ' "$WORK/tasks")"
}

# make_trace_cmd_record: $WORK/trace-cmd-record, to be run as `unshare -m bash trace-cmd-record OPTION...`. A kernel that forbids
# function tracing refuses files that trace-cmd insists on: it gets plain ones instead, in a mount namespace of its own.
make_trace_cmd_record()
{
	export WORK TRACEFS
	cat >"$WORK/trace-cmd-record" <<'EOT'
mkdir -p "$WORK/empty"
for file in /proc/sys/kernel/ftrace_enabled $TRACEFS/set_ftrace_filter $TRACEFS/set_ftrace_notrace \
	$TRACEFS/set_ftrace_pid $TRACEFS/set_ftrace_notrace_pid; do
	[ -e "$file" ] || continue
	case $file in
	/proc/*) (echo 1 >"$file") 2>/dev/null && continue ;;
	*) (: >>"$file") 2>/dev/null && continue ;;
	esac
	touch "$WORK/empty/${file##*/}"
	mount --bind "$WORK/empty/${file##*/}" "$file" || exit 1
done
exec trace-cmd record -q "$@"
EOT
}
