// SPDX-License-Identifier: GPL-2.0-only
/* The parts of the recorder that a live kernel doesn't bring to light: what they make of its text.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include <cmocka.h>

#include "kmemtape/chunk.h"
#include "kmemtape/fs.h"
#include "kmemtape/tape.h"

#include "../../src/record/btf.h"
#include "../../src/record/budget.h"
#include "../../src/record/build-id.h"
#include "../../src/record/cpu-list.h"
#include "../../src/record/cpu-stats.h"
#include "../../src/record/functions.h"
#include "../../src/record/kallsyms.h"
#include "../../src/record/module-log.h"
#include "../../src/record/trace-clock.h"
#include "../../src/record/pairs.h"
#include "../../src/record/sentry.h"
#include "../../src/record/stale.h"

static char tape_path[] = "/tmp/kmemtape-unit.XXXXXX";
static char list_path[64], directory_path[64], kallsyms_path[64];
static const struct kmt_module_sources sources = { list_path, directory_path, kallsyms_path };

static int make_tape_directory(void **state)
{
	(void)state;
	(void)snprintf(tape_path, sizeof(tape_path), "/tmp/kmemtape-unit.XXXXXX");
	if (!mkdtemp(tape_path))
		return -1;
	(void)snprintf(list_path, sizeof(list_path), "%s/list", tape_path);
	(void)snprintf(directory_path, sizeof(directory_path), "%s/module", tape_path);
	(void)snprintf(kallsyms_path, sizeof(kallsyms_path), "%s/proc-kallsyms", tape_path);
	return 0;
}

static int remove_tape_directory(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", tape_path);
	return system(command);
}

static void set_list(const char *text)
{
	assert_int_equal(kmt_write_file(AT_FDCWD, list_path, text, strlen(text), NULL), 0);
}

static void expect_log(int tape_fd, const char *expected)
{
	char *text;

	assert_int_equal(kmt_read_file(tape_fd, "symbols/modules", 1 << 20, &text, NULL, NULL), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void make_log(int tape_fd, struct kmt_module_log **ret_log)
{
	struct kmt_chunk_writer *writer;

	set_list("");
	assert_int_equal(kmt_chunk_writer_new(tape_fd, "symbols/kallsyms.zst", 0, 1, &writer, NULL),
			 0);
	assert_int_equal(kmt_module_log_new(tape_fd, &sources, 0, writer, ret_log, NULL), 0);
}

static void open_log(int *ret_fd, struct kmt_module_log **ret_log)
{
	assert_int_equal(kmt_tape_create(tape_path, ret_fd, NULL), 0);
	make_log(*ret_fd, ret_log);
}

static void modules_that_come_and_go_are_logged(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list("kmt_a 16384 1 kmt_b, Live 0xffffffffc0001000\n"
		 "kmt_b 4096 0 - Live 0xffffffffc0010000 (OE)\n");
	assert_int_equal(kmt_module_log_look(log, 0, NULL), 0);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0); /* nothing changed */
	expect_log(fd, "load 0 kmt_a 16384 0xffffffffc0001000 - -\n"
		       "load 0 kmt_b 4096 0xffffffffc0010000 OE -\n");

	set_list("kmt_a 16384 1 kmt_b, Live 0xffffffffc0001000\n"
		 "kmt_c 8192 0 - Loading 0xffffffffc0010000\n"); /* the address of kmt_b */
	assert_int_equal(kmt_module_log_look(log, 7, NULL), 0);
	expect_log(fd, "load 0 kmt_a 16384 0xffffffffc0001000 - -\n"
		       "load 0 kmt_b 4096 0xffffffffc0010000 OE -\n"
		       "unload 7 kmt_b\n"
		       "load 7 kmt_c 8192 0xffffffffc0010000 - -\n");
	assert_int_equal(faccessat(fd, "symbols/0004.zst", R_OK, 0), 0); /* of the fourth line */
	assert_int_not_equal(faccessat(fd, "symbols/0001.zst", R_OK, 0), 0);
}

static void a_module_that_came_back_elsewhere_is_a_new_one(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list("kmt_a 4096 0 - Live 0xffffffffc0001000\n");
	assert_int_equal(kmt_module_log_look(log, 0, NULL), 0);
	set_list("kmt_a 4096 0 - Live 0xffffffffc0002000\n");
	assert_int_equal(kmt_module_log_look(log, 9, NULL), 0);
	expect_log(fd, "load 0 kmt_a 4096 0xffffffffc0001000 - -\n"
		       "unload 9 kmt_a\n"
		       "load 9 kmt_a 4096 0xffffffffc0002000 - -\n");
}

static void a_kernel_without_modules_has_an_empty_list(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	assert_int_equal(kmt_module_log_look(log, 0, NULL), 0);
	expect_log(fd, "");
}

static void set_kallsyms(const char *text)
{
	assert_int_equal(kmt_write_file(AT_FDCWD, kallsyms_path, text, strlen(text), NULL), 0);
}

static void expect_symbols(const char *path, const char *expected)
{
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	char *text;
	size_t bytes;

	assert_int_equal(kmt_members_open(tape_path, &members, NULL), 0);
	assert_int_equal(kmt_chunk_read_text(members, path, 1 << 20, &text, &bytes, NULL),
			 KMT_CHUNK_END);
	assert_string_equal(text, expected);
	free(text);
}

static void read_until_sure(struct kmt_module_log *log)
{
	for (int i = 0; i < 100 && kmt_module_log_is_busy(log); i++)
		assert_int_equal(kmt_module_log_go_on(log, NULL), 0);
	assert_false(kmt_module_log_is_busy(log));
}

#define LAB_LOADING "lab 4096 1 - Loading 0xffffffffc0001000\n"
#define LAB_LIVE    "lab 4096 0 - Live 0xffffffffc0001000\n"
#define LAB_CODE    "ffffffffc0001000 t lab_leak\t[lab]\n"
#define LAB_INIT    "ffffffffc0004000 t lab_init\t[lab]\n"

/* Who looks only when it is announced, after its init function, may come too late. */
static void a_module_is_known_while_its_init_function_runs(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list(LAB_LOADING);
	set_kallsyms(LAB_INIT LAB_CODE);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	read_until_sure(log);
	expect_symbols("symbols/0001.zst", LAB_INIT LAB_CODE);

	set_list("");
	set_kallsyms("");
	assert_int_equal(kmt_module_log_look(log, 6, NULL), 0);
	read_until_sure(log);
	expect_symbols("symbols/0001.zst", LAB_INIT LAB_CODE);
	expect_log(fd, "load 5 lab 4096 0xffffffffc0001000 - -\nunload 6 lab\n");
}

/* Another module may get the pages of the init function. */
static void symbols_of_init_code_go_with_it(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list(LAB_LOADING);
	set_kallsyms(LAB_INIT LAB_CODE);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);

	set_list(LAB_LIVE); /* but its table is not swapped yet */
	assert_int_equal(kmt_module_log_look(log, 6, NULL), 0);
	expect_symbols("symbols/0001.zst", LAB_INIT LAB_CODE);
	set_kallsyms(LAB_CODE);
	read_until_sure(log);
	expect_symbols("symbols/0001.zst", LAB_CODE);
	expect_log(fd, "load 5 lab 4096 0xffffffffc0001000 - -\n");
}

/* As seen of a module that was announced before the kernel took its init code away. */
static void what_two_reads_agree_on_is_all(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list(LAB_LIVE);
	set_kallsyms(LAB_INIT);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	set_kallsyms(LAB_CODE);
	assert_int_equal(kmt_module_log_go_on(log, NULL), 0);
	expect_symbols("symbols/0001.zst", LAB_INIT LAB_CODE); /* should it go now */
	read_until_sure(log);
	expect_symbols("symbols/0001.zst", LAB_CODE);
}

static void symbols_stay_when_the_module_goes_before_they_are_read_again(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list(LAB_LOADING);
	set_kallsyms(LAB_INIT LAB_CODE);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	set_list(LAB_LIVE);
	assert_int_equal(kmt_module_log_look(log, 6, NULL), 0);
	set_kallsyms("ffffffffc0009000 t other\t[other]\n");
	read_until_sure(log);
	expect_symbols("symbols/0001.zst", LAB_INIT LAB_CODE);
}

/* What the kernel says of the memory of lab's init code. */
static void set_init_bytes(const char *text)
{
	char path[96];

	(void)mkdir(directory_path, 0700);
	(void)snprintf(path, sizeof(path), "%s/lab", directory_path);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/lab/initsize", directory_path);
	assert_int_equal(kmt_write_file(AT_FDCWD, path, text, strlen(text), NULL), 0);
}

/* Behind the first look at the list, and before the second, another @list and @init_bytes (or
 * NULL). */
static void while_kallsyms_is_read(const char *list, const char *init_bytes, const char *symbols)
{
	assert_int_equal(unlink(kallsyms_path), 0);
	assert_int_equal(mkfifo(kallsyms_path, 0600), 0);
	if (fork() == 0) {
		int fd = open(kallsyms_path, O_WRONLY); /* waits for who reads */

		set_list(list);
		if (init_bytes)
			set_init_bytes(init_bytes);
		_exit(write(fd, symbols, strlen(symbols)) != (ssize_t)strlen(symbols));
	}
}

static void let_it_go(void)
{
	int status;

	assert_true(wait(&status) > 0 && status == 0);
	assert_int_equal(unlink(kallsyms_path), 0);
	set_list("");
	set_kallsyms("");
}

/* As seen of a module of which the kernel had listed the rest when it came, and the start when it
 * went. */
static void symbols_of_a_read_that_was_not_whole_go_with_the_module(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list("");
	set_kallsyms("");
	while_kallsyms_is_read(LAB_LIVE, NULL, LAB_CODE);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	expect_symbols("symbols/0001.zst", LAB_CODE);
	let_it_go();
	assert_int_equal(kmt_module_log_go_on(log, NULL), 0);
	assert_int_equal(kmt_module_log_look(log, 6, NULL), 0);
	read_until_sure(log);
	assert_int_equal(faccessat(fd, "symbols/0001.zst", F_OK, 0), -1);
	expect_log(fd, "load 5 lab 4096 0xffffffffc0001000 - -\nunload 6 lab\n");
}

/* Its table is replaced while it is listed, so that half of it is missing; and then it is gone. */
static void a_part_does_not_replace_all_symbols(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list(LAB_LOADING);
	set_kallsyms(LAB_INIT LAB_CODE);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	while_kallsyms_is_read(LAB_LIVE, NULL, LAB_INIT);
	assert_int_equal(kmt_module_log_look(log, 6, NULL), 0);
	expect_symbols("symbols/0001.zst", LAB_INIT LAB_CODE);
	let_it_go();
	assert_int_equal(kmt_module_log_look(log, 7, NULL), 0);
	read_until_sure(log);
	expect_symbols("symbols/0001.zst", LAB_INIT LAB_CODE);
}

/* The kernel calls a module live before it replaces the table. */
static void a_read_while_init_code_goes_is_not_whole(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list(LAB_LIVE);
	set_init_bytes("4096\n");
	set_kallsyms("");
	while_kallsyms_is_read(LAB_LIVE, "0\n", LAB_INIT);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	let_it_go();
	assert_int_equal(kmt_module_log_look(log, 6, NULL), 0);
	read_until_sure(log);
	assert_int_equal(faccessat(fd, "symbols/0001.zst", F_OK, 0), -1);
}

static void symbols_of_one_whole_read_stay(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list(LAB_LOADING);
	set_kallsyms(LAB_CODE);
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	set_list("");
	set_kallsyms("");
	assert_int_equal(kmt_module_log_look(log, 6, NULL), 0);
	read_until_sure(log);
	expect_symbols("symbols/0001.zst", LAB_CODE);
}

/* kallsyms is read first, and the module comes between that and the list. */
static void a_module_that_is_listed_before_it_has_symbols_gets_them(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	open_log(&fd, &log);
	set_list(LAB_LOADING);
	set_kallsyms("");
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	assert_int_equal(kmt_module_log_go_on(log, NULL), 0); /* nothing new, and nothing there */
	assert_true(kmt_module_log_is_unsure(log));
	set_kallsyms(LAB_CODE);
	read_until_sure(log);
	expect_symbols("symbols/0001.zst", LAB_CODE);

	set_list(LAB_LOADING "none 4096 0 - Live 0xffffffffc0009000\n");
	assert_int_equal(kmt_module_log_look(log, 6, NULL), 0);
	read_until_sure(log); /* and one that never has any is not waited for for ever */
}

static void a_directory_more_or_less_is_news(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	char path[80];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/lab", directory_path);
	assert_int_equal(kmt_tape_create(tape_path, &fd, NULL), 0);
	assert_int_equal(mkdir(directory_path, 0700), 0);
	make_log(fd, &log);
	set_list("");
	assert_int_equal(kmt_module_log_look(log, 0, NULL), 0);
	assert_false(kmt_module_log_has_news(log));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(kmt_module_log_has_news(log));
	assert_int_equal(kmt_module_log_look(log, 5, NULL), 0);
	assert_false(kmt_module_log_has_news(log));
	assert_int_equal(rmdir(path), 0);
	assert_true(kmt_module_log_has_news(log));
}

/* To read up to there takes a CPU 20 ms. */
static void symbols_are_not_waited_for_without_modules(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	assert_int_equal(kmt_tape_create(tape_path, &fd, NULL), 0);
	set_kallsyms(LAB_CODE);
	assert_int_equal(kmt_module_log_new(fd, &sources, 1, NULL, &log, NULL), 0);
	assert_false(kmt_module_log_is_busy(log));
	log = kmt_module_log_free(log);

	assert_int_equal(unlinkat(fd, "symbols/modules", 0), 0);
	set_list("");
	assert_int_equal(kmt_module_log_new(fd, &sources, 1, NULL, &log, NULL), 0);
	assert_true(kmt_module_log_is_busy(log));
}

static void set_text(struct kmt_symbol_text *text, const char *lines)
{
	kmt_symbol_text_clear(text);
	memcpy(text->bytes, lines, strlen(lines));
	text->used = strlen(lines);
}

static void expect_merged(const char *first, const char *second, int nr_added, const char *expected)
{
	struct kmt_symbol_text *text = malloc(sizeof(*text)), *more = malloc(sizeof(*more));
	struct kmt_symbol_index *index = malloc(sizeof(*index));

	set_text(text, first);
	set_text(more, second);
	assert_int_equal(kmt_symbol_text_merge(text, more, index), nr_added);
	assert_int_equal(text->used, strlen(expected));
	assert_memory_equal(text->bytes, expected, text->used);
	free(text);
	free(more);
	free(index);
}

/* As seen: the table was swapped behind its second line, for one without the first. */
static void symbols_that_a_read_missed_are_in_the_next(void **state)
{
	static const char torn[] = "0000000000000000 a lab.c\t[lab]\n"
				   "ffffffffc0604139 t lab_exit\t[lab]\n";
	static const char core[] = "ffffffffc0604139 t lab_exit\t[lab]\n"
				   "ffffffffc0604000 t lab_leak\t[lab]\n"
				   "ffffffffc0604139 t cleanup_module\t[lab]\n";

	(void)state;
	expect_merged(torn, core, 2,
		      "0000000000000000 a lab.c\t[lab]\n"
		      "ffffffffc0604139 t lab_exit\t[lab]\n"
		      "ffffffffc0604000 t lab_leak\t[lab]\n"
		      "ffffffffc0604139 t cleanup_module\t[lab]\n");
	expect_merged(core, core, 0, core);
	expect_merged("", core, 3, core);
	expect_merged(core, "", 0, core);
	expect_merged(core, "ffffffffc0604000 t lab_le", 0, core); /* no whole line */
}

/* namesz, descsz, type in this machine's byte order, then name and desc, each padded to 4 */
static size_t put_note(uint8_t *dst, uint32_t type, const char *name, const void *desc,
		       uint32_t bytes)
{
	uint32_t head[3] = { (uint32_t)strlen(name) + 1, bytes, type };

	memcpy(dst, head, sizeof(head));
	memcpy(dst + 12, name, head[0]);
	memcpy(dst + 12 + ((head[0] + 3) & ~3u), desc, bytes);
	return 12 + ((head[0] + 3) & ~3u) + ((bytes + 3) & ~3u);
}

static void build_id_is_found_behind_other_notes(void **state)
{
	uint8_t notes[256] = { 0 };
	char hex[KMT_BUILD_ID_HEX_BYTES];
	size_t used;

	(void)state;
	used = put_note(notes, 3, "Xen", "\1\2\3\4\5", 5); /* another owner's type 3 */
	used += put_note(notes + used, 3, "GNU", "\xab\xcd\x01\x20", 4);
	assert_int_equal(kmt_build_id_find(notes, used, hex), 0);
	assert_string_equal(hex, "abcd0120");
	for (size_t cut = 0; cut < used; cut++) { /* in memory of its own, for ASan */
		uint8_t *part = malloc(cut ? cut : 1);

		memcpy(part, notes, cut);
		assert_int_equal(kmt_build_id_find(part, cut, hex), -ENOENT);
		free(part);
	}
}

static void build_id_of_absurd_length_is_none(void **state)
{
	uint32_t notes[8] = { 4, 0xfffffff0u, 3 };
	char hex[KMT_BUILD_ID_HEX_BYTES];

	(void)state;
	memcpy(notes + 3, "GNU", 4);
	assert_int_equal(kmt_build_id_find(notes, sizeof(notes), hex), -ENOENT);
}

static void cpu_lists_are_parsed(void **state)
{
	struct kmt_cpu_list list;

	(void)state;
	assert_int_equal(kmt_cpu_list_parse("0-3,8,10-11\n", &list), 0);
	assert_int_equal(list.nr, 7);
	assert_true(kmt_cpu_list_has(&list, 0) && kmt_cpu_list_has(&list, 8));
	assert_true(kmt_cpu_list_has(&list, 11) && !kmt_cpu_list_has(&list, 9));
	assert_int_equal(kmt_cpu_list_parse("0", &list), 0);
	assert_int_equal(list.nr, 1);
	assert_int_equal(kmt_cpu_list_parse("8191", &list), 0);
	assert_true(kmt_cpu_list_has(&list, 8191));
	assert_int_equal(kmt_cpu_list_parse("8192", &list), -ERANGE);
	assert_int_equal(kmt_cpu_list_parse("0-", &list), -EINVAL);
	assert_int_equal(kmt_cpu_list_parse("3-1", &list), -EINVAL);
	assert_int_equal(kmt_cpu_list_parse("", &list), -EINVAL);
	assert_int_equal(kmt_cpu_list_parse("0 1", &list), -EINVAL);
}

/* Types by hand (Documentation/bpf/btf.rst): each its number in the comment. */
#define KIND(kind, nr) ((uint32_t)(kind) << 24 | (nr))
static const uint32_t btf_types[] = {
	1,
	KIND(1, 0),
	4,
	32, /* 1: int */
	0,
	KIND(2, 0),
	0, /* 2: void * */
	0,
	KIND(13, 1),
	0,
	0,
	2, /* 3: void (void *) */
	0,
	KIND(2, 0),
	3, /* 4: void (*)(void *) */
	1,
	KIND(8, 0),
	4, /* 5: a typedef of it */
	1,
	KIND(8, 0),
	1, /* 6: a typedef of int */
	0,
	KIND(10, 0),
	6, /* 7: const 6 */
	0,
	KIND(13, 2),
	0,
	0,
	2,
	0,
	5, /* 8: void (void *, 5) */
	5,
	KIND(12, 1),
	8, /* 9: old() */
	0,
	KIND(13, 3),
	0,
	0,
	2,
	0,
	7,
	0,
	2, /* 10: void (void *, 7, void *) */
	9,
	KIND(12, 1),
	10, /* 11: bulk() */
	1,
	KIND(4, 1),
	4,
	1,
	1,
	0, /* 12: struct { int } */
	1,
	KIND(8, 0),
	13, /* 13: a typedef of itself */
	0,
	KIND(13, 3),
	0,
	0,
	12,
	0,
	13,
	0,
	99, /* 14: void (12, 13, no such type) */
	14,
	KIND(12, 1),
	14, /* 15: odd() */
	1,
	KIND(19, 1),
	8,
	1,
	1,
	0, /* 16: enum64 */
	0,
	KIND(13, 1),
	0,
	0,
	16, /* 17: void (16) */
	18,
	KIND(12, 1),
	17, /* 18: last() */
	/* 19: struct { int int; int addr; } */
	0,
	KIND(4, 2),
	8,
	1,
	1,
	0,
	28,
	1,
	32,
	/* 20: struct area { int int; struct 19; void *caller; } */
	23,
	KIND(4, 3),
	24,
	1,
	1,
	0,
	0,
	19,
	64,
	33,
	2,
	128,
	/* 21: struct old { int int : 3; int bulk; int odd : 8; }, at bits 5, 32 and 64 */
	5,
	KIND(4, 3) | 1u << 31,
	12,
	1,
	1,
	3u << 24 | 5,
	9,
	1,
	32,
	14,
	1,
	8u << 24 | 64,
	/* 22: struct odd { 22; } */
	14,
	KIND(4, 1),
	4,
	0,
	22,
	0,
};
static const char btf_texts[] = "\0int\0old\0bulk\0odd\0last\0area\0addr\0caller";

struct btf_file {
	uint32_t head[6];
	uint32_t types[sizeof(btf_types) / 4];
	char texts[sizeof(btf_texts)];
};

static struct btf_file make_btf(void)
{
	struct btf_file btf = { .head = { 0x0001eb9f, sizeof(btf.head), 0, sizeof(btf_types),
					  sizeof(btf_types), sizeof(btf_texts) } };

	memcpy(btf.types, btf_types, sizeof(btf_types));
	memcpy(btf.texts, btf_texts, sizeof(btf_texts));
	return btf;
}

static void expect_signature(const char *function, const char *expected)
{
	struct btf_file btf = make_btf();
	char signature[KMT_BTF_PARAMS_MAX + 1] = "";

	assert_int_equal(kmt_btf_signature(&btf, sizeof(btf), function, signature, NULL),
			 expected != NULL);
	assert_string_equal(signature, expected ? expected : "");
}

static void functions_are_known_by_their_parameters(void **state)
{
	(void)state;
	expect_signature("old", "pf");
	expect_signature("bulk", "pip");
	expect_signature("odd", "???");
	expect_signature("last", "i");
	expect_signature("int", NULL); /* no function */
	expect_signature("missing", NULL);
}

static void expect_member(const char *structure, const char *member, int64_t expected)
{
	struct btf_file btf = make_btf();
	uint32_t offset = UINT32_MAX;

	assert_int_equal(kmt_btf_member(&btf, sizeof(btf), structure, member, &offset, NULL),
			 expected >= 0);
	assert_int_equal(offset, expected >= 0 ? expected : UINT32_MAX);
}

static void members_are_found_also_in_what_has_no_name(void **state)
{
	(void)state;
	expect_member("area", "int", 0);
	expect_member("area", "addr", 12);
	expect_member("area", "caller", 16);
	expect_member("area", "old", -1);
	expect_member("old", "bulk", 4);
	expect_member("old", "odd", 8);
	expect_member("old", "int", -1);  /* not at the begin of a byte */
	expect_member("odd", "int", -1);  /* itself in itself */
	expect_member("bulk", "int", -1); /* a function */
	expect_member("", "addr", 4);
}

/* On the heap and no longer than it is, for the sanitizer. */
static int signature_of_part(const struct btf_file *btf, size_t bytes)
{
	char signature[KMT_BTF_PARAMS_MAX + 1];
	void *exact = malloc(bytes ? bytes : 1);
	uint32_t offset;
	int r;

	memcpy(exact, btf, bytes);
	r = kmt_btf_signature(exact, bytes, "last", signature, NULL);
	assert_int_equal(kmt_btf_member(exact, bytes, "area", "caller", &offset, NULL) < 0, r < 0);
	free(exact);
	return r;
}

static void damaged_btf_is_refused(void **state)
{
	struct btf_file btf = make_btf();

	(void)state;
	assert_int_equal(signature_of_part(&btf, sizeof(btf)), 1);
	for (size_t bytes = 0; bytes < offsetof(struct btf_file, texts) + sizeof(btf_texts);
	     bytes++)
		assert_int_equal(signature_of_part(&btf, bytes), -EBADMSG);
	for (size_t i = 0; i < sizeof(btf.head) / 4; i++)
		for (uint32_t value = 0; value < 600; value++) {
			btf = make_btf();
			btf.head[i] = value < 500 ? value : UINT32_MAX - value + 500;
			(void)signature_of_part(&btf, sizeof(btf));
		}
	for (size_t i = 0; i < sizeof(btf.types) / 4; i++)
		for (uint32_t bit = 0; bit < 32; bit++) {
			btf = make_btf();
			btf.types[i] ^= 1u << bit;
			(void)signature_of_part(&btf, sizeof(btf));
		}
	btf = make_btf();
	btf.types[1] = KIND(31, 0);
	assert_int_equal(signature_of_part(&btf, sizeof(btf)), -EPROTONOSUPPORT);
}

static void this_kernel_describes_what_frees(void **state)
{
	char *btf, signature[KMT_BTF_PARAMS_MAX + 1];
	uint32_t offset;
	size_t bytes;

	(void)state;
	if (kmt_read_file(AT_FDCWD, "/sys/kernel/btf/vmlinux", 256 << 20, &btf, &bytes, NULL) < 0)
		skip();
	assert_int_equal(kmt_btf_signature(btf, bytes, "kmem_cache_free_bulk", signature, NULL), 1);
	assert_string_equal(signature, "pip");
	assert_int_equal(kmt_btf_signature(btf, bytes, "call_rcu", signature, NULL), 1);
	assert_string_equal(signature, "pf");
	assert_int_equal(kmt_btf_member(btf, bytes, "vm_struct", "addr", &offset, NULL), 1);
	assert_int_equal(offset,
			 sizeof(void *)); /* behind the next one: as long as anybody remembers */
	free(btf);
}

static void expect_pair(const char *text, const char *name, const char *alloc,
			unsigned int alloc_arg, const char *free, unsigned int free_arg,
			const char *module, bool is_count)
{
	unsigned int got_alloc_arg, got_free_arg;
	struct kmt_pair pair;

	assert_int_equal(kmt_pair_parse(text, &pair, &got_alloc_arg, &got_free_arg, NULL), 0);
	assert_string_equal(pair.name, name);
	assert_string_equal(pair.alloc, alloc);
	assert_string_equal(pair.free, free);
	assert_string_equal(pair.module, module);
	assert_int_equal(got_alloc_arg, alloc_arg);
	assert_int_equal(got_free_arg, free_arg);
	assert_int_equal(pair.is_count, is_count);
}

static void pairs_are_parsed(void **state)
{
	(void)state;
	expect_pair("dentry=__d_alloc:dentry_free", "dentry", "__d_alloc", 0, "dentry_free", 1, "",
		    false);
	expect_pair("t=a.isra.0:b.part.0@my-mod", "t", "a.isra.0", 0, "b.part.0", 1, "my_mod",
		    false);
	expect_pair("t=a:b%3", "t", "a", 0, "b%3", 3, "", false);
	expect_pair("ref=get:put,count", "ref", "get", 1, "put", 1, "", true);
	expect_pair("ref=get%2:put%6@mod,count", "ref", "get%2", 2, "put%6", 6, "mod", true);
}

static void expect_no_pair(const char *text, const char *why)
{
	unsigned int alloc_arg, free_arg;
	struct kmt_pair pair;
	struct kmt_err err = { "" };

	assert_int_equal(kmt_pair_parse(text, &pair, &alloc_arg, &free_arg, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void what_is_wrong_with_a_pair_is_said(void **state)
{
	char text[4096];

	(void)state;
	expect_no_pair("", "is not NAME=");
	expect_no_pair("a:b", "is not NAME=");
	expect_no_pair("x=ab", "is not NAME=");
	expect_no_pair("=a:b", "'' is no name");
	expect_no_pair("2x=a:b", "'2x' is no name");
	expect_no_pair("x-y=a:b", "'x-y' is no name");
	expect_no_pair("x=:b", "'' is not the name of a function");
	expect_no_pair("x=a:", "'' is not the name of a function");
	expect_no_pair("x=a b:c", "'a b' is not the name of a function");
	expect_no_pair("x=a\n:c", "is not the name of a function");
	expect_no_pair("x=a:b@", "'' is not the name of a module");
	expect_no_pair("x=a:b@m:n", "'m:n' is not the name of a module");
	expect_no_pair("x=a:b%0", "'%0' is not the number");
	expect_no_pair("x=a:b%7", "'%7' is not the number");
	expect_no_pair("x=a:b%12", "'%12' is not the number");
	expect_no_pair("x=a:b,counts", "only ',count'");
	expect_no_pair("x=a%1:b", "what a returns");
	(void)snprintf(text, sizeof(text), "%032d=a:b", 0);
	*text = 'x';
	expect_no_pair(text, "longer than 31");
	(void)snprintf(text, sizeof(text), "x=%064d:b", 0);
	expect_no_pair(text, "longer than a function");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_no_pair(text, "too long");
}

static struct kmt_function find_function(const char *name, const char *module)
{
	struct kmt_function function;

	assert_int_equal(kmt_function_find(list_path, name, module, &function), 0);
	return function;
}

static void functions_are_found_by_name(void **state)
{
	(void)state;
	set_list("ffffffff81000000 T twice\n"
		 "ffffffff81000010 t twice\n"
		 "ffffffff81000020 D data\n"
		 "ffffffff81000030 t made.isra.0\n"
		 "ffffffff81000040 t made.cold\n"
		 "ffffffff81000050 T both\n"
		 "ffffffffc0000000 t both\t[mod]\n"
		 "ffffffffc0000010 t mine\t[mod]\n"
		 "ffffffffc0000020 t mine\t[other]\n");
	assert_int_equal(find_function("twice", "").nr, 2);
	assert_int_equal(find_function("data", "").nr, 0);
	assert_int_equal(find_function("made", "").nr, 0);
	assert_string_equal(find_function("made", "").clone, "made.isra.0");
	assert_int_equal(find_function("made.isra.0", "").nr, 1);
	assert_int_equal(find_function("both", "").nr, 1);
	assert_int_equal(find_function("both", "mod").nr, 1);
	assert_int_equal(find_function("mine", "").nr, 2);
	assert_int_equal(find_function("mine", "other").nr, 1);
	assert_int_equal(find_function("twice", "mod").nr, 0);
	assert_true(find_function("twice", "mod").is_module_there);
	assert_false(find_function("twice", "absent").is_module_there);
	assert_string_equal(find_function("made", "mod").clone, "");
}

static void what_a_dead_recorder_left_is_stale(void **state)
{
	char name[64];

	(void)state;
	(void)snprintf(name, sizeof(name), "kmemtape_%d", getpid());
	assert_true(kmt_is_stale(name, "kmemtape_"));
	assert_true(kmt_is_stale("kmemtape_4194305", "kmemtape_")); /* above the largest pid */
	assert_false(kmt_is_stale("kmemtape_4194305x", "kmemtape_"));
	assert_false(kmt_is_stale("kmemtape_", "kmemtape_"));
	assert_false(kmt_is_stale("kmemtape_-5", "kmemtape_"));
	assert_false(kmt_is_stale("others_4194305", "kmemtape_"));
}

static void counters_that_were_set_back_go_on(void **state)
{
	struct kmt_cpu_stats now = { .cpu = 3, .overrun = 10, .read = 100 };
	struct kmt_cpu_counts counts;

	(void)state;
	kmt_cpu_counts_init(&counts, &now);
	now.overrun = 15;
	now.read = 150;
	assert_true(kmt_cpu_counts_follow(&counts, &now));
	now.overrun = 0;
	now.read = 30;
	assert_false(kmt_cpu_counts_follow(&counts, &now));
	now.read = 40;
	assert_true(kmt_cpu_counts_follow(&counts, &now));
	assert_int_equal(counts.total.cpu, 3);
	assert_int_equal(counts.total.overrun, 5);
	assert_int_equal(counts.total.read, 90);
}

static void cpu_time_that_is_spent_comes_back_by_and_by(void **state)
{
	struct kmt_budget budget = KMT_BUDGET_NONE;
	const uint64_t ms = 1000000;

	(void)state;
	assert_int_equal(kmt_budget_wait_ns(&budget), 0); /* no limit */
	budget.percent = 10;
	assert_int_equal(kmt_budget_wait_at(&budget, 0, 500 * ms), 0); /* not started */
	kmt_budget_start(&budget);
	budget.last_ns = budget.last_cpu_ns = 0;
	budget.left_ns = 0;

	assert_int_equal(kmt_budget_wait_at(&budget, 1000 * ms, 99 * ms), 0);
	assert_false(budget.was_spent);
	assert_in_range(kmt_budget_wait_at(&budget, 1000 * ms, 111 * ms), 110 * ms, 112 * ms);
	assert_true(budget.was_spent);
	assert_in_range(kmt_budget_wait_at(&budget, 1100 * ms, 111 * ms), 1, 12 * ms);
	assert_int_equal(kmt_budget_wait_at(&budget, 1120 * ms, 111 * ms), 0);
	/* However long it was quiet, a second's worth is all there is. */
	assert_int_equal(kmt_budget_wait_at(&budget, 100000 * ms, 111 * ms), 0);
	assert_int_not_equal(kmt_budget_wait_at(&budget, 100000 * ms, 212 * ms), 0);
	kmt_budget_stop(&budget);
	assert_int_equal(kmt_budget_wait_at(&budget, 100000 * ms, 900 * ms), 0);
}

static void put(const char *path, const char *text)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
		       "cd %s && mkdir -p \"$(dirname %s)\" && echo '%s' >%s", tape_path, path,
		       text, path);
	assert_int_equal(system(command), 0);
}

/* A directory with the files of a tracefs instance. */
static struct kmt_sentry *make_sentry(int *ret_fd)
{
	struct kmt_event_set events = { .nr = 0 };
	struct kmt_sentry *sentry;

	put("tracing_on", "1");
	put("trace", "");
	put("trace_pipe", "");
	put("trace_options", "nopause-on-trace");
	put("trace_marker", "");
	put("per_cpu/cpu0/trace_pipe_raw", "");
	put("per_cpu/cpu0/stats", "");
	put("events/kmem/kfree/enable", "1");
	put("events/kmem/kfree/filter", "none");
	kmt_event_set_add(&events, "kmem/kfree", "kmem/kfree", KMT_ROLE_FREE);
	*ret_fd = open(tape_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(*ret_fd >= 0);
	assert_int_equal(kmt_sentry_new(*ret_fd, &events, false, &sentry, NULL), 0);
	kmt_sentry_add_cpu(sentry, 0);
	kmt_sentry_expect_on(sentry);
	assert_null(kmt_sentry_look(sentry));
	return sentry;
}

static void what_others_touch_is_seen(void **state)
{
	struct kmt_sentry *sentry;
	int fd, reader;

	(void)state;
	sentry = make_sentry(&fd);
	put("events/kmem/kfree/enable", "0"); /* lasts */
	assert_string_equal(kmt_sentry_look(sentry), "events/kmem/kfree/enable");
	assert_string_equal(kmt_sentry_look(sentry), "events/kmem/kfree/enable");
	put("events/kmem/kfree/enable", "1");
	assert_string_equal(kmt_sentry_look(sentry), "events/kmem/kfree/enable");
	assert_null(kmt_sentry_look(sentry));

	put("tracing_on", "0"); /* and on again, before anybody looks */
	put("tracing_on", "1");
	assert_string_equal(kmt_sentry_look(sentry), "tracing_on");
	assert_null(kmt_sentry_look(sentry));

	put("trace", "");
	assert_string_equal(kmt_sentry_look(sentry), "trace");
	assert_null(kmt_sentry_look(sentry));

	reader = openat(fd, "per_cpu/cpu0/trace_pipe_raw", O_RDONLY | O_CLOEXEC);
	assert_string_equal(kmt_sentry_look(sentry), "per_cpu/cpu0/trace_pipe_raw");
	assert_string_equal(kmt_sentry_look(sentry), "per_cpu/cpu0/trace_pipe_raw");
	(void)close(reader);
	assert_null(kmt_sentry_look(sentry));
	kmt_sentry_free(sentry);
	(void)close(fd);
}

static void what_is_touched_while_events_are_being_switched_on_is_seen(void **state)
{
	struct kmt_sentry *sentry;
	int fd;

	(void)state;
	sentry = make_sentry(&fd);
	put("tracing_on", "0");
	put("events/kmem/kfree/enable", "0*");
	kmt_sentry_expect_on(sentry);
	put("tracing_on", "1"); /* by ourselves */
	put("events/kmem/kfree/enable", "1*");
	kmt_sentry_forget(sentry);
	assert_null(kmt_sentry_look(sentry));

	kmt_sentry_expect_on(sentry);
	put("events/kmem/kfree/filter", "bytes_alloc > 7");
	put("trace", "");
	kmt_sentry_forget(sentry);
	assert_string_equal(kmt_sentry_look(sentry), "events/kmem/kfree/filter");
	put("events/kmem/kfree/filter", "none");
	assert_string_equal(kmt_sentry_look(sentry), "events/kmem/kfree/filter");

	kmt_sentry_expect_on(sentry);
	put("trace", "");
	put("events/kmem/kfree/enable", "1*");
	kmt_sentry_forget(sentry);
	assert_string_equal(kmt_sentry_look(sentry), "trace");
	assert_null(kmt_sentry_look(sentry));
	kmt_sentry_free(sentry);
	(void)close(fd);
}

static void what_disturbs_nobody_is_passed_over(void **state)
{
	char text[16];
	struct kmt_sentry *sentry;
	int fd, reader;

	(void)state;
	sentry = make_sentry(&fd);
	put("trace_marker", "hello");
	reader = openat(fd, "per_cpu/cpu0/stats", O_RDONLY | O_CLOEXEC);
	assert_true(read(reader, text, sizeof(text)) >= 0);
	(void)close(reader);
	reader = openat(fd, "trace", O_RDONLY | O_CLOEXEC);
	(void)close(reader);
	assert_null(kmt_sentry_look(sentry));

	put("tracing_on", "0"); /* by ourselves */
	kmt_sentry_remember(sentry);
	assert_null(kmt_sentry_look(sentry));
	kmt_sentry_free(sentry);
	(void)close(fd);
}

#define IN_TAPE(test) \
	cmocka_unit_test_setup_teardown(test, make_tape_directory, remove_tape_directory)

#define SECOND_NS UINT64_C(1000000000)

static void time_in_suspend_is_never_negative(void **state)
{
	assert_int_equal(kmt_trace_clock_suspended_between(0, SECOND_NS), SECOND_NS);
	assert_int_equal(kmt_trace_clock_suspended_between(SECOND_NS, 3 * SECOND_NS),
			 2 * SECOND_NS);
	/* Nothing was, but the first reading was interrupted; or the second. */
	assert_int_equal(kmt_trace_clock_suspended_between(5000000, 400), 0);
	assert_int_equal(kmt_trace_clock_suspended_between(400, 5000000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TAPE(modules_that_come_and_go_are_logged),
		IN_TAPE(a_module_that_came_back_elsewhere_is_a_new_one),
		IN_TAPE(a_kernel_without_modules_has_an_empty_list),
		IN_TAPE(a_module_is_known_while_its_init_function_runs),
		IN_TAPE(symbols_of_init_code_go_with_it),
		IN_TAPE(what_two_reads_agree_on_is_all),
		IN_TAPE(symbols_stay_when_the_module_goes_before_they_are_read_again),
		IN_TAPE(symbols_of_a_read_that_was_not_whole_go_with_the_module),
		IN_TAPE(symbols_of_one_whole_read_stay),
		IN_TAPE(a_part_does_not_replace_all_symbols),
		IN_TAPE(a_read_while_init_code_goes_is_not_whole),
		IN_TAPE(a_module_that_is_listed_before_it_has_symbols_gets_them),
		IN_TAPE(a_directory_more_or_less_is_news),
		IN_TAPE(symbols_are_not_waited_for_without_modules),
		cmocka_unit_test(functions_are_known_by_their_parameters),
		cmocka_unit_test(members_are_found_also_in_what_has_no_name),
		cmocka_unit_test(pairs_are_parsed),
		cmocka_unit_test(what_is_wrong_with_a_pair_is_said),
		IN_TAPE(functions_are_found_by_name),
		cmocka_unit_test(damaged_btf_is_refused),
		cmocka_unit_test(this_kernel_describes_what_frees),
		cmocka_unit_test(what_a_dead_recorder_left_is_stale),
		cmocka_unit_test(counters_that_were_set_back_go_on),
		cmocka_unit_test(cpu_time_that_is_spent_comes_back_by_and_by),
		IN_TAPE(what_others_touch_is_seen),
		IN_TAPE(what_is_touched_while_events_are_being_switched_on_is_seen),
		IN_TAPE(what_disturbs_nobody_is_passed_over),
		cmocka_unit_test(symbols_that_a_read_missed_are_in_the_next),
		cmocka_unit_test(build_id_is_found_behind_other_notes),
		cmocka_unit_test(build_id_of_absurd_length_is_none),
		cmocka_unit_test(cpu_lists_are_parsed),
		cmocka_unit_test(time_in_suspend_is_never_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
