// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>

#include "note.h"

void kmt_note(const struct kmt_record_listener *listener, const char *fmt, ...)
{
	char text[KMT_ERR_BYTES];
	va_list args;

	if (!listener->note)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	listener->note(listener->context, text);
}
