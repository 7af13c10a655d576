// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/share.h"
#include "kmemtape/units.h"

#include "operand.h"
#include "opt.h"
#include "scratch.h"
#include "status.h"

#define NAME_BYTES_MAX 64 /* of the directory in the tar: ustar has 155 for a path */

static const char *output, *range;
static uint64_t range_from_ns, range_to_ns = UINT64_MAX;
static bool wants_redacted;
static bool wants_distill;
static bool wants_small;

static const struct kmt_opt options[] = {
	{ 0, "range", "FROM..TO", KMT_OPT_TEXT, &range,
	  .help = "only this part of the time, since the recording's\nstart: 10s..5m, ..5m, 10s.." },
	{ 'o', "output", "FILE", KMT_OPT_TEXT, &output,
	  .help = "the tar file: must not exist yet; '-' for stdout" },
	{ 0, "redact", NULL, KMT_OPT_FLAG, &wants_redacted,
	  .help = "without kernel addresses, names of tasks and host" },
	{ 0, "distill", NULL, KMT_OPT_FLAG, &wants_distill,
	  .help = "keep what a leak report needs, instead of the\nevents: well below 1 MB" },
	{ 0, "small", NULL, KMT_OPT_FLAG, &wants_small,
	  .help = "all events in a third of the room; slow to make,\nas fast to replay" },
	KMT_STATUS_OPTION,
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_pack = {
	.name = "pack",
	.summary = "Make one file of a tape, to be sent or attached",
	.usage = "[OPTION...] -o FILE TAPE",
	.notes = "FILE is a tar of the tape, which every command takes in place of the tape.\n",
	.run = run,
};

/* What is done to the tape before it is packed, in this order. */
static int take_range(struct kmt_tape *tape, const char *path, struct kmt_err *err)
{
	return kmt_share_range(tape, path, range_from_ns, range_to_ns, err);
}

/* What was left in is for the user to know, before anybody else does. */
static int take_redacted(struct kmt_tape *tape, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *kept = NULL;
	int r = kmt_share_redact(tape, path, &kept, err);

	kmt_status_stop();
	if (r == 0)
		(void)fputs(kept, stderr);
	return r;
}

struct step {
	const char *name;   /* of its tape, in our directory */
	unsigned int times; /* that it reads all of one */
	int (*run)(struct kmt_tape *tape, const char *path, struct kmt_err *err);
};

/* Each step's product takes the place of @tape, whose name in messages stays. */
static int take_step(const struct step *step, const char *directory, struct kmt_tape **tape,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *made = NULL;
	char path[PATH_MAX + 16];
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, step->name);
	kmt_status_watch(&kmt_command_pack, *tape, step->times);
	r = step->run(*tape, path, err);
	kmt_status_stop();
	if (r == 0)
		r = kmt_tape_open_as(path, (*tape)->path, &made, err);
	if (r < 0)
		return r;
	(void)kmt_tape_free(*tape);
	*tape = KMT_STEAL(made);
	return 0;
}

static int take_steps(const char *directory, struct kmt_tape **tape, struct kmt_err *err)
{
	static const struct step of_range = { "range", 2, take_range };
	static const struct step redacted = { "redacted", 2, take_redacted };
	static const struct step of_books = { "distilled", 1, kmt_share_distill };
	static const struct step of_columns = { "small", 1, kmt_share_small };
	int r = 0;

	if (range)
		r = take_step(&of_range, directory, tape, err);
	if (r == 0 && wants_redacted)
		r = take_step(&redacted, directory, tape, err);
	if (r == 0 && wants_distill)
		r = take_step(&of_books, directory, tape, err);
	if (r == 0 && wants_small)
		r = take_step(&of_columns, directory, tape, err);
	return r;
}

static bool is_stdout(void)
{
	return strcmp(output, "-") == 0;
}

/* "leak.tape" for a FILE of "dir/leak.tar", so that tar(1) makes a tape of that name. */
static void name_tape(char name[NAME_BYTES_MAX])
{
	const char *slash = strrchr(output, '/');
	const char *base = slash ? slash + 1 : output;
	size_t bytes = strlen(base);

	if (bytes > 4 && strcmp(base + bytes - 4, ".tar") == 0)
		bytes -= 4;
	if (bytes > 5 && strncmp(base + bytes - 5, ".tape", 5) == 0)
		bytes -= 5;
	if (is_stdout() || bytes == 0 || bytes + sizeof(".tape") > NAME_BYTES_MAX ||
	    base[0] == '.') {
		base = "leak";
		bytes = strlen(base);
	}
	(void)snprintf(name, NAME_BYTES_MAX, "%.*s.tape", (int)bytes, base);
}

static int pack_to_file(const struct kmt_tape *tape, const char *directory, uint64_t *ret_bytes,
			struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	char part[PATH_MAX + 8], name[NAME_BYTES_MAX];
	int r;

	(void)snprintf(part, sizeof(part), "%s/" KMT_SCRATCH_PRODUCT, directory);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return kmt_fail(err, -errno, "%s: %s", part, strerror(errno));
	name_tape(name);
	r = kmt_tape_pack(tape, name, fd, ret_bytes, err);
	if (r < 0)
		return r;
	if (fsync(fd) < 0)
		return kmt_fail(err, -errno, "%s: %s", output, strerror(errno));
	return 0;
}

static int pack_to_stdout(const struct kmt_tape *tape, struct kmt_err *err)
{
	char name[NAME_BYTES_MAX];
	uint64_t bytes;

	name_tape(name);
	return kmt_tape_pack(tape, name, STDOUT_FILENO, &bytes, err);
}

static int pack(const struct kmt_command *command, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	char directory[PATH_MAX], size[KMT_UNITS_BYTES];
	struct kmt_sandbox sandbox = { .nr_reads = 0 };
	uint64_t bytes;
	int r;

	r = kmt_scratch_enter(command, path, is_stdout() ? NULL : output, directory, err);
	kmt_sandbox_write(&sandbox, directory);
	if (r == 0)
		r = kmt_operand_open(command, path, &sandbox, &tape, err);
	if (r == 0)
		r = take_steps(directory, &tape, err);
	if (r < 0)
		return r;
	kmt_status_watch(command, tape, 1);
	r = is_stdout() ? pack_to_stdout(tape, err) : pack_to_file(tape, directory, &bytes, err);
	kmt_status_stop();
	if (r == 0 && !is_stdout())
		(void)fprintf(stderr, "%s: %s. It is a tape: kmemtape replay %s\n", output,
			      kmt_format_size(size, bytes), output);
	return r;
}

/* "10s..5m", "..5m", "10s.." Return: 0 or -EINVAL */
static int parse_range(void)
{
	const char *dots = strstr(range, "..");
	char from[KMT_UNITS_BYTES];

	if (!dots || dots - range >= KMT_UNITS_BYTES)
		return -EINVAL;
	(void)snprintf(from, sizeof(from), "%.*s", (int)(dots - range), range);
	if ((*from && kmt_parse_time(from, &range_from_ns) < 0) ||
	    (dots[2] && kmt_parse_time(dots + 2, &range_to_ns) < 0))
		return -EINVAL;
	return range_from_ns < range_to_ns ? 0 : -EINVAL;
}

static int run(int argc, char **argv)
{
	const struct kmt_command *command = &kmt_command_pack;
	struct kmt_err err = { "" };
	int first, r;

	r = kmt_opt_parse(command, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	if (argc - first != 1)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    argc == first ? "which TAPE?" : "one TAPE at a time");
	if (!output)
		return kmt_complain(command, KMT_EXIT_USAGE, "-o FILE is missing: where to?");
	if (range && parse_range() < 0)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    "--range: '%s' is not FROM..TO, as in 10s..5m", range);
	if (wants_small && wants_distill)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    "--small: --distill leaves nothing to make small");
	if (is_stdout() && isatty(STDOUT_FILENO))
		return kmt_complain(command, KMT_EXIT_USAGE,
				    "--output: a tar is nothing for a terminal: name a file");
	if (!is_stdout() && faccessat(AT_FDCWD, output, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return kmt_complain(command, KMT_EXIT_FAILED,
				    "%s: exists: remove it or name another file", output);
	r = pack(command, argv[first], &err);
	return r < 0 ? kmt_complain(command, KMT_EXIT_FAILED, "%s", err.text) : KMT_EXIT_DONE;
}
