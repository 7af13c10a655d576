#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Events at random, few addresses and few times: what collides, a loss, a ring's beginning or a file cut short, at whatever place,
# gives the same report whoever books what: each replay shares the addresses out in another way.
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/threads.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
options=('' '--by pid' '--by stack --grace 1us' '--by module --older 1us' '--by comm' '--by cache')

# some SEED: a script. Times are ties mostly, or far from each other; all spaces there are, tasks, modules, snapshots
some() {
	cat <<-END
		kernel 6.12.0
		arch x86_64
		formats 6.12 pages percpu vmalloc pairs$([ $(($1 % 3)) = 2 ] && echo " stacks")
		endian little
		long 8
		subbuf 4096
		clock mono
		start 1000
		allocs_on 1000
		closed $([ $(($1 % 4)) = 3 ] && echo no || echo yes)
		disturbed 1100 2000 events/kmem/kfree/enable
		pair dentry d_alloc __d_free
		pair device get_device put_device count
		symbol ffffffff81000000 T _stext
		symbol ffffffff81010000 T alloc_it
		symbol ffffffff81020000 T free_it
		symbol ffffffff81f00000 T _etext
		module load 0 old_mod 16384 0xffffffffc0000000 - 1111
		module_symbol 1 ffffffffc0001000 t old_alloc
		comm 42 bash
		snapshot 1200 start
		| ==> /proc/meminfo <==
		| Percpu: 1000 kB
		snapshot 90000 end
		| ==> /proc/meminfo <==
		| Percpu: 1100 kB
	END
	awk -v seed="$1" '
	function any(n) { return int(rand() * n) }
	function of(words, list) { return list[1 + any(split(words, list, " "))] }
	function say(what) { printf "%d %d %s pid=%d%s\n", time, cpu, what, pid, flags; has_data[cpu] = 1 }
	function object() { return any(8) ? sprintf("0xffff8880%08x", 64 * any(40)) : any(20) }
	BEGIN {
		srand(seed)
		time = 1000
		step = seed % 2 ? 400 : 90000000
		for (nr = (seed % 5 ? 100 : 3000) + any(500); nr > 0; nr--) {
			time += any(4) ? 0 : any(step)
			cpu = any(1 + seed % 5 * 3)
			pid = 41 + any(4)
			flags = any(6) ? "" : " flags=0x10"
			site = any(5) ? "alloc_it+0x" 10 * any(9) : "0xffffffffc0001020"
			from = any(3) ? "free_it+0x10" : "free_it+0x20"
			# Others are freed in parts, or are none: not where one of their size may be, or too large
			order = any(2) ? any(3) : of("10 13 40")
			frame = order < 10 ? 64 + any(16) * 2 ^ order : any(3) * 2048
			frame = sprintf("pfn=%.0f order=%d", 8192 * of("0 1 99 1e12") + frame, order)
			what = any(45)
			if (what < 8) {
				say("kmalloc call_site=" site " ptr=" object() " bytes_req=100 bytes_alloc=" of("128 192 9000"))
				if (seed % 3 == 2)
					say("kernel_stack caller=0xffffffff81020010,0xffffffff810" of("1 2") "0020")
			} else if (what < 11)
				say("kmem_cache_alloc call_site=" site " ptr=" object() " bytes_req=192 bytes_alloc=192")
			else if (what < 18)
				say("kfree call_site=" from " ptr=" object())
			else if (what < 21)
				say("kmem_cache_free call_site=" from " ptr=" object() " name=" of("dentry cred_jar"))
			else if (what < 23)
				say("rcu_free call_site=" from " head=0xffff888000000" any(8) "50 ptr=0xffff888000000" any(8) "40")
			else if (what < 28)
				say("mm_page_" of("alloc free") " " frame)
			else if (what < 30)
				say("percpu_alloc_percpu call_site=" site " size=8 align=8 ptr=" any(20) " bytes_alloc=64")
			else if (what < 31)
				say("percpu_free_percpu ptr=" any(20))
			else if (what < 33)
				say("alloc_vmap_area addr=" 4096 * any(9) " size=8192 align=1")
			else if (what < 34)
				say("free_vmap_area_noflush va_start=" 4096 * any(9))
			else if (what < 36)
				say("pair_device_alloc call_site=" site " object=" object())
			else if (what < 38)
				say("pair_device_free call_site=" from " object=" object())
			else if (what < 39)
				say("pair_dentry_free call_site=" from " object=" object())
			else if (what == 39)
				say("task_rename oldcomm=a comm=" of("a b c"))
			else if (what == 40)
				say(of("module_load module_free") " name=old_mod")
			else if (what == 41) {
				printf "%d %d lost %s\n", time, cpu, of("? 7")
				say("kfree call_site=" from " ptr=" object())
			} else {
				printf "%d %d %s\n", time, cpu, has_data[cpu] ? "chunk" : "mark"
				has_data[cpu] = 0
			}
		}
	}'
}

for seed in {1..12}; do
	rm -rf tape
	some "$seed" >script
	"$MKTAPE" script -o tape || exit 1
	case $((seed % 6)) in
	1) # a ring that begins in the middle of it
		at=$(awk '/^[0-9]/ { times[nr++] = $1 } END { print times[int(nr / 3)] }' script)
		jq --argjson at "$at" '.incompat = ["segments"] | .ring = { max_bytes: 16777216, dropped_ns: $at, began_ns: 0 }' \
			tape/manifest.json >manifest.json && cp manifest.json tape/manifest.json
		;;
	4) truncate -s $(($(stat -c %s tape/cpu/0000.zst) / 2)) tape/cpu/0000.zst ;;
	esac
	for threads in 0 1 2 3 16; do
		# shellcheck disable=SC2086 # options are words
		"$KMEMTAPE" replay --format json ${options[seed % 6]} --threads $threads tape >report.$threads 2>why &&
			cmp -s report.0 report.$threads && continue
		echo "seed $seed, $threads threads: $(cat why)"
		diff report.0 report.$threads | head -n 10
		failed=1
	done
	jq -e '.tape.complete == false or .events.total > 20 and .matching.paired > 0' report.0 >/dev/null || {
		echo "seed $seed: too few events"
		failed=1
	}
done
exit $failed
