# SPDX-License-Identifier: GPL-2.0-only
# The script of a tape, for mktape: see make() in lib.sh. Two sites in the kernel and one in the module foo allocate and
# free; each free follows a fifth of a second after, what leaks is never freed.
# What a sample of one page in so many takes: the recorder asks the kernel to.
function is_sampled(ptr) {
	return int(ptr / 16) % sample == 0
}

function symbol(offset, name) {
	printf "symbol %s%05x T %s\n", substr(base, 1, 11), shift_kernel + offset, name
}

function alloc(at, site, ptr, size) {
	if (is_sampled(ptr))
		printf "%.0f 0 kmalloc call_site=%s ptr=0xffff8880%08x bytes_req=%d bytes_alloc=%d gfp=0xcc0 pid=1\n", at, site, ptr * 256, size, size
}

function free(at, ptr) {
	if (is_sampled(ptr))
		printf "%.0f 0 kfree call_site=sink+0x10 ptr=0xffff8880%08x pid=1\n", at, ptr * 256
}

# vmallocinfo and what its areas add up to: one of them was there first.
function snapshot(at, name, nr, i) {
	printf "snapshot %.0f %s\n| ==> /proc/meminfo <==\n| VmallocUsed: %d kB\n| ==> /proc/vmallocinfo <==\n", at, name, (nr + 1) * 1024
	for (i = 0; i <= nr; i++)
		printf "| 0x%x-0x%x 1052672 map_alloc+0x20/0x1000 pages=256 vmalloc N0=256\n", i * 2 + 1, i * 2 + 2
}

BEGIN {
	end = start + seconds * 1000000000
	shift_kernel = shift * 256
	print "kernel " kernel
	print "formats " (pair ? "6.12 pairs" : "6.18")
	printf "start %.0f\nallocs_on %.0f\nallocs_off %.0f\nend %.0f\n", start, start, end, end
	print "closed yes"
	if (pair)
		print "pair dentry d_alloc __d_free"
	if (sample > 1)
		printf "sample %d\nsample_mask %d\n", sample, (sample - 1) * 4096
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
	for (i = 0; areas != "" && i <= 12; i++)
		snapshot(start + i * (end - start) / 12, i == 0 ? "start" : i < 12 ? "interval" : "end", int(areas * i / 12))
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
				free(at, 1000000 + j % 900000)
			if (pair && !(pair_leak && j % pair_leak == 0))
				printf "%.0f 0 pair_dentry_free call_site=sink+0x20 object=0xffff8881%08x pid=1\n", at, j * 256
			if (!(core_leak && j % core_leak == 0))
				free(at + 1000, 2000000 + j % 900000)
			free(at + 2000, 3000000 + j % 900000)
		}
		if (lost && i == int(n / 2)) {
			printf "%.0f 0 lost %d\n", at + 2500, lost
		}
		if (pair)
			printf "%.0f 0 pair_dentry_alloc __probe_ret_ip=bar_alloc+0x80 object=0xffff8881%08x pid=1\n", at + 2800, i * 256
		if (has_foo)
			alloc(at + 3000, sprintf("%s+0x%x", foo, 16 + shift), 1000000 + i % 900000, bytes)
		alloc(at + 4000, sprintf("bar_alloc+0x%x", 32 + shift), 2000000 + i % 900000, 128)
		alloc(at + 5000, sprintf("baz_alloc+0x%x", 48 + shift), 3000000 + i % 900000, 96)
	}
}
