// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds an exact number of kernel objects, so that a recording has a known truth:
 *
 *   hold [--pipes N] [--timerfds N] [--eventfds N] [--filters N] [--rings N] [--aios N]
 *        [--close-after MS] [--for MS] [--ready FILE] [--pipe-every MS]
 *
 * Filters are sockets with a classic BPF program: an area of vmalloc() each, and per-CPU memory.
 * Rings are packet sockets with 4 blocks of 4 pages for what they receive, which is nothing. Aios
 * are contexts of asynchronous I/O: per-CPU memory each.
 *
 * Prints "ready" (and makes FILE) when all are open, "closed" when --close-after has closed them.
 * From then on, with
 * --pipe-every, one more pipe is opened each time, and kept. Ends on SIGTERM, and when stdin ends
 * or, with --for, after that time instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MORE_PIPES_MAX 1000 /* of --pipe-every: beyond, it just waits */

struct options {
	unsigned long nr_pipes, nr_timerfds, nr_eventfds, nr_filters, nr_rings, nr_aios;
	unsigned long close_after_ms, for_ms, pipe_every_ms; /* 0: not given */
	const char *ready;
};

struct held {
	int *fds;
	size_t nr;
	aio_context_t *aios;
	size_t nr_aios;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long parse_number(const char *option, const char *text)
{
	char *end;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;

	if (!text || !*text || *end) {
		fprintf(stderr, "hold: %s needs a number\n", option);
		exit(2);
	}
	return n;
}

static void parse(struct options *options, char **argv)
{
	for (char **arg = argv + 1; *arg; arg += 2) {
		if (strcmp(*arg, "--ready") == 0 && arg[1])
			options->ready = arg[1];
		else if (strcmp(*arg, "--pipes") == 0)
			options->nr_pipes = parse_number(*arg, arg[1]);
		else if (strcmp(*arg, "--timerfds") == 0)
			options->nr_timerfds = parse_number(*arg, arg[1]);
		else if (strcmp(*arg, "--eventfds") == 0)
			options->nr_eventfds = parse_number(*arg, arg[1]);
		else if (strcmp(*arg, "--filters") == 0)
			options->nr_filters = parse_number(*arg, arg[1]);
		else if (strcmp(*arg, "--rings") == 0)
			options->nr_rings = parse_number(*arg, arg[1]);
		else if (strcmp(*arg, "--aios") == 0)
			options->nr_aios = parse_number(*arg, arg[1]);
		else if (strcmp(*arg, "--close-after") == 0)
			options->close_after_ms = parse_number(*arg, arg[1]);
		else if (strcmp(*arg, "--for") == 0)
			options->for_ms = parse_number(*arg, arg[1]);
		else if (strcmp(*arg, "--pipe-every") == 0)
			options->pipe_every_ms = parse_number(*arg, arg[1]);
		else {
			fprintf(stderr, "hold: what is '%s'?\n", *arg);
			exit(2);
		}
	}
}

static void allow_descriptors(size_t nr)
{
	struct rlimit limit = { .rlim_cur = nr + 64, .rlim_max = nr + 64 };
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < limit.rlim_cur) {
		if (limit.rlim_max < now.rlim_max)
			limit.rlim_max = now.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			die("setrlimit");
	}
}

static void hold(struct held *held, int fd)
{
	if (fd < 0)
		die("open");
	held->fds[held->nr++] = fd;
}

static void hold_pipe(struct held *held)
{
	int fds[2] = { -1, -1 };

	if (pipe2(fds, O_CLOEXEC) < 0)
		die("pipe2");
	hold(held, fds[0]);
	hold(held, fds[1]);
}

static void hold_filter(struct held *held)
{
	struct sock_filter accept_all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog program = { .len = 1, .filter = &accept_all };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	hold(held, fd);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		die("SO_ATTACH_FILTER");
}

static void hold_ring(struct held *held)
{
	struct tpacket_req ring = {
		.tp_block_size = 16384, .tp_block_nr = 4, .tp_frame_size = 2048, .tp_frame_nr = 32
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* 0: no protocol, no packets */

	hold(held, fd);
	if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0)
		die("PACKET_RX_RING");
}

static void hold_aio(struct held *held)
{
	if (syscall(SYS_io_setup, 1, &held->aios[held->nr_aios]) < 0)
		die("io_setup");
	held->nr_aios++;
}

static void open_others(struct held *held, const struct options *options)
{
	held->aios = calloc(options->nr_aios ? options->nr_aios : 1, sizeof(held->aios[0]));
	if (!held->aios)
		die("calloc");
	for (unsigned long i = 0; i < options->nr_filters; i++)
		hold_filter(held);
	for (unsigned long i = 0; i < options->nr_rings; i++)
		hold_ring(held);
	for (unsigned long i = 0; i < options->nr_aios; i++)
		hold_aio(held);
}

static void open_all(struct held *held, const struct options *options)
{
	size_t nr = 2 * options->nr_pipes + options->nr_timerfds + options->nr_eventfds +
		    options->nr_filters + options->nr_rings;

	if (options->pipe_every_ms)
		nr += 2 * MORE_PIPES_MAX;
	allow_descriptors(nr);
	held->fds = calloc(nr ? nr : 1, sizeof(held->fds[0]));
	if (!held->fds)
		die("calloc");
	for (unsigned long i = 0; i < options->nr_pipes; i++)
		hold_pipe(held);
	for (unsigned long i = 0; i < options->nr_timerfds; i++)
		hold(held, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	for (unsigned long i = 0; i < options->nr_eventfds; i++)
		hold(held, eventfd(0, EFD_CLOEXEC));
	open_others(held, options);
}

static void close_all(struct held *held)
{
	while (held->nr)
		(void)close(held->fds[--held->nr]);
	while (held->nr_aios)
		(void)syscall(SYS_io_destroy, held->aios[--held->nr_aios]);
}

static void say(const char *line)
{
	puts(line);
	fflush(stdout);
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	(void)close(fd);
}

/* Return: true if it is time to end, false when @timeout_ms is over first. */
static bool wait_for_end(int signal_fd, bool has_stdin, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = has_stdin ? STDIN_FILENO : -1, .events = POLLIN },
	};
	char text[256];

	for (;;) {
		int n = poll(fds, 2, timeout_ms);

		if (n < 0 && errno != EINTR)
			die("poll");
		if (n == 0)
			return false;
		if (n > 0 && fds[0].revents)
			return true;
		if (n > 0 && fds[1].revents && read(STDIN_FILENO, text, sizeof(text)) <= 0)
			return true;
	}
}

/* Return: true if it is time to end, false when there are enough. */
static bool open_more(struct held *held, const struct options *options, int signal_fd)
{
	for (unsigned long i = 1; i <= MORE_PIPES_MAX; i++) {
		if (wait_for_end(signal_fd, !options->for_ms, (int)options->pipe_every_ms))
			return true;
		if (options->for_ms && i * options->pipe_every_ms > options->for_ms)
			return true;
		hold_pipe(held);
	}
	return false;
}

static int open_signals(void)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die("signalfd");
	return fd;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct held held = { 0 };
	bool has_stdin, is_over = false;
	int signal_fd;

	(void)argc;
	parse(&options, argv);
	has_stdin = !options.for_ms;
	signal_fd = open_signals();
	open_all(&held, &options);
	say("ready");
	if (options.ready)
		make_file(options.ready);
	if (options.close_after_ms) {
		is_over = wait_for_end(signal_fd, has_stdin, (int)options.close_after_ms);
		if (!is_over) {
			close_all(&held);
			say("closed");
		}
	}
	if (!is_over && options.pipe_every_ms)
		is_over = open_more(&held, &options, signal_fd);
	if (!is_over)
		(void)wait_for_end(signal_fd, has_stdin, options.for_ms ? (int)options.for_ms : -1);
	free(held.fds);
	free(held.aios);
	return 0;
}
