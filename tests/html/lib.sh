# SPDX-License-Identifier: GPL-2.0-only
# For tests of pages: sourced, in a directory of its own.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
# Where Debian's modules for python are.
python=/usr/bin/python3
failed=0

fail() {
	echo "$*"
	failed=1
}

# Usage: make_tape NAME [ARG...]: what tape.py makes of it
make_tape() {
	local name=$1
	shift
	$python "$here/tape.py" "$@" >"$name.script" && "$MKTAPE" "$name.script" -o "$name" || exit 1
}

# Usage: page NAME [ARG...]: NAME.html of the tape NAME
page() {
	local name=$1
	shift
	"$KMEMTAPE" replay --format html -o "$name.html" "$@" "$name" || fail "$name: exit $?"
}

# Usage: look SCRIPT: python on stdin, with a Browser as `b`; skips as a whole where there is none.
look() {
	local status
	{
		echo 'from browser import Browser'
		echo 'with Browser() as b:'
		sed 's/^/    /'
	} >look.py
	$python look.py || {
		status=$?
		[ $status -ne 77 ] || exit 77
		failed=1
	}
}
