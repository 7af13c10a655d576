// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/ledger.h"
#include "kmemtape/units.h"

#include "asked.h"
#include "uses.h"

#define NEAR_MAX   3u
#define NEAR_BYTES 160u

int kmt_asked_init(struct kmt_asked *asked, enum kmt_group group, const char *name,
		   struct kmt_err *err)
{
	uint64_t pid = 0;

	*asked = (struct kmt_asked){ .group = group, .name = name, .pid = -1 };
	if (group == KMT_BY_SITE && kmt_site_query_parse(name, &asked->query) < 0)
		return kmt_fail(err, -EINVAL,
				"'%.128s' is no call site like foo, foo+0x4c, 0xffffffffc0001020, "
				"foo [module]",
				name);
	if (group == KMT_BY_PID && strcmp(name, "<interrupt>") != 0) {
		if (kmt_parse_uint(name, &pid) < 0 || pid > INT32_MAX)
			return kmt_fail(err, -EINVAL, "'%.128s' is no pid, nor <interrupt>", name);
		asked->pid = (int64_t)pid;
	}
	return 0;
}

static bool is_kernel(const struct kmt_asked_context *context, uint64_t address)
{
	return address - context->kernel_from < context->kernel_to - context->kernel_from;
}

struct visit {
	const struct kmt_asked *asked;
	uint64_t call_site;
};

static bool visit_site(void *context, const struct kmt_symbol *symbol)
{
	struct visit *visit = context;
	struct kmt_site_name name = { visit->call_site, symbol->function, symbol->module,
				      symbol->offset };

	return kmt_site_query_matches(&visit->asked->query, &name);
}

/* Whatever stands for the call site is one of its stack. */
static bool may_be_site(const struct kmt_asked *asked, const struct kmt_asked_context *context,
			const struct kmt_account *account)
{
	const uint64_t *sites = &account->key.call_site;
	size_t nr = 1;

	if (!*sites && account->key.stack != KMT_STACK_NONE)
		sites = kmt_stacks_frames(context->stacks, account->key.stack, &nr);
	for (size_t i = 0; i < nr; i++) {
		struct visit visit = { asked, sites[i] };

		if (*asked->query.function
			    ? kmt_symbols_visit(context->symbols, sites[i], visit_site, &visit)
			    : sites[i] == asked->query.address)
			return true;
	}
	return false;
}

static bool is_text(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

/* Its name where rows are by cache, module, comm. NULL: by site, by pid */
static const char *label_of(enum kmt_group group, const struct kmt_asked_context *context,
			    const struct kmt_account *account, bool is_unknown,
			    const struct kmt_symbol *symbol, char buf[KMT_CACHE_NAME_BYTES])
{
	const char *label = NULL;

	switch (group) {
	case KMT_BY_CACHE:
		label = kmt_account_cache(account, context->page_bytes, buf);
		return label ? label : "(unknown cache)";
	case KMT_BY_MODULE:
		return symbol->module ? symbol->module : is_unknown ? "(unknown)" : "(built in)";
	case KMT_BY_COMM:
		return account->key.comm ? account->key.comm : "(unknown)";
	default:
		return NULL;
	}
}

bool kmt_asked_may_be(const struct kmt_asked *asked, const struct kmt_asked_context *context,
		      const struct kmt_account *account)
{
	char buf[KMT_CACHE_NAME_BYTES];
	const char *cache;

	switch (asked->group) {
	case KMT_BY_SITE:
	case KMT_BY_STACK:
	case KMT_BY_OWNER:
		return may_be_site(asked, context, account);
	case KMT_BY_MODULE:
		/* Its bounds in time may still change; the kernel's own code stays what it is. */
		return !account->key.call_site || !is_kernel(context, account->key.call_site) ||
		       asked->name[0] == '(';
	case KMT_BY_CACHE:
		cache = kmt_account_cache(account, context->page_bytes, buf);
		return !cache || strcmp(cache, asked->name) == 0;
	case KMT_BY_COMM:
		return is_text(label_of(KMT_BY_COMM, context, account, false, NULL, NULL),
			       asked->name);
	case KMT_BY_PID:
		return account->key.pid == asked->pid;
	}
	return true;
}

/* Out of memory, what has no call site stays unknown: then there is none for the result, either. */
static void look_up(const struct kmt_asked_context *context, const struct kmt_account *account,
		    struct kmt_code *ret_site)
{
	(void)kmt_code_find_site(context->symbols, context->frames, account, UINT64_MAX, ret_site);
}

bool kmt_asked_is(const struct kmt_asked *asked, const struct kmt_asked_context *context,
		  const struct kmt_account *account, struct kmt_code *ret_site)
{
	const struct kmt_symbol *symbol = &ret_site->symbol;
	char buf[KMT_CACHE_NAME_BYTES];

	*ret_site = (struct kmt_code){ .symbol = { .taint = "" } };
	if (asked->group == KMT_BY_SITE || asked->group == KMT_BY_MODULE)
		look_up(context, account, ret_site);
	if (asked->group == KMT_BY_SITE) {
		struct kmt_site_name name = { ret_site->address, symbol->function, symbol->module,
					      symbol->offset };

		return kmt_site_query_matches(&asked->query, &name);
	}
	if (asked->group == KMT_BY_PID)
		return account->key.pid == asked->pid;
	return is_text(label_of(asked->group, context, account, ret_site->is_unknown, symbol, buf),
		       asked->name);
}

int kmt_asked_site(const struct kmt_asked_context *context, const struct kmt_account *account,
		   const struct kmt_code *code, const struct kmt_gfp_names *gfp,
		   struct kmt_site *ret_site)
{
	const struct kmt_trace *trace = NULL;
	char flags[KMT_GFP_TEXT_BYTES];
	int r = 0;

	*ret_site = (struct kmt_site){
		.call_site = code->address,
		.instance = code->symbol.instance,
		.space = account->key.space,
	};
	if (account->key.space != KMT_SPACE_PAGE)
		return 0;
	if (context->frames)
		r = kmt_frames_trace(context->frames, account, &trace);
	ret_site->use = trace ? kmt_use_of_stack(context->frames, trace)
			      : kmt_use_of_flags(kmt_gfp_format(gfp, account->key.gfp, flags));
	return r;
}

/* The nearest names, nearest first. */
struct near {
	struct {
		unsigned int distance;
		char text[NEAR_BYTES];
	} names[NEAR_MAX];
	size_t nr;
};

static void offer(struct near *near, unsigned int distance, const char *text)
{
	size_t i;

	if (distance >= KMT_FAR)
		return;
	for (i = 0; i < near->nr; i++)
		if (strcmp(near->names[i].text, text) == 0)
			return;
	if (near->nr < NEAR_MAX)
		near->nr++;
	else if (distance >= near->names[NEAR_MAX - 1].distance)
		return;
	for (i = near->nr - 1; i > 0 && near->names[i - 1].distance > distance; i--)
		near->names[i] = near->names[i - 1];
	near->names[i].distance = distance;
	(void)snprintf(near->names[i].text, NEAR_BYTES, "%s", text);
}

static void offer_site(struct near *near, const struct kmt_asked *asked,
		       const struct kmt_asked_context *context, const struct kmt_account *account)
{
	struct kmt_code site;
	const struct kmt_symbol *symbol = &site.symbol;
	char text[NEAR_BYTES];
	struct kmt_site_name name;

	look_up(context, account, &site);
	name = (struct kmt_site_name){ site.address, symbol->function, symbol->module,
				       symbol->offset };
	if (symbol->function)
		(void)snprintf(text, sizeof(text), "%s+0x%" PRIx64 "%s%s%s", symbol->function,
			       symbol->offset, symbol->module ? " [" : "",
			       symbol->module ? symbol->module : "", symbol->module ? "]" : "");
	else
		(void)snprintf(text, sizeof(text), "0x%" PRIx64, site.address);
	offer(near, kmt_site_query_distance(&asked->query, &name), text);
}

static void offer_account(struct near *near, const struct kmt_asked *asked,
			  const struct kmt_asked_context *context,
			  const struct kmt_account *account)
{
	char buf[KMT_CACHE_NAME_BYTES];
	struct kmt_code site = { 0 };
	const char *label;

	if (asked->group == KMT_BY_SITE) {
		offer_site(near, asked, context, account);
		return;
	}
	if (asked->group == KMT_BY_MODULE)
		look_up(context, account, &site);
	label = label_of(asked->group, context, account, site.is_unknown, &site.symbol, buf);
	if (label)
		offer(near, kmt_word_distance(asked->name, label), label);
}

int kmt_asked_fail(const struct kmt_asked *asked, const struct kmt_asked_context *context,
		   const struct kmt_account *accounts, size_t nr, struct kmt_err *err)
{
	static const char *const words[] = {
		[KMT_BY_SITE] = "at", [KMT_BY_CACHE] = "from cache", [KMT_BY_MODULE] = "by module",
		[KMT_BY_COMM] = "by", [KMT_BY_PID] = "by pid",
	};
	char list[NEAR_MAX * (NEAR_BYTES + 4)] = "";
	struct near near = { .nr = 0 };

	for (size_t i = 0; i < nr; i++)
		if (accounts[i].allocs)
			offer_account(&near, asked, context, &accounts[i]);
	for (size_t i = 0; i < near.nr; i++)
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s'%s'",
			       i ? ", " : ": did you mean ", near.names[i].text);
	return kmt_fail(err, -ENOENT, "no allocation %s '%.128s'%s%s", words[asked->group],
			asked->name, list, near.nr ? "?" : " is on the tape");
}
