// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"

#include "syscalls.h"

/*
 * A list of what is allowed: the kernel gets new calls, and none of them is needed. What isn't on
 * it fails with ENOSYS, on which the C library takes an older way (clone3(), whose arguments no
 * filter sees, becomes clone()). Names that an architecture doesn't have are passed over.
 */
/* clang-format off */
static const char *const reading[] = {
	/* memory */
	"brk", "madvise", "membarrier", "mmap", "mmap2", "mprotect", "mremap", "munmap",
	/* files: which, is landlock's */
	"_llseek", "access", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2",
	"fadvise64", "fcntl", "fcntl64", "fstat", "fstat64", "fstatat64", "fstatfs", "getcwd",
	"getdents", "getdents64", "lseek", "lstat", "lstat64", "newfstatat", "open", "openat",
	"openat2", "poll", "ppoll", "ppoll_time64", "pread64", "preadv", "pwrite64", "read",
	"readahead", "readlink", "readlinkat", "readv", "stat", "stat64", "statx", "write", "writev",
	/* itself, and its threads */
	"clock_getres", "clock_gettime", "clock_gettime64", "clock_nanosleep",
	"clock_nanosleep_time64", "exit", "exit_group", "futex", "futex_time64", "futex_wait",
	"futex_waitv", "futex_wake", "get_robust_list", "getegid", "geteuid", "getgid", "getpid",
	"getppid", "getrandom", "getrlimit", "getrusage", "gettid", "gettimeofday", "getuid",
	"nanosleep", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
	"rt_sigreturn", "rt_sigtimedwait", "sched_getaffinity", "sched_yield", "set_robust_list",
	"set_tid_address", "sigaltstack", "sigreturn", "sysinfo", "time", "times", "uname", "wait4",
	"waitid",
};

static const char *const writing[] = {
	"copy_file_range", "fallocate", "fchmod", "fdatasync", "fsync", "ftruncate", "ftruncate64",
	"link", "linkat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "rmdir", "sendfile",
	"sendfile64", "umask", "unlink", "unlinkat", "utimensat",
};

/* libcurl's and the C library's resolver; sockets of which kind, see below. */
static const char *const networking[] = {
	"_newselect", "bind", "connect", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait",
	"eventfd2", "getpeername", "getsockname", "getsockopt", "pipe", "pipe2", "pselect6", "recv",
	"recvfrom", "recvmmsg", "recvmsg", "select", "send", "sendmmsg", "sendmsg", "sendto",
	"setsockopt", "shutdown", "socketpair", "utime", "utimes",
};
/* clang-format on */

#ifdef __SANITIZE_ADDRESS__
/* Its leak check stops all threads from a process beside them. */
static const char *const sanitizing[] = { "clone",  "kill",  "pipe", "prctl", "process_vm_readv",
					  "ptrace", "tgkill" };
#endif

static int allow_names(scmp_filter_ctx filter, const char *const *names, size_t nr)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < nr; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		if (number != __NR_SCMP_ERROR)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return r;
}

#define ALLOW_NAMES(filter, names) allow_names(filter, names, sizeof(names) / sizeof((names)[0]))

/* @name, if its argument is @value. */
static int allow_if(scmp_filter_ctx filter, const char *name, unsigned int argument,
		    unsigned long value)
{
	int number = seccomp_syscall_resolve_name(name);

	return number == __NR_SCMP_ERROR ? 0
					 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
							    SCMP_CMP(argument, SCMP_CMP_EQ, value));
}

/* Of threads, not of processes or namespaces. */
static int allow_threads(scmp_filter_ctx filter)
{
	return seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_NEWUSER, CLONE_THREAD));
}

/* Calls that do many things, of which one or two are harmless. */
static int allow_parts(scmp_filter_ctx filter, pid_t child)
{
	int r;

	(void)((r = allow_threads(filter)) < 0 || (r = allow_if(filter, "ioctl", 1, TCGETS)) < 0 ||
	       (r = allow_if(filter, "ioctl", 1, TIOCGWINSZ)) < 0 ||
	       (r = allow_if(filter, "prctl", 0, PR_SET_NAME)) < 0 ||
	       (r = allow_if(filter, "prlimit64", 0, 0)) < 0 ||
	       (r = allow_if(filter, "tgkill", 0, (unsigned long)getpid())) < 0);
	if (r == 0 && child > 0)
		r = allow_if(filter, "kill", 0, (unsigned long)child);
	if (r == 0 && child > 0) /* to whom the socket is connected */
		r = allow_if(filter, "sendto", 4, 0);
	return r;
}

/* Its modes, and how large it is; to stop, and to end, by a signal to itself, is allowed to all. */
static int allow_terminal(scmp_filter_ctx filter)
{
	static const unsigned long requests[] = { TCSETS, TCSETSW, TCSETSF, TIOCGPGRP };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(requests) / sizeof(requests[0]); i++)
		r = allow_if(filter, "ioctl", 1, requests[i]);
	return r;
}

static int allow_sockets(scmp_filter_ctx filter)
{
	static const unsigned long families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	int r = ALLOW_NAMES(filter, networking);

	for (size_t i = 0; r == 0 && i < sizeof(families) / sizeof(families[0]); i++)
		r = allow_if(filter, "socket", 0, families[i]);
	return r;
}

static int fill(scmp_filter_ctx filter, const struct kmt_sandbox *sandbox)
{
	int r = ALLOW_NAMES(filter, reading);

#ifdef __SANITIZE_ADDRESS__
	if (r == 0)
		r = ALLOW_NAMES(filter, sanitizing);
#endif
	if (r == 0)
		r = allow_parts(filter, sandbox->child);
	if (r == 0 && sandbox->has_terminal)
		r = allow_terminal(filter);
	if (r == 0 && (sandbox->nr_writes || sandbox->has_network))
		r = ALLOW_NAMES(filter, writing);
	if (r == 0 && sandbox->has_network)
		r = allow_sockets(filter);
	return r;
}

static void release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
	*filter = NULL;
}

bool kmt_syscalls_can_restrict(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

int kmt_syscalls_restrict(const struct kmt_sandbox *sandbox, struct kmt_err *err)
{
	KMT_CLEANUP(release) scmp_filter_ctx filter = NULL;
	int r;

	if (!kmt_syscalls_can_restrict())
		return 0;
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!filter)
		return kmt_fail(err, -ENOMEM, "sandbox: seccomp: out of memory");
	r = fill(filter, sandbox);
	if (r == 0)
		r = seccomp_load(filter);
	return r == 0 ? 0 : kmt_fail(err, r, "sandbox: seccomp: %s", strerror(-r));
}
