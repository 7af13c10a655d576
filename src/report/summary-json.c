// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "json-rows.h"
#include "summary-json.h"

static void put_texts(struct builder *b, struct json_object *object, const char *name,
		      const char *const *texts, size_t nr)
{
	struct json_object *list = put(b, object, name, json_object_new_array());

	for (size_t i = 0; list && i < nr; i++)
		(void)put_element(b, list, safe_text(texts[i]));
}

void kmt_summary_put(struct builder *b, struct json_object *object,
		     const struct kmt_summary *summary)
{
	put_text(b, object, "path", summary->path);
	put_text(b, object, "host", summary->host);
	put_text(b, object, "kernel", summary->kernel);
	put_text(b, object, "build_id", kmt_summary_build_id(summary, NULL));
	put_text(b, object, "arch", summary->arch);
	put_text(b, object, "started_at", summary->started_at);
	put_uint(b, object, "duration_ns", summary->duration_ns);
	put_bool(b, object, "complete", summary->is_complete);
	put_bool(b, object, "cut", summary->is_cut);
	put_uint(b, object, "sample", summary->sample);
	put_uint(b, object, "allocs", summary->allocs);
	put_uint(b, object, "lost", summary->lost);
	put_uint(b, object, "losses", summary->losses);
	put_uint(b, object, "live_bytes", summary->live_bytes);
	put_text(b, object, "leak", kmt_leak_name(summary->leak));
	put_real(b, object, "confidence", summary->confidence);
	put_text(b, object, "verdict", summary->headline);
	put_texts(b, object, "filters", summary->filters, summary->nr_filters);
	put_texts(b, object, "notes", summary->notes, summary->nr_notes);
}

void kmt_summary_put_name(struct builder *b, struct json_object *object,
			  const struct kmt_summary_row *row)
{
	put_text(b, object, "function", row->function);
	put_text(b, object, "module", row->module);
	put_text(b, object, "cache", row->cache);
	put_text(b, object, "space", kmt_json_space(row->space));
	put_text(b, object, "pair", row->pair);
	put_text(b, object, "owner", row->owner);
	put_text(b, object, "owner_module", row->owner_module);
	put_bool(b, object, "counted", row->is_counted);
}

void kmt_summary_put_judgement(struct builder *b, struct json_object *object, enum kmt_class class,
			       double confidence, bool is_suspect)
{
	put_text(b, object, "class", kmt_class_name(class));
	put_real(b, object, "confidence", confidence);
	put_bool(b, object, "suspect", is_suspect);
}

int kmt_summary_json_print(const struct builder *b, struct json_object *root, FILE *file,
			   struct kmt_err *err)
{
	const char *text = b->has_failed ? NULL : json_object_to_json_string_ext(root, JSON_STYLE);

	if (text)
		fprintf(file, "%s\n", text);
	json_object_put(root);
	return text ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}
