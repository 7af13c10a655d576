/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_REACH_H
#define KMT_CORE_REACH_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Room for element @index of a zeroed array. Return: the array, NULL if out of memory. */
static inline void *reach(void *array, size_t *nr, size_t index, size_t bytes)
{
	size_t grown = *nr ? *nr : 64;
	void *bigger;

	if (index < *nr)
		return array;
	while (grown <= index)
		grown *= 2;
	bigger = reallocarray(array, grown, bytes);
	if (!bigger)
		return NULL;
	memset((char *)bigger + *nr * bytes, 0, (grown - *nr) * bytes);
	*nr = grown;
	return bigger;
}

#endif
