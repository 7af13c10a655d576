// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kmemtape/units.h"

#include "fleet-sites.h"
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
	const size_t *of_tape;
	struct host *list;
};

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

/* For whom all of them are, or those that are suspected, by a row that is. NULL: for none or
 * several. */
static const struct kmt_summary_row *owner_of(const struct entry *entries, size_t nr,
					      bool is_suspect)
{
	const struct kmt_summary_row *first = NULL;

	for (size_t i = 0; i < nr; i++) {
		const struct kmt_summary_row *row = entries[i].row;

		if (is_suspect && !kmt_row_is_suspect(row))
			continue;
		if (first && kmt_row_compare_owners(first, row) != 0)
			return NULL;
		first = first ? first : row;
	}
	return first && first->owner ? first : NULL;
}

/* Rows of one site, by tape. */
static int add_parts(struct kmt_fleet_site *site, const struct entry *entries, size_t nr)
{
	size_t next;

	site->parts = calloc(nr, sizeof(*site->parts));
	if (!site->parts)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i = next) {
		struct kmt_fleet_part *part = &site->parts[site->nr_parts++];

		part->tape = entries[i].tape;
		for (next = i; next < nr && entries[next].tape == part->tape; next++) {
			add_row(part, entries[next].row);
			if (says_more(entries[next].row, site->row))
				site->row = entries[next].row;
		}
		part->owner = owner_of(entries + i, next - i, part->is_suspect);
	}
	site->owner = owner_of(entries, nr, kmt_row_is_suspect(site->row));
	return 0;
}

static void note_part(struct host *host, const struct kmt_fleet_part *part)
{
	if (part->live_bytes > host->live_bytes)
		host->live_bytes = part->live_bytes;
	if (part->is_suspect && (!host->leaks || part->per_s > host->per_s))
		host->per_s = part->per_s;
	host->leaks |= part->is_suspect;
}

/* Takes what @host has, so that another tape of it doesn't add it again. */
static void add_host(struct kmt_fleet_site *site, struct host *host)
{
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

		note_part(&hosts->list[hosts->of_tape[part->tape]], part);
		if (part->live_bytes > site->live_bytes_max)
			site->live_bytes_max = part->live_bytes;
		if (!part->is_suspect)
			continue;
		site->nr_leaking++;
		if (part->per_s > site->per_s_max)
			site->per_s_max = part->per_s;
		note_time(fleet->tapes[part->tape], site->first_leak, site->last_leak,
			  sizeof(site->first_leak));
	}
	for (size_t i = 0; i < site->nr_parts; i++)
		add_host(site, &hosts->list[hosts->of_tape[site->parts[i].tape]]);
}

static int by_leaking(const void *left, const void *right)
{
	const struct kmt_fleet_site *a = left, *b = right;
	int r;

	if (a->nr_leaking_hosts != b->nr_leaking_hosts)
		return a->nr_leaking_hosts < b->nr_leaking_hosts ? 1 : -1;
	if (a->per_s_sum < b->per_s_sum || a->per_s_sum > b->per_s_sum)
		return a->per_s_sum < b->per_s_sum ? 1 : -1;
	if (a->live_bytes_sum != b->live_bytes_sum)
		return a->live_bytes_sum < b->live_bytes_sum ? 1 : -1;
	r = strcmp(a->key, b->key);
	return r ? r : kmt_row_compare_owners(a->row, b->row);
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

/* Who has it, for whomever. Entries are in the order of the tapes. */
static void note_seen(const struct kmt_fleet *fleet, struct kmt_fleet_site *site,
		      const struct entry *entries, size_t nr, const struct hosts *hosts)
{
	for (size_t i = 0; i < nr; i++) {
		struct host *host = &hosts->list[hosts->of_tape[entries[i].tape]];

		if (i > 0 && entries[i].tape == entries[i - 1].tape)
			continue;
		site->nr_tapes++;
		site->nr_hosts += !host->has_site;
		host->has_site = true;
		note_time(fleet->tapes[entries[i].tape], site->first_seen, site->last_seen,
			  sizeof(site->first_seen));
	}
	for (size_t i = 0; i < nr; i++)
		hosts->list[hosts->of_tape[entries[i].tape]].has_site = false;
}

/* 0: both accuse the same, or nobody. As strcmp(). */
static int compare_accused(const struct kmt_summary_row *a, const struct kmt_summary_row *b)
{
	int is_a = kmt_row_is_suspect(a), is_b = kmt_row_is_suspect(b);

	if (is_a && is_b) {
		is_a += kmt_row_owner(a) != NULL;
		is_b += kmt_row_owner(b) != NULL;
	}
	if (is_a != is_b)
		return is_a - is_b;
	return is_a == 2 ? kmt_row_compare_owners(a, b) : 0;
}

static int by_accused(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int r = compare_accused(a->row, b->row);

	return r ? r : by_key(left, right);
}

static bool are_several_accused(const struct entry *entries, size_t nr)
{
	const struct kmt_summary_row *other = NULL;

	for (size_t i = 0; i < nr; i++) {
		if (!kmt_row_is_suspect(entries[i].row))
			continue;
		if (other && compare_accused(other, entries[i].row) != 0)
			return true;
		other = entries[i].row;
	}
	return false;
}

/* Takes the first one's key. */
static int make_site(struct kmt_fleet *fleet, const struct kmt_fleet_site *seen,
		     struct entry *entries, size_t nr, const struct hosts *hosts)
{
	struct kmt_fleet_site *site = &fleet->sites[fleet->nr_sites++];
	int r;

	*site = *seen;
	site->key = KMT_STEAL(entries[0].key);
	r = add_parts(site, entries, nr);
	if (r < 0)
		return r;
	sum_up(fleet, site, hosts);
	fleet->nr_leaking_sites += site->nr_leaking > 0;
	return 0;
}

/*
 * Entries of one key. What leaks through a helper for one is not what leaks through it for another,
 * or for nobody knows whom. What isn't suspected may be for any of them: it accuses nobody.
 */
static int make_sites_of_key(struct kmt_fleet *fleet, struct entry *entries, size_t nr,
			     const struct hosts *hosts)
{
	struct kmt_fleet_site seen = { .row = NULL };
	size_t next;
	int r = 0;

	note_seen(fleet, &seen, entries, nr, hosts);
	if (!are_several_accused(entries, nr))
		return make_site(fleet, &seen, entries, nr, hosts);
	qsort(entries, nr, sizeof(*entries), by_accused);
	for (size_t i = 0; i < nr && r == 0; i = next) {
		for (next = i + 1;
		     next < nr && compare_accused(entries[i].row, entries[next].row) == 0;)
			next++;
		r = make_site(fleet, &seen, entries + i, next - i, hosts);
	}
	return r;
}

static int make_sites(struct kmt_fleet *fleet, struct entry *entries, size_t nr,
		      const struct hosts *hosts)
{
	size_t next;
	int r = 0;

	qsort(entries, nr, sizeof(*entries), by_key);
	for (size_t i = 0; i < nr && r == 0; i = next) {
		for (next = i + 1; next < nr && strcmp(entries[next].key, entries[i].key) == 0;)
			next++;
		r = make_sites_of_key(fleet, entries + i, next - i, hosts);
	}
	if (r == 0)
		qsort(fleet->sites, fleet->nr_sites, sizeof(*fleet->sites), by_leaking);
	return r;
}

int kmt_fleet_make_sites(struct kmt_fleet *fleet, const size_t *host_of_tape)
{
	struct hosts hosts = { .of_tape = host_of_tape };
	struct entry *entries;
	size_t room = 1, nr = 0;
	int r = -ENOMEM;

	for (size_t i = 0; i < fleet->nr_tapes; i++)
		room += fleet->tapes[i]->nr_rows;
	hosts.list = calloc(fleet->nr_hosts + 1, sizeof(*hosts.list));
	fleet->sites = calloc(room, sizeof(*fleet->sites));
	entries = calloc(room, sizeof(*entries));
	if (hosts.list && fleet->sites && entries)
		r = make_entries(fleet, entries, &nr);
	if (r == 0)
		r = make_sites(fleet, entries, nr, &hosts);
	for (size_t i = 0; i < nr; i++)
		free(entries[i].key);
	free(entries);
	free(hosts.list);
	return r;
}
