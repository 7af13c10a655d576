# SPDX-License-Identifier: GPL-2.0-only
# The script of a tape, for mktape: see make() in lib.sh. Two sites in the kernel and one in the module foo allocate and
# free; each free follows a fifth of a second after, what leaks is never freed.
function symbol(offset, name) {
	printf "symbol %s%05x T %s\n", substr(base, 1, 11), shift_kernel + offset, name
}

function alloc(at, site, ptr, size) {
	printf "%.0f 0 kmalloc call_site=%s ptr=0xffff8880%08x bytes_req=%d bytes_alloc=%d gfp=0xcc0 pid=1\n", at, site, ptr * 256, size, size
}

function free(at, ptr) {
	printf "%.0f 0 kfree call_site=sink+0x10 ptr=0xffff8880%08x pid=1\n", at, ptr * 256
}

BEGIN {
	end = start + seconds * 1000000000
	shift_kernel = shift * 256
	print "kernel " kernel
	print "formats 6.18"
	printf "start %.0f\nallocs_on %.0f\nallocs_off %.0f\nend %.0f\n", start, start, end, end
	print "closed yes"
	if (host != "")
		print "host " host
	symbol(0, "_stext")
	symbol(4096, "bar_alloc")
	symbol(8192, "baz_alloc")
	symbol(12288, "sink")
	symbol(40960, "_etext")
	foo = "foo_alloc" suffix
	if (has_foo) {
		printf "symbol %s1000 t %s [foo]\n", substr(module, 1, 12), foo
		printf "module load 0 foo 16384 0x%s OE %s\n", module, foo_build
	}
	if (unload)
		printf "module unload %.0f foo\n", end - 1000000
	step = 1000000000 / rate
	n = seconds * rate
	ring = int(rate / 5)
	if (ring < 1)
		ring = 1
	for (i = 0; i < n; i++) {
		at = start + i * step
		# what was allocated `ring` rounds ago goes now
		if (i >= ring) {
			j = i - ring
			if (has_foo && !(leak && j % leak == 0))
				free(at, 1000000 + j % 40000)
			if (!(core_leak && j % core_leak == 0))
				free(at + 1000, 2000000 + j % 40000)
			free(at + 2000, 3000000 + j % 40000)
		}
		if (lost && i == int(n / 2)) {
			printf "%.0f 0 lost %d\n", at + 2500, lost
		}
		if (has_foo)
			alloc(at + 3000, sprintf("%s+0x%x", foo, 16 + shift), 1000000 + i % 40000, bytes)
		alloc(at + 4000, sprintf("bar_alloc+0x%x", 32 + shift), 2000000 + i % 40000, 128)
		alloc(at + 5000, sprintf("baz_alloc+0x%x", 48 + shift), 3000000 + i % 40000, 96)
	}
}
