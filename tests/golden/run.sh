#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# For each NAME.script: the tape that mktape makes of it gives the script back, and kmemtape replay
# finds what NAME.expect says. In TAP. Arguments: names to run; else all.
#
# Environment: KMEMTAPE, MKTAPE, TAPEDUMP: the programs. With an empty KMEMTAPE only the text forms are
# tested. A script may have a comment `# replay: OPTIONS`.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
: "${MKTAPE:=mktape}" "${TAPEDUMP:=tapedump}" "${KMEMTAPE=kmemtape}"
work=$(mktemp -d "${TMPDIR:-/tmp}/golden.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
nr=0
failed=0

# say STATUS NAME: a line of TAP; what is wrong with it comes from $work/why
say()
{
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - $2"
	else
		failed=$((failed + 1))
		echo "not ok $nr - $2"
		sed 's/^/# /' "$work/why"
	fi
}

# Comments and empty lines are the reader's, all else must come back.
plain()
{
	sed '/^[[:space:]]*#/d; /^[[:space:]]*$/d' "$1"
}

same_text()
{
	rm -rf "$work/tape" "$work/again"
	"$MKTAPE" "$1" -o "$work/tape" >"$work/why" 2>&1 || return 1
	"$TAPEDUMP" --all-symbols "$work/tape" >"$work/dump" 2>"$work/why" || return 1
	plain "$1" | diff - "$work/dump" >"$work/why" || return 1
	"$MKTAPE" "$work/dump" -o "$work/again" >"$work/why" 2>&1 || return 1
	diff -r "$work/tape" "$work/again" >"$work/why" || return 1
	for file in "$work"/tape/cpu/*.zst; do
		[ -e "$file" ] || continue
		zstd -qt "$file" >"$work/why" 2>&1 || return 1
	done
}

# Any number of threads gives the same bytes: as many shards book what there is.
same_result()
{
	options=$(sed -n 's/^# replay: //p' "$1")
	# shellcheck disable=SC2086 # options are words
	"$KMEMTAPE" replay --format json --threads 0 $options "$work/tape" \
		>"$work/result" 2>"$work/why" || return 1
	for threads in 3 31; do
		# shellcheck disable=SC2086
		"$KMEMTAPE" replay --format json --threads $threads $options "$work/tape" \
			>"$work/other" 2>"$work/why" || return 1
		diff "$work/result" "$work/other" >"$work/why" || return 1
	done
	jq -r --slurpfile expected "$2" -f "$here/subset.jq" "$work/result" >"$work/why" 2>&1 || return 1
	[ ! -s "$work/why" ]
}

run()
{
	same_text "$1"
	say $? "$2: gives its text back"
	[ -n "$KMEMTAPE" ] || return 0
	if [ ! -d "$work/tape" ]; then
		echo "no tape" >"$work/why"
		say 1 "$2: replays as expected"
		return 0
	fi
	same_result "$1" "$3"
	say $? "$2: replays as expected"
}

# 256 CPUs: each allocates two objects, and the next one frees one of them.
make_256_cpus()
{
	cat <<-'END'
	symbol ffffffff81000000 T _stext
	symbol ffffffff81010000 T alloc_pipe_info
	symbol ffffffff81020000 T free_pipe_info
	symbol ffffffff81f00000 T _etext
	END
	awk 'BEGIN {
		for (cpu = 0; cpu < 256; cpu++)
			for (i = 0; i < 2; i++)
				printf "%d %d kmalloc call_site=alloc_pipe_info+0x40 ptr=0xffff8880%08x " \
				       "bytes_req=100 bytes_alloc=128 gfp=0xcc0 pid=%d\n", \
				       1000 + cpu, cpu, (2 * cpu + i + 1) * 128, 100 + cpu
		for (cpu = 0; cpu < 256; cpu++)
			printf "%d %d kfree call_site=free_pipe_info+0x80 ptr=0xffff8880%08x pid=%d\n", \
			       2000 + cpu, (cpu + 1) % 256, (2 * cpu + 1) * 128, 100 + (cpu + 1) % 256
	}'
}

# As many events as make several chunks of full sub-buffers, on two CPUs.
make_many_events()
{
	make_256_cpus | sed '/^[0-9]/d'
	awk 'BEGIN {
		for (i = 1; i <= 60000; i++) {
			printf "%d %d kmalloc call_site=alloc_pipe_info+0x40 ptr=0xffff8880%08x " \
			       "bytes_req=100 bytes_alloc=128 gfp=0xcc0 pid=42\n", i * 1000, i % 2, i * 128
			if (i % 3)
				printf "%d %d kfree call_site=free_pipe_info+0x80 ptr=0xffff8880%08x " \
				       "pid=42\n", i * 1000 + 500, i % 5 == 0, i * 128
		}
	}'
}

# mistake LINE WORDS: mktape refuses the script with that line, says why, and leaves no tape
mistake()
{
	rm -rf "$work/tape"
	printf '%s\n' "1000 0 kfree call_site=0x1 ptr=0x1000" "$1" |
		"$MKTAPE" - -o "$work/tape" >"$work/why" 2>&1
	status=$?
	[ $status -eq 1 ] && grep -qF "$2" "$work/why" && [ ! -e "$work/tape" ]
	say $? "mktape refuses '$1'"
}

# run_made NAME SITES-AND-SUCH: a script that is made, and is canonical once it went through
run_made()
{
	cat >"$work/$1.expect"
	rm -rf "$work/first"
	if "$MKTAPE" - -o "$work/first" <"$work/$1.made" 2>"$work/why" &&
	   "$TAPEDUMP" --all-symbols "$work/first" >"$work/$1.script" 2>"$work/why"; then
		run "$work/$1.script" "$1" "$work/$1.expect"
	else
		say 1 "$1: can be made"
	fi
}

if [ $# -gt 0 ]; then
	for name; do
		run "$here/$name.script" "$name" "$here/$name.expect"
	done
else
	for script in "$here"/*.script; do
		name=$(basename "$script" .script)
		run "$script" "$name" "$here/$name.expect"
	done
	make_256_cpus >"$work/256-cpus.made"
	run_made 256-cpus <<-'END'
	{
	  "tape": {"cpus": 256, "complete": true},
	  "events": {"total": 768, "allocs": 512, "frees": 256},
	  "matching": {"paired": 256, "reused": 0, "unknown_frees": 0, "live": 256},
	  "sites": [
	    {"symbol": "alloc_pipe_info+0x40", "allocs": 512, "frees": 256, "live_objects": 256,
	     "live_bytes": 32768, "requested_bytes": 25600}
	  ]
	}
	END
	make_many_events >"$work/many-events.made"
	run_made many-events <<-'END'
	{
	  "tape": {"cpus": 2, "complete": true},
	  "events": {"total": 100000, "allocs": 60000, "frees": 40000},
	  "matching": {"paired": 40000, "reused": 0, "unknown_frees": 0, "live": 20000},
	  "sites": [
	    {"symbol": "alloc_pipe_info+0x40", "allocs": 60000, "frees": 40000, "live_objects": 20000,
	     "live_bytes": 2560000, "requested_bytes": 2000000}
	  ]
	}
	END
	mistake "2000 0 kmalloc call_site=0x1 ptr=0x2000" "stdin:2: kmalloc without bytes_req"
	mistake "2000 0 kfree call_site=0x1 ptr=0x2000 size=3" "stdin:2: kfree has no field 'size' here"
	mistake "2000 0 kfree call_site=foo ptr=0x2000" "stdin:2: 'foo' does not fit call_site"
	mistake "2000 0 mm_page_free pfn=0x1" "stdin:2: 'mm_page_free' has no format file"
	mistake "2000 0 kmalloc_node call_site=0x1" "stdin:2: 'kmalloc_node' has no format file"
	mistake "2000 9999 kfree call_site=0x1 ptr=0x2000" "stdin:2: '9999' is not a number in 0..8191"
	mistake "2000 0 lost 5" "CPU 0: lost, and no event behind it"
	mistake "2000 0 mark" "stdin:2: there is data"
	mistake "2000 1 chunk" "stdin:2: there is no data"
	mistake "kernel 6.1" "stdin:2: 'kernel' behind the first event"
	mistake "| a line of a snapshot" "stdin:2: a line of a snapshot, and no snapshot before it"
	mistake "snapshot 5" 'stdin:2: not `snapshot TIME WHY`'
	mistake "soon 0 kfree" "stdin:2: 'soon' is neither a header line nor a time"
fi
echo "1..$nr"
[ "$failed" -eq 0 ]
