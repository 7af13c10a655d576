// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fuzz/fuzz.h"
#include "child.h"

#define SANITIZER_EXIT 99 /* no command's */

/* The program itself: see meson.build */
int kmemtape_main(int argc, char **argv);

/*
 * What is freed is kept for a while, to see who uses it still: only so much that this doesn't count
 * as the program's memory. What nobody may ask for ends it.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:max_allocation_size_mb=256:allocator_may_return_null=0:"
	       "exitcode=99:detect_stack_use_after_return=0:leak_check_at_exit=0";
}

/* Looking for leaks takes longer than most commands: not each time. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1:exitcode=99";
}

static void limit(int what, rlim_t soft)
{
	struct rlimit limits = { soft, soft + 1 };

	(void)setrlimit((__rlimit_resource_t)what, &limits);
}

static _Noreturn void be_child(const char *const *argv, bool finds_leaks, int out, int err)
{
	int argc = 0, exit_code;

	(void)setpgid(0, 0); /* whoever it starts ends with it */
	(void)dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	limit(RLIMIT_CPU, CHILD_CPU_S);
	limit(RLIMIT_FSIZE, CHILD_FILE_BYTES);
	limit(RLIMIT_CORE, 0);
	while (argv[argc])
		argc++;
	exit_code = kmemtape_main(argc, (char **)argv);
	if (finds_leaks && __lsan_do_recoverable_leak_check &&
	    __lsan_do_recoverable_leak_check() != 0)
		_exit(SANITIZER_EXIT);
	exit(exit_code);
}

static char *read_all(int fd, size_t *ret_bytes)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);

	MUST(size >= 0 && text && pread(fd, text, (size_t)size, 0) == (ssize_t)size);
	text[size] = '\0';
	*ret_bytes = (size_t)size;
	(void)close(fd);
	return text;
}

static const char *judge(int status, bool is_late, const struct outcome *outcome)
{
	if (is_late)
		return "waits for something for ever";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return "takes more than 5 s";
	if (WIFSIGNALED(status))
		return strsignal(WTERMSIG(status));
	if (WEXITSTATUS(status) == SANITIZER_EXIT)
		return "the sanitizers complain";
	if (outcome->rss_kib > CHILD_RSS_KIB)
		return "takes more than 256 MiB";
	return NULL;
}

void child_run(const char *const *argv, bool finds_leaks, struct outcome *ret_outcome)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	struct pollfd pidfd = { .events = POLLIN };
	bool is_late = false;
	struct rusage usage;
	int status, r;
	pid_t pid;

	MUST(out >= 0 && err >= 0);
	(void)fflush(NULL);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0)
		be_child(argv, finds_leaks, out, err);
	pidfd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	MUST(pidfd.fd >= 0);
	while ((r = poll(&pidfd, 1, CHILD_WAIT_MS)) < 0)
		MUST(errno == EINTR);
	is_late = r == 0;
	if (is_late && kill(-pid, SIGKILL) < 0)
		(void)kill(pid, SIGKILL);
	MUST(wait4(pid, &status, 0, &usage) == pid);
	(void)close(pidfd.fd);
	*ret_outcome = (struct outcome){
		.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		.rss_kib = usage.ru_maxrss,
		.cpu_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
			  (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000,
	};
	ret_outcome->out = read_all(out, &ret_outcome->out_bytes);
	ret_outcome->err = read_all(err, &ret_outcome->err_bytes);
	ret_outcome->problem = judge(status, is_late, ret_outcome);
}

void outcome_deinit(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
	*outcome = (struct outcome){ 0 };
}
