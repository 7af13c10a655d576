# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the scripts of the VM lab share; sourced by them, in bash. Where things are:
#   $VM_CACHE/KERNEL/     unpacked packages of one kernel: can always be fetched again
#   $VM_BUILD/            what is made of this source tree: static kmemtape, modules, initramfs, snapshots

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VM_TOP=$(cd "$VM_DIR/../.." && pwd)
VM_CACHE=${KMEMTAPE_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kmemtape-vm}
VM_BUILD=${KMEMTAPE_VM_BUILD:-$VM_TOP/build-vm}

# The kernels of the lab: a name for people, and the Debian suite whose cloud kernel that is today.
#   5.10  kmalloc_node and kmem_cache_alloc_node, kmem_cache_free traced after the free and without a cache's name
#   6.1   no vmalloc events
#   6.12  vmalloc events, sub-buffers of any size, names in _noprof
#   new   the newest that Debian has for a stable release: sheaves, cache names in kmem_cache_alloc
vm_kernels() {
	cat <<-EOT
		5.10 bullseye
		6.1 bookworm
		6.12 bookworm-backports
		new trixie-backports
	EOT
}

# Cannot be had here, and that is no mistake of ours: tests turn this into "skipped".
VM_EXIT_UNAVAILABLE=77

vm_say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
vm_die() {
	vm_say "$*"
	exit 1
}
vm_unavailable() {
	vm_say "$*"
	exit $VM_EXIT_UNAVAILABLE
}

# Usage: vm_suite KERNEL; prints the suite that has it, or nothing.
vm_suite() {
	vm_kernels | awk -v name="$1" '$1 == name || $2 == name { print $2 }'
}

# Usage: vm_resolve WORD; prints the directory name in the cache of what a person called WORD: a name of
# vm_kernels, a suite, or the package of a kernel that was fetched (linux-image-...).
vm_resolve() {
	local suite dir
	suite=$(vm_suite "$1")
	if [ -n "$suite" ]; then
		echo "$suite"
		return
	fi
	for dir in "$VM_CACHE"/*/; do
		if [ -f "$dir/package" ] && [ "$(cat "$dir/package")" = "$1" ]; then
			basename "$dir"
			return
		fi
	done
	vm_say "there is no kernel '$1'; there are: $(vm_kernels | awk '{ print $1 }' | xargs)"
	return 2
}

# Usage: vm_lock FILE COMMAND...: runs it while no other script of the lab holds FILE, by itself one in $VM_BUILD.
vm_lock() {
	local file=$1
	shift
	case "$file" in */*) ;; *) file=$VM_BUILD/.lock-$file ;; esac
	mkdir -p "${file%/*}"
	(
		flock 9
		"$@"
	) 9>"$file"
}

# Usage: vm_release SUITE; prints its kernel's release.
vm_release() { cat "$VM_CACHE/$1/release"; }

# Usage: vm_vmlinuz SUITE
vm_vmlinuz() {
	local root=$VM_CACHE/$1/root file
	for file in "$root"/boot/vmlinuz-* "$root"/usr/lib/modules/*/vmlinuz; do
		[ ! -f "$file" ] || {
			echo "$file"
			return
		}
	done
	vm_die "$root: there is no vmlinuz"
}

# Usage: vm_name SUITE; prints the name for people.
vm_name() { vm_kernels | awk -v suite="$1" '$2 == suite { print $1 }'; }

# Usage: vm_is_current SUITE: is what prepare made for it newer than all that it was made of?
vm_is_current() {
	local initrd=$VM_BUILD/$1/initrd newer
	[ -f "$initrd" ] && [ -f "$VM_CACHE/$1/version" ] || return 1
	newer=$(cd "$VM_TOP" && find src include tools/vm tests/vm/modules meson.build "$VM_CACHE/$1/version" \
		-type f -newer "$initrd" -print -quit)
	[ -z "$newer" ]
}

# Usage: vm_has_kvm: do machines boot here with KVM? As prepare found out, since this host was booted: a /dev/kvm alone
# says little.
vm_has_kvm() { [ "$(cat "$VM_BUILD/kvm" 2>/dev/null)" = "yes $(cat /proc/sys/kernel/random/boot_id)" ]; }

# shellcheck disable=SC2034 # for the callers
VM_DISK_BYTES=536870912 # sparse

# Usage: vm_machine SUITE on|off [kvm]: with page tables of five levels or of four. Sets $machine to what is the same
# for every machine of that kind: a snapshot has to be resumed with what it was made with.
vm_machine() {
	local cpu=max,-cx16 # qemu 7.2 spoils the flags in cmpxchg16b, and 6.12 then oopses
	local accel=tcg,thread=multi
	if [ "${3-}" = kvm ]; then
		cpu=host
		accel=kvm
	fi
	case "$2" in
	on) ;;
	off) cpu=$cpu,-la57 ;;
	*) vm_die "--la57: on or off" ;;
	esac
	# shellcheck disable=SC2034,SC2054 # for the callers; commas are qemu's
	machine=(-accel "$accel" -cpu "$cpu" -M q35 -smp 2 -m 1G -nographic -no-reboot -nodefaults -net none
		-kernel "$(vm_vmlinuz "$1")" -initrd "$VM_BUILD/$1/initrd"
		-append "console=ttyS0 panic=-1 oops=panic quiet"
		-device virtio-blk-pci,drive=out,serial=out)
}
