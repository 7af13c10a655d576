# SPDX-License-Identifier: GPL-2.0-only
# A script for mktape: a minute of a helper, __alloc_skb, that allocates for two. What it allocates for bar_tx is freed at once; of
# what is for foo_rx [foo] nothing is, if leak=1. leak=2: the other way round. only=foo, only=bar: it allocates for one of them.
# start: when it begins, in ns; module: where foo is, foo_build: its build; shift: bytes that foo_rx is further on
function at(i, ns) {
	return sprintf("%.0f", start + i * 50000000 + ns)
}
function stack(i, ns, who) {
	printf "%s 0 kernel_stack caller=0xffffffff81020050,%s,0xffffffff81050040 pid=42\n", at(i, ns), who
}
BEGIN {
	if (!module)
		module = "ffffffffc0000000"
	if (!foo_build)
		foo_build = "2b"
	end = sprintf("%.0f", start + 60000000000)
	print "kernel 6.18.0\narch x86_64\nformats 6.18 stacks\nendian little\nlong 8\nsubbuf 4096\nclock mono\nstart " start "\nallocs_on " start
	print "allocs_off " end "\nend " end "\nsets slab\nstacks slab\nclosed yes\nmodule load 0 foo 16384 0x" module " OE " foo_build
	print "symbol ffffffff81000000 T _stext\nsymbol ffffffff81020000 T __alloc_skb\nsymbol ffffffff81040000 T bar_tx\nsymbol ffffffff81050000 T do_syscall_64"
	print "symbol ffffffff81060000 T kfree_skb\nsymbol ffffffff81f00000 T _etext\nmodule_symbol 1 " substr(module, 1, 12) sprintf("%04x", 4096 + shift) " t foo_rx"
	for (i = 1; i < 1180; i++) {
		for_foo = only ? only == "foo" : i % 2
		stays = leak == (for_foo ? 1 : 2)
		address = stays ? sprintf("0xffff8881%08x", i * 1024) : "0xffff888200000000"
		printf "%s 0 kmalloc call_site=__alloc_skb+0x50 ptr=%s bytes_req=1000 bytes_alloc=1024 gfp=0xcc0 pid=42\n", at(i, 0), address
		stack(i, 10, for_foo ? "0x" substr(module, 1, 12) sprintf("%04x", 4144 + shift) : "0xffffffff81040030")
		if (!stays)
			printf "%s 0 kfree call_site=kfree_skb+0x20 ptr=%s pid=42\n", at(i, 1000), address
	}
}
