// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lines-process.h"

#define TEXT_BYTES_MAX 4096u
#define TICK_MS	       50 /* in which memory can't grow by much */

const struct kmt_lines_limits kmt_lines_limits = {
	.cpu_s = 300,
	.wall_ms = 0,
	.bytes = UINT64_C(2) << 30,
};

enum question { ASK_OPEN, ASK_FIND, ASK_NOTE };

/* What is sent there, cut behind its texts: one packet. */
struct request {
	uint32_t question;
	uint32_t nr; /* of a note */
	uint64_t offset, size, from_stext;
	uint32_t is_of_module;
	char texts[TEXT_BYTES_MAX]; /* zero-terminated, one behind the other */
};

/* What comes back: another one. */
struct reply {
	int32_t code;
	uint32_t has_text;
	char text[TEXT_BYTES_MAX];
};

#define REQUEST_HEAD offsetof(struct request, texts)
#define REPLY_HEAD   offsetof(struct reply, text)

struct kmt_lines_process {
	struct kmt_lines_source source;
	struct kmt_lines_limits limits;
	pid_t pid; /* 0: it has ended */
	int fd;
	int statm_fd; /* -1: there is no /proc */
	struct reply reply;
	bool is_end_told;
	char end[KMT_ERR_BYTES]; /* why there are no more lines; "" there are */
};

/* In the process: reading requests, until there are no more. */

/* Return: the next of the texts, or NULL if they aren't terminated. */
static const char *next_text(const struct request *request, size_t bytes, size_t *at)
{
	const char *text = request->texts + *at;
	size_t left = bytes - REQUEST_HEAD - *at;
	size_t length = strnlen(text, left);

	if (length == left)
		return NULL;
	*at += length + 1;
	return text;
}

static void set_text(struct reply *reply, const char *text)
{
	reply->has_text = text != NULL;
	(void)snprintf(reply->text, sizeof(reply->text), "%s", text ? text : "");
}

static void answer(struct kmt_lines_source *source, const struct request *request, size_t bytes,
		   struct reply *reply)
{
	size_t at = 0;
	const char *first = next_text(request, bytes, &at),
		   *second = next_text(request, bytes, &at);
	const char *third = next_text(request, bytes, &at), *text = NULL;
	struct kmt_lines_place place = { .module = request->is_of_module ? first : NULL,
					 .build_id = second,
					 .function = third,
					 .offset = request->offset,
					 .size = request->size,
					 .from_stext = request->from_stext };
	struct kmt_err err = { "" };

	*reply = (struct reply){ .code = -EBADMSG };
	if (request->question == ASK_OPEN) {
		reply->code = source->open(source, first, second, &err);
		set_text(reply, reply->code < 0 ? err.text : NULL);
	} else if (request->question == ASK_FIND) {
		reply->code = source->find(source, &place, &text);
		set_text(reply, text);
	} else {
		reply->code = 0;
		set_text(reply, source->note(source, request->nr));
	}
}

static void limit(int resource, uint64_t value)
{
	struct rlimit old, new = { value, value };

	if (getrlimit(resource, &old) == 0 && old.rlim_max < new.rlim_max)
		new.rlim_max = new.rlim_cur = old.rlim_max;
	(void)setrlimit(resource, &new);
}

static void enter_limits(const struct kmt_lines_limits *limits)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, limits->cpu_s);
#ifndef __SANITIZE_ADDRESS__		     /* takes 16 TiB of addresses for itself */
	limit(RLIMIT_AS, limits->bytes * 8); /* files are mapped: what they take is not counted */
#endif
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* The report's output is closed when the report is written. */
static void leave_terminal(void)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		(void)dup2(fd, STDIN_FILENO);
		(void)dup2(fd, STDOUT_FILENO);
	}
}

static _Noreturn void serve(struct kmt_lines_source *source, int fd)
{
	static struct request request;
	static struct reply reply;
	ssize_t bytes;

	while ((bytes = read(fd, &request, sizeof(request))) > (ssize_t)REQUEST_HEAD) {
		answer(source, &request, (size_t)bytes, &reply);
		if (write(fd, &reply, REPLY_HEAD + strlen(reply.text) + 1) < 0)
			break;
	}
	_exit(0);
}

/* On this side: asking. */

static void say_end(struct kmt_lines_process *process, const char *how)
{
	if (!process->end[0])
		(void)snprintf(process->end, sizeof(process->end),
			       "no more source lines: the process that reads debug information %s",
			       how);
}

/* It has ended, or it does now: nothing in it is worth waiting for. */
static void end(struct kmt_lines_process *process)
{
	char text[128];
	int status;

	if (!process->pid)
		return;
	(void)kill(process->pid, SIGKILL); /* of one that has ended, the status stays */
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	process->pid = 0;
	(void)snprintf(text, sizeof(text), "ended by signal %d (%s)", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	say_end(process, WIFSIGNALED(status) ? text : "ended");
}

static void end_for(struct kmt_lines_process *process, const char *why)
{
	say_end(process, why);
	end(process);
}

/* "size resident shared ...", in pages; what is mapped from files is shared. */
static bool is_over_memory(const struct kmt_lines_process *process)
{
	unsigned long long size, resident, shared;
	char text[128];
	ssize_t bytes;

	if (process->statm_fd < 0)
		return false;
	bytes = pread(process->statm_fd, text, sizeof(text) - 1, 0);
	if (bytes <= 0)
		return false;
	text[bytes] = '\0';
	if (sscanf(text, "%llu %llu %llu", &size, &resident, &shared) != 3 || shared > resident)
		return false;
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE) > process->limits.bytes;
}

/* Return: if it answered. */
static bool await(struct kmt_lines_process *process)
{
	struct pollfd wait = { .fd = process->fd, .events = POLLIN };
	unsigned int waited_ms = 0;
	int r;

	while ((r = poll(&wait, 1, TICK_MS)) <= 0) {
		if (r < 0 && errno != EINTR) {
			end(process);
			return false;
		}
		if (is_over_memory(process)) {
			end_for(process, "took too much memory, and was ended");
			return false;
		}
		waited_ms += TICK_MS;
		if (process->limits.wall_ms && waited_ms >= process->limits.wall_ms) {
			end_for(process, "did not answer, and was ended");
			return false;
		}
	}
	return true;
}

/* Return: true with @process->reply; false: it has ended. */
static bool ask(struct kmt_lines_process *process, const struct request *request, size_t bytes)
{
	struct reply *reply = &process->reply;
	ssize_t got = -1;

	if (!process->pid)
		return false;
	if (send(process->fd, request, REQUEST_HEAD + bytes, MSG_NOSIGNAL) > 0) {
		if (!await(process))
			return false;
		got = read(process->fd, reply, sizeof(*reply));
	}
	if (got > (ssize_t)REPLY_HEAD && reply->text[(size_t)got - REPLY_HEAD - 1] == '\0')
		return true;
	end(process);
	return false;
}

/* Return: the room that is taken; 0 if a text is too long. */
static size_t put_texts(struct request *request, const char *first, const char *second,
			const char *third)
{
	int bytes = snprintf(request->texts, sizeof(request->texts), "%s%c%s%c%s",
			     first ? first : "", 0, second ? second : "", 0, third ? third : "");

	return bytes >= (int)sizeof(request->texts) ? 0 : (size_t)bytes + 1;
}

static struct kmt_lines_process *process_of(struct kmt_lines_source *source)
{
	return (struct kmt_lines_process *)source;
}

static int open_lines(struct kmt_lines_source *source, const char *kernel, const char *build_id,
		      struct kmt_err *err)
{
	struct kmt_lines_process *process = process_of(source);
	struct request request = { .question = ASK_OPEN };
	size_t bytes = put_texts(&request, kernel, build_id, NULL);

	if (bytes == 0)
		return kmt_fail(err, -EINVAL, "the kernel's release is too long");
	if (!ask(process, &request, bytes))
		return 0; /* a note will say it */
	return process->reply.code < 0
		       ? kmt_fail(err, process->reply.code, "%s", process->reply.text)
		       : 0;
}

static int find(struct kmt_lines_source *source, const struct kmt_lines_place *place,
		const char **ret_text)
{
	struct kmt_lines_process *process = process_of(source);
	struct request request = { .question = ASK_FIND,
				   .offset = place->offset,
				   .size = place->size,
				   .from_stext = place->from_stext,
				   .is_of_module = place->module != NULL };
	size_t bytes = put_texts(&request, place->module, place->build_id, place->function);

	*ret_text = NULL;
	if (bytes == 0 || !ask(process, &request, bytes))
		return 0;
	if (process->reply.code < 0)
		end_for(process, "ran out of memory");
	else if (process->reply.has_text)
		*ret_text = process->reply.text;
	return *ret_text != NULL;
}

/* What the process says; and when it has ended, once, that. */
static const char *note(struct kmt_lines_source *source, size_t nr)
{
	struct kmt_lines_process *process = process_of(source);
	struct request request = { .question = ASK_NOTE, .nr = (uint32_t)nr };

	if (ask(process, &request, put_texts(&request, NULL, NULL, NULL)))
		return process->reply.has_text ? process->reply.text : NULL;
	if (process->is_end_told)
		return NULL;
	process->is_end_told = true;
	return process->end;
}

static int fork_process(struct kmt_lines_process *process, struct kmt_lines_source *source,
			struct kmt_err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return kmt_fail(err, -errno, "socketpair: %s", strerror(errno));
	process->fd = fds[0];
	process->pid = fork();
	if (process->pid == 0) {
		(void)close(fds[0]);
		leave_terminal();
		enter_limits(&process->limits);
		serve(source, fds[1]);
	}
	(void)close(fds[1]);
	if (process->pid > 0)
		return 0;
	process->pid = 0;
	return kmt_fail(err, -errno, "fork: %s", strerror(errno));
}

int kmt_lines_process_start(struct kmt_lines_source *source, const struct kmt_lines_limits *limits,
			    struct kmt_lines_process **ret_process, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_lines_process_freep)
	struct kmt_lines_process *process = calloc(1, sizeof(*process));
	char path[64];
	int r;

	if (!process)
		return kmt_fail(err, -ENOMEM, "out of memory");
	process->source = (struct kmt_lines_source){ open_lines, find, note };
	process->limits = *limits;
	process->fd = process->statm_fd = -1;
	r = fork_process(process, source, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)process->pid);
	process->statm_fd = open(path, O_RDONLY | O_CLOEXEC);
	*ret_process = KMT_STEAL(process);
	return 0;
}

struct kmt_lines_process *kmt_lines_process_free(struct kmt_lines_process *process)
{
	if (!process)
		return NULL;
	end(process);
	kmt_close_fd(&process->fd);
	kmt_close_fd(&process->statm_fd);
	free(process);
	return NULL;
}

struct kmt_lines_source *kmt_lines_process_source(struct kmt_lines_process *process)
{
	return &process->source;
}

pid_t kmt_lines_process_pid(const struct kmt_lines_process *process)
{
	return process->pid;
}
