# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of redacted tapes, in a directory of their own: $KMEMTAPE, $TAPEDUMP, $KBUFDUMP and $FINDADDRESSES.
# shellcheck shell=bash

# known_of TAPE: all kernel addresses that are on a tape, in `known` and `words`; `long` and `least`
known_of() {
	local tape=$1 endian file cpu subbuf arch
	read -r long endian subbuf arch < <(jq -r '"\(.kernel.long_bytes) \(if .kernel.big_endian then "big" else "little" end) " +
		"\(.buffer.subbuf_bytes) \(.kernel.arch)"' "$tape/manifest.json")
	# Numbers of all kinds are small; s390's addresses are, too, but not below 1 MiB.
	least=100000000
	[ "$long" = 8 ] || least=c0000000
	[ "$arch" != s390x ] || long=s390x least=100000
	: >words
	{
		for file in "$tape"/symbols/*.zst; do
			[ ! -e "$file" ] || zstd -dcq "$file" 2>/dev/null
		done | cut -d ' ' -f 1
		[ ! -e "$tape/symbols/modules" ] || awk '{ print $5 }' "$tape/symbols/modules"
		[ ! -e "$tape/snapshots.zst" ] || zstd -dcq "$tape/snapshots.zst" | sed 's/phys=[^ ]*//' | grep -o '0x[0-9a-f]*'
		for file in "$tape"/cpu/*.zst; do
			[ -e "$file" ] || continue
			cpu=$((10#$(basename "$file" .zst)))
			zstd -dcq "$file" 2>/dev/null >raw
			"$KBUFDUMP" "$tape/events" $cpu "$endian" "${long/s390x/8}" "$subbuf" <raw 2>/dev/null | grep -o '0x[0-9a-f]*'
			[ "$long$endian$least" != 8little100000000 ] || cat raw >>words
		done
		# Once more, by the tool that knows of stacks and of all probes; without symbols, so that it gives numbers.
		rm -rf nameless
		cp -r "$tape" nameless
		rm -rf nameless/symbols
		"$TAPEDUMP" nameless 2>/dev/null | tr ' ' '\n' | grep -vE '^(gfp|size|bytes|flags|pfn|phys)' | grep -o '0x[0-9a-f]*'
	} | sort -u >known
}

# search DIRECTORY: none of them is anywhere on the tape. What was found is in `found`.
search() {
	local file nr=0
	rm -rf plain
	mkdir plain
	while IFS= read -r file; do
		nr=$((nr + 1))
		if [ "${file%.zst}" = "$file" ]; then
			cp "$file" "plain/$nr"
		else
			cp "$file" "plain/$nr.zst"
			zstd -dcq "$file" >"plain/$nr" 2>/dev/null
		fi
	done < <(find "$1" -type f)
	"$FINDADDRESSES" "$long" "$least" known words plain/* >found
}

# redact TAPE: makes redacted.tape of it; what was said is in `said`
redact() {
	rm -rf redacted.tape redacted.tar
	"$KMEMTAPE" pack --redact -o redacted.tar "$1" 2>said && tar xf redacted.tar
}

# report OPTION... TAPE: as JSON, without what is another on a redacted tape: addresses and names of tasks, which are made up or
# not there; the tape's name, and where in its files something was damaged
report() {
	"$KMEMTAPE" replay --format json "$@" | jq -S 'del(.. | objects | (.call_site, .address, .ptr, .comm)?) | del(.tape.path, .tape.host) |
		del(.notes[]? | select(startswith("redacted: "))) | if .notes == [] then del(.notes) else . end |
		walk(if type == "string" then sub("^[^ ]*[.]tape/(?<file>[^ ]*): (raw )?offset [0-9]+"; .file) else . end)'
}
