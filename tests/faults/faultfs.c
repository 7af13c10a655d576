// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk that fails when told: a file system that passes everything on to a directory.
 *
 * Usage: faultfs BACKING MOUNT AFTERMATH. What is written to MOUNT/.faultfs, a line each:
 *
 *   fault WORD...  from now on; words are
 *                  on=OP[,OP]   write fsync create rename mkdir unlink all         [all]
 *                  error=NAME   ENOSPC EDQUOT EIO EROFS: the call fails with that  [none]
 *                  ms=N         the call takes so long, or until `clear`
 *                  bytes=N      a write takes only so many bytes
 *                  after=N      only once so many bytes were written, or calls made
 *                  times=N      only so often                                      [always]
 *                  files=GLOB   only these, by their path below MOUNT              [all]
 *   room=N         there is no room for more than N bytes in all, deleted files that are open
 *                  included; for the error see the fault that has on=room
 *   clear          no faults any more; calls that take long go on
 *   cut            the power goes: all calls fail from now on, and AFTERMATH/lazy has what a disk
 *                  may have kept that does nothing before it must, AFTERMATH/eager what one may
 *                  have kept that took names and sizes at once, but no data before it had to
 *
 * Reading it gives the number of calls that were failed, slowed down or shortened so far.
 *
 * POSIX promises no more than this: fsync() of a file keeps its data, but not its name; fsync() of
 * a directory keeps the names in it; a rename without either may come before or after anything.
 */
#define FUSE_USE_VERSION 35

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fuse.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "real-dir.h"

#define CONTROL	   "/.faultfs"
#define FAULTS_MAX 16
#define NAMES_MAX  4096 /* of all directories, and as many nodes */

enum {
	ON_WRITE = 1,
	ON_FSYNC = 2,
	ON_CREATE = 4,
	ON_RENAME = 8,
	ON_MKDIR = 16,
	ON_UNLINK = 32,
	ON_ALL = 63,
	ON_ROOM = 64,
};

static const struct word {
	const char *name;
	int value;
} ops[] = {
	{ "write", ON_WRITE },	 { "fsync", ON_FSYNC },	  { "create", ON_CREATE },
	{ "rename", ON_RENAME }, { "mkdir", ON_MKDIR },	  { "unlink", ON_UNLINK },
	{ "all", ON_ALL },	 { "room", ON_ROOM },
}, errors[] = {
	{ "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT }, { "EIO", EIO }, { "EROFS", EROFS },
};

struct fault {
	int on, error;
	long ms, bytes, after, times; /* times: -1 always */
	char files[PATH_MAX];
};

/* What a power cut leaves of a file or directory: as of its last fsync(). */
struct node {
	ino_t ino;
	bool is_gone;	  /* its number may have been given to another one */
	off_t dirty_from; /* what lies behind was written since; or truncated */
	bool was_synced;
};

/* That a directory had this name in it is on the disk. */
struct name {
	int directory, node; /* indices */
	bool is_directory;
	char text[NAME_MAX + 1];
};

struct file {
	int fd;
	char path[]; /* as it was opened */
};

static int backing_fd, aftermath_fd;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t was_cleared = PTHREAD_COND_INITIALIZER;
static long nr_clears;
static struct fault faults[FAULTS_MAX];
static int nr_faults;
static long nr_hits;
static long long room = -1; /* bytes */
static bool is_cut;
static struct node nodes[NAMES_MAX];
static int nr_nodes;
static struct name names[NAMES_MAX];
static int nr_names;

static int look_up(const struct word *words, size_t nr, const char *name, size_t bytes)
{
	for (size_t i = 0; i < nr; i++)
		if (strlen(words[i].name) == bytes && memcmp(words[i].name, name, bytes) == 0)
			return words[i].value;
	return -1;
}

/* The node of a file that is there; made if need be. The lock is held. */
static int node_of(ino_t ino)
{
	for (int i = 0; i < nr_nodes; i++)
		if (!nodes[i].is_gone && nodes[i].ino == ino)
			return i;
	assert(nr_nodes < NAMES_MAX);
	nodes[nr_nodes] = (struct node){ .ino = ino };
	return nr_nodes++;
}

static int node_of_fd(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -1 : node_of(st.st_ino);
}

/* A file that was just made: whoever had its number before is gone. */
static void note_new(int fd)
{
	struct stat st;

	(void)pthread_mutex_lock(&lock);
	if (fstat(fd, &st) == 0) {
		for (int i = 0; i < nr_nodes; i++)
			if (nodes[i].ino == st.st_ino)
				nodes[i].is_gone = true;
		(void)node_of(st.st_ino);
	}
	(void)pthread_mutex_unlock(&lock);
}

static void note_dirty(int fd, off_t from)
{
	int node;

	(void)pthread_mutex_lock(&lock);
	node = node_of_fd(fd);
	if (node >= 0 && from < nodes[node].dirty_from)
		nodes[node].dirty_from = from;
	(void)pthread_mutex_unlock(&lock);
}

static int copy(int from_fd, int to_fd, off_t at, off_t end)
{
	char bytes[65536];

	while (at < end) {
		size_t want =
			(size_t)(end - at) < sizeof(bytes) ? (size_t)(end - at) : sizeof(bytes);
		ssize_t n = pread(from_fd, bytes, want, at);

		if (n <= 0 || pwrite(to_fd, bytes, (size_t)n, at) != n)
			return -EIO;
		at += n;
	}
	return 0;
}

/* Where the data is of which we are sure; "data/17" below the aftermath. */
static int open_data(int node, int flags)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "data/%d", node);
	return openat(aftermath_fd, path, flags | O_CLOEXEC, 0600);
}

static int keep_data(int fd)
{
	struct stat st;
	int node, to_fd, r;

	(void)pthread_mutex_lock(&lock);
	if (fstat(fd, &st) < 0) {
		(void)pthread_mutex_unlock(&lock);
		return -EIO;
	}
	node = node_of(st.st_ino);
	to_fd = open_data(node, O_RDWR | O_CREAT);
	r = copy(fd, to_fd, nodes[node].dirty_from, st.st_size);
	if (ftruncate(to_fd, st.st_size) < 0)
		r = -EIO;
	(void)close(to_fd);
	nodes[node].dirty_from = st.st_size;
	nodes[node].was_synced = true;
	(void)pthread_mutex_unlock(&lock);
	return r;
}

/* The names that are in a directory now are the ones that it will have. */
static int keep_names(const char *path)
{
	int fd = openat(backing_fd, real_dir_below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int directory, used = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	(void)pthread_mutex_lock(&lock);
	directory = node_of_fd(fd);
	for (int i = 0; i < nr_names; i++)
		if (names[i].directory != directory)
			names[used++] = names[i];
	nr_names = used;
	dir = fdopendir(fd);
	while (dir && (entry = readdir(dir))) {
		struct name *name = &names[nr_names];
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		assert(nr_names < NAMES_MAX);
		*name = (struct name){ directory, node_of(st.st_ino), S_ISDIR(st.st_mode), "" };
		(void)snprintf(name->text, sizeof(name->text), "%s", entry->d_name);
		nr_names++;
	}
	(void)pthread_mutex_unlock(&lock);
	(void)closedir(dir);
	return 0;
}

/* What is sure of a file becomes the file @name of @dirfd; what isn't, up to @size, zeros. */
static void restore_file(int dirfd, const char *name, int node, off_t size)
{
	int to_fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int fd = open_data(node, O_RDONLY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		if (size < 0 || st.st_size < size)
			(void)copy(fd, to_fd, 0, st.st_size);
		else
			(void)copy(fd, to_fd, 0, size);
	}
	if (size >= 0)
		(void)!ftruncate(to_fd, size);
	if (fd >= 0)
		(void)close(fd);
	(void)close(to_fd);
}

static void restore_lazily(int dirfd, int directory)
{
	for (int i = 0; i < nr_names; i++) {
		int fd;

		if (names[i].directory != directory)
			continue;
		if (!names[i].is_directory) {
			restore_file(dirfd, names[i].text, names[i].node, -1);
			continue;
		}
		(void)mkdirat(dirfd, names[i].text, 0700);
		fd = openat(dirfd, names[i].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		restore_lazily(fd, names[i].node);
		(void)close(fd);
	}
}

/* Takes @from_fd. */
static void restore_eagerly(int from_fd, int dirfd)
{
	DIR *dir = fdopendir(from_fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct stat st;
		int fd;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(from_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode)) {
			restore_file(dirfd, entry->d_name, node_of(st.st_ino), st.st_size);
			continue;
		}
		(void)mkdirat(dirfd, entry->d_name, 0700);
		fd = openat(dirfd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		restore_eagerly(openat(from_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				fd);
		(void)close(fd);
	}
	(void)closedir(dir);
}

static void cut_power(void)
{
	int fd;

	(void)pthread_mutex_lock(&lock);
	is_cut = true;
	(void)mkdirat(aftermath_fd, "lazy", 0700);
	fd = openat(aftermath_fd, "lazy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	restore_lazily(fd, node_of_fd(backing_fd));
	(void)close(fd);
	(void)mkdirat(aftermath_fd, "eager", 0700);
	fd = openat(aftermath_fd, "eager", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	restore_eagerly(openat(backing_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd);
	(void)close(fd);
	(void)pthread_mutex_unlock(&lock);
}

static int take_ops(const char *text)
{
	int on = 0, op;

	for (;; text++) {
		size_t bytes = strcspn(text, ",");

		op = look_up(ops, sizeof(ops) / sizeof(ops[0]), text, bytes);
		if (op < 0)
			return -1;
		on |= op;
		text += bytes;
		if (!*text)
			return on;
	}
}

/* Return: false if there is no such word */
static bool take_word(struct fault *fault, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(word, "on") == 0)
		return (fault->on = take_ops(value)) > 0;
	if (strcmp(word, "error") == 0)
		return (fault->error = look_up(errors, sizeof(errors) / sizeof(errors[0]), value,
					       strlen(value))) > 0;
	if (strcmp(word, "files") == 0)
		(void)snprintf(fault->files, sizeof(fault->files), "%s", value);
	else if (strcmp(word, "ms") == 0)
		fault->ms = atol(value);
	else if (strcmp(word, "bytes") == 0)
		fault->bytes = atol(value);
	else if (strcmp(word, "after") == 0)
		fault->after = atol(value);
	else if (strcmp(word, "times") == 0)
		fault->times = atol(value);
	else
		return false;
	return true;
}

static int add_fault(char *words)
{
	struct fault fault = { .on = ON_ALL, .times = -1, .files = "*" };
	char *rest = NULL;
	int r = 0;

	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		if (!take_word(&fault, word))
			return -EINVAL;
	(void)pthread_mutex_lock(&lock);
	if (nr_faults == FAULTS_MAX)
		r = -ENOMEM;
	else
		faults[nr_faults++] = fault;
	(void)pthread_mutex_unlock(&lock);
	return r;
}

static int take_command(const char *text, size_t bytes)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "%.*s", (int)bytes, text);
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "clear") == 0) {
		(void)pthread_mutex_lock(&lock);
		nr_faults = 0;
		room = -1;
		nr_clears++;
		(void)pthread_cond_broadcast(&was_cleared);
		(void)pthread_mutex_unlock(&lock);
	} else if (strcmp(line, "cut") == 0) {
		cut_power();
	} else if (strncmp(line, "room=", strlen("room=")) == 0) {
		room = atoll(line + strlen("room="));
	} else if (strncmp(line, "fault ", strlen("fault ")) == 0) {
		return add_fault(line + strlen("fault "));
	} else {
		return -EINVAL;
	}
	return 0;
}

/* Of the file system below, which is ours alone. */
static long long bytes_used(void)
{
	struct statvfs st;

	if (fstatvfs(backing_fd, &st) < 0)
		return 0;
	return (long long)(st.f_blocks - st.f_bfree) * (long long)st.f_frsize;
}

static bool is_due(struct fault *fault, int on, const char *path, size_t bytes)
{
	if (!(fault->on & on) || !fault->times ||
	    fnmatch(fault->files, real_dir_below(path), 0) != 0)
		return false;
	if (fault->after > 0) {
		fault->after -= on == ON_WRITE ? (long)bytes : 1;
		if (fault->after >= 0)
			return false;
	}
	if (fault->times > 0)
		fault->times--;
	nr_hits++;
	return true;
}

/* The lock is held. */
static void take_long(long ms)
{
	long clears = nr_clears;
	struct timespec end;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	while (clears == nr_clears && pthread_cond_timedwait(&was_cleared, &lock, &end) == 0)
		;
}

/*
 * What is to happen to a call now.
 * @bytes: of a write; less when only a part is to be written
 * Return: 0 or negative errno
 */
static int meet_fate(int on, const char *path, size_t *bytes)
{
	long ms = 0;
	int r = 0;

	(void)pthread_mutex_lock(&lock);
	if (room >= 0 && bytes && bytes_used() + (long long)*bytes > room)
		on |= ON_ROOM;
	for (int i = 0; i < nr_faults; i++) {
		struct fault *fault = &faults[i];

		if (!is_due(fault, on, path, bytes ? *bytes : 0))
			continue;
		ms += fault->ms;
		if (fault->error)
			r = -fault->error;
		if (fault->bytes && bytes && (size_t)fault->bytes < *bytes)
			*bytes = (size_t)fault->bytes;
	}
	if (is_cut)
		r = -EIO;
	if (ms)
		take_long(ms);
	(void)pthread_mutex_unlock(&lock);
	return r;
}

static struct file *file_of(const struct fuse_file_info *info)
{
	return (struct file *)(uintptr_t)info->fh;
}

static bool is_control(const char *path)
{
	return path && strcmp(path, CONTROL) == 0;
}

static int do_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	int r;

	if (is_control(path)) {
		*st = (struct stat){ .st_mode = S_IFREG | 0600, .st_nlink = 1, .st_size = 32 };
		return 0;
	}
	r = info ? fstat(file_of(info)->fd, st)
		 : fstatat(backing_fd, real_dir_below(path), st, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? -errno : 0;
}

static int do_open(const char *path, struct fuse_file_info *info)
{
	struct file *file;

	if (is_control(path)) {
		info->direct_io = 1;
		return 0;
	}
	file = calloc(1, sizeof(*file) + strlen(path) + 1);
	if (!file)
		return -ENOMEM;
	strcpy(file->path, path);
	file->fd = openat(backing_fd, real_dir_below(path),
			  (info->flags & ~(O_APPEND | O_EXCL)) | O_CLOEXEC, 0600);
	if (file->fd < 0) {
		int r = -errno;

		free(file);
		return r;
	}
	info->fh = (uintptr_t)file;
	return 0;
}

static int do_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	int r = meet_fate(ON_CREATE, path, NULL);

	if (r < 0)
		return r;
	info->flags = (info->flags & ~O_ACCMODE) | O_RDWR | O_CREAT;
	r = do_open(path, info);
	if (r < 0)
		return r;
	(void)fchmod(file_of(info)->fd, mode);
	note_new(file_of(info)->fd);
	return 0;
}

static int do_read(const char *path, char *bytes, size_t size, off_t at,
		   struct fuse_file_info *info)
{
	ssize_t n;

	if (is_control(path)) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%ld\n", nr_hits);
		if (at >= (off_t)strlen(text))
			return 0;
		memcpy(bytes, text, strlen(text));
		return (int)strlen(text);
	}
	n = pread(file_of(info)->fd, bytes, size, at);
	return n < 0 ? -errno : (int)n;
}

static int do_write(const char *path, const char *bytes, size_t size, off_t at,
		    struct fuse_file_info *info)
{
	ssize_t n;
	int r;

	if (is_control(path)) {
		r = take_command(bytes, size);
		return r < 0 ? r : (int)size;
	}
	r = meet_fate(ON_WRITE, file_of(info)->path, &size);
	if (r < 0)
		return r;
	n = pwrite(file_of(info)->fd, bytes, size, at);
	if (n < 0)
		return -errno;
	note_dirty(file_of(info)->fd, at);
	return (int)n;
}

static int do_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	int fd = -1, r;

	if (is_control(path))
		return 0;
	r = meet_fate(ON_WRITE, info ? file_of(info)->path : path, NULL);
	if (r < 0)
		return r;
	if (!info)
		fd = openat(backing_fd, real_dir_below(path), O_RDWR | O_CLOEXEC);
	r = ftruncate(info ? file_of(info)->fd : fd, size) < 0 ? -errno : 0;
	note_dirty(info ? file_of(info)->fd : fd, size);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int do_fallocate(const char *path, int mode, off_t at, off_t bytes,
			struct fuse_file_info *info)
{
	size_t size = (size_t)bytes;
	int r = meet_fate(ON_WRITE, file_of(info)->path, &size);

	(void)path;
	if (r < 0)
		return r;
	return fallocate(file_of(info)->fd, mode, at, bytes) < 0 ? -errno : 0;
}

static int do_fsync(const char *path, int is_data_only, struct fuse_file_info *info)
{
	int r = meet_fate(ON_FSYNC, file_of(info)->path, NULL);

	(void)path;
	(void)is_data_only;
	return r < 0 ? r : keep_data(file_of(info)->fd);
}

static int do_fsyncdir(const char *path, int is_data_only, struct fuse_file_info *info)
{
	int r = meet_fate(ON_FSYNC, path, NULL);

	(void)is_data_only;
	(void)info;
	return r < 0 ? r : keep_names(path);
}

static int do_release(const char *path, struct fuse_file_info *info)
{
	if (!is_control(path)) {
		(void)close(file_of(info)->fd);
		free(file_of(info));
	}
	return 0;
}

static int do_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t at,
		      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	(void)at;
	(void)info;
	(void)flags;
	return real_dir_list(backing_fd, path, list, fill);
}

static int do_mkdir(const char *path, mode_t mode)
{
	int r = meet_fate(ON_MKDIR, path, NULL), fd;

	if (r < 0)
		return r;
	if (mkdirat(backing_fd, real_dir_below(path), mode) < 0)
		return -errno;
	fd = openat(backing_fd, real_dir_below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	note_new(fd);
	(void)close(fd);
	return 0;
}

static int do_rename(const char *from, const char *to, unsigned int flags)
{
	int r = meet_fate(ON_RENAME, to, NULL);

	if (r < 0)
		return r;
	return renameat2(backing_fd, real_dir_below(from), backing_fd, real_dir_below(to), flags) <
			       0
		       ? -errno
		       : 0;
}

static int do_unlink(const char *path)
{
	int r = meet_fate(ON_UNLINK, path, NULL);

	if (r < 0)
		return r;
	return unlinkat(backing_fd, real_dir_below(path), 0) < 0 ? -errno : 0;
}

static int do_rmdir(const char *path)
{
	int r = meet_fate(ON_UNLINK, path, NULL);

	if (r < 0)
		return r;
	return unlinkat(backing_fd, real_dir_below(path), AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int do_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
	int r = info ? fchmod(file_of(info)->fd, mode)
		     : fchmodat(backing_fd, real_dir_below(path), mode, 0);

	return r < 0 ? -errno : 0;
}

static int do_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *info)
{
	int r = info ? fchown(file_of(info)->fd, uid, gid)
		     : fchownat(backing_fd, real_dir_below(path), uid, gid, AT_SYMLINK_NOFOLLOW);

	return r < 0 ? -errno : 0;
}

static int do_statfs(const char *path, struct statvfs *st)
{
	long long left;

	(void)path;
	if (fstatvfs(backing_fd, st) < 0)
		return -errno;
	if (room >= 0) {
		left = (room - bytes_used()) / (long long)st->f_frsize;
		st->f_bfree = st->f_bavail = left > 0 ? (fsblkcnt_t)left : 0;
	}
	return 0;
}

static void *do_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	config->hard_remove =
		1; /* a file that is deleted while it is open goes on without a name */
	config->nullpath_ok = 0;
	config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
	return NULL;
}

static const struct fuse_operations operations = {
	.init = do_init,
	.getattr = do_getattr,
	.open = do_open,
	.create = do_create,
	.read = do_read,
	.write = do_write,
	.truncate = do_truncate,
	.fallocate = do_fallocate,
	.fsync = do_fsync,
	.fsyncdir = do_fsyncdir,
	.release = do_release,
	.readdir = do_readdir,
	.mkdir = do_mkdir,
	.rename = do_rename,
	.unlink = do_unlink,
	.rmdir = do_rmdir,
	.chmod = do_chmod,
	.chown = do_chown,
	.statfs = do_statfs,
};

int main(int argc, char **argv)
{
	char *arguments[] = { argv[0], (char[]){ "-f" }, argc == 4 ? argv[2] : NULL, NULL };

	if (argc != 4) {
		fprintf(stderr, "usage: faultfs BACKING MOUNT AFTERMATH\n");
		return 2;
	}
	backing_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	aftermath_fd = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (backing_fd < 0 || aftermath_fd < 0 || mkdirat(aftermath_fd, "data", 0700) < 0) {
		perror("faultfs");
		return 1;
	}
	(void)umask(0);
	return fuse_main(3, arguments, &operations, NULL);
}
