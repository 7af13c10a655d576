#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A tape of all sets has events with long names: `kmemtape info` breaks their list where a terminal would.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

{
	echo "formats 6.18 pages percpu vmalloc"
	echo "sets slab,page,percpu,vmalloc"
} >script
"$MKTAPE" script -o tape || exit 1
"$KMEMTAPE" info tape >info || exit 1
for event in kmem:kmalloc kmem:mm_page_alloc percpu:percpu_free_percpu vmalloc:free_vmap_area_noflush; do
	grep -qw "$event" info || { echo "$event is not there:"; cat info; exit 1; }
done
if grep -n '.\{81\}' info; then
	echo "longer than 80 columns"
	exit 1
fi
