// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "kmemtape/tui.h"

#include "job.h"
#include "keys.h"
#include "screen.h"
#include "terminal.h"

#define TICK_MS 50 /* while a tape is read: the clock goes on, and the end is seen */

struct kmt_tui {
	struct kmt_terminal *terminal;
	struct kmt_screen screen;
	struct kmt_job job;
	int signal_fd;
	sigset_t signals, old_signals;
	bool is_blocking; /* signals come by signal_fd alone */
	int ended_by;	  /* signal */
};

static const int watched[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };

static int fit(struct kmt_tui *tui)
{
	int nr_rows, nr_columns;

	kmt_terminal_measure(tui->terminal, &nr_rows, &nr_columns);
	return kmt_screen_resize(&tui->screen, nr_rows, nr_columns);
}

static void show(struct kmt_tui *tui, struct kmt_reading reading)
{
	kmt_screen_draw(&tui->screen, reading);
	kmt_terminal_show(tui->terminal, &tui->screen.canvas);
}

int kmt_tui_new(const char *path, bool is_utf8, struct kmt_tui **ret_tui, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_tui_freep) struct kmt_tui *tui = calloc(1, sizeof(*tui));
	int r;

	if (!tui)
		return kmt_fail(err, -ENOMEM, "--tui: out of memory");
	tui->signal_fd = -1;
	(void)sigemptyset(&tui->signals);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		(void)sigaddset(&tui->signals, watched[i]);
	tui->signal_fd = signalfd(-1, &tui->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (tui->signal_fd < 0)
		return kmt_fail(err, -errno, "--tui: signalfd: %s", strerror(errno));
	kmt_screen_init(&tui->screen, path, is_utf8);
	r = kmt_terminal_open(&tui->terminal, err);
	if (r < 0)
		return r;
	r = fit(tui);
	if (r < 0)
		return kmt_fail(err, r, "--tui: %s", strerror(-r));
	show(tui, (struct kmt_reading){ 0 }); /* a trace.dat is read before the first report is */
	*ret_tui = KMT_STEAL(tui);
	return 0;
}

struct kmt_tui *kmt_tui_free(struct kmt_tui *tui)
{
	if (!tui)
		return NULL;
	(void)kmt_terminal_free(tui->terminal);
	if (tui->is_blocking)
		(void)sigprocmask(SIG_SETMASK, &tui->old_signals, NULL);
	if (tui->signal_fd >= 0)
		(void)close(tui->signal_fd);
	if (tui->job.is_running) /* it may be looking at them, and at the job */
		return NULL;
	kmt_screen_deinit(&tui->screen);
	free(tui);
	return NULL;
}

/* Until somebody lets us go on. */
static void stop(struct kmt_tui *tui)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, old;
	sigset_t stopping;

	kmt_terminal_leave(tui->terminal);
	(void)sigemptyset(&stopping);
	(void)sigaddset(&stopping, SIGTSTP);
	(void)sigaction(SIGTSTP, &action, &old);
	(void)raise(SIGTSTP);
	(void)sigprocmask(SIG_UNBLOCK, &stopping, NULL);
	(void)sigprocmask(SIG_BLOCK, &stopping, NULL);
	(void)sigaction(SIGTSTP, &old, NULL);
}

static int take_signal(struct kmt_tui *tui, int signal)
{
	switch (signal) {
	case SIGTSTP:
		stop(tui);
		kmt_terminal_return(tui->terminal);
		return fit(tui);
	case SIGCONT:
		kmt_terminal_return(tui->terminal);
		return fit(tui);
	case SIGWINCH:
		kmt_terminal_redraw(tui->terminal);
		return fit(tui);
	default:
		tui->ended_by = signal;
		return 0;
	}
}

static int take_signals(struct kmt_tui *tui)
{
	struct signalfd_siginfo info;
	int r = 0;

	while (r == 0 && read(tui->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		r = take_signal(tui, (int)info.ssi_signo);
	return r;
}

static int take_keys(struct kmt_tui *tui)
{
	int key, r = 0;

	while (r == 0 && !tui->screen.is_over && (key = kmt_terminal_key(tui->terminal)) >= 0) {
		if (kmt_key_action(key) == KMT_ACTION_REDRAW)
			kmt_terminal_redraw(tui->terminal);
		r = kmt_screen_press(&tui->screen, key);
	}
	return r;
}

/* Return: what was read; NULL: it failed. */
static struct kmt_result *end_job(struct kmt_tui *tui)
{
	struct kmt_result *result = NULL;

	return kmt_job_end(&tui->job, &result) == 0 ? result : NULL;
}

/* Start what is wanted, hand over what is there. */
static int tend_job(struct kmt_tui *tui, const struct kmt_tui_source *source)
{
	struct kmt_tui_request request;
	int r = 0;

	if (kmt_job_is_done(&tui->job))
		r = kmt_screen_take(&tui->screen, &tui->job.request, end_job(tui),
				    tui->job.err.text);
	if (r == 0 && !tui->job.is_running && kmt_screen_wants(&tui->screen, &request)) {
		r = kmt_job_start(&tui->job, source, &request);
		if (r < 0)
			r = kmt_screen_take(&tui->screen, &request, NULL,
					    "no thread can be made to read the tape");
	}
	return r;
}

static int wait_for_something(struct kmt_tui *tui)
{
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 }, { tui->signal_fd, POLLIN, 0 } };
	int r = 0;

	if (poll(fds, 2, tui->job.is_running ? TICK_MS : -1) < 0 && errno != EINTR)
		return -errno;
	if (fds[1].revents & POLLIN)
		r = take_signals(tui);
	if (r == 0 && fds[0].revents & POLLIN)
		r = take_keys(tui);
	else if (fds[0].revents) /* the terminal is gone */
		tui->screen.is_over = true;
	return r;
}

static int go_on(struct kmt_tui *tui, const struct kmt_tui_source *source)
{
	struct kmt_reading reading = { 0 };
	int r = tend_job(tui, source);

	if (r < 0 || tui->screen.is_over)
		return r;
	if (tui->job.is_running)
		reading = (struct kmt_reading){ kmt_job_age_ns(&tui->job),
						source->percent(source->context) };
	show(tui, reading);
	return wait_for_something(tui);
}

int kmt_tui_run(struct kmt_tui *tui, const struct kmt_tui_source *source, enum kmt_group first,
		int *ret_signal, struct kmt_err *err)
{
	int r;

	(void)sigprocmask(SIG_BLOCK, &tui->signals, &tui->old_signals);
	tui->is_blocking = true;
	kmt_screen_want(&tui->screen, first);
	r = fit(tui);
	while (r == 0 && !tui->screen.is_over && !tui->ended_by)
		r = go_on(tui, source);
	*ret_signal = tui->ended_by;
	if (r < 0 && tui->job.is_running) /* the caller will take away what it reads */
		(void)kmt_result_free(end_job(tui));
	if (r < 0)
		return kmt_fail(err, r, "--tui: %s", strerror(-r));
	if (tui->screen.failed[0])
		return kmt_fail(err, -EIO, "%s", tui->screen.failed);
	return tui->job.is_running ? KMT_TUI_BUSY : KMT_TUI_DONE;
}

const struct kmt_verdict *kmt_tui_verdict(const struct kmt_tui *tui)
{
	return tui->screen.base ? &tui->screen.base->verdict : NULL;
}
