/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_STALE_H
#define KMT_RECORD_STALE_H

#include <stdbool.h>

/*
 * True if @name is @prefix and the pid of a recorder that is gone: what it left in the kernel is nobody's.
 * So is what has our own pid, as long as we have made nothing.
 */
bool kmt_is_stale(const char *name, const char *prefix);

#endif
