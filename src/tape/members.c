// SPDX-License-Identifier: LGPL-2.1-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kmemtape/members.h"

#include "tar.h"

#define DEPTH_MAX 8 /* events/SYSTEM/EVENT/format has 4 */

struct kmt_members {
	int fd; /* the directory, or the tar */
	bool is_packed;
	struct kmt_tar tar;
	const char *prefix; /* of names in the tar: "leak.tape/", "" */
	size_t prefix_bytes;
};

ssize_t kmt_member_read_at(const struct kmt_member *member, void *bytes, size_t size,
			   uint64_t offset)
{
	size_t used = 0;

	if (offset >= member->bytes)
		return 0;
	if (size > member->bytes - offset)
		size = (size_t)(member->bytes - offset);
	while (used < size) {
		ssize_t n = pread(member->fd, (char *)bytes + used, size - used,
				  (off_t)(member->offset + offset + used));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

const char *kmt_members_strerror(int code)
{
	switch (code) {
	case -ENOENT:
		return "missing";
	case -ELOOP:
		return "a link, which is not followed";
	case -EBADMSG:
		return "not a regular file";
	default:
		return strerror(-code);
	}
}

/* --- a directory --- */

/* Device files are not even opened: that can do things. Return: 0 or negative errno. */
static int check_regular(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return S_ISLNK(st->st_mode) ? -ELOOP : S_ISDIR(st->st_mode) ? -EISDIR : -EBADMSG;
}

/* Directory by directory, no link followed. @path is changed. Return: a descriptor or -errno. */
static int open_parent(int dirfd, char *path, const char **ret_name)
{
	KMT_CLEANUP(kmt_close_fd) int fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *name = path, *slash;

	while (fd >= 0 && (slash = strchr(name, '/'))) {
		int next;

		*slash = '\0';
		if (name[0] == '\0' || strcmp(name, "..") == 0)
			return -ENOENT;
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return errno == ENOTDIR ? -ELOOP : -errno;
		kmt_close_fd(&fd);
		fd = next;
		name = slash + 1;
	}
	if (fd < 0)
		return -errno;
	if (name[0] == '\0' || strcmp(name, "..") == 0)
		return -ENOENT;
	*ret_name = name;
	return KMT_STEAL_FD(fd);
}

static int get_of_directory(int dirfd, const char *path, struct kmt_member *ret_member)
{
	KMT_CLEANUP(kmt_close_fd) int parent = -1;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	char way[KMT_MEMBER_PATH_BYTES];
	const char *name;
	struct stat st;
	int r;

	if (strlen(path) >= sizeof(way))
		return -ENOENT;
	parent = open_parent(dirfd, strcpy(way, path), &name);
	if (parent < 0)
		return parent;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = check_regular(&st);
	if (r < 0)
		return r;
	fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	r = check_regular(&st); /* it may be another one by now */
	if (r < 0)
		return r;
	*ret_member = (struct kmt_member){ .fd = fd, .bytes = (uint64_t)st.st_size };
	fd = -1; /* taken */
	return 0;
}

/* --- a tar --- */

static const struct kmt_tar_entry *find_entry(const struct kmt_members *members, const char *path)
{
	size_t low = 0, high = members->tar.nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = members->tar.entries[middle].path;
		int order = strncmp(members->prefix, other, members->prefix_bytes);

		if (order == 0)
			order = strcmp(path, other + members->prefix_bytes);
		if (order == 0)
			return &members->tar.entries[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int get_of_tar(const struct kmt_members *members, const char *path,
		      struct kmt_member *ret_member)
{
	const struct kmt_tar_entry *entry = find_entry(members, path);
	int fd;

	if (!entry)
		return -ENOENT;
	if (entry->kind != KMT_TAR_FILE)
		return entry->kind == KMT_TAR_LINK	  ? -ELOOP
		       : entry->kind == KMT_TAR_DIRECTORY ? -EISDIR
							  : -EBADMSG;
	fd = fcntl(members->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	*ret_member = (struct kmt_member){ fd, entry->offset, entry->bytes };
	return 0;
}

/* "a/leak.tape/manifest.json": what is in front of @name. Return: bytes, or -1 if it isn't. */
static ssize_t prefix_of(const char *path, const char *name)
{
	size_t bytes = strlen(path);

	if (bytes < strlen(name) || strcmp(path + bytes - strlen(name), name) != 0)
		return -1;
	bytes -= strlen(name);
	return bytes == 0 || path[bytes - 1] == '/' ? (ssize_t)bytes : -1;
}

static int find_prefix(struct kmt_members *members, const char *name, struct kmt_err *err)
{
	/* In a tar that is cut, the manifest may be missing, and yet the rest be good for
	 * something.
	 */
	static const char *const files[] = { "manifest.json", "events/header_page" };

	for (size_t k = 0; !members->prefix && k < sizeof(files) / sizeof(files[0]); k++) {
		for (size_t i = 0; i < members->tar.nr; i++) {
			const struct kmt_tar_entry *entry = &members->tar.entries[i];
			ssize_t bytes = prefix_of(entry->path, files[k]);

			if (bytes < 0)
				continue;
			if (members->prefix)
				return kmt_fail(err, -EBADMSG, "%s: more than one tape is in it",
						name);
			members->prefix = entry->path;
			members->prefix_bytes = (size_t)bytes;
		}
	}
	if (members->prefix)
		return 0;
	if (members->tar.damage.text[0])
		return kmt_fail(err, -EBADMSG, "%s", members->tar.damage.text);
	return kmt_fail(err, -EBADMSG, "%s: not a tape: there is no manifest.json in it", name);
}

/* --- both --- */

int kmt_members_open(const char *path, struct kmt_members **ret_members, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	struct stat st;
	int r;

	members = calloc(1, sizeof(*members));
	if (!members)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	members->fd = -1;
	if (stat(path, &st) < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return kmt_fail(err, -EBADMSG,
				"%s: not a tape: neither a directory nor a tar of one", path);
	members->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (members->fd < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		members->is_packed = true;
		r = kmt_tar_scan(members->fd, path, &members->tar, err);
		if (r == 0)
			r = find_prefix(members, path, err);
		if (r < 0)
			return r;
	}
	*ret_members = KMT_STEAL(members);
	return 0;
}

struct kmt_members *kmt_members_free(struct kmt_members *members)
{
	if (!members)
		return NULL;
	kmt_close_fd(&members->fd);
	kmt_tar_deinit(&members->tar);
	free(members);
	return NULL;
}

bool kmt_members_is_packed(const struct kmt_members *members)
{
	return members->is_packed;
}

const char *kmt_members_damage(const struct kmt_members *members)
{
	return members->tar.damage.text[0] ? members->tar.damage.text : NULL;
}

int kmt_members_get(const struct kmt_members *members, const char *path,
		    struct kmt_member *ret_member)
{
	if (!members)
		return -ENOENT;
	return members->is_packed ? get_of_tar(members, path, ret_member)
				  : get_of_directory(members->fd, path, ret_member);
}

int kmt_members_read(const struct kmt_members *members, const char *path, size_t limit,
		     char **ret_text, size_t *ret_bytes)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	ssize_t n;
	int r;

	r = kmt_members_get(members, path, &member);
	if (r < 0)
		return r;
	if (member.bytes > limit)
		return -EFBIG;
	text = malloc((size_t)member.bytes + 1);
	if (!text)
		return -ENOMEM;
	n = kmt_member_read_at(&member, text, (size_t)member.bytes, 0);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret_text = KMT_STEAL(text);
	*ret_bytes = (size_t)n;
	return 0;
}

/* --- lists --- */

struct list {
	char **paths;
	size_t nr, room;
};

/* Return: 0; -EFBIG; -ENOMEM. */
static int list_add(struct list *list, const char *path)
{
	if (list->nr == KMT_MEMBERS_MAX)
		return -EFBIG;
	if (list->nr + 1 >= list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		char **grown = realloc(list->paths, room * sizeof(char *));

		if (!grown)
			return -ENOMEM;
		list->paths = grown;
		list->room = room;
	}
	list->paths[list->nr] = strdup(path);
	if (!list->paths[list->nr])
		return -ENOMEM;
	list->paths[++list->nr] = NULL;
	return 0;
}

static int list_directory(struct list *list, int parent, const char *name, const char *under,
			  unsigned int depth);

/* Return: 0, or negative errno. What is no file is no member. */
static int list_entry(struct list *list, int dirfd, const char *name, const char *under,
		      unsigned int depth)
{
	char path[KMT_MEMBER_PATH_BYTES];
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    (size_t)snprintf(path, sizeof(path), "%s%s%s", under, *under ? "/" : "", name) >=
		    sizeof(path) ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return list_add(list, path);
	if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
		return list_directory(list, dirfd, name, path, depth + 1);
	return 0;
}

static int list_directory(struct list *list, int parent, const char *name, const char *under,
			  unsigned int depth)
{
	KMT_CLEANUP(kmt_closedirp) DIR *dir = NULL;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	int r = 0;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		kmt_close_fd(&fd);
		return -ENOMEM;
	}
	while (r == 0 && (entry = readdir(dir)))
		r = list_entry(list, dirfd(dir), entry->d_name, under, depth);
	return r;
}

static int list_tar(struct list *list, const struct kmt_members *members, const char *under)
{
	size_t under_bytes = strlen(under);
	int r = 0;

	for (size_t i = 0; r == 0 && i < members->tar.nr; i++) {
		const struct kmt_tar_entry *entry = &members->tar.entries[i];
		const char *path;

		if (entry->kind != KMT_TAR_FILE ||
		    strncmp(entry->path, members->prefix, members->prefix_bytes) != 0)
			continue;
		path = entry->path + members->prefix_bytes;
		if (strlen(path) >= KMT_MEMBER_PATH_BYTES)
			continue;
		if (under_bytes == 0 ||
		    (strncmp(path, under, under_bytes) == 0 && path[under_bytes] == '/'))
			r = list_add(list, path);
	}
	return r;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int kmt_members_list(const struct kmt_members *members, const char *under, char ***ret_paths,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = calloc(1, sizeof(char *));
	struct list list = { paths, 0, 1 };
	int r;

	if (!paths)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (members->is_packed)
		r = list_tar(&list, members, under);
	else
		r = list_directory(&list, members->fd, *under ? under : ".", under, 0);
	paths = list.paths;
	if (r == -EFBIG)
		return kmt_fail(err, r, "%s: more than %u files", under, KMT_MEMBERS_MAX);
	if (r < 0)
		return kmt_fail(err, r, "%s: %s", under, strerror(-r));
	qsort(paths, list.nr, sizeof(char *), compare_paths);
	*ret_paths = KMT_STEAL(paths);
	return 0;
}

void kmt_members_free_list(char ***paths)
{
	for (char **path = *paths; path && *path; path++)
		free(*path);
	free(*paths);
	*paths = NULL;
}
