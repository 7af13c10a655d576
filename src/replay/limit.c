// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>

#include "limit.h"

/*
 * An account takes up to 1.9 KiB, with a row and a stack of its own: of a tape of 1 MB all of them
 * stay below 256 MiB. Real kernels have a few thousand, and of stacks and tasks one for many
 * events.
 */
#define ACCOUNTS_ALWAYS	 49152u
#define BYTES_AN_ACCOUNT 32u

static uint64_t bytes_of(const struct kmt_members *members, const char *path)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };

	return kmt_members_get(members, path, &member) == 0 ? member.bytes : 0;
}

size_t kmt_limit_accounts(const struct kmt_tape *tape)
{
	char **paths = NULL;
	uint64_t bytes = 0;

	if (kmt_members_list(tape->members, "cpu", &paths, NULL) < 0)
		return ACCOUNTS_ALWAYS;
	for (size_t i = 0; paths[i]; i++)
		bytes += bytes_of(tape->members, paths[i]);
	kmt_members_free_list(&paths);
	return ACCOUNTS_ALWAYS + bytes / BYTES_AN_ACCOUNT;
}

int kmt_limit_note(const struct kmt_ledger *ledger, struct kmt_result *result)
{
	size_t nr, nr_told = 0;
	const struct kmt_account *accounts = kmt_ledger_accounts(ledger, &nr);
	uint64_t allocs = 0;

	for (size_t i = 0; i < nr; i++) {
		bool is_rest = kmt_account_is_rest(&accounts[i]);

		nr_told += !is_rest;
		allocs += is_rest ? accounts[i].allocs : 0;
	}
	if (nr_told == nr)
		return 0;
	return kmt_result_note(
		result,
		"more call sites, sizes and the like than the %zu that a tape of this "
		"size may have: of %" PRIu64
		" allocations nobody is told, and their sizes are rounded down",
		nr_told, allocs);
}
