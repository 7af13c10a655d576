// SPDX-License-Identifier: LGPL-2.1-only
#include <stdarg.h>
#include <stdio.h>

#include "kmemtape/err.h"

int kmt_fail(struct kmt_err *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return code;
}
