#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# kmemtape-tape(5) and the code have the same files, members of the manifest, names of what a reader must know, limits, and header
# of a chunk: what is in one and not in the other is told.
cd "$KMT_TESTS/.." || exit 1
manual=tools/man/kmemtape-tape.5.scd format=include/kmemtape/tape-format.h
headers="$format include/kmemtape/manifest.h include/kmemtape/tape.h"
failed=0

# Usage: same WHAT MANUAL CODE: two lists; neither may be empty
same() {
	[ -n "$2" ] && [ "$(sort -u <<<"$2")" = "$(sort -u <<<"$3")" ] && return
	echo "$1: of the manual (<) and the code (>):"
	diff <(sort -u <<<"$2") <(sort -u <<<"$3")
	failed=1
}

# Usage: section NAME: its lines
section() {
	sed -n "/^# $1\$/,/^# /{/^# /d;p}" "$manual"
}

# Names in a C file that are either texts or macros, as texts.
texts() {
	local line
	while read -r line; do
		case $line in
		\"*) echo "${line//\"/}" ;;
		*) sed -n "s/^#define $line[[:space:]]*\"\(.*\)\".*/\1/p" src/tape/manifest-json.h ;;
		esac
	done
}

same "members of the manifest" "$(section MANIFEST | grep '^\*' | grep -o '\*[^*]*\*' | tr -d '*')" "$(
	sed -n 's/.*MEMBER(NULL, "\([a-z_]*\)".*/\1/p; s/.*MEMBER("\([a-z_]*\)", "\([a-z_]*\)".*/\1.\2/p' src/tape/manifest-members.c
	# Members of what is in a list are named after it; a list of plain values is itself one.
	awk '/^}/ { if (list && !parts) print list; list = ""; parts = 0 }
		match($0, /kmt_json_text_[a-z]+\(&?json, "[a-z_]+"/) {
			name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
			if ($0 ~ /text_array\(/) { if (list && !parts) print list; list = name; parts = 0 }
			else if (list) { print list "[]." name; parts++ }
			else print name
		}' src/tape/manifest-write.c
)"
incompat=$(sed -n '/kmt_manifest_features\[/,/^}/s/^	{ \([^,]*\), .*/\1/p' src/tape/manifest-members.c | texts)
same "incompat" "$(section MANIFEST | sed -n 's/^|  "\([^"]*\)"$/\1/p')" "$incompat"
same "incompat, as $format has it" "$(sed -n '/^ \* Changes:/,/\*\//p' $format | tr -d '*\n' | grep -o '("[a-z-]*"' | tr -d '("')" "$incompat"
# Each number as it is computed.
same "limits" "$(section LIMITS | awk '/^\|  KMT_/ { name = $2; getline; print name, $2 }')" "$(
	sed -n 's/^#define \(KMT_[A-Z_]*_MAX\)[[:space:]]*\([^/]*[^/[:space:]]\).*/\1 \2/p' $headers | while read -r name number; do
		echo "$name $((${number//u/}))"
	done
)"
# Offset, length and name of each field.
same "header of a chunk" "$(section "CHUNK FILES" | awk '/^\|  [0-9]/ { at = $2; getline; bytes = $2; getline; split($0, name, "*"); print at, bytes, name[2] }')" \
	"$(sed -n '/^struct kmt_chunk_header {/,/^}/p' $format | awk '/kmt_le/ { bytes = /kmt_le64/ ? 8 : 4; sub(/;.*/, ""); print 0 + at, bytes, $NF; at += bytes }')"
same "kinds of chunks" "$(section "CHUNK FILES" | sed -n 's/.*\*kind\*: //p' | tr ',' '\n' | awk '{ print $1, $2 }')" \
	"$(sed -n 's/^	KMT_CHUNK_\([A-Z]*\) = \([0-9]*\),$/\2 \L\1/p' $format)"
same "magic numbers" "$(section "CHUNK FILES" | grep -o '0x[0-9a-f]\{8\}')" "$(grep -oE '(KMT_ZSTD_SKIPPABLE|KMT_CHUNK_MAGIC|^	)[[:space:]]*0x[0-9a-f]{8}' $format | grep -o '0x.*')"
files=$(sed -n '/^```$/,/^```$/{/^```$/d;p}' "$manual" | sed 's/ \.\.\.//' | tr -s ' ' '\n')
same "files, as $format has them" "$files" "$(sed -n '/^ \* TAPE on disk/,/^ \* A chunk file/s/^ \*   \([a-z].*\)/\1/p' $format | sed 's/   .*//; s/ \.\.\.//; s/ *$//' | sed 's/  .*//' | tr -s ', ' '\n')"
# What is on tapes that recorders have made.
same "files of tapes" "$files" "$(
	echo "$files"
	cd "$KMT_TESTS/frozen" && find ./*.tape -type f | sed 's|^\./[^/]*/||; s|^cpu/[0-9]\{4\}|cpu/0000|; s|^symbols/[0-9]\{4\}|symbols/NNNN|
		s|^events/[^/]*/[^/]*/|events/SYSTEM/EVENT/|'
)"
exit $failed
