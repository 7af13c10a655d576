#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# meson install: the program, and a man page for each command.
. "$(dirname "$0")/lib.sh"

build --prefix=/usr -Dtests=false -Dman=enabled
DESTDIR=$WORK/dest meson install --no-rebuild -C "$WORK/build" >"$WORK/log" 2>&1 || fail "$(tail -n 5 "$WORK/log")"
"$WORK/dest/usr/bin/kmemtape" --version >/dev/null || fail "no program"
for page in kmemtape.1 kmemtape-diff.1 kmemtape-doctor.1 kmemtape-export.1 kmemtape-import.1 kmemtape-pack.1 kmemtape-record.1 kmemtape-recover.1 kmemtape-replay.1 kmemtape-info.1 kmemtape-merge.1 kmemtape-verify.1 kmemtape-tape.5 kmemtape-formats.7; do
	file=$WORK/dest/usr/share/man/man${page##*.}/$page
	[ -s "$file" ] || fail "no $page"
	mandoc -T lint -W error "$file" || fail "$page: mandoc finds errors"
done
for file in bash-completion/completions/kmemtape zsh/site-functions/_kmemtape fish/vendor_completions.d/kmemtape.fish; do
	[ -s "$WORK/dest/usr/share/$file" ] || fail "no $file"
done
nr=18
if pkg-config --exists systemd; then
	grep -q "^ExecStart=/usr/bin/kmemtape record " "$WORK/dest/usr/lib/systemd/system/kmemtape-record.service" || fail "no service"
	nr=19
fi
[ "$(find "$WORK/dest" -type f | wc -l)" -eq $nr ] || fail "more than that: $(find "$WORK/dest" -type f)"
exit 0
