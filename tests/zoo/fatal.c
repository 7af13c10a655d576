// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fatal.h"

void zoo_fatal(const char *fmt, ...)
{
	va_list args;

	(void)fputs("zoo-tape: ", stderr);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(1);
}

void *zoo_calloc(size_t nr, size_t bytes)
{
	void *memory = calloc(nr, bytes);

	if (!memory)
		zoo_fatal("out of memory");
	return memory;
}

void *zoo_realloc(void *old, size_t bytes)
{
	void *memory = realloc(old, bytes);

	if (!memory)
		zoo_fatal("out of memory");
	return memory;
}
