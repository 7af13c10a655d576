// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/bytes.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"
#include "kmemtape/hash.h"
#include "kmemtape/units.h"

#include "check.h"
#include "dir.h"

#define SECOND UINT64_C(1000000000)

static uint64_t time_of(const char *text)
{
	uint64_t ns = 0;

	CHECK_EQ(kmt_parse_time(text, &ns), 0);
	return ns;
}

static uint64_t size_of(const char *text)
{
	uint64_t bytes = 0;

	CHECK_EQ(kmt_parse_size(text, &bytes), 0);
	return bytes;
}

TEST(a_bare_time_is_in_seconds)
{
	CHECK_EQ(time_of("10"), 10 * SECOND);
	CHECK_EQ(time_of("0"), 0);
}

TEST(every_unit_of_time_is_known)
{
	CHECK_EQ(time_of("7ns"), 7);
	CHECK_EQ(time_of("7us"), 7000);
	CHECK_EQ(time_of("250ms"), 250000000);
	CHECK_EQ(time_of("10s"), 10 * SECOND);
	CHECK_EQ(time_of("5m"), 300 * SECOND);
	CHECK_EQ(time_of("2h"), 7200 * SECOND);
}

TEST(a_fraction_of_a_time_is_exact)
{
	CHECK_EQ(time_of("1.5h"), 5400 * SECOND);
	CHECK_EQ(time_of("0.000000001"), 1);
	CHECK_EQ(time_of(".5s"), SECOND / 2);
	CHECK_EQ(time_of("1.s"), SECOND);
	CHECK_EQ(time_of("0.1ns"), 0); /* too little to count */
}

TEST(digits_beyond_a_nanosecond_are_dropped)
{
	CHECK_EQ(time_of("1.0000000019999999999999999999999"), SECOND + 1);
}

TEST(the_longest_time_fits_and_one_more_does_not)
{
	uint64_t ns = 5;

	CHECK(time_of("18446744073709551615ns") == UINT64_MAX);
	CHECK_EQ(kmt_parse_time("18446744073709551616ns", &ns), -ERANGE);
	CHECK_EQ(kmt_parse_time("18446744073709551620ns", &ns), -ERANGE);
	CHECK_EQ(kmt_parse_time("18446744073709551615us", &ns), -ERANGE);
	CHECK_EQ(kmt_parse_time("99999999999999999999999999", &ns), -ERANGE);
	CHECK_EQ(kmt_parse_time("18446744073.999999999s", &ns),
		 -ERANGE); /* the fraction is too much */
	CHECK_EQ(ns, 5);   /* not written on failure */
}

TEST(what_is_no_time_is_refused)
{
	static const char *const junk[] = { "",	    "s",   "soon", "-1",     "+1", " 1",  "1 ",
					    "1 s",  "1S",  "..1",  "1.2.3s", ".",  "inf", "nan",
					    "0x10", "1e3", "1ss",  "1,5s",   "1d", "1\n" };
	uint64_t ns = 5;

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		if (kmt_parse_time(junk[i], &ns) != -EINVAL)
			fail_msg("'%s' was taken for a time", junk[i]);
	CHECK_EQ(ns, 5);
}

TEST(sizes_are_powers_of_1024)
{
	CHECK_EQ(size_of("4096"), 4096);
	CHECK_EQ(size_of("17B"), 17);
	CHECK_EQ(size_of("64K"), 65536);
	CHECK_EQ(size_of("16M"), 16 << 20);
	CHECK_EQ(size_of("1.5G"), UINT64_C(3) << 29);
	CHECK_EQ(size_of("1T"), UINT64_C(1) << 40);
}

TEST(the_largest_size_fits_and_one_more_does_not)
{
	uint64_t bytes = 5;

	CHECK(size_of("16777215T") == UINT64_C(16777215) << 40);
	CHECK_EQ(kmt_parse_size("16777216T", &bytes), -ERANGE);
	CHECK(size_of("18446744073709551615") == UINT64_MAX);
	CHECK_EQ(kmt_parse_size("18446744073709551616", &bytes), -ERANGE);
	CHECK_EQ(bytes, 5);
}

TEST(what_is_no_size_is_refused)
{
	static const char *const junk[] = { "",	    "K",   "-4K",    "4k", "4KB",
					    "4KiB", "4 K", "0x1000", "4P" };
	uint64_t bytes;

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		if (kmt_parse_size(junk[i], &bytes) != -EINVAL)
			fail_msg("'%s' was taken for a size", junk[i]);
}

TEST(numbers_are_decimal_or_hexadecimal)
{
	uint64_t n;

	CHECK_EQ(kmt_parse_uint("0", &n), 0);
	CHECK_EQ(n, 0);
	CHECK_EQ(kmt_parse_uint("0xffffffff81000000", &n), 0);
	CHECK(n == 0xffffffff81000000);
	CHECK_EQ(kmt_parse_uint("0XaB", &n), 0);
	CHECK_EQ(n, 0xab);
	CHECK_EQ(kmt_parse_uint("010", &n), 0); /* not octal */
	CHECK_EQ(n, 10);
	CHECK_EQ(kmt_parse_uint("18446744073709551615", &n), 0);
	CHECK(n == UINT64_MAX);
}

TEST(what_is_no_number_is_refused)
{
	static const char *const junk[] = { "",	    "x",    "0x",    "-1",  "+1",
					    " 1",   "1 ",   "1x",    "12a", "a12",
					    "0x-1", "0x 1", "0x0x1", "1.0", "0xg" };
	uint64_t n = 5;

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		if (kmt_parse_uint(junk[i], &n) != -EINVAL)
			fail_msg("'%s' was taken for a number", junk[i]);
	CHECK_EQ(kmt_parse_uint("18446744073709551616", &n), -ERANGE);
	CHECK_EQ(kmt_parse_uint("0x10000000000000000", &n), -ERANGE);
	CHECK_EQ(n, 5);
}

TEST(sizes_read_well_at_each_magnitude)
{
	char buf[KMT_UNITS_BYTES];

	CHECK_TEXT(kmt_format_size(buf, 0), "0 B");
	CHECK_TEXT(kmt_format_size(buf, 1023), "1023 B");
	CHECK_TEXT(kmt_format_size(buf, 1024), "1.00 KiB");
	CHECK_TEXT(kmt_format_size(buf, 1536), "1.50 KiB");
	CHECK_TEXT(kmt_format_size(buf, UINT64_C(312) << 20), "312 MiB");
	CHECK_TEXT(kmt_format_size(buf, UINT64_MAX), "16.0 EiB");
}

TEST(counts_read_well_at_each_magnitude)
{
	char buf[KMT_UNITS_BYTES];

	CHECK_TEXT(kmt_format_count(buf, 0), "0");
	CHECK_TEXT(kmt_format_count(buf, 999), "999");
	CHECK_TEXT(kmt_format_count(buf, 12345), "12.3 k");
	CHECK_TEXT(kmt_format_count(buf, 1918000000), "1.92 G");
	CHECK_TEXT(kmt_format_count(buf, 999999), "1.00 M"); /* not "1000 k" */
}

TEST(times_read_well_at_each_magnitude)
{
	char buf[KMT_UNITS_BYTES];

	CHECK_TEXT(kmt_format_time(buf, 0), "0 ns");
	CHECK_TEXT(kmt_format_time(buf, 999), "999 ns");
	CHECK_TEXT(kmt_format_time(buf, 250 * 1000000), "250 ms");
	CHECK_TEXT(kmt_format_time(buf, 12500 * UINT64_C(1000000)), "12.5 s");
	CHECK_TEXT(kmt_format_time(buf, 125 * SECOND), "2 m 05 s");
	CHECK_TEXT(kmt_format_time(buf, 20900 * SECOND), "5 h 48 m");
}

TEST(no_number_is_longer_than_its_buffer)
{
	char buf[KMT_UNITS_BYTES + 1];

	for (int bit = 0; bit < 64; bit++)
		for (int less = 0; less < 2; less++) {
			uint64_t n = (UINT64_C(1) << bit) - (uint64_t)less;

			buf[KMT_UNITS_BYTES] = 0x55;
			CHECK(strlen(kmt_format_size(buf, n)) <= 9);
			CHECK(strlen(kmt_format_count(buf, n)) <= 8);
			CHECK(strlen(kmt_format_time(buf, n)) < KMT_UNITS_BYTES);
			CHECK_EQ(buf[KMT_UNITS_BYTES], 0x55);
		}
}

TEST(three_digits_never_become_four)
{
	char buf[KMT_UNITS_BYTES];
	uint64_t n = 1000;

	for (uint64_t state = 1; n < UINT64_MAX / 2; n += n / 7 + check_random(&state) % 999) {
		CHECK(strtod(kmt_format_count(buf, n), NULL) < 1000);
		CHECK(strcspn(buf, " ") <= 4);
	}
}

static const char *escaped(const char *text)
{
	static char buf[256];

	return kmt_escape(buf, sizeof(buf), text);
}

TEST(plain_text_and_valid_utf8_are_left_alone)
{
	CHECK_TEXT(escaped("kworker/0:1-events"), "kworker/0:1-events");
	CHECK_TEXT(escaped("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7"),
		   "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
	CHECK_TEXT(escaped(""), "");
}

TEST(control_characters_are_escaped)
{
	CHECK_TEXT(escaped("a\nb\tc\x1b[31m\x7f"), "a\\x0ab\\x09c\\x1b[31m\\x7f");
	CHECK_TEXT(escaped("\xc2\x9b"), "\\xc2\\x9b"); /* CSI of C1: as good as ESC [ */
}

TEST(what_reorders_or_hides_text_is_escaped)
{
	CHECK_TEXT(escaped("\xe2\x80\xae"), "\\xe2\\x80\\xae");		 /* U+202E */
	CHECK_TEXT(escaped("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");		 /* U+2066 */
	CHECK_TEXT(escaped("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");		 /* U+2028 */
	CHECK_TEXT(escaped("\xe2\x80\x8b"), "\\xe2\\x80\\x8b");		 /* U+200B */
	CHECK_TEXT(escaped("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81"); /* U+E0041, a tag */
}

TEST(json_stays_json)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	CHECK_EQ(kmt_escape_json("{\n\t\"a\": \"\\u0041\x1b\x7f\xff\xc2\x9b\xc3\xbc\"\r}", &text),
		 0);
	CHECK_TEXT(text,
		   "{\n\t\"a\": \"\\u0041\\u001b\\u007f\\u00ff\\u00c2\\u009b\xc3\xbc\"\\u000d}");
}

/*
 * With a secret that is only xored in, flipping the uppermost bit of one word flips just that bit
 * of the product and, folded, one more; and the next word can flip both back: 2^8 keys of 16 words,
 * one hash.
 */
TEST(keys_that_cancel_out_do_not_collide)
{
	uint32_t hashes[256];
	uint64_t state = 1;

	for (int round = 0; round < 20; round++) {
		struct kmt_hash_secret secret = kmt_hash_secret(check_random(&state));
		int nr_equal = 0;

		for (unsigned int i = 0; i < 256; i++) {
			uint64_t hash = secret.words[2];

			for (unsigned int bit = 0; bit < 8; bit++) {
				uint64_t is_set = i >> bit & 1;

				hash = kmt_hash_more(&secret, hash, 1000 + bit + (is_set << 63));
				hash = kmt_hash_more(&secret, hash,
						     2000 + bit + (is_set << 63 | is_set << 31));
			}
			hashes[i] = (uint32_t)hash;
			for (unsigned int k = 0; k < i; k++)
				nr_equal += hashes[k] == hashes[i];
		}
		CHECK(nr_equal < 3);
	}
}

TEST(another_secret_is_another_hash)
{
	struct kmt_hash_secret a = kmt_hash_secret(1), b = kmt_hash_secret(2);

	CHECK(kmt_hash_more(&a, a.words[2], 7) != kmt_hash_more(&b, b.words[2], 7));
}

TEST(sums_stop_at_the_end)
{
	CHECK(kmt_sum(1, 2) == 3);
	CHECK(kmt_sum(UINT64_MAX - 1, 1) == UINT64_MAX);
	CHECK(kmt_sum(UINT64_MAX, 1) == UINT64_MAX);
	CHECK(kmt_sum(UINT64_MAX, UINT64_MAX) == UINT64_MAX);
}

TEST(escapes_cannot_be_forged)
{
	CHECK_TEXT(escaped("\\x41"), "\\x5cx41");
}

TEST(invalid_utf8_is_escaped_byte_by_byte)
{
	CHECK_TEXT(escaped("\xff"), "\\xff");
	CHECK_TEXT(escaped("\x80z"), "\\x80z");
	CHECK_TEXT(escaped("\xc0\xaf"), "\\xc0\\xaf");			 /* overlong '/' */
	CHECK_TEXT(escaped("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");		 /* overlong */
	CHECK_TEXT(escaped("\xf0\x80\x80\xaf"), "\\xf0\\x80\\x80\\xaf"); /* overlong */
	CHECK_TEXT(escaped("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf");		 /* overlong U+07FF */
	CHECK_TEXT(escaped("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf"); /* overlong U+FFFF */
	CHECK_TEXT(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80");		 /* surrogate */
	CHECK_TEXT(escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
	CHECK_TEXT(escaped("a\xe2\x82"), "a\\xe2\\x82");		 /* cut */
	CHECK_TEXT(escaped("\xe2\x82z"), "\\xe2\\x82z");
}

TEST(characters_that_reorder_or_hide_text_are_escaped)
{
	static const char *const bad[] = {
		"\xe2\x80\xae", "\xe2\x80\xaa", "\xe2\x81\xa6", "\xe2\x80\x8b",
		"\xe2\x80\x8f", "\xe2\x80\xa8", /* U+202E U+202A U+2066 U+200B U+200F U+2028 */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(strncmp(escaped(bad[i]), "\\xe2", 4) == 0);
}

TEST(other_invisible_characters_are_escaped)
{
	CHECK(strncmp(escaped("\xd8\x9c"), "\\xd8", 4) == 0);	  /* U+061C ARABIC LETTER MARK */
	CHECK(strncmp(escaped("\xef\xbb\xbf"), "\\xef", 4) == 0); /* U+FEFF, no width */
	CHECK(strncmp(escaped("\xe2\x81\xa0"), "\\xe2", 4) == 0); /* U+2060 WORD JOINER */
}

TEST(escaped_text_is_cut_between_characters)
{
	char exact[8];

	for (size_t bytes = 1; bytes <= sizeof(exact); bytes++) {
		char *buf = malloc(bytes); /* of just this size, for the sanitizer */

		CHECK(buf);
		kmt_escape(buf, bytes, "a\xe2\x82\xac\nb");
		CHECK(strlen(buf) < bytes);
		if (bytes <= 4)
			CHECK_TEXT(buf, bytes == 1 ? "" : "a");
		else
			CHECK_TEXT(buf, "a\xe2\x82\xac");
		free(buf);
	}
}

TEST(whatever_goes_in_comes_out_printable)
{
	uint64_t state = 7;

	for (int i = 0; i < 20000; i++) {
		char src[24], dst[4 * sizeof(src)];
		size_t n = check_random(&state) % (sizeof(src) - 1);

		for (size_t k = 0; k < n; k++)
			src[k] = (char)(1 + check_random(&state) % 255);
		src[n] = '\0';
		kmt_escape(dst, sizeof(dst), src);
		for (const char *p = dst; *p; p++)
			CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
		CHECK(strlen(dst) >= n);
	}
}

TEST(crc32c_agrees_with_rfc_3720)
{
	uint8_t bytes[32] = { 0 };

	CHECK_EQ(kmt_crc32c(bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK_EQ(kmt_crc32c(bytes, 32), 0x62a8ab43);
	for (size_t i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	CHECK_EQ(kmt_crc32c(bytes, 32), 0x46dd794e);
	for (size_t i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	CHECK_EQ(kmt_crc32c(bytes, 32), 0x113fdb5c);
	CHECK_EQ(kmt_crc32c("123456789", 9), 0xe3069283);
	CHECK_EQ(kmt_crc32c("", 0), 0);
}

TEST(tape_integers_are_little_endian)
{
	kmt_le32 a = kmt_put_le32(0x11223344);
	kmt_le64 b = kmt_put_le64(0x1122334455667788);

	CHECK_BYTES(&a, "\x44\x33\x22\x11", 4);
	CHECK_BYTES(&b, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	CHECK_EQ(kmt_get_le32(a), 0x11223344);
	CHECK(kmt_get_le64(b) == 0x1122334455667788);
	CHECK(kmt_get_le64(kmt_put_le64(UINT64_MAX)) == UINT64_MAX);
}

TEST(a_file_is_read_whole_and_terminated)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	KMT_CLEANUP(kmt_freep) char *big = malloc(300000);
	size_t bytes;

	CHECK(big);
	memset(big, 'x', 300000);
	CHECK_EQ(kmt_write_file(dir.fd, "big", big, 300000, NULL), 0);
	CHECK_EQ(kmt_read_file(dir.fd, "big", 300000, &text, &bytes, NULL), 0);
	CHECK_EQ(bytes, 300000);
	CHECK_BYTES(text, big, 300000);
	CHECK_EQ(text[300000], '\0');
}

TEST(files_of_proc_are_read_though_they_tell_no_size)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;

	CHECK_EQ(kmt_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &text, &bytes, NULL), 0);
	CHECK_EQ(strlen(text), bytes);
	CHECK_HAS(text, "Pid:");
}

TEST(an_empty_file_is_an_empty_text)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes = 9;

	CHECK_EQ(kmt_read_file(AT_FDCWD, "/dev/null", 0, &text, &bytes, NULL), 0);
	CHECK_EQ(bytes, 0);
	CHECK_TEXT(text, "");
}

TEST(a_file_beyond_the_limit_is_refused_by_name)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_err err = { "" };
	char *text = NULL;
	size_t bytes;

	CHECK_EQ(kmt_write_file(dir.fd, "ten", "0123456789", 10, NULL), 0);
	CHECK_EQ(kmt_read_file(dir.fd, "ten", 9, &text, &bytes, &err), -EFBIG);
	CHECK(!text);
	CHECK_HAS(err.text, "ten");
	CHECK_EQ(kmt_read_file(AT_FDCWD, "/dev/zero", 1 << 20, &text, NULL, &err),
		 -EFBIG); /* ends */
}

TEST(a_missing_file_is_named)
{
	struct kmt_err err = { "" };
	char *text = NULL;

	CHECK_EQ(kmt_read_file(AT_FDCWD, "/nowhere/at-all", 10, &text, NULL, &err), -ENOENT);
	CHECK_HAS(err.text, "/nowhere/at-all: ");
	CHECK(!text);
}

TEST(a_directory_cannot_be_read_as_a_file)
{
	char *text = NULL;

	CHECK_EQ(kmt_read_file(AT_FDCWD, "/", 10, &text, NULL, NULL), -EISDIR);
	CHECK(!text);
}

TEST(a_file_is_replaced_in_one_step)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_close_fd) int old = -1;
	char was[4] = "";
	struct stat st;

	CHECK_EQ(kmt_write_file(dir.fd, "f", "old", 3, NULL), 0);
	old = openat(dir.fd, "f", O_RDONLY);
	CHECK_EQ(kmt_write_file(dir.fd, "f", "newer", 5, NULL), 0);
	CHECK_EQ(read(old, was, 3), 3); /* whoever had it open still sees the old one */
	CHECK_TEXT(was, "old");
	CHECK_EQ(fstatat(dir.fd, "f", &st, 0), 0);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_mode & 0777, 0600); /* it may hold kernel addresses */
	CHECK_EQ(fstatat(dir.fd, "f.part", &st, 0), -1);
}

TEST(a_replacement_that_fails_leaves_the_old_file)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	struct kmt_err err = { "" };

	CHECK_EQ(kmt_write_file(dir.fd, "f", "old", 3, NULL), 0);
	/* The new file goes into f.part: let the disk be full there. */
	CHECK_EQ(symlinkat("/dev/full", dir.fd, "f.part"), 0);
	CHECK_EQ(kmt_write_file(dir.fd, "f", "new", 3, &err), -ENOSPC);
	CHECK_HAS(err.text, "f: No space left");
	CHECK_EQ(kmt_read_file(dir.fd, "f", 10, &text, NULL, NULL), 0);
	CHECK_TEXT(text, "old");
}

TEST(a_full_disk_is_told)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	CHECK_EQ(kmt_write_all(fd, "x", 1), -ENOSPC);
	CHECK_EQ(kmt_write_all(fd, "x", 0), 0);
}

TEST(errors_keep_their_code_and_their_words)
{
	struct kmt_err err = { "" };

	CHECK_EQ(kmt_fail(&err, -EBADMSG, "%s: chunk %u", "a", 7u), -EBADMSG);
	CHECK_TEXT(err.text, "a: chunk 7");
	CHECK_EQ(kmt_fail(NULL, -ENOENT, "nobody listens"), -ENOENT);
}

TEST(long_errors_are_cut_not_overrun)
{
	KMT_CLEANUP(kmt_freep) char *words = malloc(2 * KMT_ERR_BYTES);
	struct {
		struct kmt_err err;
		char guard;
	} both = { { "" }, 0x55 };

	CHECK(words);
	memset(words, 'w', 2 * KMT_ERR_BYTES);
	words[2 * KMT_ERR_BYTES - 1] = '\0';
	(void)kmt_fail(&both.err, -EINVAL, "%s", words);
	CHECK_EQ(strlen(both.err.text), KMT_ERR_BYTES - 1);
	CHECK_EQ(both.guard, 0x55);
}

TEST(guards_keep_errno_and_leave_nothing)
{
	char *text = malloc(1);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = fd;

	errno = ENOTTY;
	kmt_freep(&text);
	kmt_close_fd(&fd);
	kmt_close_fd(&fd); /* twice is harmless */
	CHECK_EQ(errno, ENOTTY);
	CHECK(!text);
	CHECK_EQ(fd, -1);
	CHECK_EQ(fcntl(copy, F_GETFD), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(a_bare_time_is_in_seconds),
		ROW(every_unit_of_time_is_known),
		ROW(a_fraction_of_a_time_is_exact),
		ROW(digits_beyond_a_nanosecond_are_dropped),
		ROW(the_longest_time_fits_and_one_more_does_not),
		ROW(what_is_no_time_is_refused),
		ROW(sizes_are_powers_of_1024),
		ROW(the_largest_size_fits_and_one_more_does_not),
		ROW(what_is_no_size_is_refused),
		ROW(numbers_are_decimal_or_hexadecimal),
		ROW(what_is_no_number_is_refused),
		ROW(sizes_read_well_at_each_magnitude),
		ROW(counts_read_well_at_each_magnitude),
		ROW(times_read_well_at_each_magnitude),
		ROW(no_number_is_longer_than_its_buffer),
		ROW(three_digits_never_become_four),
		ROW(plain_text_and_valid_utf8_are_left_alone),
		ROW(control_characters_are_escaped),
		ROW(what_reorders_or_hides_text_is_escaped),
		ROW(json_stays_json),
		ROW(keys_that_cancel_out_do_not_collide),
		ROW(another_secret_is_another_hash),
		ROW(sums_stop_at_the_end),
		ROW(escapes_cannot_be_forged),
		ROW(invalid_utf8_is_escaped_byte_by_byte),
		ROW(characters_that_reorder_or_hide_text_are_escaped),
		ROW(other_invisible_characters_are_escaped),
		ROW(escaped_text_is_cut_between_characters),
		ROW(whatever_goes_in_comes_out_printable),
		ROW(crc32c_agrees_with_rfc_3720),
		ROW(tape_integers_are_little_endian),
		ROW(a_file_is_read_whole_and_terminated),
		ROW(files_of_proc_are_read_though_they_tell_no_size),
		ROW(an_empty_file_is_an_empty_text),
		ROW(a_file_beyond_the_limit_is_refused_by_name),
		ROW(a_missing_file_is_named),
		ROW(a_directory_cannot_be_read_as_a_file),
		ROW(a_file_is_replaced_in_one_step),
		ROW(a_replacement_that_fails_leaves_the_old_file),
		ROW(a_full_disk_is_told),
		ROW(errors_keep_their_code_and_their_words),
		ROW(long_errors_are_cut_not_overrun),
		ROW(guards_keep_errno_and_leave_nothing),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
