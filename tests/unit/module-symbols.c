// SPDX-License-Identifier: GPL-2.0-only
/* Symbols of modules that come while events are on: in memory that was there before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"
#include "kmemtape/members.h"
#include "kmemtape/tape.h"

#include "../../src/record/module-log.h"
#include "../../src/record/symbol-text.h"
#include "check.h"
#include "dir.h"
#include "heap.h"

#define SOME	     100u
#define MANY	     30000u /* two modules of so many are too much at once */
#define FAR_TOO_MANY 80000u

struct bench {
	struct dir dir;
	char list[80], directory[80], kallsyms[80], tape[80];
	struct kmt_module_sources sources;
	int tape_fd;
	struct kmt_module_log *log;
};

static void set_file(const char *path, const char *text)
{
	CHECK_EQ(kmt_write_file(AT_FDCWD, path, text, strlen(text), NULL), 0);
}

static void set_up(struct bench *bench)
{
	struct kmt_chunk_writer *writer;

	*bench = (struct bench){ .dir = enter_dir() };
	(void)snprintf(bench->list, sizeof(bench->list), "%s/modules", bench->dir.path);
	(void)snprintf(bench->directory, sizeof(bench->directory), "%s/module", bench->dir.path);
	(void)snprintf(bench->kallsyms, sizeof(bench->kallsyms), "%s/kallsyms", bench->dir.path);
	(void)snprintf(bench->tape, sizeof(bench->tape), "%s/tape", bench->dir.path);
	bench->sources =
		(struct kmt_module_sources){ bench->list, bench->directory, bench->kallsyms };
	set_file(bench->list, "");
	set_file(bench->kallsyms, "");
	CHECK_EQ(kmt_tape_create(bench->tape, &bench->tape_fd, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_new(bench->tape_fd, "symbols/kallsyms.zst", 0, 1, &writer, NULL),
		 0);
	CHECK_EQ(kmt_module_log_new(bench->tape_fd, &bench->sources, 0, writer, &bench->log, NULL),
		 0);
	CHECK_EQ(kmt_module_log_look(bench->log, 0, NULL), 0);
}

static void tear_down(struct bench *bench)
{
	kmt_module_log_free(bench->log);
	kmt_close_fd(&bench->tape_fd);
	leave_dir(&bench->dir);
}

/* Module @name has symbols NAME_00000, NAME_00001 and so on, from its address on. */
struct module {
	const char *name;
	unsigned long address;
	unsigned int nr_symbols;
};

static void set_modules(const struct bench *bench, const struct module *modules, size_t nr)
{
	FILE *list = fopen(bench->list, "we"), *kallsyms = fopen(bench->kallsyms, "we");

	CHECK(list && kallsyms);
	fprintf(kallsyms, "ffffffff81000000 T _stext\n");
	for (size_t i = 0; i < nr; i++) {
		fprintf(list, "%s 4096 0 - Live 0x%lx\n", modules[i].name, modules[i].address);
		for (unsigned int k = 0; k < modules[i].nr_symbols; k++)
			fprintf(kallsyms, "%016lx t %s_%05u_of_its_functions\t[%s]\n",
				modules[i].address + k, modules[i].name, k, modules[i].name);
	}
	fprintf(kallsyms, "ffffffffc0ffe000 t bpf_prog_6deef7357e7b4530\t[bpf]\n");
	CHECK_EQ(fclose(list), 0);
	CHECK_EQ(fclose(kallsyms), 0);
}

static void read_until_sure(const struct bench *bench)
{
	for (int i = 0; i < 100 && kmt_module_log_is_busy(bench->log); i++)
		CHECK_EQ(kmt_module_log_go_on(bench->log, NULL), 0);
	CHECK(!kmt_module_log_is_busy(bench->log));
}

/* What is on the tape, as the @line-th that was loaded: @nr symbols of @module and nothing else. */
static void expect_symbols(const struct bench *bench, unsigned int line,
			   const struct module *module, unsigned int nr)
{
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char path[32], first[80], last[80];
	size_t bytes, nr_lines = 0;

	(void)snprintf(path, sizeof(path), "symbols/%04u.zst", line);
	CHECK_EQ(kmt_members_open(bench->tape, &members, NULL), 0);
	CHECK_EQ(kmt_chunk_read_text(members, path, 16 << 20, &text, &bytes, NULL), KMT_CHUNK_END);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		nr_lines++;
	CHECK_EQ(nr_lines, nr);
	if (!nr)
		return;
	(void)snprintf(first, sizeof(first), "%016lx t %s_00000_", module->address, module->name);
	(void)snprintf(last, sizeof(last), "%016lx t %s_%05u_", module->address + nr - 1,
		       module->name, nr - 1);
	CHECK(strncmp(text, first, strlen(first)) == 0);
	CHECK(strstr(text, last));
}

TEST(nothing_is_allocated_when_modules_come_and_go)
{
	static const struct module modules[] = { { "one", 0xffffffffc0001000, MANY },
						 { "two", 0xffffffffc0101000, SOME } };
	KMT_CLEANUP(tear_down) struct bench bench;
	void *volatile probe; /* volatile: or the compiler does without it */

	set_up(&bench);
	set_modules(&bench, modules, 2);
	heap_watch();
	probe = malloc(1);
	free(probe);
	CHECK_EQ(heap.calls, 1); /* it does count */
	CHECK_EQ(kmt_module_log_look(bench.log, 5, NULL), 0);
	read_until_sure(&bench);
	CHECK_EQ(heap.calls, 1);
	expect_symbols(&bench, 1, &modules[0], MANY);
	expect_symbols(&bench, 2, &modules[1], SOME);
	set_modules(&bench, modules, 1);
	heap_watch();
	CHECK_EQ(kmt_module_log_look(bench.log, 6, NULL), 0);
	read_until_sure(&bench);
	CHECK_EQ(heap.calls, 0);
}

TEST(more_symbols_than_there_is_room_for_are_read_in_turn)
{
	static const struct module modules[] = { { "one", 0xffffffffc0001000, MANY },
						 { "two", 0xffffffffc0101000, MANY },
						 { "three", 0xffffffffc0201000, MANY } };
	KMT_CLEANUP(tear_down) struct bench bench;

	set_up(&bench);
	set_modules(&bench, modules, 3);
	CHECK_EQ(kmt_module_log_look(bench.log, 5, NULL), 0);
	read_until_sure(&bench);
	for (unsigned int i = 0; i < 3; i++)
		expect_symbols(&bench, i + 1, &modules[i], MANY);
}

/* The last symbol would else be that of all the code behind. */
TEST(a_module_has_all_its_symbols_or_none)
{
	static const struct module modules[] = { { "one", 0xffffffffc0001000, SOME },
						 { "huge", 0xffffffffc0101000, FAR_TOO_MANY },
						 { "two", 0xffffffffc0801000, SOME } };
	KMT_CLEANUP(tear_down) struct bench bench;

	set_up(&bench);
	set_modules(&bench, modules, 3);
	CHECK_EQ(kmt_module_log_look(bench.log, 5, NULL), 0);
	read_until_sure(&bench);
	expect_symbols(&bench, 1, &modules[0], SOME);
	expect_symbols(&bench, 2, &modules[1], 0);
	expect_symbols(&bench, 3, &modules[2], SOME);
}

/* Between two looks: what had its name is known, and its symbols are not to be read again. */
TEST(a_module_that_comes_back_elsewhere_has_its_new_symbols)
{
	static const struct module before = { "lab", 0xffffffffc0001000, SOME };
	static const struct module after = { "lab", 0xffffffffc0801000, SOME + 1 };
	KMT_CLEANUP(tear_down) struct bench bench;

	set_up(&bench);
	set_modules(&bench, &before, 1);
	CHECK_EQ(kmt_module_log_look(bench.log, 5, NULL), 0);
	read_until_sure(&bench);
	set_modules(&bench, &after, 1);
	CHECK_EQ(kmt_module_log_look(bench.log, 6, NULL), 0);
	expect_symbols(&bench, 1, &before, SOME);
	expect_symbols(&bench, 3, &after, SOME + 1); /* line 2 is of the unload */
}

TEST(a_merge_that_finds_no_room_leaves_nothing)
{
	struct kmt_symbol_text *text = malloc(sizeof(*text)), *more = malloc(sizeof(*more));
	struct kmt_symbol_index *index = malloc(sizeof(*index));
	char line[80];

	kmt_symbol_text_clear(text);
	kmt_symbol_text_clear(more);
	for (unsigned int i = 0; i < MANY; i++) {
		int n = snprintf(line, sizeof(line), "%016x t a_name_that_is_not_short_%u\t[lab]\n",
				 i, i);

		CHECK(kmt_symbol_text_add(text, line, (size_t)n, i == 0));
		line[0] = 'f';
		CHECK(kmt_symbol_text_add(more, line, (size_t)n, i == 0));
	}
	CHECK_EQ(kmt_symbol_text_merge(text, text, index), 0);
	CHECK_EQ(kmt_symbol_text_merge(text, more, index), -ENOSPC);
	CHECK_EQ(text->used, 0);
	CHECK_EQ(kmt_symbol_text_merge(text, more, index), MANY);
	free(text);
	free(more);
	free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(nothing_is_allocated_when_modules_come_and_go),
		ROW(more_symbols_than_there_is_room_for_are_read_in_turn),
		ROW(a_module_has_all_its_symbols_or_none),
		ROW(a_module_that_comes_back_elsewhere_has_its_new_symbols),
		ROW(a_merge_that_finds_no_room_leaves_nothing),
	};

	return cmocka_run_group_tests_name("module-symbols", tests, NULL, NULL);
}
