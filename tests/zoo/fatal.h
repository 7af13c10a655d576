/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_FATAL_H
#define KMEMTAPE_ZOO_FATAL_H

#include <stddef.h>

/* The generator is a test program: whatever goes wrong ends it with a line on stderr. */
void zoo_fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void *zoo_calloc(size_t nr, size_t bytes);
void *zoo_realloc(void *old, size_t bytes);

#endif
