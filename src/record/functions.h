/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_FUNCTIONS_H
#define KMT_RECORD_FUNCTIONS_H

#include <stdbool.h>

/* What /proc/kallsyms knows of a function, for those who are about to probe it by its name. */
#define KMT_FUNCTION_NAME_BYTES 64

struct kmt_function {
	unsigned int nr;			/* that a name may mean */
	char clone[KMT_FUNCTION_NAME_BYTES];	/* "NAME.isra.0": one that the compiler made of it; "" none */
	bool is_module_there;			/* its module has symbols */
};

/**
 * kmt_function_find() - look for it
 * @path: "/proc/kallsyms"
 * @module: that has it; "": the kernel or any module
 *
 * Return: 0; negative errno if @path can't be read.
 */
int kmt_function_find(const char *path, const char *name, const char *module,
		      struct kmt_function *ret_function);

#endif
