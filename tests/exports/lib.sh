# SPDX-License-Identifier: GPL-2.0-only
# For tests of exports: sourced, in a directory of its own, with the tapes `good` (stacks, a module, a leak) and `evil` (the
# same with names that every format would trip over).
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
# Where Debian's modules for python are.
python=/usr/bin/python3

fail() {
	echo "$*"
	failed=1
}

# Usage: need PROGRAM...: skips the test where one is missing.
need() {
	local program
	for program; do
		command -v "$program" >/dev/null || {
			echo "no $program here"
			exit 77
		}
	done
}

# Usage: make_tape NAME SUFFIX EVIL: SUFFIX is behind each name, EVIL too where a name is in no column.
make_tape() {
	local s=$2 e=$2$3 i
	{
		cat <<-END
		kernel 6.18.0$e
		arch x86_64
		host host1$e
		formats 6.18 stacks
		endian little
		long 8
		subbuf 4096
		clock mono
		wall_offset 1700000000000000000
		start 1000
		allocs_on 1000
		allocs_off 90000000000
		end 90000000000
		sets slab
		stacks slab
		closed yes
		module load 0 mod$s 16384 0xffffffffc0000000 OE 22220000000000000000000000000000deadbeef
		symbol ffffffff81000000 T _stext
		symbol ffffffff81010000 T leak$s
		symbol ffffffff81020000 T caller$s
		symbol ffffffff81030000 T do_syscall_64
		symbol ffffffff81040000 T other$s
		symbol ffffffff81f00000 T _etext
		module_symbol 1 ffffffffc0001000 t in_mod$s
		comm 42 task$s
		END
		for ((i = 10; i < 89; i++)); do
			cat <<-END
			${i}000000000 0 kmalloc call_site=0xffffffff81010040 ptr=0xffff8880000${i}000 bytes_req=100 bytes_alloc=128 gfp=0xcc0 pid=42
			${i}000000010 0 kernel_stack caller=0xffffffff81010040,0xffffffff81020040,0xffffffff81030010 pid=42
			${i}000001000 0 kmem_cache_alloc call_site=0xffffffffc0001010 ptr=0xffff8881000${i}000 name=cache$s bytes_req=100 bytes_alloc=192 gfp=0xcc0 pid=42
			${i}000001010 0 kernel_stack caller=0xffffffffc0001010,0xffffffff81020080,0xffffffff81030010 pid=42
			${i}000002000 0 kmalloc call_site=0xffffffff81040040 ptr=0xffff8882000${i}000 bytes_req=4000 bytes_alloc=4096 gfp=0xcc0 pid=42
			END
			[ $((i % 4)) -eq 0 ] || echo "${i}000003000 0 kfree call_site=0xffffffff81040080 ptr=0xffff8882000${i}000 pid=42"
		done
	} >"$1.script"
	"$MKTAPE" "$1.script" -o "$1" || exit 1
	echo "kernel 1111000000000000000000000000000000001111" >"$1/symbols/build-ids"
}

make_tape good '' ''
# A colour, a bell, DEL, CSI of C1, right-to-left mark, separator, what is no UTF-8; then what formats are made of.
make_tape evil $'\e[31m\a\b\x7f\xc2\x9b1m\xe2\x80\xae\xe2\x80\xa8\xff\xc0\xaf;"\',\\<&>{}=%n$(id)' $'\r'

# What the JSON report says of them, by which all others are checked.
for tape in good evil; do
	"$KMEMTAPE" replay --format json $tape >$tape.json || exit 1
done

# Usage: total KEY [TAPE]: the sum over all sites by the JSON report.
total() {
	jq "[.sites[].$1] | add" "${2-good}.json"
}

# Usage: same_for_any_threads FORMAT
same_for_any_threads() {
	local threads
	for threads in 0 3 31; do
		"$KMEMTAPE" replay --format "$1" --threads $threads evil | sha256sum
	done | sort -u | wc -l | grep -qx 1 || fail "$1: not always the same bytes"
}
