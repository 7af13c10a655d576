#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Usage: tape.py [--healthy] [--lossy] [--sites N] [--suffix TEXT]: a script for mktape: ten minutes of a machine on which a module
leaks from the third minute on (unless it is healthy), a cache fills, and others come and go."""
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--healthy", action="store_true")
parser.add_argument("--lossy", action="store_true")
parser.add_argument("--sites", type=int, default=0)
parser.add_argument("--suffix", default="")
options = parser.parse_args()
s = options.suffix
NS, END, LEAK_FROM = 10**9, 600, 600 if options.healthy else 150
rx = f"{0xffffffffc0001010:#x}"

print(f"""kernel 6.12.0-demo
arch x86_64
host demo{s}
formats 6.18 stacks
endian little
long 8
subbuf 4096
clock mono
wall_offset 1700000000000000000
start 1000
allocs_on 1000
allocs_off {END * NS}
end {END * NS}
sets slab
stacks slab
closed yes
module load 0 leaky{s} 16384 0xffffffffc0000000 OE 22220000000000000000000000000000deadbeef
symbol ffffffff81000000 T _stext
symbol ffffffff81010000 T __d_alloc{s}
symbol ffffffff81020000 T d_alloc_parallel{s}
symbol ffffffff81030000 T do_syscall_64
symbol ffffffff81040000 T alloc_pipe_info{s}
symbol ffffffff81050000 T __alloc_skb{s}
symbol ffffffff81060000 T net_rx_action
symbol ffffffff81070000 T tcp_sendmsg
symbol ffffffff81080000 T path_openat
symbol ffffffff81090000 T kfree_skbmem
symbol ffffffff810a0000 T many
symbol ffffffff81f00000 T _etext
module_symbol 1 ffffffffc0001000 t leaky_rx_alloc{s}
module_symbol 1 ffffffffc0002000 t leaky_poll{s}
comm 42 nginx{s}
comm 43 updatedb""")
if options.lossy:
    print("stats 0 overrun=5000 commit_overrun=0 dropped=0 read=3")
for t in range(0, END + 1, 20):
    leak = max(0, t - LEAK_FROM)
    print(f"snapshot {min(t * NS + 1000, END * NS)} {'start' if t == 0 else 'end' if t == END else 'interval'}")
    print(f"| ==> /proc/meminfo <==\n| SUnreclaim: {50000 + leak * 8} kB\n| SReclaimable: {90000 + min(t, 240) * 5} kB\n"
          f"| VmallocUsed: 30000 kB\n| Percpu: 2000 kB\n| ==> /proc/slabinfo <==\n| slabinfo - version: 2.1\n"
          f"| kmalloc-4k {400 + leak * 2} {400 + leak * 2} 4096 8 8 : tunables 0 0 0 : slabdata {50 + leak // 4} {50 + leak // 4} 0\n"
          f"| dentry {1000 + min(t, 240) * 2} {1000 + min(t, 240) * 2} 1536 21 8 : tunables 0 0 0 : slabdata "
          f"{50 + min(t, 240) // 10} {50 + min(t, 240) // 10} 0")

events, serial = [], 0


def alloc(t, site, cache, size, stack, life=None, freer=None, pid=42):
    global serial
    serial += 1
    ptr = 0xffff888000000000 + serial * 8192
    name = f"kmem_cache_alloc call_site={site} ptr={ptr:#x} name={cache} bytes_req={size} bytes_alloc={size} gfp=0xcc0 pid={pid}"
    events.append((t, f"0 {name}"))
    events.append((t + 10, f"0 kernel_stack caller={','.join([site] + stack)} pid={pid}"))
    if life and t + life < END * NS:
        events.append((t + life, f"0 kmem_cache_free call_site={freer} ptr={ptr:#x} name={cache} pid={pid}"))


sys64, rx_action = "0xffffffff81030010", "0xffffffff81060040"
for i in range(END * 2):
    t = i * NS // 2 + 5000
    second = i // 2
    if second >= LEAK_FROM:
        alloc(t, rx, f"kmalloc-4k{s}", 4096, ["0xffffffffc0002080", rx_action], pid=43 if i % 5 == 0 else 42)
    else:
        alloc(t, rx, f"kmalloc-4k{s}", 4096, ["0xffffffffc0002080", rx_action], NS, "0xffffffff81090010")
    if second < 240:
        alloc(t + 100, "0xffffffff8101002c", f"dentry{s}", 1536, ["0xffffffff81020040", "0xffffffff81080040", sys64], pid=43)
    alloc(t + 200, "0xffffffff81050040", f"skbuff_head_cache{s}", 2048, ["0xffffffff81070040", sys64],
          (20 + i * 7 % 60) * NS, "0xffffffff81090010")
    if second % 120 < 90:
        alloc(t + 300, "0xffffffff81040040", f"kmalloc-1k{s}", 1024, ["0xffffffff81080080", sys64],
              (120 - second % 120) * NS, "0xffffffff81040090")
for i in range(options.sites):
    alloc(20 * NS + i * 1000, f"{0xffffffff810a0010 + i * 16:#x}", f"kmalloc-64{s}", 64, [sys64])
if options.lossy:
    events.append((300 * NS, "0 lost 5000"))
for t, line in sorted(events):
    print(t, line)
