// SPDX-License-Identifier: GPL-2.0-only
/* The parts of the recorder that a live kernel doesn't bring to light: what they make of its text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

#include <cmocka.h>

#include "kmemtape/fs.h"
#include "kmemtape/tape.h"

#include "../../src/record/build-id.h"
#include "../../src/record/cpu-list.h"
#include "../../src/record/kallsyms.h"
#include "../../src/record/module-log.h"

static char tape_path[] = "/tmp/kmemtape-unit.XXXXXX";
static char list_path[64];

static int make_tape_directory(void **state)
{
	(void)state;
	(void)snprintf(tape_path, sizeof(tape_path), "/tmp/kmemtape-unit.XXXXXX");
	if (!mkdtemp(tape_path))
		return -1;
	(void)snprintf(list_path, sizeof(list_path), "%s/list", tape_path);
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

static void modules_that_come_and_go_are_logged(void **state)
{
	KMT_CLEANUP(kmt_module_log_freep) struct kmt_module_log *log = NULL;
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)state;
	assert_int_equal(kmt_tape_create(tape_path, &fd, NULL), 0);
	assert_int_equal(kmt_module_log_new(fd, list_path, 0, &log, NULL), 0);
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
	assert_int_equal(kmt_tape_create(tape_path, &fd, NULL), 0);
	assert_int_equal(kmt_module_log_new(fd, list_path, 0, &log, NULL), 0);
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
	assert_int_equal(kmt_tape_create(tape_path, &fd, NULL), 0);
	assert_int_equal(kmt_module_log_new(fd, list_path, 0, &log, NULL), 0);
	assert_int_equal(kmt_module_log_look(log, 0, NULL), 0);
	expect_log(fd, "");
}

static void expect_merged(const char *first, const char *second, int nr_added, const char *expected)
{
	char *text = strdup(first);
	size_t bytes = strlen(first);

	assert_int_equal(kmt_kallsyms_merge(&text, &bytes, second, strlen(second)), nr_added);
	assert_int_equal(bytes, strlen(expected));
	assert_memory_equal(text, expected, bytes);
	free(text);
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

#define IN_TAPE(test) \
	cmocka_unit_test_setup_teardown(test, make_tape_directory, remove_tape_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TAPE(modules_that_come_and_go_are_logged),
		IN_TAPE(a_module_that_came_back_elsewhere_is_a_new_one),
		IN_TAPE(a_kernel_without_modules_has_an_empty_list),
		cmocka_unit_test(symbols_that_a_read_missed_are_in_the_next),
		cmocka_unit_test(build_id_is_found_behind_other_notes),
		cmocka_unit_test(build_id_of_absurd_length_is_none),
		cmocka_unit_test(cpu_lists_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
