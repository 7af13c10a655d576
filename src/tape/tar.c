// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kmemtape/units.h"

#include "tar.h"

#define HEADERS_MAX	  (4 * KMT_MEMBERS_MAX) /* with those of long names */
#define EXTENSION_BYTES	  65536u		/* of one pax header or long name */
#define ALL_EXTENSIONS	  (64u << 20)		/* of a file, that may be sparse and endless */
#define FILE_BYTES_MAX	  (UINT64_C(1) << 62)	/* so that nothing below overflows */
#define NAME_IN_A_MESSAGE 100

struct scan {
	struct kmt_member file; /* the tar */
	const char *name;
	struct kmt_tar tar;
	size_t room;
	uint64_t offset; /* of the next header */
	size_t nr_headers;
	uint64_t extension_bytes;

	/* What extensions tell about the next member. */
	char *next_path;
	bool has_size, is_sparse;
	uint64_t next_size;
};

uint32_t kmt_tar_sum(const struct kmt_tar_header *header)
{
	const uint8_t *bytes = (const uint8_t *)header;
	const size_t from = offsetof(struct kmt_tar_header, checksum);
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(*header); i++)
		sum += i - from < sizeof(header->checksum) ? ' ' : bytes[i];
	return sum;
}

/* Octal digits with blanks around, or GNU's big-endian bytes behind 0x80. */
static bool parse_number(const char *field, size_t bytes, uint64_t *ret_n)
{
	uint64_t n = 0;
	size_t i = 0;

	if ((uint8_t)field[0] == 0x80) {
		for (i = 1; i < bytes; i++) {
			if (n >> 54)
				return false;
			n = n << 8 | (uint8_t)field[i];
		}
		*ret_n = n;
		return true;
	}
	while (i < bytes && field[i] == ' ')
		i++;
	for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++)
		n = n << 3 | (uint64_t)(field[i] - '0'); /* 12 digits at most */
	*ret_n = n;
	return i == bytes || field[i] == ' ' || field[i] == '\0';
}

/* The rest cannot be found. Return: 0, the end of the scan. */
static int stop_at_damage(struct scan *scan, const char *what)
{
	(void)kmt_fail(&scan->tar.damage, 0, "%s: offset %" PRIu64 ": %s: what follows is missing",
		       scan->name, scan->offset, what);
	return 0;
}

/* A tar that was compressed on its way can't be read in place. */
static int not_a_tar(const struct scan *scan, const struct kmt_tar_header *header,
		     struct kmt_err *err)
{
	static const char *const magics[] = { "\x1f\x8b", "\x28\xb5\x2f\xfd",
					      "\xfd"
					      "7zXZ",
					      "BZh" };

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (memcmp(header->name, magics[i], strlen(magics[i])) == 0)
			return kmt_fail(err, -EBADMSG, "%s: is compressed: unpack it first",
					scan->name);
	return kmt_fail(err, -EBADMSG, "%s: not a tape: neither a directory nor a tar of one",
			scan->name);
}

/* --- paths --- */

/* Without "./" in front and slashes at the end. Return: false if it can be on no tape. */
static bool clean_path(char *path)
{
	size_t length = strlen(path);
	const char *from = path;

	while (length > 0 && path[length - 1] == '/')
		path[--length] = '\0';
	while (strncmp(from, "./", 2) == 0)
		from += 2 + strspn(from + 2, "/");
	memmove(path, from, strlen(from) + 1);
	if (path[0] == '/' || path[0] == '\0' || strstr(path, "//") || strcmp(path, ".") == 0 ||
	    strlen(path) >= 2 * KMT_MEMBER_PATH_BYTES)
		return false;
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return false;
	}
	return true;
}

static char *path_of(struct scan *scan, const struct kmt_tar_header *header)
{
	char *path = NULL;
	bool has_prefix = memcmp(header->magic, "ustar", sizeof(header->magic)) == 0 &&
			  header->prefix[0] != '\0';

	if (scan->next_path)
		return KMT_STEAL(scan->next_path);
	if (asprintf(&path, "%.*s%s%.*s", has_prefix ? (int)sizeof(header->prefix) : 0,
		     header->prefix, has_prefix ? "/" : "", (int)sizeof(header->name),
		     header->name) < 0)
		return NULL;
	return path;
}

/* --- extensions --- */

/* One "LENGTH KEY=VALUE\n" of pax. Return: bytes of it, 0 if it is none, or -ENOMEM. */
static ssize_t take_record(struct scan *scan, char *text, size_t bytes)
{
	char *key, *value, *end;
	unsigned long length = strtoul(text, &key, 10);

	if (key == text || *key != ' ' || length > bytes || length < (size_t)(key - text) + 3 ||
	    text[length - 1] != '\n')
		return 0;
	text[length - 1] = '\0';
	value = strchr(++key, '=');
	if (!value)
		return 0;
	*value++ = '\0';
	if (strcmp(key, "path") == 0) {
		free(scan->next_path);
		scan->next_path = strdup(value);
		if (!scan->next_path)
			return -ENOMEM;
	} else if (strcmp(key, "size") == 0) {
		scan->has_size = true;
		errno = 0;
		scan->next_size = strtoull(value, &end, 10);
		if (errno || end == value || *end || *value == '-')
			return 0;
	} else if (strncmp(key, "GNU.sparse.", strlen("GNU.sparse.")) == 0) {
		scan->is_sparse = true;
	}
	return (ssize_t)length;
}

/* Return: 1; 0 if @text makes no sense; -ENOMEM. */
static int take_extension(struct scan *scan, char type, char *text, size_t bytes)
{
	if (type == 'L') { /* GNU: the name, and zeros */
		free(scan->next_path);
		scan->next_path = strdup(text);
		return scan->next_path ? 1 : -ENOMEM;
	}
	while (bytes > 0) {
		ssize_t n = take_record(scan, text, bytes);

		if (n <= 0)
			return (int)n;
		text += n;
		bytes -= (size_t)n;
	}
	return 1;
}

/* Return: 1; 0 where the scan ends; negative errno. */
static int read_extension(struct scan *scan, char type, uint64_t size, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	ssize_t n;
	int r;

	scan->extension_bytes += size;
	if (size > EXTENSION_BYTES || scan->extension_bytes > ALL_EXTENSIONS)
		return stop_at_damage(scan, "damaged: a name out of range");
	text = calloc(1, size + 1);
	if (!text)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", scan->name);
	n = kmt_member_read_at(&scan->file, text, size, scan->offset + KMT_TAR_BLOCK_BYTES);
	if (n < 0)
		return kmt_fail(err, (int)n, "%s: %s", scan->name, strerror((int)-n));
	if ((uint64_t)n < size)
		return stop_at_damage(scan, "cut within a name");
	r = take_extension(scan, type, text, size);
	if (r < 0)
		return kmt_fail(err, r, "%s: out of memory", scan->name);
	return r == 0 ? stop_at_damage(scan, "damaged: a pax header that is none") : 1;
}

/* --- members --- */

static enum kmt_tar_kind kind_of(const struct scan *scan, char type)
{
	switch (type) {
	case '0':
	case '7': /* contiguous; a file to all of today */
	case '\0':
		return scan->is_sparse ? KMT_TAR_OTHER : KMT_TAR_FILE;
	case '1':
	case '2':
		return KMT_TAR_LINK;
	case '5':
		return KMT_TAR_DIRECTORY;
	default:
		return KMT_TAR_OTHER;
	}
}

static int add_entry(struct scan *scan, char *path, enum kmt_tar_kind kind, uint64_t size)
{
	uint64_t from = scan->offset + KMT_TAR_BLOCK_BYTES;
	struct kmt_tar_entry *grown;

	if (scan->tar.nr == scan->room) {
		scan->room = scan->room ? 2 * scan->room : 64;
		grown = realloc(scan->tar.entries, scan->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		scan->tar.entries = grown;
	}
	scan->tar.entries[scan->tar.nr++] = (struct kmt_tar_entry){
		.path = path,
		.kind = kind,
		.offset = from,
		.bytes = size > scan->file.bytes - from ? scan->file.bytes - from : size,
	};
	return 0;
}

/* Return: 1; 0 where the scan ends; negative errno. */
static int take_member(struct scan *scan, const struct kmt_tar_header *header, uint64_t size,
		       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *path = path_of(scan, header);
	int r;

	if (!path)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", scan->name);
	if (clean_path(path)) {
		if (scan->tar.nr == KMT_MEMBERS_MAX)
			return kmt_fail(err, -EFBIG, "%s: more than %u members", scan->name,
					KMT_MEMBERS_MAX);
		r = add_entry(scan, path, kind_of(scan, header->type), size);
		if (r < 0)
			return kmt_fail(err, r, "%s: out of memory", scan->name);
		path = NULL; /* taken */
	}
	scan->has_size = scan->is_sparse = false;
	if (size > scan->file.bytes - scan->offset - KMT_TAR_BLOCK_BYTES) {
		scan->offset = scan->file.bytes;
		return stop_at_damage(scan, "cut within a member");
	}
	return 1;
}

static bool is_extension(char type)
{
	return type == 'L' || type == 'x';
}

static bool has_data(char type)
{
	return type != '1' && type != '2' && type != '3' && type != '4' && type != '5' &&
	       type != '6';
}

/* Return: 1; 0 where the scan ends; negative errno. */
static int take_header(struct scan *scan, const struct kmt_tar_header *header, struct kmt_err *err)
{
	uint64_t sum, size;
	int r = 1;

	if (!parse_number(header->checksum, sizeof(header->checksum), &sum) ||
	    sum != kmt_tar_sum(header) ||
	    !parse_number(header->size, sizeof(header->size), &size)) {
		if (scan->nr_headers == 1)
			return not_a_tar(scan, header, err);
		return stop_at_damage(scan, "damaged: no tar header here");
	}
	if (is_extension(header->type)) {
		r = read_extension(scan, header->type, size, err);
	} else if (header->type != 'K' && header->type != 'g') { /* link's name; for all members */
		if (scan->has_size)
			size = scan->next_size;
		size = has_data(header->type) ? size : 0;
		if (size > FILE_BYTES_MAX)
			return stop_at_damage(scan, "damaged: size out of range");
		r = take_member(scan, header, size, err);
	}
	if (r == 1)
		scan->offset += KMT_TAR_BLOCK_BYTES + (size + KMT_TAR_BLOCK_BYTES - 1) /
							      KMT_TAR_BLOCK_BYTES *
							      KMT_TAR_BLOCK_BYTES;
	return r;
}

static bool is_zero(const struct kmt_tar_header *header)
{
	static const struct kmt_tar_header zero;

	return memcmp(header, &zero, sizeof(zero)) == 0;
}

/* Return: 1 to go on; 0 at the end; negative errno. */
static int take_block(struct scan *scan, struct kmt_err *err)
{
	struct kmt_tar_header header = { 0 };
	ssize_t n = kmt_member_read_at(&scan->file, &header, sizeof(header), scan->offset);

	if (n < 0)
		return kmt_fail(err, (int)n, "%s: %s", scan->name, strerror((int)-n));
	if ((size_t)n < sizeof(header)) {
		if (scan->nr_headers == 0)
			return not_a_tar(scan, &header, err);
		return stop_at_damage(scan, "cut");
	}
	if (is_zero(&header) && scan->nr_headers > 0)
		return 0; /* the first of two at the end */
	if (++scan->nr_headers > HEADERS_MAX)
		return kmt_fail(err, -EFBIG, "%s: more than %u members", scan->name, HEADERS_MAX);
	return take_header(scan, &header, err);
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct kmt_tar_entry *)a)->path,
		      ((const struct kmt_tar_entry *)b)->path);
}

/* Which of the two is meant depends on who reads it. Directories may well be there twice. */
static int check_unique(const struct scan *scan, struct kmt_err *err)
{
	const struct kmt_tar_entry *entries = scan->tar.entries;
	char safe[NAME_IN_A_MESSAGE];

	for (size_t i = 1; i < scan->tar.nr; i++)
		if (strcmp(entries[i - 1].path, entries[i].path) == 0 &&
		    (entries[i - 1].kind != KMT_TAR_DIRECTORY ||
		     entries[i].kind != KMT_TAR_DIRECTORY))
			return kmt_fail(err, -EBADMSG, "%s: damaged: '%s' is in it twice",
					scan->name,
					kmt_escape(safe, sizeof(safe), entries[i].path));
	return 0;
}

int kmt_tar_scan(int fd, const char *name, struct kmt_tar *ret_tar, struct kmt_err *err)
{
	struct scan scan = { .file = { .fd = fd }, .name = name };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return kmt_fail(err, -errno, "%s: %s", name, strerror(errno));
	scan.file.bytes = (uint64_t)st.st_size;
	while ((r = take_block(&scan, err)) == 1)
		;
	free(scan.next_path);
	if (r == 0 && scan.tar.nr > 0) {
		qsort(scan.tar.entries, scan.tar.nr, sizeof(*scan.tar.entries), compare_entries);
		r = check_unique(&scan, err);
	}
	if (r < 0) {
		kmt_tar_deinit(&scan.tar);
		return r;
	}
	*ret_tar = scan.tar;
	return 0;
}

void kmt_tar_deinit(struct kmt_tar *tar)
{
	for (size_t i = 0; i < tar->nr; i++)
		free(tar->entries[i].path);
	free(tar->entries);
	*tar = (struct kmt_tar){ 0 };
}
