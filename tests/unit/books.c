// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/fs.h"

#include "../../src/replay/distilled.h"
#include "../../src/share/symbols-cut.h"

#include "check.h"

/* Text of books.zst, as distilled from a golden script or a zoo's tape. */
static char *read_books(const char *name, size_t *ret_bytes)
{
	char path[4096], *text;

	(void)snprintf(path, sizeof(path), "%s/fuzz/corpus/books/%s", getenv("KMT_TESTS"), name);
	CHECK_EQ(kmt_read_file(AT_FDCWD, path, 1 << 20, &text, ret_bytes, NULL), 0);
	return text;
}

/* @text with @from replaced by @to, once. */
static char *replaced(const char *text, const char *from, const char *to, size_t *ret_bytes)
{
	const char *at = strstr(text, from);
	char *result;

	CHECK(at);
	*ret_bytes = strlen(text) - strlen(from) + strlen(to);
	result = malloc(*ret_bytes + 1);
	CHECK(result);
	(void)sprintf(result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	return result;
}

TEST(what_is_written_is_read_again)
{
	static const char *const names[] = {
		"a-dossier-names-who-frees",
		"an-owner-is-behind-its-helpers",
		"leak-constant",
		"sampled-leaking",
		"snapshots-are-kept",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct kmt_distilled distilled;
		struct kmt_names *interned;
		char *text, *copy, *again;
		size_t bytes, nr;

		text = read_books(names[i], &bytes);
		copy = strdup(text);
		CHECK_EQ(kmt_names_new(&interned, NULL), 0);
		kmt_distilled_init(&distilled);
		CHECK_EQ(kmt_distilled_parse(&distilled, copy, bytes, interned, NULL), 0);
		CHECK_EQ(kmt_distilled_format(&distilled, &again, &nr), 0);
		CHECK_EQ(nr, bytes);
		CHECK(memcmp(text, again, bytes) == 0);
		kmt_distilled_deinit(&distilled);
		(void)kmt_names_free(interned);
		free(text);
		free(copy);
		free(again);
	}
}

/* Return: of the parser, or of a ledger that was to take over what it read. */
static int try(const char *name, const char *from, const char *to)
{
	struct kmt_ledger_options options = { .page_bytes = 4096 };
	struct kmt_distilled distilled;
	struct kmt_ledger *ledger;
	struct kmt_names *interned;
	struct kmt_err err = { "" };
	size_t bytes;
	char *text = read_books(name, &bytes), *changed = replaced(text, from, to, &bytes);
	int r;

	CHECK_EQ(kmt_names_new(&interned, NULL), 0);
	CHECK_EQ(kmt_ledger_new(&options, &ledger, NULL), 0);
	kmt_distilled_init(&distilled);
	r = kmt_distilled_parse(&distilled, changed, bytes, interned, &err);
	CHECK(r == 0 || strstr(err.text, "books.zst: line "));
	if (r == 0)
		r = kmt_ledger_restore(ledger, &distilled.books);
	kmt_distilled_deinit(&distilled);
	(void)kmt_ledger_free(ledger);
	(void)kmt_names_free(interned);
	free(changed);
	free(text);
	return r;
}

#define A "a-dossier-names-who-frees"
#define B "an-owner-is-behind-its-helpers"
#define C "leak-constant"
#define D "sampled-leaking"

TEST(what_nobody_changed_is_taken)
{
	CHECK_EQ(try(A, "names 2", "names 2"), 0);
	CHECK_EQ(try(B, "frames", "frames"), 0);
	CHECK_EQ(try(C, "dossier", "dossier"), 0);
	CHECK_EQ(try(D, "sample", "sample"), 0);
}

TEST(lengths_are_not_trusted)
{
	CHECK_EQ(try(A, "accounts 3", "accounts 2"), -EBADMSG);
	CHECK_EQ(try(A, "accounts 3", "accounts 4"), -EBADMSG);
	CHECK_EQ(try(A, "accounts 3", "accounts 99999999999"), -EBADMSG);
	CHECK_EQ(try(A, "names 2", "names 200000"), -EBADMSG);
	CHECK_EQ(try(A, "tracks 2", "tracks 3"), -EBADMSG);
	CHECK_EQ(try(A, "tracks 2", "tracks 1"), -EBADMSG);
	CHECK_EQ(try(A, " 4 0*28 1 0*8", " 4 0*28 1 0*9"), -EBADMSG);
	CHECK_EQ(try(A, " 4 0*28 1 0*8", " 4 0*28 1 0*18446744073709551615"), -EBADMSG);
	CHECK_EQ(try(A, "grid 1000 134217728 38", "grid 1000 134217728 65"), -EBADMSG);
	CHECK_EQ(try(A, "\nend\n", "\n"), -EBADMSG);
	CHECK_EQ(try(A, "kmemtape-books 2", "kmemtape-books 3"), -EBADMSG);
	CHECK_EQ(try(A, "kmemtape-books 2", "kmemtape-books 0"), -EBADMSG);
}

TEST(dossiers_of_version_1_have_no_space)
{
	CHECK_EQ(try("leak-of-version-1", "dossier", "dossier"), 0);
	CHECK_EQ(try("leak-of-version-1", "kmemtape-books 1", "kmemtape-books 2"), -EBADMSG);
	CHECK_EQ(try(C, "kmemtape-books 2", "kmemtape-books 1"), -EBADMSG);
}

TEST(numbers_of_things_are_in_range)
{
	CHECK_EQ(try(A, "unload 2000000000 42 2", "unload 2000000000 42 3"), -EBADMSG);
	CHECK_EQ(try(A, "unload 2000000000 42 2", "unload 2000000000 42 0"), -EBADMSG);
	CHECK_EQ(try(A, "key.cache 0*3", "key.cache 3*3"), -EBADMSG);
	CHECK_EQ(try(A, "key.stack 0*3", "key.stack 1 0*2"), -EBADMSG);
	CHECK_EQ(try(A, "key.space 0*3", "key.space 200*3"), -EBADMSG);
	CHECK_EQ(try(A, "\n1 2 0*6", "\n3 2 0*6"), -EBADMSG);
	CHECK_EQ(try(A, "\n1 2 0*6", "\n0 2 0*6"), -EBADMSG); /* its second track */
	CHECK_EQ(try(B, "\nstacks ", "\nstacks 1"), -EBADMSG);
}

TEST(sums_have_to_add_up)
{
	CHECK_EQ(try(A, "\nlive 2\n", "\nlive 3\n"), -EBADMSG);
	CHECK_EQ(try(A, "\nallocs 5\n", "\nallocs 6\n"), -EBADMSG);
	CHECK_EQ(try(A, "\nallocs 2*2 1", "\nallocs 2*3"), -EBADMSG);
	CHECK_EQ(try(A, "live_objects 1*2 0", "live_objects 1 2 0"), -EBADMSG);
	CHECK_EQ(try(A, "\nuncertain 0", "\nuncertain 1"), -EBADMSG);
	CHECK_EQ(try(A, "mature_objects 0*3", "mature_objects 0*2 1"), -EBADMSG);
	CHECK_EQ(try(A, "exposed_objects 0*3", "exposed_objects 1 0*2"), -EBADMSG);
	CHECK_EQ(try(A, "0*5 1 0*34 0*40 0*40", "0*5 2 0*34 0*40 0*40"), -EBADMSG);
	CHECK_EQ(try(A, "\npaired 3", "\npaired 4"), -EBADMSG);
}

TEST(times_have_to_be_possible)
{
	CHECK_EQ(try(A, "first_ns 1000 2000", "first_ns 1000 5000000000"), -EBADMSG);
	CHECK_EQ(try(A, "oldest_ns 2000", "oldest_ns 5000000001"), -EBADMSG);
	CHECK_EQ(try(A, "grid 1000 134217728 38", "grid 1000 134217729 38"), -EBADMSG);
	CHECK_EQ(try(A, "grid 1000 134217728 38", "grid 1000 268435456 38"), -EBADMSG);
	CHECK_EQ(try(A, "end 5000000000", "end 4000000"), -EBADMSG);
}

TEST(an_account_is_there_once)
{
	CHECK_EQ(try(A, "key.generation 0*2 2", "key.generation 0*3"), -EBADMSG);
}

TEST(texts_are_escaped)
{
	CHECK_EQ(try(A, "old_mod", "old%20%0amod"), 0);
	CHECK_EQ(try(A, "old_mod", "old%2"), -EBADMSG);
	CHECK_EQ(try(A, "old_mod", "old%00mod"), -EBADMSG);
	CHECK_EQ(try(A, "old_mod", "old%zzmod"), -EBADMSG);
}

/* Of what kallsyms says, what is asked for is found as before. */
TEST(symbols_that_are_cut_give_the_same_names)
{
	static const char text[] = "ffffffff81000000 T _stext\n"
				   "ffffffff81000100 T before\n"
				   "ffffffff81000200 T alias_a\n"
				   "ffffffff81000200 t alias_b\n"
				   "ffffffff81000300 T behind\n"
				   "ffffffff81000400 T unused\n"
				   "ffffffff81000500 T last\n"
				   "ffffffffc0000300 t m_high\t[m]\n"
				   "ffffffffc0000100 t m_low\t[m]\n"
				   "ffffffffc0000200 t m_mid\t[m]\n";
	static const char left[] = "ffffffff81000000 T _stext\n"
				   "ffffffff81000200 T alias_a\n"
				   "ffffffff81000200 t alias_b\n"
				   "ffffffff81000300 T behind\n"
				   "ffffffff81000500 T last\n"
				   "ffffffffc0000300 t m_high\t[m]\n"
				   "ffffffffc0000100 t m_low\t[m]\n";
	static const uint64_t addresses[] = { 0xffffffff81000201, 0xffffffff81000300 };
	size_t bytes;
	char *cut;

	CHECK_EQ(kmt_symbols_cut(text, sizeof(text) - 1, addresses, 2, &cut, &bytes), 0);
	CHECK_EQ(bytes, sizeof(left) - 1);
	CHECK(strcmp(cut, left) == 0);
	free(cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(what_is_written_is_read_again),
		ROW(what_nobody_changed_is_taken),
		ROW(lengths_are_not_trusted),
		ROW(dossiers_of_version_1_have_no_space),
		ROW(numbers_of_things_are_in_range),
		ROW(sums_have_to_add_up),
		ROW(times_have_to_be_possible),
		ROW(an_account_is_there_once),
		ROW(texts_are_escaped),
		ROW(symbols_that_are_cut_give_the_same_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
