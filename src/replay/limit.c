// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>

#include "kmemtape/units.h"

#include "limit.h"

/*
 * An account takes up to 1.9 KiB, with a row and a stack of its own: of a tape of 1 MB all of them
 * stay below 256 MiB. Real kernels have a few thousand, and of stacks and tasks one for many
 * events: a shell that does nothing but start programs has one for 1200 raw bytes, by pid.
 *
 * Raw bytes are the same in all forms of a tape, and so is what is told apart; but zstd and columns
 * make anything of nothing, so that their files count where they are very small.
 */
#define ACCOUNTS_ALWAYS	      49152u
#define RAW_BYTES_AN_ACCOUNT  640u
#define FILE_BYTES_AN_ACCOUNT 16u

/*
 * An object takes 64 bytes: always 64 MiB, and 256 bytes for each of a file. The times of real
 * events are noise, which no form of a tape makes smaller: with them an event takes about a byte of
 * a small tape, two to six of most others, and half a byte where a clock is coarse. Those of a tape
 * that was made up may take none.
 */
#define OBJECTS_ALWAYS	    (UINT64_C(1) << 20)
#define OBJECTS_A_FILE_BYTE 4u

/* So names take a quarter of what objects do: a task that begins has a lot more than its name. */
#define NAME_BYTES_AN_OBJECT 16u

static void add_file(const struct kmt_members *members, const char *path, uint64_t *raw_bytes,
		     uint64_t *file_bytes)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };

	if (kmt_members_get(members, path, &member) < 0)
		return;
	*raw_bytes = kmt_sum(*raw_bytes, kmt_chunk_file_raw_bytes(&member));
	*file_bytes = kmt_sum(*file_bytes, member.bytes);
}

void kmt_limit_of(const struct kmt_tape *tape, struct kmt_limit *ret_limit)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	uint64_t raw_bytes = 0, file_bytes = 0, by_raw, by_file;

	if (kmt_members_list(tape->members, "cpu", &paths, NULL) == 0)
		for (size_t i = 0; paths[i]; i++)
			add_file(tape->members, paths[i], &raw_bytes, &file_bytes);
	by_raw = raw_bytes / RAW_BYTES_AN_ACCOUNT;
	by_file = file_bytes / FILE_BYTES_AN_ACCOUNT;
	*ret_limit = (struct kmt_limit){
		.accounts = ACCOUNTS_ALWAYS + (by_raw < by_file ? by_raw : by_file),
		.objects = OBJECTS_ALWAYS + file_bytes * OBJECTS_A_FILE_BYTE,
		.file_bytes = file_bytes,
	};
	ret_limit->name_bytes = ret_limit->objects * NAME_BYTES_AN_OBJECT;
}

int kmt_limit_fail(const struct kmt_tape *tape, const struct kmt_limit *limit, const char *what,
		   struct kmt_err *err)
{
	char size[KMT_UNITS_BYTES];

	return kmt_fail(err, -EOVERFLOW,
			"%s: more %s than a recording of %s can have: damaged, or made to use up "
			"memory",
			tape->path, what, kmt_format_size(size, limit->file_bytes));
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
