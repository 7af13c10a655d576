// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kmemtape/fleet.h"
#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "naming.h"

#define NS_PER_S     1000000000u
#define YEARS_1000_S (UINT64_C(1000) * 365 * 86400) /* no recording is longer */

struct entry {
	char *key;
	const struct kmt_summary_row *row;
	size_t tape;
};

static int by_key(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int r = strcmp(a->key, b->key);

	if (r == 0)
		r = (a->tape > b->tape) - (a->tape < b->tape);
	return r ? r : (a->row > b->row) - (a->row < b->row);
}

/* What a site has on one host: of several tapes of it the most, for each is of the same memory. */
struct host {
	bool has_site, leaks;
	uint64_t live_bytes;
	double per_s;
};

/* @of_tape: index of each tape's host */
struct hosts {
	size_t *of_tape;
	struct host *list;
};

/* Those without a host last: each is of one of its own. */
static int by_host(const void *left, const void *right)
{
	const struct kmt_summary *const *a = *(const struct kmt_summary *const *const *)left;
	const struct kmt_summary *const *b = *(const struct kmt_summary *const *const *)right;

	if (!(*a)->host && !(*b)->host)
		return (a > b) - (a < b);
	if (!(*a)->host || !(*b)->host)
		return !(*a)->host - !(*b)->host;
	return strcmp((*a)->host, (*b)->host);
}

static int number_hosts(struct kmt_fleet *fleet, struct hosts *hosts)
{
	size_t nr = fleet->nr_tapes;
	const struct kmt_summary *const **tapes = calloc(nr + 1, sizeof(*tapes));

	hosts->of_tape = calloc(nr + 1, sizeof(*hosts->of_tape));
	hosts->list = calloc(nr + 1, sizeof(*hosts->list));
	if (!tapes || !hosts->of_tape || !hosts->list) {
		free(tapes);
		return -ENOMEM;
	}
	for (size_t i = 0; i < nr; i++)
		tapes[i] = &fleet->tapes[i];
	qsort(tapes, nr, sizeof(*tapes), by_host);
	for (size_t i = 0; i < nr; i++) {
		if (i == 0 || by_host(&tapes[i - 1], &tapes[i]) != 0)
			fleet->nr_hosts++;
		hosts->of_tape[tapes[i] - fleet->tapes] = fleet->nr_hosts - 1;
	}
	free(tapes);
	return 0;
}

static bool is_doubtful(const struct kmt_summary *tape)
{
	return tape->lost || tape->losses || tape->is_cut || tape->has_rest || !tape->is_complete;
}

/* As the texts of RFC 3339 in UTC are, in the order of time. */
static void note_time(const struct kmt_summary *tape, char *first, char *last, size_t size)
{
	struct tm tm = { 0 };
	char end[32];
	time_t t;

	if (!tape->started_at || tape->duration_ns / NS_PER_S > YEARS_1000_S ||
	    !strptime(tape->started_at, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	if (!*first || strcmp(tape->started_at, first) < 0)
		(void)snprintf(first, size, "%.31s", tape->started_at);
	t = timegm(&tm) + (time_t)(tape->duration_ns / NS_PER_S);
	if (!gmtime_r(&t, &tm) || !strftime(end, sizeof(end), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	if (!*last || strcmp(end, last) > 0)
		(void)snprintf(last, size, "%s", end);
}

static void add_row(struct kmt_fleet_part *part, const struct kmt_summary_row *row)
{
	bool is_suspect = kmt_row_is_suspect(row);

	part->allocs = kmt_sum(part->allocs, row->allocs);
	part->live_objects = kmt_sum(part->live_objects, row->live_objects);
	part->live_bytes = kmt_sum(part->live_bytes, row->live_bytes);
	part->left_bytes += (double)row->mature_bytes * row->scale;
	part->per_s += row->per_s * row->scale;
	if (is_suspect > part->is_suspect ||
	    (is_suspect == part->is_suspect && row->class > part->class)) {
		part->class = row->class;
		part->confidence = row->confidence;
	}
	part->is_suspect |= is_suspect;
}

static bool says_more(const struct kmt_summary_row *row, const struct kmt_summary_row *other)
{
	if (!other || kmt_row_is_suspect(row) != kmt_row_is_suspect(other))
		return !other || kmt_row_is_suspect(row);
	return row->mature_bytes > other->mature_bytes;
}

/* Rows of one site, by tape. */
static int add_parts(struct kmt_fleet_site *site, const struct entry *entries, size_t nr)
{
	site->parts = calloc(nr, sizeof(*site->parts));
	if (!site->parts)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		if (i == 0 || entries[i].tape != entries[i - 1].tape)
			site->parts[site->nr_parts++].tape = entries[i].tape;
		add_row(&site->parts[site->nr_parts - 1], entries[i].row);
		if (says_more(entries[i].row, site->row))
			site->row = entries[i].row;
	}
	return 0;
}

static void note_part(struct host *host, const struct kmt_fleet_part *part)
{
	host->has_site = true;
	if (part->live_bytes > host->live_bytes)
		host->live_bytes = part->live_bytes;
	if (part->is_suspect && (!host->leaks || part->per_s > host->per_s))
		host->per_s = part->per_s;
	host->leaks |= part->is_suspect;
}

/* Takes what @host has, so that another tape of it doesn't add it again. */
static void add_host(struct kmt_fleet_site *site, struct host *host)
{
	site->nr_hosts += host->has_site;
	site->nr_leaking_hosts += host->leaks;
	site->live_bytes_sum = kmt_sum(site->live_bytes_sum, host->live_bytes);
	site->per_s_sum += host->per_s;
	*host = (struct host){ .has_site = false };
}

static void sum_up(const struct kmt_fleet *fleet, struct kmt_fleet_site *site,
		   const struct hosts *hosts)
{
	for (size_t i = 0; i < site->nr_parts; i++) {
		const struct kmt_fleet_part *part = &site->parts[i];
		const struct kmt_summary *tape = fleet->tapes[part->tape];

		note_part(&hosts->list[hosts->of_tape[part->tape]], part);
		if (part->live_bytes > site->live_bytes_max)
			site->live_bytes_max = part->live_bytes;
		note_time(tape, site->first_seen, site->last_seen, sizeof(site->first_seen));
		if (!part->is_suspect)
			continue;
		site->nr_leaking++;
		if (part->per_s > site->per_s_max)
			site->per_s_max = part->per_s;
		note_time(tape, site->first_leak, site->last_leak, sizeof(site->first_leak));
	}
	for (size_t i = 0; i < site->nr_parts; i++)
		add_host(site, &hosts->list[hosts->of_tape[site->parts[i].tape]]);
}

static int by_leaking(const void *left, const void *right)
{
	const struct kmt_fleet_site *a = left, *b = right;

	if (a->nr_leaking_hosts != b->nr_leaking_hosts)
		return a->nr_leaking_hosts < b->nr_leaking_hosts ? 1 : -1;
	if (a->per_s_sum < b->per_s_sum || a->per_s_sum > b->per_s_sum)
		return a->per_s_sum < b->per_s_sum ? 1 : -1;
	if (a->live_bytes_sum != b->live_bytes_sum)
		return a->live_bytes_sum < b->live_bytes_sum ? 1 : -1;
	return strcmp(a->key, b->key);
}

static int make_entries(const struct kmt_fleet *fleet, struct entry *entries, size_t *ret_nr)
{
	char key[KMT_KEY_BYTES];

	for (size_t i = 0; i < fleet->nr_tapes; i++)
		for (size_t j = 0; j < fleet->tapes[i]->nr_rows; j++) {
			struct entry *entry = &entries[*ret_nr];

			entry->row = &fleet->tapes[i]->rows[j];
			entry->tape = i;
			kmt_row_key(key, fleet->tapes[i]->group, entry->row, KMT_KEY_CACHE);
			entry->key = strdup(key);
			if (!entry->key)
				return -ENOMEM;
			(*ret_nr)++;
		}
	return 0;
}

static int make_sites(struct kmt_fleet *fleet, struct entry *entries, size_t nr,
		      const struct hosts *hosts)
{
	size_t next;
	int r = 0;

	fleet->sites = calloc(nr + 1, sizeof(*fleet->sites));
	if (!fleet->sites)
		return -ENOMEM;
	for (size_t i = 0; i < nr && r == 0; i = next) {
		struct kmt_fleet_site *site = &fleet->sites[fleet->nr_sites++];

		for (next = i + 1; next < nr && strcmp(entries[next].key, entries[i].key) == 0;)
			next++;
		r = add_parts(site, entries + i, next - i);
		if (r == 0)
			sum_up(fleet, site, hosts);
		fleet->nr_leaking_sites += site->nr_leaking > 0;
		site->key = KMT_STEAL(entries[i].key);
	}
	if (r == 0)
		qsort(fleet->sites, fleet->nr_sites, sizeof(*fleet->sites), by_leaking);
	return r;
}

/* What the verdicts say. */
static void count_tapes(struct kmt_fleet *fleet, const struct hosts *hosts)
{
	for (size_t i = 0; i < fleet->nr_tapes; i++) {
		struct host *host = &hosts->list[hosts->of_tape[i]];

		fleet->nr_doubtful += is_doubtful(fleet->tapes[i]);
		fleet->nr_short += kmt_summary_is_short(fleet->tapes[i]);
		if (fleet->tapes[i]->leak == KMT_LEAK_NONE)
			continue;
		fleet->nr_leaking_tapes++;
		fleet->nr_leaking_hosts += !host->leaks;
		host->leaks = true;
	}
	for (size_t i = 0; i < fleet->nr_tapes; i++)
		hosts->list[i].leaks = false;
}

/* As it is on the tapes: whoever prints it escapes it. */
static void say(struct kmt_fleet *fleet)
{
	const struct kmt_fleet_site *site = fleet->nr_leaking_sites ? fleet->sites : NULL;
	char doubt[128] = "", name[KMT_PLAIN_BYTES];
	int used = 0;

	if (fleet->nr_doubtful)
		used = snprintf(doubt, sizeof(doubt), "; %zu of %zu tapes not whole",
				fleet->nr_doubtful, fleet->nr_tapes);
	if (fleet->nr_short)
		(void)snprintf(doubt + used, sizeof(doubt) - (size_t)used,
			       "; %zu of %zu tapes too short to tell", fleet->nr_short,
			       fleet->nr_tapes);
	if (!site && fleet->nr_leaking_tapes) {
		(void)snprintf(fleet->headline, sizeof(fleet->headline),
			       "LEAKS on %zu of %zu host%s, at sites not in the reports%s",
			       fleet->nr_leaking_hosts, fleet->nr_hosts,
			       fleet->nr_hosts == 1 ? "" : "s", doubt);
		return;
	}
	if (!site) {
		(void)snprintf(fleet->headline, sizeof(fleet->headline),
			       "NO LEAK SEEN on any of %zu host%s, %zu tape%s%s", fleet->nr_hosts,
			       fleet->nr_hosts == 1 ? "" : "s", fleet->nr_tapes,
			       fleet->nr_tapes == 1 ? "" : "s", doubt);
		return;
	}
	kmt_row_name_plainly(name, fleet->tapes[0]->group, site->row);
	used = snprintf(fleet->headline, sizeof(fleet->headline), "LEAKS on %zu of %zu host%s: %s",
			site->nr_leaking_hosts, fleet->nr_hosts, fleet->nr_hosts == 1 ? "" : "s",
			name);
	if (fleet->nr_leaking_sites > 1)
		used += snprintf(fleet->headline + used, sizeof(fleet->headline) - (size_t)used,
				 ", and %zu more", fleet->nr_leaking_sites - 1);
	(void)snprintf(fleet->headline + used, sizeof(fleet->headline) - (size_t)used, "%s", doubt);
}

/* The one with all of its rows, or that tells more of where it is from. */
static bool is_better(const struct kmt_summary *a, const struct kmt_summary *b)
{
	if (a->is_cut != b->is_cut)
		return b->is_cut;
	return a->host && !b->host;
}

static void take(struct kmt_fleet *fleet, const struct kmt_summary *tape)
{
	struct kmt_fleet_repeat *repeat = &fleet->repeats[fleet->nr_repeats];
	size_t i;

	for (i = 0; i < fleet->nr_tapes; i++)
		if (kmt_summary_is_same_recording(fleet->tapes[i], tape))
			break;
	if (i == fleet->nr_tapes) {
		fleet->tapes[fleet->nr_tapes++] = tape;
		return;
	}
	*repeat = (struct kmt_fleet_repeat){ .tape = tape, .of = i };
	fleet->nr_repeats++;
	if (is_better(tape, fleet->tapes[i])) {
		repeat->tape = fleet->tapes[i];
		fleet->tapes[i] = tape;
	}
}

static int fill(struct kmt_fleet *fleet)
{
	struct hosts hosts = { NULL, NULL };
	struct entry *entries;
	size_t room = 1, nr = 0;
	int r;

	for (size_t i = 0; i < fleet->nr_tapes; i++)
		room += fleet->tapes[i]->nr_rows;
	entries = calloc(room, sizeof(*entries));
	r = entries ? make_entries(fleet, entries, &nr) : -ENOMEM;
	if (r == 0)
		r = number_hosts(fleet, &hosts);
	if (r == 0) {
		count_tapes(fleet, &hosts);
		qsort(entries, nr, sizeof(*entries), by_key);
		r = make_sites(fleet, entries, nr, &hosts);
	}
	free(hosts.of_tape);
	free(hosts.list);
	for (size_t i = 0; i < nr; i++)
		free(entries[i].key);
	free(entries);
	return r;
}

int kmt_fleet_new(struct kmt_summary *const *tapes, size_t nr, struct kmt_fleet **ret_fleet,
		  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_fleet_freep) struct kmt_fleet *fleet = calloc(1, sizeof(*fleet));

	for (size_t i = 1; i < nr; i++)
		if (tapes[i]->group != tapes[0]->group)
			return kmt_fail(err, -EINVAL, "not all reports are by the same");
	if (fleet) {
		fleet->tapes = calloc(nr + 1, sizeof(struct kmt_summary *));
		fleet->repeats = calloc(nr + 1, sizeof(*fleet->repeats));
	}
	if (!fleet || !fleet->tapes || !fleet->repeats)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < nr; i++)
		take(fleet, tapes[i]);
	if (fill(fleet) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	say(fleet);
	*ret_fleet = KMT_STEAL(fleet);
	return 0;
}

struct kmt_fleet *kmt_fleet_free(struct kmt_fleet *fleet)
{
	if (!fleet)
		return NULL;
	for (size_t i = 0; i < fleet->nr_sites; i++) {
		free(fleet->sites[i].parts);
		free(fleet->sites[i].key);
	}
	free(fleet->sites);
	free(fleet->repeats);
	free(fleet->tapes);
	free(fleet);
	return NULL;
}
