/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_NOTE_H
#define KMT_RECORD_NOTE_H

#include "kmemtape/record.h"

/* kmt_note() - tell the user something that is no failure; may be cut at KMT_ERR_BYTES */
void kmt_note(const struct kmt_record_listener *listener, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
