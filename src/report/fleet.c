// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/fleet.h"
#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "fleet-sites.h"
#include "naming.h"

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

static int number_hosts(struct kmt_fleet *fleet, size_t *host_of_tape)
{
	size_t nr = fleet->nr_tapes;
	const struct kmt_summary *const **tapes = calloc(nr + 1, sizeof(*tapes));

	if (!tapes)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		tapes[i] = &fleet->tapes[i];
	qsort(tapes, nr, sizeof(*tapes), by_host);
	for (size_t i = 0; i < nr; i++) {
		if (i == 0 || by_host(&tapes[i - 1], &tapes[i]) != 0)
			fleet->nr_hosts++;
		host_of_tape[tapes[i] - fleet->tapes] = fleet->nr_hosts - 1;
	}
	free(tapes);
	return 0;
}

static bool is_doubtful(const struct kmt_summary *tape)
{
	return tape->lost || tape->losses || tape->is_cut || tape->has_rest || !tape->is_complete;
}

/* What the verdicts say. */
static int count_tapes(struct kmt_fleet *fleet, const size_t *host_of_tape)
{
	bool *leaks = calloc(fleet->nr_hosts + 1, sizeof(*leaks));

	if (!leaks)
		return -ENOMEM;
	for (size_t i = 0; i < fleet->nr_tapes; i++) {
		fleet->nr_doubtful += is_doubtful(fleet->tapes[i]);
		fleet->nr_short += kmt_summary_is_short(fleet->tapes[i]);
		if (fleet->tapes[i]->leak == KMT_LEAK_NONE)
			continue;
		fleet->nr_leaking_tapes++;
		fleet->nr_leaking_hosts += !leaks[host_of_tape[i]];
		leaks[host_of_tape[i]] = true;
	}
	free(leaks);
	return 0;
}

/* As it is on the tapes: whoever prints it escapes it. */
static void say(struct kmt_fleet *fleet)
{
	const struct kmt_fleet_site *site = fleet->nr_leaking_sites ? fleet->sites : NULL;
	char doubt[128] = "", name[KMT_PLAIN_BYTES];
	struct kmt_summary_row row;
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
	row = kmt_row_for(site->row, site->owner);
	kmt_row_name_plainly(name, fleet->tapes[0]->group, &row);
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
	size_t *host_of_tape = calloc(fleet->nr_tapes + 1, sizeof(*host_of_tape));
	int r = host_of_tape ? number_hosts(fleet, host_of_tape) : -ENOMEM;

	if (r == 0)
		r = count_tapes(fleet, host_of_tape);
	if (r == 0)
		r = kmt_fleet_make_sites(fleet, host_of_tape);
	free(host_of_tape);
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
