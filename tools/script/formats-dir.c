// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/fs.h"

#include "formats-dir.h"

#define FILE_BYTES_MAX	 (1u << 20)
#define SUBBUF_BYTES_MAX (1u << 20)

struct formats_dir *formats_dir_free(struct formats_dir *formats)
{
	if (!formats)
		return NULL;
	tep_free(formats->tep);
	for (size_t i = 0; i < formats->nr_files; i++) {
		free(formats->files[i].path);
		free(formats->files[i].text);
	}
	free(formats->files);
	free(formats);
	return NULL;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int add_file(struct formats_dir *formats, const char *root, const char *path,
		    struct kmt_err *err)
{
	struct formats_file file = { 0 };
	struct formats_file *grown;
	char full[2 * PATH_MAX];
	int r;

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	r = kmt_read_file(AT_FDCWD, full, FILE_BYTES_MAX, &file.text, &file.bytes, err);
	if (r < 0)
		return r;
	file.path = strdup(path);
	grown = reallocarray(formats->files, formats->nr_files + 1, sizeof(file));
	if (!file.path || !grown)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", full);
	formats->files = grown;
	formats->files[formats->nr_files++] = file;
	return 0;
}

/* By the beginning of their path. */
static const struct group {
	const char *name, *path;
} groups[] = {
	{ "pages", "kmem/mm_page_" }, { "percpu", "percpu/" }, { "vmalloc", "vmalloc/" },
	{ "areas", "kmemtape/vma_" }, { "stacks", "ftrace/" }, { "pairs", "kmemtape/pair_" },
};

#define NR_GROUPS (sizeof(groups) / sizeof(groups[0]))

unsigned int formats_group(const char *name)
{
	for (unsigned int i = 0; i < NR_GROUPS; i++)
		if (strcmp(groups[i].name, name) == 0)
			return 1u << i;
	return 0;
}

static unsigned int group_of(const char *path)
{
	for (unsigned int i = 0; i < NR_GROUPS; i++)
		if (strncmp(path, groups[i].path, strlen(groups[i].path)) == 0)
			return 1u << i;
	return 0;
}

unsigned int formats_dir_groups(const struct formats_dir *formats)
{
	unsigned int all = 0;

	for (size_t i = 0; i < formats->nr_files; i++)
		all |= group_of(formats->files[i].path);
	return all;
}

void formats_dir_print_groups(FILE *out, const struct formats_dir *formats)
{
	unsigned int all = formats_dir_groups(formats);

	for (unsigned int i = 0; i < NR_GROUPS; i++)
		if (all & (1u << i))
			(void)fprintf(out, " %s", groups[i].name);
}

/* All files below @root, whatever their depth. */
static int add_dir(struct formats_dir *formats, const char *root, const char *below,
		   unsigned int left_out, struct kmt_err *err)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int nr, r = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", root, below);
	nr = scandir(path, &entries, is_visible, alphasort);
	if (nr < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	for (int i = 0; i < nr; i++) {
		(void)snprintf(path, sizeof(path), "%s%s%s", below, *below ? "/" : "",
			       entries[i]->d_name);
		if (r == 0 && entries[i]->d_type == DT_DIR)
			r = add_dir(formats, root, path, left_out, err);
		else if (r == 0 && !(group_of(path) & left_out))
			r = add_file(formats, root, path, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* "	field: char data;	offset:16;	size:4080;	signed:0;" */
static bool find_field(const char *text, const char *name, unsigned int *offset, unsigned int *size)
{
	char key[64];
	const char *at;

	(void)snprintf(key, sizeof(key), " %s;", name);
	at = strstr(text, key);
	return at && sscanf(at + strlen(key), " offset:%u; size:%u;", offset, size) == 2;
}

static int read_header_page(struct ring_layout *layout, const char *text, const char *root,
			    unsigned int long_bytes, struct kmt_err *err)
{
	unsigned int time_offset, time_bytes, commit_offset, data_bytes;

	if (!find_field(text, "timestamp", &time_offset, &time_bytes) ||
	    !find_field(text, "commit", &commit_offset, &layout->long_bytes) ||
	    !find_field(text, "data", &layout->data_offset, &data_bytes))
		return kmt_fail(err, -EBADMSG, "%s/header_page: not understood", root);
	layout->subbuf_bytes = layout->data_offset + data_bytes;
	if (time_offset != 0 || time_bytes != 8 || commit_offset != 8 ||
	    layout->data_offset != 8 + layout->long_bytes || data_bytes > SUBBUF_BYTES_MAX)
		return kmt_fail(err, -EBADMSG, "%s/header_page: not a layout that Linux has", root);
	if (layout->long_bytes != long_bytes)
		return kmt_fail(err, -EBADMSG, "%s/header_page: is that of a kernel with 'long %u'",
				root, layout->long_bytes);
	return 0;
}

static int take_file(struct formats_dir *formats, const struct formats_file *file, const char *root,
		     unsigned int long_bytes, struct kmt_err *err)
{
	char name[256];

	if (strcmp(file->path, "header_page") == 0)
		return read_header_page(&formats->layout, file->text, root, long_bytes, err);
	if (!formats_file_event(file, name))
		return 0;
	*strchr(name, ':') = '\0';
	/* A print format that isn't understood is no failure: the fields are. */
	(void)tep_parse_event(formats->tep, file->text, file->bytes, name);
	return 0;
}

int formats_dir_load(const char *path, bool is_big_endian, unsigned int long_bytes,
		     unsigned int groups_wanted, struct formats_dir **ret_formats,
		     struct kmt_err *err)
{
	KMT_CLEANUP(formats_dir_freep) struct formats_dir *formats = calloc(1, sizeof(*formats));
	int r;

	if (formats)
		formats->tep = tep_alloc();
	if (!formats || !formats->tep)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	tep_set_loglevel(TEP_LOG_NONE);
	tep_set_long_size(formats->tep, (int)long_bytes);
	tep_set_file_bigendian(formats->tep, is_big_endian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	formats->layout.is_big_endian = is_big_endian;
	r = add_dir(formats, path, "", ~groups_wanted, err);
	for (size_t i = 0; r == 0 && i < formats->nr_files; i++)
		r = take_file(formats, &formats->files[i], path, long_bytes, err);
	if (r < 0)
		return r;
	if (!formats->layout.subbuf_bytes)
		return kmt_fail(err, -ENOENT, "%s: has no header_page", path);
	*ret_formats = KMT_STEAL(formats);
	return 0;
}

bool formats_file_event(const struct formats_file *file, char name[256])
{
	char *slash;

	(void)snprintf(name, 256, "%s", file->path);
	slash = strchr(name, '/');
	if (!slash || !strchr(slash + 1, '/') || strcmp(strrchr(name, '/'), "/format") != 0)
		return false;
	*slash = ':';
	*strchr(name, '/') = '\0';
	return true;
}

bool formats_dir_is_same(const struct formats_dir *a, const struct formats_dir *b)
{
	if (a->nr_files != b->nr_files)
		return false;
	for (size_t i = 0; i < a->nr_files; i++)
		if (strcmp(a->files[i].path, b->files[i].path) != 0 ||
		    a->files[i].bytes != b->files[i].bytes ||
		    memcmp(a->files[i].text, b->files[i].text, a->files[i].bytes) != 0)
			return false;
	return true;
}
