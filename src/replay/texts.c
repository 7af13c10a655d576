// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/chunk.h"
#include "kmemtape/formats.h"
#include "kmemtape/replay.h"

#include "texts.h"

static int add_format(const struct kmt_tape *tape, struct kmt_formats *formats, const char *name,
		      struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	const char *colon = strchr(name, ':');
	struct kmt_err inner = { "" };
	char path[2 * KMT_MANIFEST_TEXT_BYTES];
	size_t bytes;
	int r;

	(void)snprintf(path, sizeof(path), "events/%.*s/%s/format", (int)(colon - name), name,
		       colon + 1);
	r = kmt_tape_read_text(tape, path, &text, &bytes, err);
	if (r == -ENOENT)
		return kmt_fail(err, -ENODATA, "%s/%s: missing: events of %s cannot be read",
				tape->path, path, name);
	if (r < 0)
		return r;
	r = kmt_formats_add(formats, name, text, bytes, &inner);
	if (r < 0)
		return kmt_fail(err, r, "%s/%s: %.200s", tape->path, path, inner.text);
	return 0;
}

int kmt_replay_formats(const struct kmt_tape *tape, struct kmt_formats **ret_formats,
		       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = NULL;
	const struct kmt_manifest *manifest = &tape->manifest;
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	const char *pairs[KMT_PAIRS_MAX];
	struct kmt_err inner = { "" };
	size_t bytes;
	int r;

	if (manifest->is_distilled)
		return kmt_fail(err, -ENOTSUP,
				"%s is distilled, and has no events: that needs the whole tape",
				tape->path);
	r = kmt_tape_read_text(tape, "events/header_page", &text, &bytes, err);
	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;
	r = kmt_formats_new(manifest->is_big_endian, manifest->long_bytes, text, bytes, &formats,
			    &inner);
	if (r < 0)
		return kmt_fail(err, r, "%s/%.200s", tape->path, inner.text);
	if (kmt_formats_page(formats)->subbuf_bytes != manifest->subbuf_bytes)
		return kmt_fail(
			err, -EBADMSG,
			"%s/events/header_page: sub-buffers of %u bytes, the manifest says %u",
			tape->path, kmt_formats_page(formats)->subbuf_bytes,
			manifest->subbuf_bytes);
	for (size_t i = 0; i < manifest->nr_pairs; i++)
		pairs[i] = manifest->pairs[i].name;
	kmt_formats_set_pairs(formats, pairs, manifest->nr_pairs);
	for (size_t i = 0; i < manifest->nr_events; i++) {
		r = add_format(tape, formats, manifest->events[i], err);
		if (r < 0)
			return r;
	}
	*ret_formats = KMT_STEAL(formats);
	return 0;
}

#define KALLSYMS_BYTES_MAX     ((size_t)64 << 20) /* 5 to 12 MB are usual */
/* Symbols of modules that came later: some 100 KiB each. Of small files, large texts may come. */
#define MODULE_TEXTS_BYTES_MAX ((size_t)64 << 20)

struct module_texts {
	const struct kmt_tape *tape;
	size_t bytes_left;
	struct kmt_err damage; /* the first, if there is any */
};

/* Kallsyms of a module that came later; any failure only leaves its functions without names. */
static int read_module_kallsyms(void *context, unsigned int line, char **ret_text,
				size_t *ret_bytes)
{
	struct module_texts *texts = context;
	struct kmt_err err = { "" };
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "symbols/%04u.zst", line);
	r = kmt_chunk_read_text(texts->tape->members, path, texts->bytes_left, ret_text, ret_bytes,
				&err);
	if (r != KMT_CHUNK_END && r != -ENOENT && !texts->damage.text[0])
		texts->damage = err;
	if (r >= 0)
		texts->bytes_left -= *ret_bytes;
	return r;
}

/* What can be known of the symbols goes into @symbols, the rest into notes. */
static int fill_symbols(const struct kmt_tape *tape, struct kmt_result *result,
			struct kmt_symbols *symbols, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL, *modules = NULL;
	struct module_texts texts = { tape, MODULE_TEXTS_BYTES_MAX, { "" } };
	size_t bytes;
	int r;

	if (tape->manifest.symbols != KMT_SYMBOLS_GOOD)
		return kmt_result_note(
			result,
			tape->manifest.symbols == KMT_SYMBOLS_HIDDEN
				? "no function names: kallsyms was hidden when this was recorded (kptr_restrict)"
				: "no function names: the tape has no symbols");
	r = kmt_tape_read_text(tape, "symbols/modules", &modules, &bytes, NULL);
	if (r >= 0)
		r = kmt_symbols_add_modules(symbols, modules, bytes, read_module_kallsyms, &texts,
					    err);
	if (r == -ENOMEM || r == -E2BIG)
		return r;
	if (texts.damage.text[0])
		r = kmt_result_note(result, "functions may be missing: %s", texts.damage.text);
	if (r == -ENOMEM)
		return r;
	r = kmt_chunk_read_text(tape->members, "symbols/kallsyms.zst", KALLSYMS_BYTES_MAX, &text,
				&bytes, err);
	if (r < 0)
		return kmt_result_note(result, "no function names: %s", err->text);
	result->has_symbols = true;
	r = r == KMT_CHUNK_CUT ? kmt_result_note(result, "functions may be missing: %s", err->text)
			       : 0;
	if (r < 0)
		return r;
	r = kmt_symbols_add_kallsyms(symbols, text, bytes, err);
	if (r == 0)
		text = NULL; /* taken */
	return r;
}

int kmt_texts_symbols(const struct kmt_tape *tape, struct kmt_result *result,
		      struct kmt_symbols **ret_symbols, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_symbols_freep) struct kmt_symbols *symbols = NULL;
	int r;

	r = kmt_symbols_new(&symbols, err);
	if (r == 0)
		r = fill_symbols(tape, result, symbols, err);
	if (r < 0)
		return r;
	*ret_symbols = KMT_STEAL(symbols);
	return 0;
}

/* Lines "PID<tab>NAME". */
int kmt_texts_comms(const struct kmt_tape *tape, struct kmt_names *names, struct kmt_ledger *ledger,
		    struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;

	if (kmt_tape_read_text(tape, "comms", &text, &bytes, NULL) < 0)
		return 0; /* then they have no names */
	for (char *p = text; *p;) {
		size_t length = strcspn(p, "\n");
		char *tab;
		long pid = strtol(p, &tab, 10);

		if (*tab == '\t' && tab < p + length && pid > 0 && pid <= INT32_MAX) {
			const char *name =
				kmt_names_intern(names, tab + 1, (size_t)(p + length - tab - 1));
			int r = name ? kmt_ledger_name_task(ledger, (int32_t)pid, name)
				     : (kmt_names_is_full(names) ? -EOVERFLOW : -ENOMEM);

			if (r < 0)
				return kmt_fail(err, r, "out of memory");
		}
		p += length;
		p += *p == '\n';
	}
	return 0;
}

/* Of the first event that has it: all print the flags alike. */
void kmt_texts_gfp_names(const struct kmt_tape *tape, struct kmt_gfp_names *ret_names)
{
	static const char *const paths[] = {
		"events/kmem/kmalloc/format",
		"events/kmem/kmem_cache_alloc/format",
		"events/kmem/mm_page_alloc/format",
	};

	*ret_names = (struct kmt_gfp_names){ 0 };
	for (size_t i = 0; ret_names->nr == 0 && i < sizeof(paths) / sizeof(paths[0]); i++) {
		KMT_CLEANUP(kmt_freep) char *text = NULL;
		size_t bytes;

		if (kmt_tape_read_text(tape, paths[i], &text, &bytes, NULL) >= 0)
			kmt_gfp_names_init(ret_names, text, bytes);
	}
}
