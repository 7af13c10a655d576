// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/fs.h"
#include "kmemtape/tape.h"

#include "operand.h"
#include "output.h"
#include "status.h"
#include "summaries.h"

#define THREADS_MAX                                                                  \
	8 /* several tapes, one after the other, on a machine that does other things \
	   */
#define PEEK_BYTES 512
/* What a tar has here, and no JSON. */
#define TAR_MAGIC  257

struct source {
	struct kmt_operand operand;
	int pipe_fd; /* open before the sandbox: there is no path to open again. -1: a file */
};

static void free_sources(struct source **sources)
{
	free(*sources);
	*sources = NULL;
}

const char *const kmt_summaries_format_words[] = { "text", "json", "html", NULL };
const char *const kmt_summaries_format_helps[] = { "for people, 80 columns", "schema 1, for jq",
						   "a page for a browser" };
const char *const kmt_summaries_group_words[] = { "site", "cache", "module", NULL };

#define FORMAT_JSON 1

uint64_t kmt_summaries_top(int format, uint64_t top)
{
	return top == UINT64_MAX && format == FORMAT_JSON ? 0 : top;
}

int kmt_summaries_check_output(const struct kmt_command *command, char **paths, size_t nr,
			       const char *output)
{
	for (size_t i = 0; i < nr; i++)
		if (kmt_output_is(paths[i], output))
			return kmt_complain(command, KMT_EXIT_FAILED,
					    "%s: would take the place of what is read", output);
	return KMT_EXIT_DONE;
}

unsigned int kmt_summaries_threads(void)
{
	return kmt_operand_threads(THREADS_MAX);
}

static bool is_pipe(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode));
}

static int enter(const struct kmt_command *command, const char *path, struct source *source,
		 struct kmt_err *err)
{
	source->pipe_fd = -1;
	source->operand.path = path;
	if (!is_pipe(path))
		return kmt_operand_enter(command, path, &source->operand, err);
	source->pipe_fd = open(path, O_RDONLY | O_CLOEXEC);
	return source->pipe_fd < 0 ? kmt_fail(err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

enum kind {
	KIND_TAPE, /* or nobody knows */
	KIND_REPORT,
	KIND_TEXT, /* which no tape is */
};

static bool is_text(const char *bytes, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!bytes[i] ||
		    ((unsigned char)bytes[i] < ' ' && !strchr("\t\n\r\f\033", bytes[i])))
			return false;
	return true;
}

/* A file that begins with a brace is a report, unless it is a tar with such a name in it. */
static enum kind kind_of(const char *path)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char bytes[PEEK_BYTES + 1] = "";
	struct stat st;
	ssize_t nr;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return KIND_TAPE;
	nr = read(fd, bytes, PEEK_BYTES);
	if (nr > 0 && bytes[strspn(bytes, " \t\r\n")] == '{' &&
	    (nr < PEEK_BYTES || memcmp(bytes + TAR_MAGIC, "ustar", 5) != 0))
		return KIND_REPORT;
	return nr >= 0 && is_text(bytes, (size_t)nr) ? KIND_TEXT : KIND_TAPE;
}

static int load_report(const struct source *source, struct kmt_summary **ret_summary,
		       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	const char *path = source->operand.path;
	size_t bytes;
	int r;

	if (source->pipe_fd < 0) {
		r = kmt_read_file(AT_FDCWD, path, KMT_SUMMARY_BYTES_MAX, &text, &bytes, err);
	} else {
		r = kmt_read_fd(source->pipe_fd, KMT_SUMMARY_BYTES_MAX, &text, &bytes);
		if (r < 0)
			r = kmt_fail(err, r, "%s: %s", path, strerror(-r));
	}
	return r < 0 ? r : kmt_summary_read(text, bytes, path, ret_summary, err);
}

static int load_tape(const struct kmt_command *command, const struct source *source,
		     const struct kmt_replay_options *replay, struct kmt_summary **ret_summary,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	int r = kmt_operand_load(&source->operand, &tape, err);

	if (r < 0)
		return r;
	kmt_status_watch(command, tape, 1);
	r = kmt_replay(tape, replay, &result, err);
	kmt_status_stop();
	return r < 0 ? r : kmt_summary_of_result(result, ret_summary, err);
}

static int load(const struct kmt_command *command, const struct source *source,
		const struct kmt_replay_options *replay, struct kmt_summary **ret_summary,
		struct kmt_err *err)
{
	enum kind kind = source->pipe_fd >= 0 ? KIND_REPORT : kind_of(source->operand.path);
	int r;

	if (kind == KIND_TEXT)
		return kmt_fail(err, -EBADMSG,
				"%s: neither a tape nor what 'kmemtape replay --format json' wrote "
				"of one",
				source->operand.path);
	r = kind == KIND_REPORT ? load_report(source, ret_summary, err)
				: load_tape(command, source, replay, ret_summary, err);
	if (r == 0 && (*ret_summary)->group != replay->group)
		return kmt_fail(err, -EINVAL,
				"%s: is a report by something else than --by asks for",
				source->operand.path);
	return r;
}

int kmt_summaries_load(const struct kmt_command *command, char **paths, size_t nr,
		       const struct kmt_replay_options *replay, struct kmt_summary **summaries,
		       struct kmt_err *err)
{
	KMT_CLEANUP(free_sources) struct source *sources = calloc(nr, sizeof(*sources));
	struct kmt_sandbox sandbox = { .nr_reads = 0 };
	int r = sources ? 0 : kmt_fail(err, -ENOMEM, "out of memory");

	for (size_t i = 0; i < nr && r == 0; i++) {
		r = enter(command, paths[i], &sources[i], err);
		if (r == 0 && sources[i].pipe_fd < 0)
			kmt_operand_allow(&sources[i].operand, &sandbox);
	}
	if (r == 0)
		r = kmt_sandbox_enter(&sandbox, err);
	for (size_t i = 0; i < nr && r == 0; i++)
		r = load(command, &sources[i], replay, &summaries[i], err);
	return r;
}
