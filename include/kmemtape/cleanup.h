/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_CLEANUP_H
#define KMEMTAPE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Guards: whatever a function owns is released when its variable goes out of scope. They keep errno
 * and leave an empty value, so that running twice is harmless.
 */
#define KMT_CLEANUP(func) __attribute__((cleanup(func)))

/* Take the value out of a guarded variable, which then holds nothing. */
#define KMT_STEAL(var)                       \
	({                                   \
		__auto_type _stolen = (var); \
		(var) = NULL;                \
		_stolen;                     \
	})

#define KMT_STEAL_FD(var)            \
	({                           \
		int _stolen = (var); \
		(var) = -1;          \
		_stolen;             \
	})

/* kmt_NAME_freep(), the guard, from a kmt_NAME_free() that takes NULL and returns NULL. */
#define KMT_DEFINE_FREEP(pointer_type, free_func)          \
	static inline void free_func##p(pointer_type *ptr) \
	{                                                  \
		int _saved_errno = errno;                  \
		*ptr = free_func(*ptr);                    \
		errno = _saved_errno;                      \
	}

static inline void kmt_close_fd(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved_errno;
}

/* For any heap pointer: KMT_CLEANUP(kmt_freep) char *text = NULL; */
static inline void kmt_freep(void *ptr)
{
	int saved_errno = errno;

	free(*(void **)ptr);
	*(void **)ptr = NULL;
	errno = saved_errno;
}

static inline void kmt_fclosep(FILE **file)
{
	int saved_errno = errno;

	if (*file)
		(void)fclose(*file);
	*file = NULL;
	errno = saved_errno;
}

static inline void kmt_closedirp(DIR **dir)
{
	int saved_errno = errno;

	if (*dir)
		(void)closedir(*dir);
	*dir = NULL;
	errno = saved_errno;
}

#endif
