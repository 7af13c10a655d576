# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of faults, which have two lines behind their license:
#   # Fault: what happens
#   # Promise: what is on disk, how it exits and says so, how tracefs is afterwards, what the next run cleans up
# shellcheck source=tests/live/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.sh"
