// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf.h"
#include "functions.h"
#include "pairs.h"

#define DIGITS	    "0123456789"
#define LETTERS	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define TEXT_BYTES  (4 * KMT_PROBE_NAME_BYTES)
#define ARGS_BYTES  64
#define EVENT_BYTES (KMT_PAIR_NAME_BYTES + 16)

/*
 * Arguments by register. "$arg1" is for functions that the kernel can look at right now, and not
 * for those of a module that comes later.
 */
#if defined(__x86_64__)
static const char *const registers[] = { "%di", "%si", "%dx", "%cx", "%r8", "%r9" };
#elif defined(__i386__)
static const char *const registers[] = { "%ax", "%dx", "%cx" };
#elif defined(__aarch64__)
static const char *const registers[] = { "%x0", "%x1", "%x2", "%x3", "%x4", "%x5" };
#elif defined(__s390x__)
static const char *const registers[] = { "%r2", "%r3", "%r4", "%r5", "%r6" };
#else
static const char *const registers[] = { "$arg1", "$arg2", "$arg3", "$arg4", "$arg5", "$arg6" };
#endif

#define NR_REGISTERS (sizeof(registers) / sizeof(registers[0]))

/* Cuts off what follows the last @separator. Return: NULL if there is none. */
static char *cut(char *text, char separator)
{
	char *at = strrchr(text, separator);

	if (!at)
		return NULL;
	*at = '\0';
	return at + 1;
}

/* "FUNC%2" */
static int parse_function(const char *text, char *function, unsigned int *ret_arg, char *dst,
			  struct kmt_err *err)
{
	char *arg = cut(function, '%');
	size_t bytes = strlen(function);

	*ret_arg = 0;
	if (arg) {
		if (strlen(arg) != 1 || *arg < '1' || *arg > '0' + KMT_PAIR_ARGS_MAX)
			return kmt_fail(
				err, -EINVAL,
				"pair '%s': '%%%s' is not the number of an argument (1..%d)", text,
				arg, KMT_PAIR_ARGS_MAX);
		*ret_arg = (unsigned int)(*arg - '0');
	}
	if (bytes == 0 || strspn(function, LETTERS DIGITS ".$") != bytes)
		return kmt_fail(err, -EINVAL, "pair '%s': '%s' is not the name of a function", text,
				function);
	if (bytes + 3 > KMT_PROBE_NAME_BYTES)
		return kmt_fail(err, -EINVAL, "pair '%s': '%s' is longer than a function's name",
				text, function);
	(void)snprintf(dst, KMT_PROBE_NAME_BYTES, "%s%s%s", function, arg ? "%" : "",
		       arg ? arg : "");
	return 0;
}

static int parse_module(const char *text, const char *module, char *dst, struct kmt_err *err)
{
	if (!*module || strspn(module, LETTERS DIGITS "-") != strlen(module) ||
	    strlen(module) >= KMT_PROBE_NAME_BYTES)
		return kmt_fail(err, -EINVAL, "pair '%s': '%s' is not the name of a module", text,
				module);
	(void)snprintf(dst, KMT_PROBE_NAME_BYTES, "%.*s", KMT_PROBE_NAME_BYTES - 1, module);
	for (; *dst; dst++) /* as the kernel calls them, whatever their files are called */
		*dst = *dst == '-' ? '_' : *dst;
	return 0;
}

static int parse_name(const char *text, const char *name, char *dst, struct kmt_err *err)
{
	size_t bytes = strlen(name);

	if (bytes == 0 || strspn(name, LETTERS DIGITS) != bytes || strchr(DIGITS, *name))
		return kmt_fail(err, -EINVAL,
				"pair '%s': '%s' is no name: letters, digits and '_' are, behind a "
				"letter",
				text, name);
	if (bytes >= KMT_PAIR_NAME_BYTES)
		return kmt_fail(err, -EINVAL, "pair '%s': its name is longer than %u letters", text,
				KMT_PAIR_NAME_BYTES - 1);
	(void)snprintf(dst, KMT_PAIR_NAME_BYTES, "%s", name);
	return 0;
}

int kmt_pair_parse(const char *text, struct kmt_pair *ret_pair, unsigned int *ret_alloc_arg,
		   unsigned int *ret_free_arg, struct kmt_err *err)
{
	struct kmt_pair pair = { .is_count = false };
	char copy[TEXT_BYTES], *kind, *module, *functions, *free_function;
	int r;

	if (strlen(text) >= sizeof(copy))
		return kmt_fail(err, -EINVAL, "pair '%.40s...': too long", text);
	(void)snprintf(copy, sizeof(copy), "%s", text);
	kind = cut(copy, ',');
	if (kind && strcmp(kind, "count") != 0)
		return kmt_fail(err, -EINVAL, "pair '%s': ',%s': only ',count' may be there", text,
				kind);
	pair.is_count = kind;
	module = cut(copy, '@');
	functions = cut(copy, '=');
	free_function = functions ? cut(functions, ':') : NULL;
	if (!free_function)
		return kmt_fail(err, -EINVAL,
				"pair '%s': is not NAME=ALLOC_FUNCTION:FREE_FUNCTION[@MODULE]",
				text);
	(void)((r = parse_name(text, copy, pair.name, err)) < 0 ||
	       (r = parse_function(text, functions, ret_alloc_arg, pair.alloc, err)) < 0 ||
	       (r = parse_function(text, free_function, ret_free_arg, pair.free, err)) < 0);
	if (r == 0 && module)
		r = parse_module(text, module, pair.module, err);
	if (r < 0)
		return r;
	if (*ret_alloc_arg && !pair.is_count)
		return kmt_fail(err, -EINVAL,
				"pair '%s': the object is what %.*s returns, not an argument", text,
				(int)strcspn(pair.alloc, "%"), pair.alloc);
	if (pair.is_count && *ret_alloc_arg == 0)
		*ret_alloc_arg = 1;
	if (*ret_free_arg == 0)
		*ret_free_arg = 1;
	*ret_pair = pair;
	return 0;
}

/* The kernel says "Invalid argument" to most mistakes: say what is wrong before it does. */
static int look_up(const struct kmt_pair *pair, const char *name, struct kmt_err *err)
{
	struct kmt_function function;

	if (kmt_function_find("/proc/kallsyms", name, pair->module, &function) < 0)
		return 0; /* the kernel will tell */
	if (*pair->module && !function.is_module_there)
		return 0; /* it comes later */
	if (function.nr > 1)
		return kmt_fail(err, -ENOTUNIQ,
				"pair %s: there are %u functions %s: a probe would see one of them",
				pair->name, function.nr, name);
	if (function.nr == 1)
		return 0;
	if (*function.clone)
		return kmt_fail(err, -ENOENT,
				"pair %s: there is no function %s, but the compiler made %s of it",
				pair->name, name, function.clone);
	if (*pair->module)
		return kmt_fail(err, -ENOENT,
				"pair %s: %s has no function %s (inlined into its callers?)",
				pair->name, pair->module, name);
	return kmt_fail(
		err, -ENOENT,
		"pair %s: there is no function %s (inlined into its callers? of a module to "
		"come: @MODULE)",
		pair->name, name);
}

/* Of the kernel's own functions it is known what their arguments are. */
static int check_argument(const struct kmt_probes_kernel *kernel, const struct kmt_pair *pair,
			  const char *name, unsigned int arg, struct kmt_err *err)
{
	char signature[KMT_BTF_PARAMS_MAX + 1];

	if (arg > NR_REGISTERS)
		return kmt_fail(err, -ENOTSUP,
				"pair %s: argument %u of %s is in no register on this machine",
				pair->name, arg, name);
	if (!kernel->btf || *pair->module ||
	    kmt_btf_signature(kernel->btf, kernel->btf_bytes, name, signature, NULL) != 1)
		return 0;
	if (arg > strlen(signature))
		return kmt_fail(err, -EINVAL, "pair %s: %s has %zu argument%s", pair->name, name,
				strlen(signature), strlen(signature) == 1 ? "" : "s");
	if (signature[arg - 1] != 'p')
		return kmt_fail(err, -EINVAL, "pair %s: argument %u of %s is no pointer to data",
				pair->name, arg, name);
	return 0;
}

/* @function: as the manifest has it, "FUNC%2"; @arg: 0: what it returns */
static int create(struct kmt_probes *probes, const struct kmt_pair *pair, const char *function,
		  unsigned int arg, enum kmt_event_role role, struct kmt_err *err)
{
	const struct kmt_probes_kernel *kernel = kmt_probes_kernel(probes);
	char name[KMT_PROBE_NAME_BYTES], place[2 * KMT_PROBE_NAME_BYTES + 1];
	char event[EVENT_BYTES], args[ARGS_BYTES];
	struct kmt_probe_spec spec = {
		.event = event,
		.function = place,
		.args = args,
		.role = role,
		.is_return = arg == 0,
	};
	int r;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(function, "%"), function);
	(void)snprintf(place, sizeof(place), "%s%s%s", pair->module, *pair->module ? ":" : "",
		       name);
	(void)snprintf(event, sizeof(event), "pair_%s_%s", pair->name,
		       role == KMT_ROLE_ALLOC ? "alloc" : "free");
	r = look_up(pair, name, err);
	if (r == 0 && arg)
		r = check_argument(kernel, pair, name, arg, err);
	if (r < 0)
		return r;
	(void)snprintf(args, sizeof(args), "object=%s:x%u", arg ? registers[arg - 1] : "$retval",
		       kernel->bits);
	r = kmt_probes_create(probes, &spec);
	if (r == -EINVAL) /* what it's called by was looked at before */
		return kmt_fail(err, -ENOTSUP, "pair %s: the kernel takes no probe on %s",
				pair->name, place);
	if (r < 0)
		return kmt_fail(err, r, "pair %s: %s: %s", pair->name, place, kmt_probes_reason(r));
	return 0;
}

static bool has_name(const struct kmt_manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->nr_pairs; i++)
		if (strcmp(manifest->pairs[i].name, name) == 0)
			return true;
	return false;
}

static int add(struct kmt_probes *probes, const char *text, struct kmt_manifest *manifest,
	       struct kmt_err *err)
{
	unsigned int alloc_arg, free_arg;
	struct kmt_pair pair;
	int r;

	r = kmt_pair_parse(text, &pair, &alloc_arg, &free_arg, err);
	if (r < 0)
		return r;
	if (has_name(manifest, pair.name))
		return kmt_fail(err, -EINVAL, "pair '%s': there is another %s", text, pair.name);
	(void)((r = create(probes, &pair, pair.free, free_arg, KMT_ROLE_FREE, err)) < 0 ||
	       (r = create(probes, &pair, pair.alloc, alloc_arg, KMT_ROLE_ALLOC, err)) < 0);
	if (r < 0)
		return r;
	if (kmt_manifest_add_pair(manifest, &pair) < 0)
		return kmt_fail(err, -ENOMEM, "manifest: out of memory");
	return 0;
}

int kmt_pairs_add(struct kmt_probes *probes, const char *const *texts, size_t nr,
		  struct kmt_manifest *manifest, struct kmt_err *err)
{
	int r = 0;

	if (nr && !kmt_probes_kernel(probes)->has_kprobes)
		return kmt_fail(err, -ENOTSUP,
				"pair '%s': this kernel has no kprobes (CONFIG_KPROBE_EVENTS)",
				texts[0]);
	if (nr > KMT_MANIFEST_PAIRS_MAX)
		return kmt_fail(err, -E2BIG, "%zu pairs: %u can be recorded", nr,
				KMT_MANIFEST_PAIRS_MAX);
	for (size_t i = 0; r == 0 && i < nr; i++)
		r = add(probes, texts[i], manifest, err);
	return r;
}
