#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# clang-format decides on .c files.
cd "$KMT_TESTS/.." || exit 1
command -v clang-format >/dev/null || {
	echo "needs clang-format"
	exit 77
}
git ls-files '*.c' 2>/dev/null | grep -v '^tests/vm/' | xargs clang-format --dry-run -Werror
