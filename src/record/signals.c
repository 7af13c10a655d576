// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "signals.h"

static void fill_set(sigset_t *set)
{
	struct sigaction hup;

	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT); /* even if ignored: a script's `record & ... kill -INT` */
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGQUIT);
	(void)sigaddset(set, SIGCHLD);
	if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
		(void)sigaddset(set, SIGHUP); /* else it is nohup */
}

int kmt_signals_take(struct kmt_signals *ret_signals, struct kmt_err *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	fill_set(&set);
	ret_signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ret_signals->fd < 0)
		return kmt_fail(err, -errno, "signalfd: %s", strerror(errno));
	/* A closed stderr or a file size limit must come back as an error. */
	(void)sigaction(SIGPIPE, &ignore, &ret_signals->old_pipe);
	(void)sigaction(SIGXFSZ, &ignore, &ret_signals->old_file_size);
	(void)sigprocmask(SIG_BLOCK, &set, &ret_signals->old_mask);
	return 0;
}

void kmt_signals_give_back(struct kmt_signals *signals)
{
	if (signals->fd < 0)
		return;
	(void)kmt_signals_read(signals);
	kmt_close_fd(&signals->fd);
	(void)sigaction(SIGPIPE, &signals->old_pipe, NULL);
	(void)sigaction(SIGXFSZ, &signals->old_file_size, NULL);
	(void)sigprocmask(SIG_SETMASK, &signals->old_mask, NULL);
}

unsigned int kmt_signals_read(struct kmt_signals *signals)
{
	struct signalfd_siginfo info;
	unsigned int bits = 0;

	while (read(signals->fd, &info, sizeof(info)) == sizeof(info)) {
		bits |= info.ssi_signo == SIGCHLD ? KMT_SIGNALS_CHILD : KMT_SIGNALS_STOP;
		if (info.ssi_signo == SIGINT || info.ssi_signo == SIGQUIT)
			bits |= KMT_SIGNALS_INTERRUPT;
	}
	return bits;
}
