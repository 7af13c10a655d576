// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "kmemtape/cleanup.h"

/* "ffffffffc0576064 t lab_alloc\t[lab]": the parts are cut out of @line. */
static bool read_line(char *line, const char **ret_name, const char **ret_module)
{
	char *type = strchr(line, ' '), *name, *module;

	if (!type || !strchr("tTwW", type[1]) || type[2] != ' ')
		return false;
	name = type + 3;
	name[strcspn(name, "\n")] = '\0';
	module = strchr(name, '\t');
	*ret_module = "";
	if (module) {
		*module++ = '\0';
		if (*module != '[')
			return false;
		module[strcspn(module, "]")] = '\0';
		*ret_module = module + 1;
	}
	*ret_name = name;
	return true;
}

/* What a compiler makes of a function and its callers go to. Not "NAME.cold", which is a part of
 * it. */
static bool is_clone(const char *name, const char *of)
{
	size_t bytes = strlen(of);

	return strncmp(name, of, bytes) == 0 &&
	       (strncmp(name + bytes, ".isra", 5) == 0 ||
		strncmp(name + bytes, ".constprop", 10) == 0 ||
		strncmp(name + bytes, ".part", 5) == 0 || strncmp(name + bytes, ".llvm", 5) == 0);
}

int kmt_function_find(const char *path, const char *name, const char *module,
		      struct kmt_function *ret_function)
{
	struct kmt_function function = { .nr = 0 };
	KMT_CLEANUP(kmt_freep) char *line = NULL;
	const char *its_name, *its_module;
	FILE *file = fopen(path, "re");
	unsigned int nr_of_kernel = 0, nr_of_modules = 0;
	size_t room = 0;

	if (!file)
		return -errno;
	while (getline(&line, &room, file) > 0) {
		if (!read_line(line, &its_name, &its_module) ||
		    (*module && strcmp(its_module, module) != 0))
			continue;
		function.is_module_there = true;
		if (strcmp(its_name, name) == 0)
			*(*its_module ? &nr_of_modules : &nr_of_kernel) += 1;
		if (is_clone(its_name, name))
			(void)snprintf(function.clone, sizeof(function.clone), "%s", its_name);
	}
	(void)fclose(file);
	/* Where both have it, the kernel's own is found by the name alone. */
	function.nr = nr_of_kernel ? nr_of_kernel : nr_of_modules;
	*ret_function = function;
	return 0;
}
