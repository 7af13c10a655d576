# SPDX-License-Identifier: GPL-2.0-only
# A live set as one writes it in ten minutes: takes a file of kbufdump for each CPU and prints
# "SPACE CALL_SITE ALLOCS FREES REUSED LIVE_OBJECTS LIVE_BYTES", and "total EVENTS".
#
# Order: by time; at the same time frees first; each CPU's own order stays, and its time never
# decreases. Times and addresses are compared as text: they do not fit a double.
#
# Pages are kept one by one, and nothing is said of blocks: "page CALL_SITE ALLOCS - - - LIVE_BYTES".
#
# Variables: page_bytes; possible_cpus, of per-CPU memory whose size is not told; end_ns, if not 0: what is later is
# not of all CPUs, and left out.

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
	if (end_ns != "0" && parts[1] "" > substr("00000000000000000000", length(end_ns) + 1) end_ns "") {
		time[stream] = ""
		return
	}
	time[stream] = last[stream] = parts[1]
	name[stream] = parts[3]
	site[stream] = space_of(parts[3]) " " parts[4]
	ptr[stream] = parts[5]
	req[stream] = parts[6]
	bytes[stream] = parts[7]
}

function is_alloc(what)
{
	return what ~ /alloc|vma_new/
}

# An address means something in its own space only.
function space_of(what)
{
	return what ~ /page/ ? "page" : what ~ /percpu/ ? "percpu" : what ~ /vma/ ? "vmalloc" : "slab"
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

function give_page_back(frame,    owner)
{
	if (!(frame in page_owner))
		return
	owner = page_owner[frame]
	live_bytes[owner] -= page_bytes
	delete page_owner[frame]
}

function take_pages(stream,    frame, i, nr)
{
	frame = ptr[stream]
	if (frame == "18446744073709551615" || frame == "4294967295")
		return
	nr = 2 ^ req[stream]
	for (i = 0; i < nr; i++) {
		give_page_back(frame + i)
		if (is_alloc(name[stream])) {
			page_owner[frame + i] = site[stream]
			live_bytes[site[stream]] += page_bytes
		}
	}
	if (is_alloc(name[stream]))
		allocs[site[stream]]++
}

function take(stream,    address, owner)
{
	total++
	if (space_of(name[stream]) == "page") {
		take_pages(stream)
		return
	}
	if (name[stream] == "percpu_alloc_percpu" && bytes[stream] == 0)
		bytes[stream] = req[stream] * (possible_cpus ? possible_cpus : 1)
	address = space_of(name[stream]) " " ptr[stream]
	if (is_alloc(name[stream])) {
		if (ptr[stream] != "0x0" && address != "slab 0x10") {
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
		if (owner ~ /^page /)
			printf "%s %d - - - %d\n", owner, allocs[owner], live_bytes[owner]
		else if (allocs[owner] > 0)
			printf "%s %d %d %d %d %d\n", owner, allocs[owner], frees[owner], \
			       reused[owner], live[owner], live_bytes[owner]
	printf "total %d\n", total
	exit
}
