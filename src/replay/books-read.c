// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kmemtape/chunk.h"
#include "kmemtape/units.h"

#include "books.h"

int kmt_books_read(const struct kmt_tape *tape, struct kmt_names *names,
		   struct kmt_distilled *distilled, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	struct kmt_err inner = { "" };
	size_t bytes;
	int r;

	r = kmt_chunk_read_text(tape->members, KMT_BOOKS_PATH, KMT_BOOKS_BYTES_MAX, &text, &bytes,
				&inner);
	if (r == -ENOENT || r == KMT_CHUNK_CUT)
		return kmt_fail(err, -ENODATA, "%s/%s: %s: without it nothing is known", tape->path,
				KMT_BOOKS_PATH, r == -ENOENT ? "missing" : "cut short");
	if (r >= 0)
		r = kmt_distilled_parse(distilled, text, bytes, names, &inner);
	return r < 0 ? kmt_fail(err, r, "%s/%.200s", tape->path, inner.text) : 0;
}

static int refuse(const struct kmt_tape *tape, const char *what, struct kmt_err *err)
{
	return kmt_fail(err, -ENOTSUP, "%s is distilled: %s needs the whole tape", tape->path,
			what);
}

int kmt_books_check_options(const struct kmt_tape *tape, const struct kmt_distilled *distilled,
			    const struct kmt_replay_options *options, struct kmt_err *err)
{
	char what[KMT_UNITS_BYTES + 64], grace[KMT_UNITS_BYTES];

	if (options->group == KMT_BY_COMM || options->group == KMT_BY_PID)
		return refuse(tape, options->group == KMT_BY_COMM ? "--by comm" : "--by pid", err);
	if (options->interval_ns)
		return refuse(tape, "--interval", err);
	if (options->older_ns)
		return refuse(tape, "--older", err);
	(void)snprintf(what, sizeof(what), "another --grace than %s",
		       kmt_format_time(grace, distilled->grace_ns));
	return options->grace_ns == distilled->grace_ns ? 0 : refuse(tape, what, err);
}

void kmt_books_renumber(struct kmt_distilled *distilled, struct kmt_stacks *stacks)
{
	for (size_t i = 0; i < distilled->books.nr_accounts; i++) {
		struct kmt_account_key *key = &distilled->books.accounts[i].key;
		const struct kmt_stack_range *range;

		if (!key->stack)
			continue;
		range = &distilled->stacks[key->stack - 1];
		key->stack = kmt_stacks_intern(stacks, distilled->frames + range->from, range->nr);
	}
}

int kmt_books_take_notes(const struct kmt_tape *tape, const struct kmt_distilled *distilled,
			 struct kmt_result *result)
{
	int r = 0;

	kmt_result_drop_notes(result);
	for (size_t i = 0; r == 0 && i < distilled->nr_notes; i++) {
		const char *note = distilled->notes[i];

		r = kmt_result_note(result, "%s%s", *note == KMT_NOTE_OF_TAPE ? tape->path : "",
				    note);
	}
	return r;
}
