# SPDX-License-Identifier: GPL-2.0-only
# A live set as one writes it in ten minutes: takes a file of kbufdump for each CPU and prints
# "CALL_SITE ALLOCS FREES REUSED LIVE_OBJECTS LIVE_BYTES", and "total EVENTS".
#
# Order: by time; at the same time frees first; each CPU's own order stays, and its time never
# decreases. Times and addresses are compared as text: they do not fit a double.

function read_next(stream,    line, parts)
{
	if ((getline line < ARGV[stream]) <= 0) {
		time[stream] = ""
		return
	}
	split(line, parts, " ")
	if (parts[3] == "lost") {
		print "naive-liveset.awk: events were lost: nothing to compare" > "/dev/stderr"
		has_failed = 1
		exit 77
	}
	parts[1] = substr("00000000000000000000", length(parts[1]) + 1) parts[1]
	if (parts[1] "" < last[stream] "")
		parts[1] = last[stream]
	time[stream] = last[stream] = parts[1]
	name[stream] = parts[3]
	site[stream] = parts[4]
	ptr[stream] = parts[5]
	req[stream] = parts[6]
	bytes[stream] = parts[7]
}

function is_alloc(what)
{
	return what ~ /alloc/
}

# The stream whose event is next, 0 if there is none.
function first(    stream, best)
{
	for (stream = 1; stream < ARGC; stream++) {
		if (time[stream] == "")
			continue
		if (!best || time[stream] "" < time[best] "" ||
		    (time[stream] "" == time[best] "" && is_alloc(name[best]) &&
		     !is_alloc(name[stream])))
			best = stream
	}
	return best
}

# What was live there had been freed, unseen; or its kmalloc was traced in a helper, and again for
# the caller: then the two events follow each other.
function close_old(address, stream,    owner)
{
	owner = owner_of[address]
	live[owner]--
	live_bytes[owner] -= bytes_of[address]
	if (name[stream] == "kmalloc" && before[stream] == address " " req[stream] " " bytes[stream] &&
	    bytes[stream] > 8192 && owner != site[stream])
		allocs[owner]--
	else
		reused[owner]++
}

function take(stream,    address, owner)
{
	total++
	address = ptr[stream]
	if (is_alloc(name[stream])) {
		if (address != "0x0" && address != "0x10") {
			if (address in owner_of)
				close_old(address, stream)
			owner = site[stream]
			owner_of[address] = owner
			bytes_of[address] = bytes[stream]
			allocs[owner]++
			live[owner]++
			live_bytes[owner] += bytes[stream]
		}
	} else if (address in owner_of) {
		owner = owner_of[address]
		frees[owner]++
		live[owner]--
		live_bytes[owner] -= bytes_of[address]
		delete owner_of[address]
		delete bytes_of[address]
	}
	before[stream] = name[stream] == "kmalloc" ? address " " req[stream] " " bytes[stream] : ""
}

BEGIN {
	for (i = 1; i < ARGC; i++) {
		last[i] = ""
		read_next(i)
	}
	while ((i = first())) {
		take(i)
		read_next(i)
	}
	for (owner in allocs)
		if (allocs[owner] > 0)
			printf "%s %d %d %d %d %d\n", owner, allocs[owner], frees[owner], \
			       reused[owner], live[owner], live_bytes[owner]
	printf "total %d\n", total
	exit
}
