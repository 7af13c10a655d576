// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/progress.h"
#include "kmemtape/tui.h"

#include "look.h"

#define ALMOST_DONE 99 /* percent: what is left then shows in its result */

struct kmt_look {
	struct kmt_tui *tui;
	const struct kmt_operand *operand;
	struct kmt_tape *tape; /* NULL: not read yet */
	const struct kmt_replay_options *options;
	kmt_look_check_fn *check;
	struct kmt_progress progress;
	atomic_ullong bytes; /* of which that is */
};

int kmt_look_check(const struct kmt_command *command)
{
	if (!isatty(STDOUT_FILENO))
		return kmt_complain(command, KMT_EXIT_USAGE,
				    "--tui: standard output is not a terminal: leave --tui away "
				    "for the report as text");
	if (!isatty(STDIN_FILENO))
		return kmt_complain(command, KMT_EXIT_USAGE,
				    "--tui: standard input is not a terminal: keys come from it");
	return KMT_EXIT_DONE;
}

int kmt_look_new(const char *path, bool is_utf8, struct kmt_sandbox *sandbox,
		 struct kmt_look **ret_look, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_look_freep) struct kmt_look *look = calloc(1, sizeof(*look));
	int r;

	if (!look)
		return kmt_fail(err, -ENOMEM, "--tui: out of memory");
	r = kmt_tui_new(path, is_utf8, &look->tui, err);
	if (r < 0)
		return r;
	sandbox->has_terminal = true;
	*ret_look = KMT_STEAL(look);
	return 0;
}

struct kmt_look *kmt_look_free(struct kmt_look *look)
{
	if (!look)
		return NULL;
	(void)kmt_tui_free(look->tui);
	(void)kmt_tape_free(look->tape);
	free(look);
	return NULL;
}

/* A trace.dat may take as long as its first report. */
static int load(struct kmt_look *look, struct kmt_err *err)
{
	int r = kmt_operand_load(look->operand, &look->tape, err);

	if (r < 0)
		return r;
	kmt_tape_set_progress(look->tape, &look->progress);
	atomic_store(&look->bytes, kmt_tape_cpu_bytes(look->tape));
	return 0;
}

/* By address, which is exact, whatever the function is called. */
static int read_report(void *context, const struct kmt_tui_request *request,
		       struct kmt_result **ret_result, struct kmt_err *err)
{
	struct kmt_look *look = context;
	struct kmt_replay_options options = *look->options;
	char site[32];
	int r = look->tape ? 0 : load(look, err);

	atomic_store(&look->progress.bytes, 0);
	options.group = request->group;
	if (request->row) {
		(void)snprintf(site, sizeof(site), "0x%" PRIx64, request->row->call_site);
		options.explain = site;
	}
	if (r == 0)
		r = look->check(look->tape, &options, err);
	return r < 0 ? r : kmt_replay(look->tape, &options, ret_result, err);
}

static unsigned int percent_read(void *context)
{
	struct kmt_look *look = context;
	double bytes = (double)atomic_load(&look->progress.bytes);
	double all = (double)atomic_load(&look->bytes);
	double percent = all > 0 ? 100 * bytes / all : 0;

	return percent < ALMOST_DONE ? (unsigned int)percent : ALMOST_DONE;
}

/* The terminal is ours no longer; what is still read is left alone. */
static _Noreturn void end(int by_signal, int code)
{
	if (by_signal) {
		(void)signal(by_signal, SIG_DFL);
		(void)raise(by_signal);
	}
	_exit(code);
}

int kmt_look_run(struct kmt_look **look, struct kmt_operand *operand,
		 const struct kmt_replay_options *options, kmt_look_check_fn *check,
		 int (*exit_code)(const struct kmt_verdict *verdict), struct kmt_err *err)
{
	struct kmt_tui_source source = { *look, read_report, percent_read };
	const struct kmt_verdict *verdict;
	int by_signal, code = KMT_EXIT_DONE, r;
	struct stat st;

	operand->progress = &(*look)->progress;
	(*look)->operand = operand;
	(*look)->options = options;
	(*look)->check = check;
	if (stat(operand->path, &st) == 0)
		atomic_store(&(*look)->bytes, (unsigned long long)st.st_size);
	r = kmt_tui_run((*look)->tui, &source, options->group, &by_signal, err);
	verdict = kmt_tui_verdict((*look)->tui);
	if (verdict)
		code = exit_code(verdict);
	(*look)->tui = kmt_tui_free((*look)->tui);
	if (by_signal || r == KMT_TUI_BUSY)
		end(by_signal, code);
	*look = kmt_look_free(*look);
	return r < 0 ? r : code;
}
