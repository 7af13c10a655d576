// SPDX-License-Identifier: LGPL-2.1-only
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "debug-functions.h"
#include "debug-info.h"
#include "source-path.h"

#define INLINED_MAX 32u /* frames in one; the deepest of a kernel are about 15 */
#define UNITS_MAX   100000u

/* What the names of a unit's source files are relative to. */
struct unit {
	Dwarf_Off offset;		  /* of the unit; 0: of none yet */
	char dir[KMT_SOURCE_PATH_BYTES];  /* where the compiler ran; "" unknown */
	char root[KMT_SOURCE_PATH_BYTES]; /* of the kernel's source; "" unknown */
};

struct kmt_debug_info {
	Dwfl *dwfl;
	Dwfl_Module *module;
	char build_id[KMT_BUILD_ID_HEX_BYTES];
	struct kmt_debug_functions *functions; /* NULL: not asked yet */
	struct unit unit;		       /* the last one */
	char own_dir[KMT_SOURCE_PATH_BYTES];   /* of a module that isn't the kernel's */
	bool has_own_dir;
};

/* libdw would look around, and ask debuginfod, on its own: debug-search.h does that. */
static int find_nothing(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			const char *file_name, const char *debuglink, GElf_Word crc,
			char **ret_name)
{
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_debuginfo = find_nothing,
	.section_address = dwfl_offline_section_address,
};

/* A regular file: nothing that hangs, or does something when it is opened. */
static int open_file(const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return kmt_fail(err, -EINVAL, "%s: not a regular file", path);
	return KMT_STEAL_FD(fd);
}

static void read_build_id(struct kmt_debug_info *info)
{
	const unsigned char *bits;
	GElf_Addr address;
	int nr = dwfl_module_build_id(info->module, &bits, &address);

	if (nr <= 0 || (size_t)nr * 2 >= sizeof(info->build_id))
		return;
	for (int i = 0; i < nr; i++)
		(void)snprintf(info->build_id + 2 * i, 3, "%02x", bits[i]);
}

int kmt_debug_info_open(const char *path, struct kmt_debug_info **ret_info, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_debug_info_freep) struct kmt_debug_info *info = calloc(1, sizeof(*info));
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	if (!info)
		return kmt_fail(err, -ENOMEM, "out of memory");
	fd = open_file(path, err);
	if (fd < 0)
		return fd;
	info->dwfl = dwfl_begin(&callbacks);
	if (!info->dwfl)
		return kmt_fail(err, -ENOMEM, "out of memory");
	dwfl_report_begin(info->dwfl);
	info->module = dwfl_report_offline(info->dwfl, path, path, fd);
	if (!info->module)
		return kmt_fail(err, -EBADMSG, "%s: %s", path, dwfl_errmsg(-1));
	fd = -1; /* taken */
	(void)dwfl_report_end(info->dwfl, NULL, NULL);
	read_build_id(info);
	*ret_info = KMT_STEAL(info);
	return 0;
}

struct kmt_debug_info *kmt_debug_info_free(struct kmt_debug_info *info)
{
	if (!info)
		return NULL;
	(void)kmt_debug_functions_free(info->functions);
	if (info->dwfl)
		dwfl_end(info->dwfl);
	free(info);
	return NULL;
}

const char *kmt_debug_info_build_id(const struct kmt_debug_info *info)
{
	return info->build_id;
}

bool kmt_debug_info_has_lines(struct kmt_debug_info *info)
{
	Dwarf_Addr bias;

	return dwfl_module_getdwarf(info->module, &bias) &&
	       dwfl_module_nextcu(info->module, NULL, &bias);
}

/* DW_AT_name of a unit, joined with where the compiler ran. */
static void unit_name(Dwarf_Die *unit, const char *dir, char path[KMT_SOURCE_PATH_BYTES])
{
	const char *name = dwarf_diename(unit);

	kmt_source_path_join(path, dir, name ? name : "");
}

static const char *text_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr(die, name, &attribute));
}

/*
 * Of a module that is built outside of the kernel's source, which is in @root: where its own is.
 * Newer kernels (6.12.95 is one) add a file of theirs to each, scripts/module-common.c.
 */
static void find_own_dir(struct kmt_debug_info *info, const char *root)
{
	char path[KMT_SOURCE_PATH_BYTES], *slash;
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias;
	size_t nr = 0;

	info->has_own_dir = true;
	while (nr < UNITS_MAX && (unit = dwfl_module_nextcu(info->module, unit, &bias))) {
		unit_name(unit, text_of(unit, DW_AT_comp_dir), path);
		slash = strrchr(path, '/');
		if (!slash || kmt_source_path_below(path, root))
			continue;
		*slash = '\0';
		if (nr++ == 0)
			(void)strcpy(info->own_dir, path);
		else
			kmt_source_path_common(info->own_dir, path);
	}
}

static const struct unit *read_unit(struct kmt_debug_info *info, Dwarf_Die *die)
{
	struct unit *unit = &info->unit;
	char path[KMT_SOURCE_PATH_BYTES];
	const char *dir, *name;
	Dwarf_Files *files;
	size_t nr;

	if (unit->offset == dwarf_dieoffset(die))
		return unit;
	*unit = (struct unit){ .offset = dwarf_dieoffset(die) };
	dir = text_of(die, DW_AT_comp_dir);
	if (dir)
		kmt_source_path_join(unit->dir, NULL, dir);
	if (dwarf_getsrcfiles(die, &files, &nr) != 0)
		return unit;
	for (size_t i = 0; i < nr && !*unit->root; i++) {
		name = dwarf_filesrc(files, i, NULL, NULL);
		if (!name)
			continue;
		kmt_source_path_join(path, unit->dir, name);
		(void)kmt_source_path_root(path, unit->root);
	}
	return unit;
}

/* The name as a developer knows it: from the source tree down. */
static void put_file(FILE *out, struct kmt_debug_info *info, Dwarf_Die *die, const char *name)
{
	const struct unit *unit = read_unit(info, die);
	char path[KMT_SOURCE_PATH_BYTES];
	const char *below;

	kmt_source_path_join(path, unit->dir, name);
	below = kmt_source_path_below(path, unit->root);
	if (!below)
		below = kmt_source_path_below(path, unit->dir);
	if (!below) {
		if (!info->has_own_dir)
			find_own_dir(info, unit->root);
		below = kmt_source_path_below(path, info->own_dir);
	}
	fputs(below ? below : path, out);
}

/* Where the inlined function @die was called. Return: false if that isn't known. */
static bool put_call(FILE *out, struct kmt_debug_info *info, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file, line;
	Dwarf_Files *files;
	const char *name;
	Dwarf_Die unit;
	size_t nr;

	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &file) != 0 ||
	    dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &line) != 0 || !line ||
	    !dwarf_diecu(die, &unit, NULL, NULL) || dwarf_getsrcfiles(&unit, &files, &nr) != 0 ||
	    file >= nr)
		return false;
	name = dwarf_filesrc(files, file, NULL, NULL);
	if (!name)
		return false;
	fputs(" < ", out);
	put_file(out, info, &unit, name);
	fprintf(out, ":%llu", (unsigned long long)line);
	return true;
}

/* From the innermost outwards. Half of a chain would name the wrong function's line. */
static bool put_inlined(FILE *out, struct kmt_debug_info *info, Dwarf_Die *unit, Dwarf_Addr pc)
{
	Dwarf_Die *inner = NULL, *scopes = NULL;
	int nr = dwarf_getscopes(unit, pc, &inner);
	unsigned int nr_inlined = 0;
	bool is_good = true;

	/* Those of the function that was inlined into, not of where the innermost is defined. */
	nr = nr > 0 ? dwarf_getscopes_die(&inner[0], &scopes) : 0;
	for (int i = 0; i < nr && is_good; i++)
		if (dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine)
			is_good = ++nr_inlined <= INLINED_MAX && put_call(out, info, &scopes[i]);
	free(inner);
	free(scopes);
	return is_good;
}

/* The unit that @pc is in. Some compilers don't write the table of which is where. */
static Dwarf_Die *find_unit(struct kmt_debug_info *info, Dwarf_Addr pc, Dwarf_Addr *ret_bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(info->module, pc, ret_bias);

	if (unit)
		return unit;
	for (size_t nr = 0; nr < UNITS_MAX; nr++) {
		unit = dwfl_module_nextcu(info->module, unit, ret_bias);
		if (!unit || dwarf_haspc(unit, pc - *ret_bias) == 1)
			return unit;
	}
	return NULL;
}

/* Return: 1, 0 if nothing is known of it, -ENOMEM. */
static int describe(struct kmt_debug_info *info, Dwarf_Addr pc, char **ret_text)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	Dwarf_Line *line = NULL;
	const char *name = NULL;
	Dwarf_Addr bias;
	Dwarf_Die *unit = find_unit(info, pc, &bias);
	int number = 0;
	bool is_good;
	size_t bytes;
	FILE *out;

	if (unit)
		line = dwarf_getsrc_die(unit, pc - bias);
	if (line)
		name = dwarf_linesrc(line, NULL, NULL);
	if (!name || dwarf_lineno(line, &number) != 0 || number <= 0)
		return 0; /* 0: code that the compiler made for no line */
	out = open_memstream(&text, &bytes);
	if (!out)
		return -ENOMEM;
	put_file(out, info, unit, name);
	fprintf(out, ":%d", number);
	is_good = put_inlined(out, info, unit, pc - bias);
	if (fclose(out) != 0)
		return -ENOMEM;
	if (is_good)
		*ret_text = KMT_STEAL(text);
	return is_good;
}

/* The line of each that it may be; one that differs makes all of them worthless. */
static int describe_all(struct kmt_debug_info *info, const uint64_t *starts, size_t nr,
			uint64_t offset, char **ret_text)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	for (size_t i = 0; i < nr; i++) {
		KMT_CLEANUP(kmt_freep) char *other = NULL;
		int r = describe(info, starts[i] + offset - 1, &other);

		if (r <= 0)
			return r;
		if (text && strcmp(text, other) != 0)
			return 0;
		free(text);
		text = KMT_STEAL(other);
	}
	*ret_text = KMT_STEAL(text);
	return nr > 0;
}

int kmt_debug_info_find(struct kmt_debug_info *info, const struct kmt_lines_place *place,
			bool is_same_build, char **ret_text)
{
	uint64_t starts[KMT_DEBUG_NAMESAKES_MAX];
	size_t nr;
	int r;

	if (!info->functions) {
		r = kmt_debug_functions_new(info->module, &info->functions);
		if (r < 0)
			return r;
	}
	nr = kmt_debug_functions_find(info->functions, place, is_same_build, starts);
	return describe_all(info, starts, nr, place->offset, ret_text);
}
