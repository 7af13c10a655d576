#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# tools/debian/build makes two packages that lintian has nothing against: all that meson installs is in its place, and
# the static program of kmemtape-record runs, and records, where nothing else is installed.
. "$(dirname "$0")/lib.sh"

for needed in dpkg-buildpackage dh lintian scdoc; do
	command -v $needed >/dev/null || {
		echo "needs $needed: tools/install-deps package"
		exit 77
	}
done
# Not optimised, to be quick: it is what is in them that counts here.
TMPDIR=$WORK env -u CFLAGS -u LDFLAGS DEB_BUILD_OPTIONS="noopt parallel=$(nproc)" "$source_dir/tools/debian/build" \
	"$WORK/made" >"$WORK/log" 2>&1 || fail "$(tail -n 20 "$WORK/log")"
grep ' warning: .*\[-W' "$WORK/log" && fail "the compiler warns"
lintian --fail-on error,warning "$WORK"/made/*.changes >"$WORK/lintian" 2>&1 || fail "lintian: $(cat "$WORK/lintian")"

pages='man1/kmemtape.1 man1/kmemtape-diff.1 man1/kmemtape-doctor.1 man1/kmemtape-export.1 man1/kmemtape-import.1
	man1/kmemtape-info.1 man1/kmemtape-merge.1 man1/kmemtape-pack.1 man1/kmemtape-record.1 man1/kmemtape-recover.1
	man1/kmemtape-replay.1 man1/kmemtape-verify.1 man5/kmemtape-tape.5 man7/kmemtape-formats.7'
unit=$(pkg-config --variable=systemdsystemunitdir systemd)/kmemtape-record.service

# A package: what it has, and no more; in the order of sort.
expected()
{
	local page

	for page in $pages; do echo "/usr/share/man/$page.gz"; done
	printf '%s\n' /usr/bin/kmemtape "$unit" /usr/share/bash-completion/completions/kmemtape \
		/usr/share/zsh/vendor-completions/_kmemtape /usr/share/fish/vendor_completions.d/kmemtape.fish \
		"/usr/share/doc/$1/changelog.gz" "/usr/share/doc/$1/copyright"
	[ "$1" = kmemtape ] || echo "/usr/share/lintian/overrides/$1"
}
for package in kmemtape kmemtape-record; do
	dpkg-deb -x "$WORK/made/${package}"_*.deb "$WORK/$package" || fail "$package: can't be unpacked"
	(cd "$WORK/$package" && find . -type f | sed 's/^\.//') | sort >"$WORK/has"
	expected $package | sort | diff - "$WORK/has" || fail "$package: not what it should have (<), or more (>)"
	[ -s "$WORK/made/$package-dbgsym"_*.deb ] || fail "$package: no debug symbols"
	program=$WORK/$package/usr/bin/kmemtape
	[ "$("$program" --version | sed -n '1s/ (.*//p')" = "kmemtape $(dpkg-deb -f "$WORK/made/${package}"_*.deb Version)" ] ||
		fail "$package: another version: $("$program" --version)"
	# The next build, in another directory, makes the same.
	grep -qF "$WORK" "$program" && fail "$package: it has the directory where it was built"
done
for page in $pages; do
	gzip -dc "$WORK/kmemtape/usr/share/man/$page.gz" | mandoc -T lint -W error || fail "$page: mandoc finds errors"
done
grep -q "^ExecStart=/usr/bin/kmemtape record " "$WORK/kmemtape$unit" || fail "no service"
# What debian/copyright has of other licenses is what the files say themselves.
(cd "$source_dir" && grep -rl 'SPDX-License-Identifier: LGPL-2.1-only' --include='*.[ch]' include src | sed 's,\(include\|src/[a-z]*\)/.*,\1/*,' | sort -u) |
	diff - <(sed -n '/^Files: include/,/^Copyright/s/.* \([a-z/]*\*\)$/\1/p' "$source_dir/tools/debian/copyright") ||
	fail "tools/debian/copyright isn't what the files say"
(cd "$KMT_TESTS/frozen" && exec "$WORK/kmemtape/usr/bin/kmemtape" replay format-1.tape) >"$WORK/report" || fail "kmemtape: it doesn't replay"

program=$WORK/kmemtape-record/usr/bin/kmemtape
readelf -l "$program" | grep -q INTERP && fail "kmemtape-record wants a dynamic linker"
[ -z "$(dpkg-deb -f "$WORK/made/kmemtape-record"_*.deb Depends)" ] || fail "kmemtape-record depends on something"
dpkg-deb -f "$WORK/made/kmemtape-record"_*.deb Built-Using | grep -q '^glibc (= ' || fail "kmemtape-record doesn't say what is in it"
[ "$(id -u)" = 0 ] || exit 0

# Installed where there is nothing: each takes the place of the other, and goes without a trace.
root=$WORK/root
mkdir -p "$root"/{proc,sys,tmp} "$root/var/lib/dpkg"/{info,updates} && : >"$root/var/lib/dpkg/status"
package()
{
	SYSTEMD_OFFLINE=1 dpkg --root="$root" --log=/dev/null --force-script-chrootless "$@" >"$WORK/log" 2>&1
}
package --force-depends --install "$WORK/made/kmemtape"_*.deb || fail "kmemtape: $(cat "$WORK/log")"
package --install "$WORK/made/kmemtape-record"_*.deb || fail "kmemtape-record: $(cat "$WORK/log")"
installed=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Package} ${db:Status-Status}\n' | grep ' installed$')
[ "$installed" = "kmemtape-record installed" ] || fail "installed: $installed"

cp -r "$KMT_TESTS/frozen/format-1.tape" "$root/"
chroot "$root" /usr/bin/kmemtape replay format-1.tape | cmp - "$WORK/report" || fail "its report is another"
for option in lines tui; do
	chroot "$root" /usr/bin/kmemtape replay --$option format-1.tape >"$WORK/out" 2>"$WORK/err" && fail "--$option: exit 0"
	[ ! -s "$WORK/out" ] && [ "$(wc -l <"$WORK/err")" = 1 ] && grep -q "built without '$option'" "$WORK/err" ||
		fail "--$option: $(cat "$WORK/out" "$WORK/err")"
done
package --purge kmemtape-record || fail "kmemtape-record goes: $(cat "$WORK/log")"
[ ! -e "$root/usr" ] || fail "left behind: $(find "$root/usr")"

[ -w /sys/kernel/tracing/events/kmem/kmalloc/enable ] || exit 0
cp "$program" "$root/"
unshare -m sh -c 'mount --rbind /proc "$1/proc" && mount --rbind /sys "$1/sys" &&
	exec chroot "$1" /kmemtape record -q -d 200ms --settle 0 -o /tmp/x.tape' sh "$root" ||
	fail "it doesn't record in an empty root"
"$program" verify -q "$root/tmp/x.tape" || fail "what it recorded is damaged"

# It takes no more memory than it says: "and 11.1 MiB of memory, of 22.0 MiB at most, ..."
"$program" record -o "$WORK/y.tape" -e slab,page,percpu,vmalloc --settle 0 -- sh -c 'ls -lR /sys/kernel /proc/self; sleep 1' \
	>/dev/null 2>"$WORK/log" || fail "it doesn't record: $(cat "$WORK/log")"
awk '/ of memory, of / { is_good = $3 $8 == "MiBMiB" && $2 <= $7 } END { exit !is_good }' "$WORK/log" ||
	fail "it takes more memory than it says: $(grep " of memory, of " "$WORK/log")"
grep " of memory, of " "$WORK/log"
exit 0
