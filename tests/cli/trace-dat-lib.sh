# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of trace.dat. Events of a file as trace-cmd and as kmemtape see them: lines "TIME CPU EVENT PTR
# CALL_SITE". What is compared is always one and the same file: two recordings never hold the same.

dat_events='^(kmalloc|kfree|kmem_cache_alloc|kmem_cache_free|kmalloc_node|kmem_cache_alloc_node):?$'

# their_events FILE: as `trace-cmd report` sees it, sorted. The lines of an instance begin with its name.
their_events() {
	trace-cmd report -R -t -i "$1" 2>/dev/null | awk -v wanted="$dat_events" '{
		for (i = 2; i < NF && $i !~ /^\[[0-9]+\]$/; i++);
		if ($(i + 2) !~ wanted) next
		cpu = substr($i, 2, 3) + 0
		time = $(i + 1); gsub(/[.:]/, "", time); sub(/^0+/, "", time)
		event = $(i + 2); sub(/:/, "", event)
		ptr = site = ""
		for (k = i + 3; k <= NF; k++)
			if ($k ~ /^ptr=/) ptr = substr($k, 5)
			else if ($k ~ /^call_site=/) site = substr($k, 11)
		sub(/^\(nil\)$/, "0x0", ptr)
		print time, cpu, event, ptr, site
	}' | sort
}

# our_events TAPE: libtraceevent, which tapedump reads formats with, leaks on some of other systems.
our_events() {
	ASAN_OPTIONS=detect_leaks=0 "$TAPEDUMP" "$1" | sed -E 's/^([0-9]+ [0-9]+) (abs|extend) /\1 /' | awk -v wanted="$dat_events" '$3 ~ wanted {
		ptr = site = ""
		for (k = 4; k <= NF; k++)
			if ($k ~ /^ptr=/) ptr = substr($k, 5)
			else if ($k ~ /^call_site=/) site = substr($k, 11)
		print $1, $2, $3, ptr, site
	}' | sort
}

# same_events FILE TAPE LEAST: the same, one by one, and LEAST or more. Functions whose name is not unique are left out:
# trace-cmd names them, tapedump gives their address; and so are events whose format has an address only.
same_events() {
	local nr
	their_events "$1" >theirs
	our_events "$2" >ours
	nr=$(wc -l <ours)
	[ "$nr" -ge "$3" ] || { echo "$1: only $nr events"; return 1; }
	[ "$nr" -eq "$(wc -l <theirs)" ] || { echo "$1: $nr events, trace-cmd: $(wc -l <theirs)"; return 1; }
	paste -d ' ' theirs ours | awk '{
		if ($1 != $6 || $2 != $7 || $3 != $8 || $4 != $9 || ($5 != $10 && $5 ~ /\+/ && $10 !~ /^0x/)) {
			print "trace-cmd, kmemtape:", $0
			bad = 1
		}
		if ($5 == $10 || $5 !~ /\+/) same++
	} END { exit bad || same < NR / 2 }'
}
