#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every header compiles alone.
set -u
failed=0
for header in "$KMT_TESTS"/../include/kmemtape/*.h; do
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -Werror -fsyntax-only \
		-I "$KMT_TESTS/../include" -x c "$header" 2>&1 | grep -v 'pragma once' && failed=1
done
exit $failed
