#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay -o FILE`: FILE is what stdout would have been, or it is as it was before; nothing else is left behind.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
tape=$KMT_TESTS/frozen/format-1.tape
failed=0

fail() {
	echo "$*"
	failed=1
}

# Usage: nothing_else NAME...: these and no others are in out/
nothing_else() {
	[ "$(ls -A out | tr '\n' ' ')" = "${*:+$* }" ] || fail "in out/: $(ls -A out), wanted '$*'"
}

# Usage: refused PATTERN ARG...: exit 1, one line on stderr, nothing on stdout.
refused() {
	local pattern=$1 status
	shift
	"$KMEMTAPE" replay "$@" >stdout 2>stderr
	status=$?
	[ $status -eq 1 ] && [ ! -s stdout ] && [ "$(wc -l <stderr)" -eq 1 ] && grep -qF -- "$pattern" stderr ||
		fail "replay $*: exit $status, stdout $(wc -c <stdout) bytes, stderr '$(cat stderr)', wanted '$pattern'"
}

mkdir out
umask 027
for format in text json; do
	"$KMEMTAPE" replay --format $format "$tape" >wanted || fail "$format: exit $?"
	"$KMEMTAPE" replay --format $format -o out/file "$tape" >stdout || fail "$format: -o: exit $?"
	[ ! -s stdout ] || fail "$format: on stdout, too"
	cmp -s wanted out/file || fail "$format: -o is not what stdout is"
	"$KMEMTAPE" replay --format $format -o - "$tape" | cmp -s wanted || fail "$format: -o - is not stdout"
	nothing_else file
done
[ "$(stat -c %a out/file)" = 640 ] || fail "mode $(stat -c %a out/file), not what the umask leaves"

# In the place of what was there, also behind a link, which stays one.
echo old >out/file
ln -s file out/link
"$KMEMTAPE" replay --format json -o out/link "$tape" || fail "over a link: exit $?"
[ -L out/link ] && cmp -s wanted out/file || fail "a link is not followed"
nothing_else file link
rm out/link

# Who may read it stays as it was; and what the shell goes on with isn't replaced.
echo old >out/file
chmod 600 out/file
"$KMEMTAPE" replay --format json -o out/file "$tape" || fail "over a private file: exit $?"
[ "$(stat -c %a out/file)" = 600 ] || fail "a private file is mode $(stat -c %a out/file) now"
echo old >out/file
"$KMEMTAPE" replay --format json -o /dev/stdout "$tape" >>out/file || fail "/dev/stdout: exit $?"
{ echo old; cat wanted; } | cmp -s - out/file || fail "/dev/stdout takes the place of what the shell goes on with"
"$KMEMTAPE" replay --format json -o /dev/stdout "$tape" | cmp -s wanted || fail "/dev/stdout is not stdout"
nothing_else file

# Leaks are an answer, not a failure.
echo old >out/file
"$KMEMTAPE" replay --grace 0 --exit-code --fail-on possible --format json "$tape" >wanted
status=$?
"$KMEMTAPE" replay --grace 0 --exit-code --fail-on possible --format json -o out/file "$tape"
[ $? -eq $status ] || fail "another exit status than $status"
cmp -s wanted out/file || fail "with exit status $status the file is not there"

# What fails leaves what was there.
echo old >out/file
refused "nothing: " -o out/file nothing
refused "out: Is a directory" -o out "$tape"
refused "out/none/file: No such file or directory" -o out/none/file "$tape"
cp -r "$tape" out/tape
"$KMEMTAPE" pack -o out/tape.tar out/tape 2>/dev/null
sum=$(sha256sum <out/tape.tar)
refused "would take the place of what is read" -o out/tape.tar out/tape.tar
[ "$(sha256sum <out/tape.tar)" = "$sum" ] || fail "the tape is gone"
rm -rf out/tape out/tape.tar
[ "$(cat out/file)" = old ] || fail "what was there is gone"
nothing_else file

# Neither devices nor pipes are replaced.
mknod out/null c 1 3 2>/dev/null && { "$KMEMTAPE" replay -o out/null "$tape" && [ -c out/null ] || fail "a device is replaced"; }
rm -f out/null
mkfifo out/pipe
timeout 60 cat out/pipe >got &
"$KMEMTAPE" replay --format json -o out/pipe "$tape"
wait
"$KMEMTAPE" replay --format json "$tape" | cmp -s got || fail "a pipe doesn't get it"
rm out/pipe
refused "/dev/full: No space left on device" -o /dev/full "$tape"

# A full disk: nothing of it stays.
cat >full.sh <<'END'
mount -t tmpfs -o size=4k,nr_inodes=16 tmpfs out || exit 77
"$KMEMTAPE" replay --format json -o out/file "$1" >stdout 2>stderr
[ $? -eq 1 ] && [ "$(cat stderr)" = "kmemtape replay: out/file: No space left on device" ] && [ -z "$(ls -A out)" ] || {
	echo "on a full disk: $(cat stderr), left: $(ls -A out)"
	exit 1
}
END
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	unshare -m bash full.sh "$tape" || { [ $? -eq 77 ] || failed=1; }
fi
exit $failed
