// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "../../src/cli/lines-process.h"
#include "check.h"

/* One that does what the function it is asked for is called. */
static int open_nothing(struct kmt_lines_source *source, const char *kernel, const char *build_id,
			struct kmt_err *err)
{
	if (strcmp(kernel, "bad") == 0)
		return kmt_fail(err, -ENOENT, "%s: no such kernel", build_id);
	if (strcmp(kernel, "crash") == 0)
		abort();
	return 0;
}

static void take_memory(void)
{
	for (;;) {
		size_t bytes = 1 << 20;
		char *p = malloc(bytes);

		if (!p)
			continue;
		memset(p, 1, bytes);
		__asm__ volatile("" : : "r"(p) : "memory");
	}
}

static int find(struct kmt_lines_source *source, const struct kmt_lines_place *place,
		const char **ret_text)
{
	static char text[20000];

	*ret_text = text;
	if (strcmp(place->function, "crash") == 0)
		(void)raise(SIGSEGV);
	if (strcmp(place->function, "exit") == 0)
		_exit(3);
	if (strcmp(place->function, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(place->function, "spin") == 0)
		for (;;)
			__asm__ volatile("");
	if (strcmp(place->function, "grow") == 0)
		take_memory();
	if (strcmp(place->function, "fail") == 0)
		return -ENOMEM;
	if (strcmp(place->function, "none") == 0) {
		*ret_text = NULL;
		return 0;
	}
	if (strcmp(place->function, "long") == 0)
		memset(text, 'x', sizeof(text) - 1);
	else
		(void)snprintf(text, sizeof(text), "%s|%s|%s|%llu|%llu|%llu",
			       place->module ? place->module : "NULL", place->build_id,
			       place->function, (unsigned long long)place->offset,
			       (unsigned long long)place->size,
			       (unsigned long long)place->from_stext);
	return 1;
}

static const char *note(struct kmt_lines_source *source, size_t nr)
{
	return nr == 0 ? "first" : nr == 1 ? "second" : NULL;
}

static const struct kmt_lines_limits limits = { .cpu_s = 60, .bytes = UINT64_C(1) << 30 };

static struct kmt_lines_process *start_with(const struct kmt_lines_limits *these)
{
	static struct kmt_lines_source source = { open_nothing, find, note };
	struct kmt_lines_process *process;

	(void)signal(SIGSEGV, SIG_DFL); /* not ASan's report */
	CHECK_EQ(kmt_lines_process_start(&source, these, &process, NULL), 0);
	return process;
}

static int ask(struct kmt_lines_process *process, const char *function, const char **ret_text)
{
	struct kmt_lines_place place = { .function = function };

	return kmt_lines_process_source(process)->find(kmt_lines_process_source(process), &place,
						       ret_text);
}

static const char *note_of(struct kmt_lines_process *process, size_t nr)
{
	return kmt_lines_process_source(process)->note(kmt_lines_process_source(process), nr);
}

/* What it was asked costs the lines from there on, and is told once. */
static void check_ended(struct kmt_lines_process *process, const char *function, const char *why)
{
	const char *text;

	CHECK_EQ(ask(process, function, &text), 0);
	CHECK(!text);
	CHECK_EQ(ask(process, "anything", &text), 0);
	CHECK(!text);
	CHECK_HAS(note_of(process, 0), why);
	CHECK(!note_of(process, 1));
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
}

TEST(a_place_arrives_as_it_was_and_so_does_the_line)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;
	struct kmt_lines_place place = { "mod", "abcd", "f", 1, UINT64_MAX, 3 };
	struct kmt_lines_source *source;
	const char *text;

	process = start_with(&limits);
	source = kmt_lines_process_source(process);
	CHECK_EQ(source->open(source, "6.1", "ab", NULL), 0);
	CHECK_EQ(source->find(source, &place, &text), 1);
	CHECK_TEXT(text, "mod|abcd|f|1|18446744073709551615|3");
	place.module = NULL;
	place.build_id = NULL;
	CHECK_EQ(source->find(source, &place, &text), 1);
	CHECK_TEXT(text, "NULL||f|1|18446744073709551615|3");
	CHECK_EQ(ask(process, "none", &text), 0);
	CHECK(!text);
	CHECK_TEXT(note_of(process, 0), "first");
	CHECK_TEXT(note_of(process, 1), "second");
	CHECK(!note_of(process, 2));
}

TEST(what_cannot_be_opened_is_told_as_it_was)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;
	struct kmt_err err = { "" };
	struct kmt_lines_source *source;

	process = start_with(&limits);
	source = kmt_lines_process_source(process);
	CHECK_EQ(source->open(source, "bad", "id", &err), -ENOENT);
	CHECK_TEXT(err.text, "id: no such kernel");
}

TEST(texts_are_bounded)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;
	static char name[20000];
	const char *text;

	process = start_with(&limits);
	CHECK_EQ(ask(process, "long", &text), 1);
	CHECK(strlen(text) < 5000 && strlen(text) > 1000);
	memset(name, 'n', sizeof(name) - 1);
	CHECK_EQ(ask(process, name, &text), 0);
	CHECK_EQ(ask(process, "still there", &text), 1);
}

TEST(a_crash_costs_the_lines)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;

	process = start_with(&limits);
	check_ended(process, "crash", "ended by signal 11 (");
}

TEST(an_exit_costs_the_lines)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;

	process = start_with(&limits);
	check_ended(process, "exit", "information ended");
}

TEST(a_crash_at_the_start_costs_the_lines)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;
	struct kmt_lines_source *source;

	process = start_with(&limits);
	source = kmt_lines_process_source(process);
	CHECK_EQ(source->open(source, "crash", "", NULL), 0);
	check_ended(process, "anything", "ended by signal 6 (");
}

TEST(no_memory_costs_the_lines)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;

	process = start_with(&limits);
	check_ended(process, "fail", "ran out of memory");
}

TEST(a_hang_costs_the_lines)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;
	const struct kmt_lines_limits short_ones = { 60, 300, UINT64_C(1) << 30 };

	process = start_with(&short_ones);
	check_ended(process, "hang", "did not answer");
}

TEST(a_loop_costs_the_lines)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;
	const struct kmt_lines_limits short_ones = { 1, 0, UINT64_C(1) << 30 };

	process = start_with(&short_ones);
	check_ended(process, "spin", "ended by signal");
}

TEST(a_bomb_costs_the_lines)
{
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *process = NULL;
	const struct kmt_lines_limits small_ones = { 60, 0, 64 << 20 };

	process = start_with(&small_ones);
	check_ended(process, "grow", "too much memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_place_arrives_as_it_was_and_so_does_the_line),
		ROW(what_cannot_be_opened_is_told_as_it_was),
		ROW(texts_are_bounded),
		ROW(a_crash_costs_the_lines),
		ROW(an_exit_costs_the_lines),
		ROW(a_crash_at_the_start_costs_the_lines),
		ROW(no_memory_costs_the_lines),
		ROW(a_hang_costs_the_lines),
		ROW(a_loop_costs_the_lines),
		ROW(a_bomb_costs_the_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
