// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "kmemtape/diff.h"

#include "fuzz.h"

/*
 * A report in JSON, as anybody may send one. What can be read is compared with itself, which may be
 * neither new nor gone, and with a report of nothing, both ways.
 */
static const char nothing[] =
	"{\"schema\": 1, \"tape\": {\"duration_ns\": 3600000000000, \"complete\": true, "
	"\"sample\": 1}, \"events\": {\"allocs\": 1000000}, \"matching\": {\"grace_ns\": "
	"10000000000}, \"spaces\": [{\"space\": \"slab\"}, {\"space\": \"page\"}], \"rows\": 0, "
	"\"sites\": []}";

static void write_all(const struct kmt_diff *diff)
{
	FILE *file = fopen("/dev/null", "w");

	MUST(file);
	MUST(*diff->headline);
	MUST(kmt_diff_text(diff, 0, file, NULL) == 0);
	MUST(kmt_diff_json(diff, 0, file, NULL) == 0);
	MUST(kmt_diff_page(diff, 0, file, NULL) == 0);
	(void)fclose(file);
}

static void compare(const struct kmt_summary *a, const struct kmt_summary *b)
{
	struct kmt_diff *diff = NULL;
	struct kmt_err err = { "" };

	if (kmt_diff_new(a, b, &diff, &err) < 0) {
		MUST(a->group != b->group && *err.text);
		return;
	}
	if (a == b) {
		MUST(diff->nr_by_change[KMT_CHANGE_NEW] == 0);
		MUST(diff->nr_by_change[KMT_CHANGE_GROWN] == 0);
		MUST(diff->nr_by_change[KMT_CHANGE_SHRUNK] == 0);
		MUST(diff->nr_by_change[KMT_CHANGE_GONE] == 0);
	}
	write_all(diff);
	(void)kmt_diff_free(diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmt_summary *summary = NULL, *other = NULL;
	struct kmt_err err = { "" };
	char *text = malloc(size + 1);
	int r;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	r = kmt_summary_read(text, size, "fuzz", &summary, &err);
	MUST((r < 0) == (err.text[0] != '\0') && (r < 0) == !summary);
	if (r == 0) {
		MUST(kmt_summary_read(nothing, sizeof(nothing) - 1, "nothing", &other, NULL) == 0);
		compare(summary, summary);
		compare(summary, other);
		compare(other, summary);
	}
	(void)kmt_summary_free(other);
	(void)kmt_summary_free(summary);
	free(text);
	return 0;
}
