// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "btf.h"
#include "free-probes.h"
#include "tracefs-dir.h"

#define FORMAT_BYTES 256
#define PATH_BYTES   128

/*
 * How many of the objects of one kmem_cache_free_bulk() a record shows. Most are a few, so that a
 * record for many would mostly be rubbish; 64 is all that an array may have (MAX_ARRAY_LEN), and
 * more than anybody is known to pass, but for kfree_rcu(), whose objects were seen before.
 */
#define BULK_FIRST 16
#define BULK_MORE  48

/* What is needed while they are made. */
struct maker {
	struct kmt_probes *probes;
	const struct kmt_probes_kernel *kernel;
	char *state;
};

static void add_reason(struct maker *maker, const char *function, const char *reason)
{
	size_t used = strlen(maker->state);

	(void)snprintf(maker->state + used, KMT_MANIFEST_TEXT_BYTES - used, "%s%s: %s",
		       used ? "; " : "", function, reason);
}

/* Return: 0 or negative errno. */
static int create(struct maker *maker, const char *event, const char *function, const char *args)
{
	struct kmt_probe_spec spec = {
		.event = event,
		.function = function,
		.args = args,
		.role = KMT_ROLE_FREE,
	};

	return kmt_probes_create(maker->probes, &spec);
}

/*
 * Return: 1 with what BTF says of the parameters; 0 if there is no BTF (then *signature is ""),
 * -ENOENT if there is no such function.
 */
static int look_at(const struct maker *maker, const char *function,
		   char signature[KMT_BTF_PARAMS_MAX + 1])
{
	int r;

	*signature = '\0';
	if (!maker->kernel->btf)
		return 0;
	r = kmt_btf_signature(maker->kernel->btf, maker->kernel->btf_bytes, function, signature,
			      NULL);
	if (r < 0)
		return 0;
	return r ? 1 : -ENOENT;
}

/*
 * kvfree_call_rcu(head, func) became kvfree_call_rcu(head, ptr): 04a522b7da3d (v6.2). Distributions
 * backport: ask the kernel what its own function takes, or let the values tell.
 */
static int create_rcu(struct maker *maker, const char *event, const char *function)
{
	char signature[KMT_BTF_PARAMS_MAX + 1], args[FORMAT_BYTES];
	int r = look_at(maker, function, signature);
	const char *second = "ptr_or_func";

	if (r < 0)
		return r;
	if (r == 1 && strcmp(signature, "pp") == 0)
		second = "ptr";
	else if (r == 1 && strcmp(signature, "pf") == 0)
		second = "func";
	else if (r == 1)
		return -EPROTO;
	(void)snprintf(args, sizeof(args), "head=$arg1:x%u %s=$arg2:x%u", maker->kernel->bits,
		       second, maker->kernel->bits);
	return create(maker, event, function, args);
}

static bool create_rcu_probes(struct maker *maker)
{
	static const char *const names[] = { "kvfree_call_rcu",
					     "kfree_call_rcu" }; /* v5.9, before */
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && r == -ENOENT; i++)
		r = create_rcu(maker, "rcu_free", names[i]);
	if (r < 0)
		add_reason(maker, names[0],
			   r == -EPROTO ? "its arguments are not the known ones"
					: kmt_probes_reason(r));
	/* Of kernels that have BTF. */
	if (r < 0 || !maker->kernel->btf)
		return r == 0;
	r = create_rcu(maker, "rcu_free_nolock", "kfree_call_rcu_nolock");
	if (r < 0 && r != -ENOENT)
		add_reason(maker, "kfree_call_rcu_nolock",
			   r == -EPROTO ? "its arguments are not the known ones"
					: kmt_probes_reason(r));
	return r == 0 || r == -ENOENT;
}

/* kmem_cache_free_bulk(cache, n, pointers) */
static bool create_bulk_probes(struct maker *maker)
{
	static const char function[] = "kmem_cache_free_bulk";
	char signature[KMT_BTF_PARAMS_MAX + 1], args[FORMAT_BYTES], path[PATH_BYTES];
	int r = look_at(maker, function, signature);

	if (r == 1 && strcmp(signature, "pip") != 0) {
		add_reason(maker, function, "its arguments are not the known ones");
		return false;
	}
	(void)snprintf(args, sizeof(args), "cache=$arg1:x%u n=$arg2:u%u p0=+0($arg3):x%u[%d]",
		       maker->kernel->bits, maker->kernel->bits, maker->kernel->bits, BULK_FIRST);
	if (r >= 0)
		r = create(maker, "bulk_free", function, args);
	if (r < 0) {
		add_reason(maker, function, kmt_probes_reason(r));
		return false;
	}
	(void)snprintf(args, sizeof(args), "cache=$arg1:x%u n=$arg2:u%u p%d=+%u($arg3):x%u[%d]",
		       maker->kernel->bits, maker->kernel->bits, BULK_FIRST,
		       BULK_FIRST * maker->kernel->bits / 8, maker->kernel->bits, BULK_MORE);
	if (create(maker, "bulk_free_more", function, args) < 0)
		return true; /* what it would show is counted by the first one */
	(void)snprintf(path, sizeof(path), "events/%s/filter",
		       kmt_probes_name(maker->probes, "bulk_free_more"));
	(void)snprintf(args, sizeof(args), "n > %d", BULK_FIRST);
	(void)kmt_tracefs_write(maker->kernel->instance_fd, path,
				args); /* else there are some in vain */
	return true;
}

static bool make_all(struct kmt_probes *probes, char *state)
{
	struct maker maker = {
		.probes = probes,
		.kernel = kmt_probes_kernel(probes),
		.state = state,
	};
	bool has_rcu, has_bulk;

	has_rcu = create_rcu_probes(&maker);
	has_bulk = create_bulk_probes(&maker);
	if (has_rcu && has_bulk)
		(void)snprintf(state, KMT_MANIFEST_TEXT_BYTES, "on");
	return has_rcu && has_bulk;
}

int kmt_free_probes_add(struct kmt_probes *probes, bool is_wanted,
			char state[KMT_MANIFEST_TEXT_BYTES])
{
	*state = '\0';
	if (!is_wanted)
		(void)snprintf(state, KMT_MANIFEST_TEXT_BYTES, "off: they were not wanted");
	else if (!kmt_probes_kernel(probes)->has_kprobes)
		(void)snprintf(state, KMT_MANIFEST_TEXT_BYTES,
			       "off: this kernel has no kprobe events");
	else
		return make_all(probes, state) ? 0 : KMT_PROBES_LACKING;
	return 0;
}
