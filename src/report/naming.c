// SPDX-License-Identifier: LGPL-2.1-only
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "naming.h"

/* As the verdict has it, see core/verdict.c. */
#define SUSPECT_CONFIDENCE 0.5
#define SUSPECT_BYTES	   (UINT64_C(64) << 10)
#define RECORDER_PART	   0.9

#define PART_BYTES	     256
#define PLAIN_FUNCTION_BYTES 150

/* What a compiler makes of a function changes from build to build: foo.constprop.0, foo.isra.3. */
static size_t plain_length(const char *function)
{
	static const char *const suffixes[] = { ".constprop.", ".isra.", ".part.", ".cold",
						".llvm." };
	size_t length = strlen(function);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		const char *suffix = strstr(function, suffixes[i]);

		if (suffix && suffix > function && (size_t)(suffix - function) < length)
			length = (size_t)(suffix - function);
	}
	return length;
}

static int compare_plainly(const char *a, const char *b)
{
	size_t of_a = plain_length(a), of_b = plain_length(b);
	int r = strncmp(a, b, of_a < of_b ? of_a : of_b);

	return r ? r : (of_a > of_b) - (of_a < of_b);
}

/* "kmalloc-rnd-05-64": the number is of this boot. */
static void plain_cache(char *plain, size_t size, const char *cache)
{
	static const char random[] = "kmalloc-rnd-";
	size_t skip = sizeof(random) - 1;

	(void)snprintf(plain, size, "%s", cache ? cache : "");
	if (!cache || strncmp(cache, random, skip) != 0)
		return;
	while (isdigit((unsigned char)cache[skip]))
		skip++;
	if (cache[skip] == '-')
		(void)snprintf(plain, size, "kmalloc%s", cache + skip);
}

static const char *code_of(const struct kmt_summary_row *row)
{
	return row->module ? row->module : row->is_unknown ? "?" : "";
}

/* Without a function: where in its module it is, which is the same for the same build. */
static void name_code(char *name, size_t size, const struct kmt_summary_row *row, bool has_offset)
{
	size_t length = row->function && !has_offset ? plain_length(row->function) : PART_BYTES;
	char offset[24] = "";

	if (length > PART_BYTES)
		length = PART_BYTES;
	if (has_offset && row->has_offset)
		(void)snprintf(offset, sizeof(offset), "+%" PRIx64, row->offset);
	if (row->function)
		(void)snprintf(name, size, "%.*s%s", (int)length, row->function, offset);
	else if (row->gfp && !row->address)
		(void)snprintf(name, size, "%.200s by %.50s", row->gfp, row->comm ? row->comm : "");
	else
		(void)snprintf(name, size, "?%s", row->module ? offset : "");
}

char *kmt_row_key(char *key, enum kmt_group group, const struct kmt_summary_row *row,
		  unsigned int parts)
{
	char code[PART_BYTES + 32] = "", cache[PART_BYTES] = "";

	if (group == KMT_BY_SITE)
		name_code(code, sizeof(code), row, parts & KMT_KEY_OFFSET);
	if (parts & KMT_KEY_CACHE || group == KMT_BY_CACHE)
		plain_cache(cache, sizeof(cache), row->cache);
	(void)snprintf(key, KMT_KEY_BYTES, "%.256s\x1f%s\x1f%s\x1f%u\x1f%.256s\x1f%.32s\x1f%d",
		       group == KMT_BY_CACHE ? "" : code_of(row), code, cache, row->space,
		       row->pair ? row->pair : "", row->use ? row->use : "", row->is_counted);
	return key;
}

bool kmt_row_is_named(enum kmt_group group, const struct kmt_summary_row *row)
{
	return group != KMT_BY_SITE || row->function || (row->gfp && !row->address);
}

static void name_kind(char *name, const struct kmt_summary_row *row)
{
	static const char *const kinds[] = {
		[KMT_SPACE_PAGE] = "pages",
		[KMT_SPACE_PERCPU] = "per-CPU",
		[KMT_SPACE_VMALLOC] = "vmalloc",
	};
	char text[KMT_ESCAPED_BYTES];

	if (row->space >= KMT_SPACE_PAIR)
		(void)snprintf(name, KMT_ESCAPED_BYTES, "pair %.64s",
			       kmt_escape(text, sizeof(text), row->pair ? row->pair : "?"));
	else if (row->space == KMT_SPACE_SLAB)
		(void)snprintf(name, KMT_ESCAPED_BYTES, "(unknown cache)");
	else
		(void)snprintf(name, KMT_ESCAPED_BYTES, "%s", kinds[row->space]);
}

void kmt_row_name(char *name, enum kmt_group group, const struct kmt_summary_row *row)
{
	char text[KMT_ESCAPED_BYTES], module[KMT_ESCAPED_BYTES], comm[KMT_ESCAPED_BYTES];

	if (group == KMT_BY_CACHE) {
		if (row->cache)
			kmt_escape(text, sizeof(text), row->cache);
		else
			name_kind(text, row);
		(void)snprintf(name, KMT_NAME_BYTES, "%s", text);
		return;
	}
	kmt_escape(module, sizeof(module), row->module ? row->module : "");
	if (group == KMT_BY_MODULE) {
		(void)snprintf(name, KMT_NAME_BYTES, "%s",
			       row->module	 ? module
			       : row->is_unknown ? "(unknown)"
						 : "(built in)");
		return;
	}
	if (row->function)
		(void)snprintf(name, KMT_NAME_BYTES, "%s",
			       kmt_escape(text, sizeof(text), row->function));
	else if (row->gfp && !row->address)
		(void)snprintf(name, KMT_NAME_BYTES, "%s by %s",
			       kmt_escape(text, sizeof(text), row->gfp),
			       kmt_escape(comm, sizeof(comm), row->comm ? row->comm : "(unknown)"));
	else
		(void)snprintf(name, KMT_NAME_BYTES, "(no symbol)");
	if (row->module)
		(void)snprintf(name + strlen(name), KMT_NAME_BYTES - strlen(name), " [%s]", module);
	if (!row->owner)
		return;
	(void)snprintf(name + strlen(name), KMT_NAME_BYTES - strlen(name), ", for %s",
		       kmt_escape(text, sizeof(text), row->owner));
	if (row->owner_module)
		(void)snprintf(name + strlen(name), KMT_NAME_BYTES - strlen(name), " [%s]",
			       kmt_escape(module, sizeof(module), row->owner_module));
}

static void name_function(char name[PLAIN_FUNCTION_BYTES], const char *function, const char *module)
{
	(void)snprintf(name, PLAIN_FUNCTION_BYTES, "%.80s%s%.60s%s", function, module ? " [" : "",
		       module ? module : "", module ? "]" : "");
}

void kmt_row_name_plainly(char name[KMT_PLAIN_BYTES], enum kmt_group group,
			  const struct kmt_summary_row *row)
{
	char site[PLAIN_FUNCTION_BYTES], owner[PLAIN_FUNCTION_BYTES];

	if (group != KMT_BY_SITE) {
		const char *known = group == KMT_BY_CACHE ? row->cache : row->module;

		(void)snprintf(name, KMT_PLAIN_BYTES, "%.150s",
			       known		       ? known
			       : group == KMT_BY_CACHE ? "no cache"
						       : "the kernel");
		return;
	}
	name_function(site, row->function ? row->function : "code without a name", row->module);
	if (!row->owner) {
		(void)snprintf(name, KMT_PLAIN_BYTES, "%s", site);
		return;
	}
	name_function(owner, row->owner, row->owner_module);
	(void)snprintf(name, KMT_PLAIN_BYTES, "%s (by %s)", owner, site);
}

struct kmt_summary_row kmt_row_for(const struct kmt_summary_row *row,
				   const struct kmt_summary_row *owner)
{
	struct kmt_summary_row copy = *row;

	copy.owner = owner ? owner->owner : NULL;
	copy.owner_module = owner ? owner->owner_module : NULL;
	return copy;
}

/* Code without a name is called by its address, which is another one after each boot. */
const char *kmt_row_owner(const struct kmt_summary_row *row)
{
	return row->owner && strncmp(row->owner, "0x", 2) != 0 ? row->owner : NULL;
}

int kmt_row_compare_owners(const struct kmt_summary_row *a, const struct kmt_summary_row *b)
{
	const char *of_a = a->owner_module ? a->owner_module : "";
	const char *of_b = b->owner_module ? b->owner_module : "";
	int r = compare_plainly(a->owner ? a->owner : "", b->owner ? b->owner : "");

	return r ? r : strcmp(of_a, of_b);
}

bool kmt_row_has_other_owner(const struct kmt_summary_row *a, const struct kmt_summary_row *b)
{
	return kmt_row_owner(a) && kmt_row_owner(b) && kmt_row_compare_owners(a, b) != 0;
}

bool kmt_row_is_suspect(const struct kmt_summary_row *row)
{
	if (row->is_suppressed || row->class < KMT_CLASS_GROWTH ||
	    (row->live_objects &&
	     (double)row->recorder_objects > RECORDER_PART * (double)row->live_objects))
		return false;
	if (row->class == KMT_CLASS_LEAK)
		return true;
	return row->confidence >= SUSPECT_CONFIDENCE &&
	       ((double)row->mature_bytes * row->scale >= (double)SUSPECT_BYTES || row->module);
}
