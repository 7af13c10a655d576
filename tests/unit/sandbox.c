// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../../src/cli/landlock.h"
#include "../../src/cli/sandbox.h"
#include "../../src/cli/syscalls.h"
#include "dir.h"

/* What a process in the sandbox is to try. Return: 0 done, else what errno was. */
typedef int attempt_fn(void);

/* Its leak check wants some calls that are otherwise denied. */
#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

#define ATTEMPT(call) ((call) < 0 ? errno : 0)

static int attempt_open(const char *path, int flags)
{
	return ATTEMPT(open(path, flags | O_CLOEXEC, 0600));
}

static int read_tape(void)
{
	return attempt_open("in/file", O_RDONLY);
}

static int read_passwd(void)
{
	return attempt_open("/etc/passwd", O_RDONLY);
}

static int read_by_link(void)
{
	return attempt_open("in/link", O_RDONLY);
}

static int list_root(void)
{
	return attempt_open("/", O_RDONLY | O_DIRECTORY);
}

static int write_tape(void)
{
	return attempt_open("in/file", O_WRONLY);
}

static int truncate_tape(void)
{
	return attempt_open("in/file", O_RDONLY | O_TRUNC);
}

static int create_beside_tape(void)
{
	return attempt_open("in/new", O_WRONLY | O_CREAT);
}

static int create_in_tmp(void)
{
	return attempt_open("/tmp", O_TMPFILE | O_WRONLY);
}

static int create_output(void)
{
	return attempt_open("out/new", O_WRONLY | O_CREAT | O_EXCL);
}

static int move_output(void)
{
	return ATTEMPT(rename("out/old", "out/moved"));
}

static int move_tape(void)
{
	return ATTEMPT(rename("in/file", "in/moved"));
}

static int link_tape(void)
{
	return ATTEMPT(symlink("/etc/passwd", "out/link"));
}

static int make_fifo(void)
{
	return ATTEMPT(mkfifo("out/fifo", 0600));
}

static int remove_tape(void)
{
	return ATTEMPT(unlink("in/file"));
}

static int execute(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	return ATTEMPT(execv("/bin/true", argv));
}

static int make_process(void)
{
	return ATTEMPT((int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int make_namespace(void)
{
	return ATTEMPT(unshare(CLONE_NEWUSER));
}

static int open_socket(void)
{
	return ATTEMPT(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_local_socket(void)
{
	return ATTEMPT(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int signal_parent(void)
{
	return ATTEMPT(kill(getppid(), 0));
}

static int trace_parent(void)
{
	return ATTEMPT((int)syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, getppid(), 0, 0));
}

static int read_parent(void)
{
	return ATTEMPT((int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int mount_something(void)
{
	return ATTEMPT(mount("none", "out", "tmpfs", 0, NULL));
}

static int load_bpf(void)
{
	return ATTEMPT((int)syscall(SYS_bpf, 0, NULL, 0));
}

static int open_perf(void)
{
	return ATTEMPT((int)syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
}

static int set_up_io_uring(void)
{
	return ATTEMPT((int)syscall(SYS_io_uring_setup, 1, NULL));
}

static int add_key(void)
{
	return ATTEMPT((int)syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int load_module(void)
{
	return ATTEMPT((int)syscall(SYS_finit_module, -1, "", 0));
}

static int load_kernel(void)
{
	return ATTEMPT((int)syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

static int change_personality(void)
{
	return ATTEMPT((int)syscall(SYS_personality, 0));
}

static int change_user(void)
{
	return ATTEMPT((int)syscall(SYS_setuid, 1));
}

static void *do_nothing(void *context)
{
	return context;
}

static int start_thread(void)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, do_nothing, NULL);

	return r ? r : pthread_join(thread, NULL);
}

struct place {
	struct dir dir;
	char in[128], out[128];
	struct kmt_sandbox sandbox;
};

static void touch(const struct dir *dir, const char *path)
{
	KMT_CLEANUP(kmt_close_fd) int fd = openat(dir->fd, path, O_WRONLY | O_CREAT, 0644);

	CHECK(fd >= 0);
}

static void enter_place(struct place *place)
{
	*place = (struct place){ .dir = enter_dir() };
	CHECK(chdir(place->dir.path) == 0);
	CHECK(mkdir("in", 0755) == 0 && mkdir("out", 0755) == 0);
	CHECK(symlink("/etc/passwd", "in/link") == 0);
	touch(&place->dir, "in/file");
	touch(&place->dir, "out/old");
	(void)snprintf(place->in, sizeof(place->in), "%s/in", place->dir.path);
	(void)snprintf(place->out, sizeof(place->out), "%s/out", place->dir.path);
	kmt_sandbox_read(&place->sandbox, place->in);
	kmt_sandbox_write(&place->sandbox, place->out);
}

static void leave_place(struct place *place)
{
	(void)!chdir("/");
	leave_dir(&place->dir);
}

/* In a process that is in the sandbox. Return: what it returned. */
static int try_in(const struct kmt_sandbox *sandbox, attempt_fn *attempt)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(kmt_sandbox_enter(sandbox, NULL) < 0 ? 255 : attempt());
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) != 255);
	return WEXITSTATUS(status);
}

#define ALLOWED(place, attempt) CHECK_EQ(try_in(&(place).sandbox, attempt), 0)

#define DENIED(place, attempt, code) CHECK_EQ(try_in(&(place).sandbox, attempt), code)

static void need_landlock(void)
{
	if (kmt_landlock_abi() < 3)
		skip();
}

static void need_seccomp(void)
{
	if (!kmt_syscalls_can_restrict())
		skip();
}

TEST(the_tape_can_be_read_and_nothing_else)
{
	KMT_CLEANUP(leave_place) struct place place;

	need_landlock();
	enter_place(&place);
	CHECK_EQ(read_passwd() | read_by_link() | list_root(), 0);
	ALLOWED(place, read_tape);
	DENIED(place, read_passwd, EACCES);
	DENIED(place, read_by_link, EACCES);
	DENIED(place, list_root, EACCES);
}

TEST(the_output_can_be_written_and_nothing_else)
{
	KMT_CLEANUP(leave_place) struct place place;

	need_landlock();
	enter_place(&place);
	ALLOWED(place, create_output);
	ALLOWED(place, move_output);
	DENIED(place, write_tape, EACCES);
	DENIED(place, truncate_tape, EACCES);
	DENIED(place, create_beside_tape, EACCES);
	DENIED(place, create_in_tmp, EACCES);
	DENIED(place, move_tape, EACCES);
	DENIED(place, remove_tape, EACCES);
	CHECK_EQ(write_tape() | truncate_tape() | create_beside_tape() | create_in_tmp(), 0);
	CHECK_EQ(move_tape(), 0);
}

TEST(links_and_fifos_are_not_made)
{
	KMT_CLEANUP(leave_place) struct place place;

	need_landlock();
	enter_place(&place);
	CHECK(try_in(&place.sandbox, link_tape) != 0);
	CHECK(try_in(&place.sandbox, make_fifo) != 0);
	CHECK_EQ(link_tape() | make_fifo(), 0);
}

TEST(without_an_output_the_calls_that_write_are_gone)
{
	KMT_CLEANUP(leave_place) struct place place;

	need_seccomp();
	enter_place(&place);
	place.sandbox.nr_writes = 0;
	DENIED(place, move_output, ENOSYS);
	DENIED(place, remove_tape, ENOSYS);
}

TEST(nothing_is_executed_and_no_process_made)
{
	KMT_CLEANUP(leave_place) struct place place;

	need_seccomp();
	enter_place(&place);
	DENIED(place, execute, ENOSYS);
	DENIED(place, make_namespace, ENOSYS);
	if (!IS_SANITIZED)
		DENIED(place, make_process, ENOSYS);
	ALLOWED(place, start_thread);
}

TEST(there_is_no_network)
{
	KMT_CLEANUP(leave_place) struct place place;

	need_seccomp();
	enter_place(&place);
	DENIED(place, open_socket, ENOSYS);
	DENIED(place, open_local_socket, ENOSYS);
	place.sandbox.has_network = true;
	ALLOWED(place, open_socket);
}

static struct sockaddr_in listener_address;

static int connect_to_listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return ATTEMPT(connect(fd, (struct sockaddr *)&listener_address, sizeof(listener_address)));
}

TEST(landlock_alone_lets_nobody_connect)
{
	KMT_CLEANUP(kmt_close_fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	KMT_CLEANUP(leave_place) struct place place;
	socklen_t length = sizeof(listener_address);
	int status;
	pid_t pid;

	if (kmt_landlock_abi() < 4)
		skip();
	enter_place(&place);
	listener_address = (struct sockaddr_in){ .sin_family = AF_INET,
						 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CHECK(bind(fd, (struct sockaddr *)&listener_address, length) == 0 && listen(fd, 5) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&listener_address, &length) == 0);
	CHECK_EQ(connect_to_listener(), 0);
	pid = fork();
	if (pid == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
				      kmt_landlock_enter(&place.sandbox, NULL) < 0
			      ? 255
			      : connect_to_listener());
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), EACCES);
}

TEST(no_other_process_is_touched)
{
	KMT_CLEANUP(leave_place) struct place place;

	need_seccomp();
	enter_place(&place);
	if (!IS_SANITIZED) {
		DENIED(place, signal_parent, ENOSYS);
		DENIED(place, trace_parent, ENOSYS);
		DENIED(place, read_parent, ENOSYS);
	}
	CHECK(try_in(&place.sandbox, trace_parent) != 0);
}

TEST(the_kernel_is_left_alone)
{
	static attempt_fn *const attempts[] = { mount_something, load_bpf,    open_perf,
						set_up_io_uring, add_key,     load_module,
						load_kernel,	 change_user, change_personality };
	KMT_CLEANUP(leave_place) struct place place;

	need_seccomp();
	enter_place(&place);
	place.sandbox.has_network = true; /* this gives none of them, either */
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		DENIED(place, attempts[i], ENOSYS);
}

TEST(a_child_may_be_ended_and_no_other)
{
	KMT_CLEANUP(leave_place) struct place place;
	pid_t child = fork(), pid;
	int status;

	CHECK(child >= 0);
	if (child == 0) {
		pause();
		_exit(0);
	}
	enter_place(&place);
	place.sandbox.child = child;
	pid = fork();
	if (pid == 0)
		_exit(kmt_sandbox_enter(&place.sandbox, NULL) < 0 || kill(child, SIGKILL) < 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(WTERMSIG(status), SIGKILL);
}

/* "Name:\tvalue" of another process. */
static unsigned long long status_of(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	KMT_CLEANUP(kmt_fclosep) FILE *file = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			return strtoull(line + strlen(name) + 1, NULL, base);
	fail_msg("no %s in %s", name, path);
	return 0;
}

TEST(root_is_nobody_in_particular)
{
	KMT_CLEANUP(leave_place) struct place place;
	int ready[2], status;
	char byte = 0;
	pid_t pid;

	enter_place(&place);
	CHECK(pipe2(ready, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		if (kmt_sandbox_enter(&place.sandbox, NULL) == 0)
			(void)!write(ready[1], &byte, 1);
		(void)close(ready[1]);
		for (;;)
			(void)poll(NULL, 0, -1);
	}
	(void)close(ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	CHECK_EQ(status_of(pid, "NoNewPrivs", 10), 1);
	/* CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: to open what belongs to who called sudo */
	CHECK_EQ(status_of(pid, "CapEff", 16) & ~6ull, 0);
	CHECK_EQ(status_of(pid, "CapPrm", 16) & ~6ull, 0);
	CHECK_EQ(status_of(pid, "CapInh", 16), 0);
	CHECK_EQ(status_of(pid, "CapAmb", 16), 0);
	if (kmt_syscalls_can_restrict())
		CHECK_EQ(status_of(pid, "Seccomp", 10), 2);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
}

TEST(what_is_not_there_needs_no_permission)
{
	KMT_CLEANUP(leave_place) struct place place;

	enter_place(&place);
	kmt_sandbox_read(&place.sandbox, "/nowhere/at/all");
	ALLOWED(place, read_tape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(the_tape_can_be_read_and_nothing_else),
		ROW(the_output_can_be_written_and_nothing_else),
		ROW(links_and_fifos_are_not_made),
		ROW(without_an_output_the_calls_that_write_are_gone),
		ROW(nothing_is_executed_and_no_process_made),
		ROW(there_is_no_network),
		ROW(landlock_alone_lets_nobody_connect),
		ROW(no_other_process_is_touched),
		ROW(the_kernel_is_left_alone),
		ROW(a_child_may_be_ended_and_no_other),
		ROW(root_is_nobody_in_particular),
		ROW(what_is_not_there_needs_no_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
