// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/tape.h"

#include "dat.h"

#define FORMATS_MAX	 8192u /* Linux 6.18 with everything built in has about 2500 */
#define SYSTEMS_MAX	 1024u
#define EVENT_NAME_BYTES 128

static const char name_letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

/* The zero-terminated @word comes next, as the files have it between their parts. */
static int expect_word(struct kmt_dat_cursor *cursor, const char *word, struct kmt_err *err)
{
	char found[16];
	int r = kmt_dat_get(cursor, found, strlen(word) + 1, err);

	if (r < 0)
		return r;
	return memcmp(found, word, strlen(word) + 1) == 0
		       ? 0
		       : kmt_dat_bad(cursor, "a header is missing", err);
}

static int read_sized(struct kmt_dat_cursor *cursor, unsigned int width, size_t limit,
		      char **ret_text, uint64_t *ret_bytes, struct kmt_err *err)
{
	int r = kmt_dat_get_number(cursor, width, ret_bytes, err);

	return r < 0 ? r : kmt_dat_get_text(cursor, *ret_bytes, limit, ret_text, err);
}

int kmt_dat_read_headers(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	uint64_t bytes;
	int r;

	(void)((r = expect_word(cursor, "header_page", err)) < 0 ||
	       (r = read_sized(cursor, 8, KMT_TAPE_TEXT_BYTES_MAX, &dat->header_page, &bytes,
			       err)) < 0 ||
	       (r = expect_word(cursor, "header_event", err)) < 0 ||
	       (r = read_sized(cursor, 8, KMT_TAPE_TEXT_BYTES_MAX, &dat->header_event, &bytes,
			       err)) < 0);
	return r;
}

static bool is_name(const char *text)
{
	return *text && strspn(text, name_letters) == strlen(text);
}

/*
 * One format file: its name and number are in its first lines. Takes @text in any case. Names that
 * couldn't be a file's are passed over: no kernel has them.
 */
static int add_format(struct kmt_dat *dat, const char *system, char *text, size_t bytes)
{
	KMT_CLEANUP(kmt_freep) char *taken = text;
	char event[EVENT_NAME_BYTES];
	struct kmt_dat_format *grown;
	char *name;
	unsigned int id;

	if (sscanf(text, "name: %127[^\n] ID: %u", event, &id) != 2 || id > UINT16_MAX ||
	    !is_name(event) || !is_name(system))
		return 0;
	grown = reallocarray(dat->formats, dat->nr_formats + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	dat->formats = grown;
	if (asprintf(&name, "%s:%s", system, event) < 0)
		return -ENOMEM;
	dat->formats[dat->nr_formats++] =
		(struct kmt_dat_format){ name, KMT_STEAL(taken), bytes, (uint16_t)id };
	return 0;
}

static int read_formats(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, const char *system,
			struct kmt_err *err)
{
	uint64_t nr;
	int r = kmt_dat_get_number(cursor, 4, &nr, err);

	for (uint64_t i = 0; r == 0 && i < nr; i++) {
		char *text = NULL;
		uint64_t bytes;

		if (dat->nr_formats >= FORMATS_MAX)
			return kmt_dat_bad(cursor, "too many events", err);
		r = read_sized(cursor, 8, KMT_TAPE_TEXT_BYTES_MAX, &text, &bytes, err);
		if (r == 0 && add_format(dat, system, text, bytes) < 0)
			r = kmt_fail(err, -ENOMEM, "%s: out of memory", dat->path);
	}
	return r;
}

int kmt_dat_read_ftrace(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	return read_formats(dat, cursor, "ftrace", err);
}

int kmt_dat_read_events(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	uint64_t nr;
	int r = kmt_dat_get_number(cursor, 4, &nr, err);

	if (r == 0 && nr > SYSTEMS_MAX)
		return kmt_dat_bad(cursor, "too many systems of events", err);
	for (uint64_t i = 0; r == 0 && i < nr; i++) {
		char system[EVENT_NAME_BYTES];

		r = kmt_dat_get_word(cursor, system, sizeof(system), err);
		if (r == 0)
			r = read_formats(dat, cursor, system, err);
	}
	return r;
}

int kmt_dat_read_kallsyms(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	uint64_t bytes;
	int r;

	r = read_sized(cursor, 4, KMT_TAPE_SYMBOLS_BYTES_MAX, &dat->kallsyms, &bytes, err);
	if (r == 0)
		dat->kallsyms_bytes = bytes;
	return r;
}

int kmt_dat_read_cmdlines(struct kmt_dat *dat, struct kmt_dat_cursor *cursor, struct kmt_err *err)
{
	uint64_t bytes;

	return read_sized(cursor, 8, KMT_TAPE_TEXT_BYTES_MAX, &dat->cmdlines, &bytes, err);
}
