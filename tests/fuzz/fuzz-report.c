// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "kmemtape/diff.h"
#include "kmemtape/fleet.h"
#include "kmemtape/units.h"

#include "fuzz.h"

/*
 * A report in JSON, as anybody may send one. What can be read is compared with itself, which may be
 * neither new nor gone, and with a report of nothing, both ways; and put together with it, which
 * may neither lose nor repeat what was allocated.
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

static uint64_t count_allocs(const struct kmt_fleet *fleet)
{
	uint64_t allocs = 0;

	for (size_t i = 0; i < fleet->nr_sites; i++) {
		const struct kmt_fleet_site *site = &fleet->sites[i];

		MUST(site->row && site->nr_parts && site->nr_parts <= site->nr_tapes);
		MUST(site->nr_leaking <= site->nr_parts && site->nr_tapes <= fleet->nr_tapes);
		MUST(site->nr_leaking_hosts <= site->nr_hosts && site->nr_hosts <= fleet->nr_hosts);
		for (size_t j = 0; j < site->nr_parts; j++)
			allocs = kmt_sum(allocs, site->parts[j].allocs);
	}
	return allocs;
}

static void merge(struct kmt_summary *a, struct kmt_summary *b)
{
	struct kmt_summary *tapes[] = { a, b, a };
	FILE *file = fopen("/dev/null", "w");
	struct kmt_fleet *fleet = NULL;
	uint64_t allocs = 0;

	MUST(file);
	MUST((kmt_fleet_new(tapes, 3, &fleet, NULL) == 0) == (a->group == b->group));
	for (size_t i = 0; fleet && i < fleet->nr_tapes; i++)
		for (size_t j = 0; j < fleet->tapes[i]->nr_rows; j++)
			allocs = kmt_sum(allocs, fleet->tapes[i]->rows[j].allocs);
	if (fleet) {
		MUST(*fleet->headline && count_allocs(fleet) == allocs);
		MUST(kmt_fleet_text(fleet, 0, file, NULL) == 0);
		MUST(kmt_fleet_json(fleet, 0, file, NULL) == 0);
		MUST(kmt_fleet_page(fleet, 0, file, NULL) == 0);
	}
	(void)kmt_fleet_free(fleet);
	(void)fclose(file);
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
		merge(summary, other);
	}
	(void)kmt_summary_free(other);
	(void)kmt_summary_free(summary);
	free(text);
	return 0;
}
