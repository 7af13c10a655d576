// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "heap.h"

struct heap heap;
static bool is_watching;

static void took(size_t bytes)
{
	if (!is_watching)
		return;
	heap.calls++;
	heap.bytes += bytes;
	if (heap.bytes > heap.peak_bytes)
		heap.peak_bytes = heap.bytes;
}

static void gave_back(size_t bytes)
{
	if (is_watching)
		heap.bytes -= bytes < heap.bytes ? bytes : heap.bytes;
}

#ifdef __SANITIZE_ADDRESS__ /* its malloc() has hooks, and may not be replaced */

int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *ptr);

static void on_malloc(const volatile void *ptr, size_t bytes)
{
	if (ptr)
		took(bytes);
}

static void on_free(const volatile void *ptr)
{
	if (ptr)
		gave_back(__sanitizer_get_allocated_size(ptr));
}

void heap_watch(void)
{
	static bool is_installed;

	if (!is_installed)
		is_installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0;
	if (!is_installed)
		abort();
	heap = (struct heap){ 0 };
	is_watching = true;
}

#else /* those of the program go before those of libc, in libraries too */

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t nr, size_t bytes);
extern void *__libc_realloc(void *ptr, size_t bytes);
extern void __libc_free(void *ptr);

void *malloc(size_t bytes)
{
	void *ptr = __libc_malloc(bytes);

	if (ptr)
		took(malloc_usable_size(ptr));
	return ptr;
}

void *calloc(size_t nr, size_t bytes)
{
	void *ptr = __libc_calloc(nr, bytes);

	if (ptr)
		took(malloc_usable_size(ptr));
	return ptr;
}

void *realloc(void *old, size_t bytes)
{
	size_t old_bytes = old ? malloc_usable_size(old) : 0;
	void *ptr = __libc_realloc(old, bytes);

	if (ptr) {
		took(malloc_usable_size(ptr)); /* first: both may have been there at once */
		gave_back(old_bytes);
	}
	return ptr;
}

void *reallocarray(void *old, size_t nr, size_t bytes)
{
	size_t product;

	if (__builtin_mul_overflow(nr, bytes, &product)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, product);
}

void free(void *ptr)
{
	if (ptr)
		gave_back(malloc_usable_size(ptr));
	__libc_free(ptr);
}

void heap_watch(void)
{
	heap = (struct heap){ 0 };
	is_watching = true;
}

#endif
