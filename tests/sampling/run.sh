#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# 200 workloads, each recorded in full and by 1/8, 1/16 and 1/64 of the addresses: what is live lies within the
# estimates' 95 % intervals in 95 % of the cases. Prints how often.
#
# Environment: SAMPLING: the program; KMT_TESTS: this source's tests/.
set -u
# 800 tapes, each of them written to disk with care.
work=$(mktemp -d "/dev/shm/sampling.XXXXXX" 2>/dev/null) || work=$(mktemp -d "${TMPDIR:-/tmp}/sampling.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

"$SAMPLING" "$KMT_TESTS/formats/6.12" "$work" "${1:-200}"
