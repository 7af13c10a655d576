// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "comm-log.h"
#include "kmemtape/fs.h"
#include "kmemtape/units.h"
#include "tracefs-dir.h"

#define PID_LIMIT      (1u << 22) /* PID_MAX_LIMIT of 64-bit kernels */
#define DIRENTS_BYTES  16384
#define TEXT_BYTES     16384
#define COMM_BYTES     64 /* TASK_COMM_LEN is 16, names of kworkers are longer */
#define LINE_BYTES_MAX (COMM_BYTES * 4 + 16)

struct kmt_comm_log {
	int fd;
	size_t used;
	char text[TEXT_BYTES];		 /* waits to be written */
	uint8_t is_known[PID_LIMIT / 8]; /* touched where there are pids only */
};

/* opendir() would allocate. */
struct directory {
	int fd;
	size_t at, end;
	char entries[DIRENTS_BYTES] __attribute__((aligned(8)));
};

int kmt_comm_log_new(int tape_fd, struct kmt_comm_log **ret_log, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_comm_log_freep) struct kmt_comm_log *log = calloc(1, sizeof(*log));

	if (!log)
		return kmt_fail(err, -ENOMEM, "comms: out of memory");
	log->fd =
		openat(tape_fd, "comms", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (log->fd < 0)
		return kmt_fail(err, -errno, "comms: %s", strerror(errno));
	*ret_log = KMT_STEAL(log);
	return 0;
}

static int write_out(struct kmt_comm_log *log, struct kmt_err *err)
{
	int r = kmt_write_all(log->fd, log->text, log->used);

	log->used = 0;
	if (r < 0)
		return kmt_fail(err, r, "comms: %s", strerror(-r));
	return 0;
}

/* The next entry that is a number; 0 at the end. */
static uint32_t next_pid(struct directory *dir)
{
	for (;;) {
		const struct dirent64 *entry;
		ssize_t n;

		if (dir->at == dir->end) {
			n = getdents64(dir->fd, dir->entries, sizeof(dir->entries));
			if (n <= 0)
				return 0; /* the end, or the process is gone */
			dir->at = 0;
			dir->end = (size_t)n;
		}
		entry = (const struct dirent64 *)(dir->entries + dir->at);
		dir->at += entry->d_reclen;
		if (isdigit((unsigned char)entry->d_name[0]))
			return (uint32_t)strtoul(entry->d_name, NULL, 10);
	}
}

static int add_task(struct kmt_comm_log *log, int proc_fd, uint32_t pid, uint32_t tid,
		    struct kmt_err *err)
{
	char path[64], comm[COMM_BYTES], name[COMM_BYTES * 4 + 1];
	int r;

	if (tid >= PID_LIMIT || log->is_known[tid / 8] >> tid % 8 & 1)
		return 0;
	(void)snprintf(path, sizeof(path), "%u/task/%u/comm", pid, tid);
	if (kmt_tracefs_read(proc_fd, path, comm, sizeof(comm)) < 0)
		return 0; /* it has ended */
	comm[strlen(comm) ? strlen(comm) - 1 : 0] =
		'\0'; /* the newline; others may be in the name */
	log->is_known[tid / 8] |= (uint8_t)(1u << tid % 8);

	if (log->used + LINE_BYTES_MAX > sizeof(log->text)) {
		r = write_out(log, err);
		if (r < 0)
			return r;
	}
	log->used += (size_t)snprintf(log->text + log->used, sizeof(log->text) - log->used,
				      "%u\t%s\n", tid, kmt_escape(name, sizeof(name), comm));
	return 0;
}

static int add_process(struct kmt_comm_log *log, int proc_fd, uint32_t pid, struct kmt_err *err)
{
	struct directory dir = { .fd = -1 };
	char path[32];
	uint32_t tid;
	int r = 0;

	(void)snprintf(path, sizeof(path), "%u/task", pid);
	KMT_CLEANUP(kmt_close_fd)
	int fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	dir.fd = fd;
	while (r == 0 && (tid = next_pid(&dir)))
		r = add_task(log, proc_fd, pid, tid, err);
	return r;
}

int kmt_comm_log_look(struct kmt_comm_log *log, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct directory dir = { .fd = fd };
	uint32_t pid;
	int r;

	if (fd < 0)
		return kmt_fail(err, -errno, "/proc: %s", strerror(errno));
	while ((pid = next_pid(&dir))) {
		r = add_process(log, fd, pid, err);
		if (r < 0)
			return r;
	}
	return write_out(log, err);
}

int kmt_comm_log_fd(const struct kmt_comm_log *log)
{
	return log->fd;
}

struct kmt_comm_log *kmt_comm_log_free(struct kmt_comm_log *log)
{
	if (!log)
		return NULL;
	kmt_close_fd(&log->fd);
	free(log);
	return NULL;
}
