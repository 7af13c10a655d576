# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of --lines: a kernel and a module that gcc makes, and a tape of them as if both had run, moved to
# other addresses. In $dir, which is left behind as the working directory.
set -u
for program in gcc ld nm readelf objdump strip; do
	command -v $program >/dev/null || {
		echo "no $program here"
		exit 77
	}
done
"$KMEMTAPE" replay --lines "$KMT_TESTS/frozen/format-1.tape" 2>&1 | grep -q "without 'lines'" && exit 77
[ "$(uname -m)" = x86_64 ] || exit 77 # where the calls are is read from x86 code
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -KILL $server; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
unset DEBUGINFOD_URLS
export DEBUGINFOD_CACHE_PATH=$dir/cache
failed=0

fail() {
	echo "$*"
	failed=1
}

must() {
	"$@" >log 2>&1 || {
		echo "$*: $(cat log)"
		exit 1
	}
}

KERNEL_ID=$(printf 'ab%.0s' {1..20})
MODULE_ID=$(printf '5e%.0s' {1..20})
SLIDE=$((0xffffffff80000000 + 0x1a00000)) # where the kernel was moved to
MODULE_AT=$((0xffffffffc0500000))

mkdir -p src/fs src/mm dbg
cat >src/fs/dentry.c <<'END'
void _stext(void) {}
__attribute__((noipa)) void *kmalloc(long n) { return (void *)n; }
__attribute__((noipa)) void kfree(void *p) { __asm__ volatile("" : : "r"(p)); }
#include "slab.h"
static __attribute__((noinline)) void fill(long n)
{
	kmalloc(n);
}
void *d_alloc(long n)
{
	fill(n);
	return kzalloc(n);
}
void d_free(void *p)
{
	kfree(p);
	kfree(p + 1);
}
END
cat >src/fs/slab.h <<'END'
static inline __attribute__((always_inline)) void *kzalloc(long n)
{
	void *p = kmalloc(n);
	return p + 1;
}
END
cat >src/mm/other.c <<'END'
void *kmalloc(long n);


static __attribute__((noinline)) void fill(long n)
{
	kmalloc(n);
}
void other(long n)
{
	fill(n);
}
END
cat >src/lab.c <<'END'
void *kmalloc(long n);
void *leak(long n)
{
	kmalloc(n);
	return kmalloc(n + 1) + 1;
}
__attribute__((section(".text.unlikely"))) void *cold_leak(long n)
{
	return kmalloc(n) + 1;
}
END
flags='-g -O2 -fno-optimize-sibling-calls -fcf-protection=none -fno-pic -fno-ipa-icf -fno-ipa-cp'
for name in fs/dentry mm/other lab; do
	(cd src && must gcc $flags -mcmodel=kernel -c -o ../"${name##*/}.o" $name.c) || exit 1
done
must gcc -nostdlib -static -no-pie -Wl,--build-id=0x$KERNEL_ID -Wl,-Ttext=0x1000000 -Wl,-e,d_alloc \
	-o dbg/vmlinux dentry.o other.o
must ld -r --build-id=0x$MODULE_ID -o dbg/lab.ko lab.o

# Usage: start FILE FUNCTION [NR]: where the function, or the NRth of that name, begins in its section.
start() {
	readelf -sW "$1" | awk -v name="$2" '$4 == "FUNC" && $8 == name { print $2 }' | sort | sed -n "${3:-1}p"
}

# Usage: returns_to FILE FUNCTION WHICH [NR]: the offset behind the WHICHth call in it, by objdump.
returns_to() {
	local from to
	from=$((0x$(start "$1" "$2" "${4:-1}")))
	to=$(objdump -dr --no-show-raw-insn --start-address=$from "$1" | awk -v name="<$2>:" '
		/^[0-9a-f]+ <.*>:$/ { is_it = $2 == name; next }
		is_it && is_call && /^ *[0-9a-f]+:\t/ { sub(":", "", $1); print $1; is_call = 0 }
		is_it && /\tcall / { is_call = 1 }' | sed -n "$3p")
	echo $((0x$to - from))
}

# Usage: in_kernel FUNCTION WHICH [NR]; in_module FUNCTION WHICH SECTION: the call site on the tape.
in_kernel() { printf '0x%x' $((0x$(start dbg/vmlinux "$1" "${3:-1}") + SLIDE + $(returns_to dbg/vmlinux "$1" "$2" "${3:-1}"))); }
in_module() { printf '0x%x' $((0x$(start dbg/lab.ko "$1") + MODULE_AT + $3 * 4096 + $(returns_to dbg/lab.ko "$1" "$2"))); }

# Sections of the module are apart: .text and .text.unlikely, 4 KiB from each other.
module_symbols() {
	readelf -sW dbg/lab.ko | awk '$4 == "FUNC" { print $2, $8 }' | while read -r value name; do
		section=0
		[ "$name" != cold_leak ] || section=1
		printf 'module_symbol 1 %x t %s\n' $((0x$value + MODULE_AT + section * 4096)) "$name"
	done
}

allocs() {
	local n=0 site
	for site in "$(in_kernel d_alloc 2)" "$(in_kernel fill 1 1)" "$(in_kernel fill 1 2)" "$(in_module leak 1 0)" \
		"$(in_module leak 2 0)" "$(in_module cold_leak 1 1)"; do
		n=$((n + 1))
		printf '%d 0 kmalloc call_site=%s ptr=0xffff8880000%02x000 bytes_req=100 gfp=0xcc0 pid=42\n' \
			$((n * 1000)) "$site" $n
		[ $n != 2 ] || printf '2010 0 kernel_stack caller=%s,%s,%s pid=42\n' "$site" "$(in_kernel d_alloc 1)" \
			"$(in_module leak 2 0)"
	done
	printf '9000 0 kfree call_site=%s ptr=0xffff888000001000 pid=42\n' "$(in_kernel d_free 2)"
}

{
	echo "formats 6.18 stacks"
	echo "stacks slab"
	nm -n dbg/vmlinux | while read -r address type name; do
		[[ $type != [tT] ]] || printf 'symbol %x %s %s\n' $((0x$address + SLIDE)) "$type" "$name"
	done
	printf 'module load 0 lab 8192 0x%x OE %s\n' $MODULE_AT "$MODULE_ID"
	module_symbols
	allocs
	echo "end 20000000000"
} >script
# The header goes before the events.
grep -v '^[0-9]' script >sorted
grep '^[0-9]' script >>sorted
"$MKTAPE" sorted -o tape || exit 1
echo "kernel $KERNEL_ID" >tape/symbols/build-ids

# Usage: sites OPTION...: "FUNCTION LINES" of all call sites, in the order of the tape's calls.
sites() {
	"$KMEMTAPE" replay --format json "$@" tape >json 2>err || {
		fail "replay $*: $(cat err)"
		return
	}
	jq -r '.sites | sort_by(.function, .offset, .call_site)[] | "\(.function) \(.lines // "-")"' json
}

WANTED='cold_leak lab.c:9
d_alloc fs/slab.h:3 < fs/dentry.c:12
fill fs/dentry.c:7
fill mm/other.c:6
leak lab.c:4
leak lab.c:5'

# Usage: compare WHAT LINES WANTED
compare() { [ "$2" = "$3" ] || fail "$1: $(diff <(echo "$3") <(echo "$2"))"; }
