# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of trace.dat. Events of a file as trace-cmd and as kmemtape see them: lines "TIME CPU EVENT FIELDS
# CALL_SITE", where FIELDS are those that tell one memory from another; of a stack, all its addresses. What is compared
# is always one and the same file: two recordings never hold the same.

dat_events='^(kmalloc|kfree|kmem_cache_alloc|kmem_cache_free|kmalloc_node|kmem_cache_alloc_node|mm_page_alloc|mm_page_free'
dat_events+='|mm_page_free_batched|percpu_alloc_percpu|percpu_free_percpu|alloc_vmap_area|free_vmap_area_noflush):?$'

# Numbers look alike: zeros are left out, as tapedump does with some. awk can't compute with 64 bits: what is decimal here
# and hexadecimal there becomes its rests, and addresses of code their lower 32 bits.
dat_awk='
	function put_field(text,  name, value) {
		name = text; sub(/=.*/, "", name)
		value = substr(text, length(name) + 2)
		if (name == "call_site") site = value
		if (name !~ /^(ptr|pfn|order|size|bytes_req|bytes_alloc|base_addr|addr|va_start)$/) return
		if (value ~ /^(0|0x0*|\(nil\))$/) return
		if (name == "addr") value = rest(value, 4294967296) ":" rest(value, 999983)
		fields = fields "," name "=" value
	}
	function rest(text, by,  base, i, n) {
		base = text ~ /^0x/ ? 16 : 10
		text = tolower(text); sub(/^0x/, "", text)
		for (i = 1; i <= length(text); i++)
			n = (n * base + index("0123456789abcdef", substr(text, i, 1)) - 1) % by
		return sprintf("%.0f", n)
	}
	function low(hex) { return rest(hex ~ /^0x/ ? hex : "0x" hex, 4294967296) }'

# their_events FILE: as `trace-cmd report` sees it, sorted. The lines of an instance begin with its name.
their_events() {
	trace-cmd report -R -t -i "$1" 2>/dev/null | awk -v wanted="$dat_events" "$dat_awk"'{
		for (i = 2; i < NF && $i !~ /^\[[0-9]+\]$/; i++);
		if ($(i + 2) !~ wanted) next
		cpu = substr($i, 2, 3) + 0
		time = $(i + 1); gsub(/[.:]/, "", time); sub(/^0+/, "", time)
		event = $(i + 2); sub(/:/, "", event)
		fields = site = ""
		for (k = i + 3; k <= NF; k++) put_field($k)
		print time, cpu, event, fields, site
	}' | sort
}

# their_stacks: the same of what trace-cmd reports, not raw: in a raw report, a stack has its first addresses only.
their_stacks() {
	awk "$dat_awk"'
		function end() { if (line) print line; line = "" }
		/^=> / {
			if (line) line = line (line ~ /=$/ ? "" : ",") low(substr($NF, 2, length($NF) - 2))
			next
		}
		{ end() }
		/ kernel_stack: / {
			for (i = 2; i < NF && $i !~ /^\[[0-9]+\]$/; i++);
			time = $(i + 1); gsub(/[.:]/, "", time); sub(/^0+/, "", time)
			line = time " " substr($i, 2, 3) + 0 " kernel_stack ="
		}
		END { end() }' | sort
}

# dump_tape TAPE: libtraceevent, which tapedump reads formats with, leaks on some of other systems.
dump_tape() {
	ASAN_OPTIONS=detect_leaks=0 "$TAPEDUMP" "$1" | sed -E 's/^([0-9]+ [0-9]+) (abs|extend) /\1 /'
}

# our_events, our_stacks: the same of what dump_tape printed
our_events() {
	awk -v wanted="$dat_events" "$dat_awk"'$1 ~ /^[0-9]+$/ && $3 ~ wanted {
		fields = site = ""
		for (k = 4; k <= NF; k++) put_field($k)
		print $1, $2, $3, fields, site
	}' | sort
}

our_stacks() {
	awk "$dat_awk"'
		function address(text,  at) {
			if (text ~ /^0x/) return low(text)
			match(text, /\+0x[0-9a-f]+$/)
			at = base[substr(text, 1, RSTART - 1)] + low(substr(text, RSTART + 1))
			return at - (at >= 4294967296 ? 4294967296 : 0)
		}
		$1 == "symbol" { base[$4] = low($2); next }
		$3 == "kernel_stack" && $1 ~ /^[0-9]+$/ {
			sub(/^caller=/, "", $4)
			n = split($4 ~ /=/ ? "" : $4, frames, ",")
			line = $1 " " $2 " kernel_stack ="
			for (i = 1; i <= n; i++) {
				if (!(frames[i] in known)) known[frames[i]] = sprintf("%.0f", address(frames[i]))
				line = line (i > 1 ? "," : "") known[frames[i]]
			}
			print line
		}' | sort
}

# same_stacks FILE: those of the tape in `dumped` are the same, all their addresses
same_stacks() {
	trace-cmd report -t -i "$1" >reported 2>/dev/null
	their_stacks <reported >their-stacks
	our_stacks <dumped >our-stacks
	cmp -s their-stacks our-stacks && return
	echo "$1: $(wc -l <our-stacks) stacks, trace-cmd: $(wc -l <their-stacks); < trace-cmd, > kmemtape:"
	diff their-stacks our-stacks | head -n 6
	return 1
}

# same_events FILE TAPE LEAST: the same, one by one, and LEAST or more; and the same stacks. Functions whose name is not
# unique are left out: trace-cmd names them, tapedump gives their address; and so are events whose format has an address
# only. Leaves them in `theirs`, `ours`, `their-stacks` and `our-stacks`, and the report in `reported`.
same_events() {
	local nr
	dump_tape "$2" >dumped
	same_stacks "$1" || return 1
	their_events "$1" >theirs
	our_events <dumped >ours
	nr=$(wc -l <ours)
	[ "$nr" -ge "$3" ] || { echo "$1: only $nr events"; return 1; }
	[ "$nr" -eq "$(wc -l <theirs)" ] || { echo "$1: $nr events, trace-cmd: $(wc -l <theirs)"; return 1; }
	paste -d ' ' theirs ours >both
	awk '{
		n = split($0, f, / /)
		if (f[1] != f[6] || f[2] != f[7] || f[3] != f[8] || f[4] != f[9] ||
		    (f[5] != f[10] && f[5] ~ /\+/ && f[10] !~ /^0x/)) {
			if (bad++ < 6) print "trace-cmd, kmemtape:", $0
		}
		if (f[5] == f[10] || f[5] !~ /\+/) same++
	} END { exit bad > 0 || same < NR / 2 }' both
}

# counts FILE...: how often each event is in these files, as "NUMBER EVENT"
counts() {
	cat "$@" | awk '{ n[$3]++ } END { for (event in n) print n[event], event }' | sort -k 2
}

# same_numbers REPORT: replay's report counts as many allocations and frees as `theirs` has. mm_page_free_batched comes in
# addition to mm_page_free.
same_numbers() {
	local theirs ours
	theirs=$(awk '$3 != "mm_page_free_batched" { n[$3 ~ /alloc/]++ } END { print n[1] + 0, n[0] + 0 }' theirs)
	ours=$(jq -r '"\(.events.allocs) \(.events.frees)"' "$1")
	[ "$ours" = "$theirs" ] || { echo "$1: replay has $ours allocations and frees, trace-cmd: $theirs"; return 1; }
}
