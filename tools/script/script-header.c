// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/tape-format.h"
#include "kmemtape/units.h"

#include "script-header.h"

enum value_type { TEXT, UINT32, UINT64, INT64, ENDIAN, YESNO };

/* One row for each plain line, so that reading and writing cannot drift apart. */
struct plain {
	const char *name;
	enum value_type type;
	size_t offset;	   /* in struct kmt_manifest */
	size_t has_offset; /* in struct script_header; 0: nothing to note */
	uint64_t min, max, preset;
	bool is_always_printed;
};

#define FIELD(field) offsetof(struct kmt_manifest, field)
#define HAS(field)   offsetof(struct script_header, field)

static const struct plain plain_lines[] = {
	{ "recorder", TEXT, FIELD(recorder), 0, 0, 0, 0, false },
	{ "kernel", TEXT, FIELD(kernel), 0, 0, 0, 0, true },
	{ "version", TEXT, FIELD(kernel_version), 0, 0, 0, 0, false },
	{ "arch", TEXT, FIELD(arch), 0, 0, 0, 0, true },
	{ "host", TEXT, FIELD(host), 0, 0, 0, 0, false },
	{ "endian", ENDIAN, FIELD(is_big_endian), 0, 0, 0, 0, true },
	{ "long", UINT32, FIELD(long_bytes), 0, 4, 8, 8, true },
	{ "page", UINT32, FIELD(page_bytes), 0, 1024, 1 << 20, 4096, false },
	{ "subbuf", UINT32, FIELD(subbuf_bytes), 0, 64, 1 << 20, 0, true },
	{ "clock", TEXT, FIELD(clock), 0, 0, 0, 0, true },
	{ "wall_offset", INT64, FIELD(wall_offset_ns), 0, 0, 0, 0, false },
	{ "wall_offset_end", INT64, FIELD(wall_offset_end_ns), 0, 0, 0, 0, false },
	{ "suspended", UINT64, FIELD(suspended_ns), 0, 0, INT64_MAX, 0, false },
	{ "start", UINT64, FIELD(start_ns), HAS(has_start), 0, UINT64_MAX, 0, true },
	{ "allocs_on", UINT64, FIELD(allocs_on_ns), HAS(has_allocs_on), 0, UINT64_MAX, 0, true },
	{ "allocs_off", UINT64, FIELD(allocs_off_ns), HAS(has_allocs_off), 0, UINT64_MAX, 0, true },
	{ "end", UINT64, FIELD(end_ns), HAS(has_end), 0, UINT64_MAX, 0, true },
	{ "sample", UINT64, FIELD(sample), 0, 1, UINT64_C(1) << 32, 1, false },
	{ "sample_mask", UINT64, FIELD(sample_mask), 0, 0, UINT32_MAX, 0, false },
	{ "sample_page_mask", UINT64, FIELD(sample_page_mask), 0, 0, UINT32_MAX, 0, false },
	{ "sets", TEXT, FIELD(sets), 0, 0, 0, 0, false },
	{ "vmalloc", TEXT, FIELD(vmalloc), 0, 0, 0, 0, false },
	{ "stacks", TEXT, FIELD(stacks), 0, 0, 0, 0, false },
	{ "free_probes", TEXT, FIELD(free_probes), 0, 0, 0, 0, false },
	{ "possible_cpus", UINT32, FIELD(nr_possible_cpus), 0, 0, KMT_CPUS_MAX, 0, false },
	{ "ended", UINT64, FIELD(ended_ns), 0, 0, INT64_MAX, 0, false },
	{ "ended_why", TEXT, FIELD(ended_why), 0, 0, 0, 0, false },
	{ "closed", YESNO, FIELD(is_closed), 0, 0, 0, 1, true },
	{ "command", TEXT, FIELD(command), 0, 0, 0, 0, false },
};

#define NR_PLAIN (sizeof(plain_lines) / sizeof(plain_lines[0]))

/* What a script that doesn't say is about. */
static void preset(struct kmt_manifest *manifest)
{
	kmt_manifest_init(manifest);
	(void)snprintf(manifest->recorder, sizeof(manifest->recorder), "mktape");
	(void)snprintf(manifest->kernel, sizeof(manifest->kernel), "6.18.0");
	(void)snprintf(manifest->arch, sizeof(manifest->arch), "x86_64");
	(void)snprintf(manifest->clock, sizeof(manifest->clock), "mono");
	manifest->long_bytes = 8;
	manifest->page_bytes = 4096;
	manifest->is_closed = true;
}

int script_header_init(struct script_header *header, struct kmt_err *err)
{
	*header = (struct script_header){ .formats = "6.18" };
	preset(&header->manifest);
	header->modules_file = open_memstream(&header->modules, &header->modules_bytes);
	header->comms_file = open_memstream(&header->comms, &header->comms_bytes);
	header->snapshots_file = open_memstream(&header->snapshot_texts, &header->snapshot_bytes);
	if (!header->modules_file || !header->comms_file || !header->snapshots_file)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 0;
}

void script_header_deinit(struct script_header *header)
{
	kmt_fclosep(&header->modules_file);
	kmt_fclosep(&header->comms_file);
	free(header->modules);
	free(header->comms);
	kmt_fclosep(&header->snapshots_file);
	free(header->snapshot_texts);
	free(header->snapshots);
	symtab_deinit(&header->symtab);
	kmt_manifest_deinit(&header->manifest);
}

static int take_word(const struct plain *plain, bool *value, const char *no, const char *yes,
		     const struct script *script, struct kmt_err *err)
{
	if (script->nr_words != 2 ||
	    (strcmp(script->words[1], no) != 0 && strcmp(script->words[1], yes) != 0))
		return script_fail(script, err, "'%s' is %s or %s", plain->name, no, yes);
	*value = strcmp(script->words[1], yes) == 0;
	return 1;
}

static int take_text(char *value, const struct script *script, struct kmt_err *err)
{
	char text[SCRIPT_TEXT_MAX];
	int r = script_text(script, 1, text, err);

	if (r < 0)
		return r;
	if (strlen(text) >= KMT_MANIFEST_TEXT_BYTES)
		return script_fail(script, err, "text too long");
	memcpy(value, text, strlen(text) + 1);
	return 1;
}

static int take_int64(int64_t *value, const struct script *script, struct kmt_err *err)
{
	char *end;

	errno = 0;
	*value = script->nr_words == 2 ? strtoll(script->words[1], &end, 10) : 0;
	if (script->nr_words != 2 || errno || *end)
		return script_fail(script, err, "'%s' needs a number", script->words[0]);
	return 1;
}

static int take_plain(struct script_header *header, const struct plain *plain,
		      const struct script *script, struct kmt_err *err)
{
	void *value = (char *)&header->manifest + plain->offset;
	uint64_t n;
	int r;

	switch (plain->type) {
	case TEXT:
		return take_text(value, script, err);
	case ENDIAN:
		return take_word(plain, value, "little", "big", script, err);
	case YESNO:
		return take_word(plain, value, "no", "yes", script, err);
	case INT64:
		return take_int64(value, script, err);
	case UINT32:
	case UINT64:
		break;
	}
	r = script_number(script, 1, plain->min, plain->max, &n, err);
	if (r < 0)
		return r;
	if (plain->type == UINT32)
		*(uint32_t *)value = (uint32_t)n;
	else
		*(uint64_t *)value = n;
	if (plain->has_offset)
		*((bool *)header + plain->has_offset) = true;
	return 1;
}

static int take_symbol(struct script_header *header, const struct script *script, bool is_module,
		       struct kmt_err *err)
{
	size_t at = is_module ? 2 : 1;
	KMT_CLEANUP(kmt_freep) char *module = NULL;
	uint64_t line = 0, address;
	char *end;
	int r;

	if (script->nr_words < at + 3)
		return script_fail(script, err, "'%s' needs an address, a type and a name",
				   script->words[0]);
	if (is_module) {
		r = script_number(script, 1, 1, header->nr_module_lines, &line, err);
		if (r < 0)
			return r;
		(void)fflush(header->modules_file);
		module = script_header_module(header->modules, (unsigned int)line);
		if (!module)
			return script_fail(script, err, "line %" PRIu64 " loads no module", line);
	}
	address = strtoull(script->words[at], &end, 16);
	if (*end || strlen(script->words[at + 1]) != 1)
		return script_fail(script, err, "not an address and a type");
	if (!is_module && script->nr_words > at + 3) {
		module = strdup(script->words[at + 3]);
		if (module && (*module != '[' || module[strlen(module) - 1] != ']'))
			return script_fail(script, err, "'%s' is not [module]", module);
		if (module) {
			module[strlen(module) - 1] = '\0';
			memmove(module, module + 1, strlen(module));
		}
	}
	script_unescape(script->words[at + 2]);
	if (symtab_add(&header->symtab, address, script->words[at + 1][0], script->words[at + 2],
		       module, (unsigned int)line) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 1;
}

static int take_module(struct script_header *header, const struct script *script,
		       struct kmt_err *err)
{
	bool is_load = script->nr_words == 8 && strcmp(script->words[1], "load") == 0;
	uint64_t n;
	int r;

	if (!is_load && (script->nr_words != 4 || strcmp(script->words[1], "unload") != 0))
		return script_fail(script, err,
				   "not `module load TIME NAME SIZE ADDRESS TAINT BUILD-ID` or "
				   "`module unload TIME NAME`");
	r = script_number(script, 2, 0, UINT64_MAX, &n, err);
	if (r < 0)
		return r;
	for (size_t i = 1; i < script->nr_words; i++)
		(void)fprintf(header->modules_file, "%s%s", script->words[i],
			      i + 1 < script->nr_words ? " " : "\n");
	header->nr_module_lines++;
	return 1;
}

static int take_comm(struct script_header *header, const struct script *script, struct kmt_err *err)
{
	char text[SCRIPT_TEXT_MAX], escaped[4 * SCRIPT_TEXT_MAX];
	uint64_t pid;
	int r;

	r = script_number(script, 1, 0, INT32_MAX, &pid, err);
	if (r < 0)
		return r;
	r = script_text(script, 2, text, err);
	if (r < 0)
		return r;
	(void)fprintf(header->comms_file, "%" PRIu64 "\t%s\n", pid,
		      kmt_escape(escaped, sizeof(escaped), text));
	return 1;
}

static int take_stats(struct script_header *header, const struct script *script,
		      struct kmt_err *err)
{
	struct kmt_cpu_stats stats = { 0 };
	struct {
		const char *name;
		uint64_t *value;
	} fields[] = { { "overrun=", &stats.overrun },
		       { "commit_overrun=", &stats.commit_overrun },
		       { "dropped=", &stats.dropped },
		       { "read=", &stats.read } };
	uint64_t cpu;
	int r;

	r = script_number(script, 1, 0, KMT_CPUS_MAX - 1, &cpu, err);
	if (r < 0)
		return r;
	stats.cpu = (uint32_t)cpu;
	for (size_t i = 2; i < script->nr_words; i++) {
		bool is_known = false;

		for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++) {
			size_t length = strlen(fields[j].name);

			if (strncmp(script->words[i], fields[j].name, length) == 0)
				is_known = kmt_parse_uint(script->words[i] + length,
							  fields[j].value) == 0;
		}
		if (!is_known)
			return script_fail(script, err, "'%s' is not one of the counters",
					   script->words[i]);
	}
	if (kmt_manifest_add_stats(&header->manifest, &stats) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 1;
}

static int take_enabled(struct script_header *header, const struct script *script,
			struct kmt_err *err)
{
	for (size_t i = 1; i < script->nr_words; i++)
		if (kmt_manifest_add_event(&header->manifest, script->words[i]) < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
	return 1;
}

static int take_snapshot(struct script_header *header, const struct script *script,
			 struct kmt_err *err)
{
	struct script_snapshot snapshot = { .time_ns = 0 }, *grown;
	int r;

	r = script_number(script, 1, 0, UINT64_MAX, &snapshot.time_ns, err);
	if (r < 0)
		return r;
	if (script->nr_words != 3 || strlen(script->words[2]) >= sizeof(snapshot.why))
		return script_fail(script, err, "not `snapshot TIME WHY`");
	memcpy(snapshot.why, script->words[2], strlen(script->words[2]));
	if (fflush(header->snapshots_file) != 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	snapshot.from = header->snapshot_bytes;
	grown = reallocarray(header->snapshots, header->nr_snapshots + 1, sizeof(*grown));
	if (!grown)
		return kmt_fail(err, -ENOMEM, "out of memory");
	header->snapshots = grown;
	header->snapshots[header->nr_snapshots++] = snapshot;
	return 1;
}

static int take_snapshot_line(struct script_header *header, const struct script *script,
			      struct kmt_err *err)
{
	if (!header->nr_snapshots)
		return script_fail(script, err, "a line of a snapshot, and no snapshot before it");
	if (fprintf(header->snapshots_file, "%s\n", script->verbatim) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	header->snapshots[header->nr_snapshots - 1].bytes += strlen(script->verbatim) + 1;
	return 1;
}

static int take_filter(struct script_header *header, const struct script *script,
		       struct kmt_err *err)
{
	char text[SCRIPT_TEXT_MAX];
	int r;

	if (script->nr_words < 3 || strlen(script->words[1]) >= KMT_PROBE_NAME_BYTES)
		return script_fail(script, err, "not `filter EVENT CONDITION`");
	r = script_text(script, 2, text, err);
	if (r < 0)
		return r;
	if (kmt_manifest_add_filter(&header->manifest, script->words[1], text) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 1;
}

static int take_disturbed(struct script_header *header, const struct script *script,
			  struct kmt_err *err)
{
	struct kmt_manifest *manifest = &header->manifest;
	uint64_t from_ns, to_ns;
	int r;

	if (script->nr_words != 4 || manifest->nr_disturbances == KMT_DISTURBANCES_MAX ||
	    strlen(script->words[3]) >= KMT_DISTURBANCE_BYTES)
		return script_fail(script, err, "not `disturbed FROM TO FILE`");
	r = script_number(script, 1, 0, INT64_MAX, &from_ns, err);
	if (r == 0)
		r = script_number(script, 2, from_ns, INT64_MAX, &to_ns, err);
	if (r < 0)
		return r;
	kmt_manifest_note_disturbance(manifest, from_ns, to_ns, script->words[3]);
	return 1;
}

static int take_pair(struct script_header *header, const struct script *script, struct kmt_err *err)
{
	struct kmt_pair pair = { .is_count = false };
	char *const texts[] = { NULL, pair.name, pair.alloc, pair.free };
	const size_t rooms[] = { 0, sizeof(pair.name), sizeof(pair.alloc), sizeof(pair.free) };

	for (size_t i = 1; i < 4; i++) {
		if (i >= script->nr_words || strlen(script->words[i]) >= rooms[i])
			return script_fail(script, err, "not `pair NAME FUNCTION FUNCTION`");
		memcpy(texts[i], script->words[i], strlen(script->words[i]) + 1);
	}
	for (size_t i = 4; i < script->nr_words; i++) {
		const char *word = script->words[i];

		if (strcmp(word, "count") == 0)
			pair.is_count = true;
		else if (strncmp(word, "module=", 7) == 0 && strlen(word) < sizeof(pair.module))
			memcpy(pair.module, word + 7, strlen(word + 7) + 1);
		else
			return script_fail(script, err, "'%s' is neither count nor module=", word);
	}
	if (kmt_manifest_add_pair(&header->manifest, &pair) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 1;
}

static int take_formats(struct script_header *header, const struct script *script,
			struct kmt_err *err)
{
	size_t bytes = script->nr_words > 1 ? strlen(script->words[1]) : SCRIPT_TEXT_MAX;

	if (bytes >= SCRIPT_TEXT_MAX)
		return script_fail(script, err, "not `formats DIRECTORY GROUP...`");
	memcpy(header->formats, script->words[1], bytes + 1);
	script_unescape(header->formats);
	header->format_groups = 0;
	for (size_t i = 2; i < script->nr_words; i++) {
		unsigned int group = formats_group(script->words[i]);

		if (!group)
			return script_fail(script, err, "'%s' is no group of events",
					   script->words[i]);
		header->format_groups |= group;
	}
	return 1;
}

static int take_other(struct script_header *header, const struct script *script,
		      struct kmt_err *err)
{
	const char *name = script->words[0];
	uint64_t n;
	int r;

	if (script->verbatim)
		return take_snapshot_line(header, script, err);
	if (strcmp(name, "snapshot") == 0)
		return take_snapshot(header, script, err);
	if (strcmp(name, "symbol") == 0)
		return take_symbol(header, script, false, err);
	if (strcmp(name, "module_symbol") == 0)
		return take_symbol(header, script, true, err);
	if (strcmp(name, "module") == 0)
		return take_module(header, script, err);
	if (strcmp(name, "comm") == 0)
		return take_comm(header, script, err);
	if (strcmp(name, "stats") == 0)
		return take_stats(header, script, err);
	if (strcmp(name, "enabled") == 0)
		return take_enabled(header, script, err);
	if (strcmp(name, "filter") == 0)
		return take_filter(header, script, err);
	if (strcmp(name, "disturbed") == 0)
		return take_disturbed(header, script, err);
	if (strcmp(name, "pair") == 0)
		return take_pair(header, script, err);
	if (strcmp(name, "formats") == 0)
		return take_formats(header, script, err);
	if (strcmp(name, "symbols") == 0) {
		r = script_text(script, 1, header->symbols, err);
		return r < 0 ? r : 1;
	}
	if (strcmp(name, "command_status") == 0) {
		r = script_number(script, 1, 0, 255, &n, err);
		header->manifest.has_command_status = true;
		header->manifest.command_status = (int)n;
		return r < 0 ? r : 1;
	}
	if (strcmp(name, "cpu") == 0) {
		r = script_number(script, 1, 0, KMT_CPUS_MAX - 1, &n, err);
		if (r == 0)
			r = kmt_manifest_add_cpu(&header->manifest, (uint32_t)n);
		return r < 0 ? r : 1;
	}
	if (strcmp(name, "recorder_pid") == 0) {
		r = script_number(script, 1, 0, INT32_MAX, &n, err);
		if (r == 0)
			r = kmt_manifest_add_recorder_pid(&header->manifest, (int32_t)n);
		return r < 0 ? r : 1;
	}
	return 0;
}

int script_header_take(struct script_header *header, const struct script *script,
		       struct kmt_err *err)
{
	for (size_t i = 0; i < NR_PLAIN; i++)
		if (strcmp(script->words[0], plain_lines[i].name) == 0)
			return take_plain(header, &plain_lines[i], script, err);
	return take_other(header, script, err);
}

int script_header_finish(struct script_header *header, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &header->manifest;
	const char *state = header->symbols;

	if (fflush(header->modules_file) != 0 || fflush(header->comms_file) != 0 ||
	    fflush(header->snapshots_file) != 0 || symtab_sort(&header->symtab) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	manifest->symbols = header->symtab.nr ? KMT_SYMBOLS_GOOD : KMT_SYMBOLS_NONE;
	if (strcmp(state, "none") == 0)
		manifest->symbols = KMT_SYMBOLS_NONE;
	else if (strcmp(state, "hidden") == 0)
		manifest->symbols = KMT_SYMBOLS_HIDDEN;
	else if (strcmp(state, "good") == 0)
		manifest->symbols = KMT_SYMBOLS_GOOD;
	else if (*state)
		return kmt_fail(err, -EINVAL, "'symbols' is none, hidden or good, not '%s'", state);
	return 0;
}

char *script_header_module(const char *modules, unsigned int line)
{
	char *name = NULL;

	while (modules && --line) {
		modules = strchr(modules, '\n');
		if (modules)
			modules++;
	}
	if (!modules || sscanf(modules, "load %*s %ms", &name) != 1)
		return NULL;
	return name;
}

/* Nothing, if it needn't be said. */
static void print_value(FILE *out, const struct plain *plain, const void *value)
{
	uint64_t n = plain->type == UINT32   ? *(const uint32_t *)value
		     : plain->type == UINT64 ? *(const uint64_t *)value
					     : 0;

	switch (plain->type) {
	case TEXT:
		if (!plain->is_always_printed &&
		    (!*(const char *)value || strcmp(value, "mktape") == 0))
			return;
		(void)fprintf(out, "%s ", plain->name);
		script_put_text(out, value, 0);
		break;
	case ENDIAN:
		(void)fprintf(out, "%s %s", plain->name, *(const bool *)value ? "big" : "little");
		break;
	case YESNO:
		(void)fprintf(out, "%s %s", plain->name, *(const bool *)value ? "yes" : "no");
		break;
	case INT64:
		if (*(const int64_t *)value == 0)
			return;
		(void)fprintf(out, "%s %" PRId64, plain->name, *(const int64_t *)value);
		break;
	case UINT32:
	case UINT64:
		if (!plain->is_always_printed && n == plain->preset)
			return;
		(void)fprintf(out, "%s %" PRIu64, plain->name, n);
		break;
	}
	(void)fputc('\n', out);
}

void script_header_print(FILE *out, const struct kmt_manifest *manifest, const char *name,
			 const struct formats_dir *formats)
{
	for (size_t i = 0; i < NR_PLAIN; i++) {
		const struct plain *plain = &plain_lines[i];

		print_value(out, plain, (const char *)manifest + plain->offset);
		if (strcmp(plain->name, "arch") == 0) {
			(void)fputs("formats ", out);
			script_put_text(out, name, 1);
			formats_dir_print_groups(out, formats);
			(void)fputc('\n', out);
		}
	}
	if (manifest->has_command_status)
		(void)fprintf(out, "command_status %d\n", manifest->command_status);
	for (size_t i = 0; i < manifest->nr_recorder_pids; i++)
		(void)fprintf(out, "recorder_pid %d\n", manifest->recorder_pids[i]);
	for (size_t i = 0; i < manifest->nr_stats; i++) {
		const struct kmt_cpu_stats *s = &manifest->stats[i];

		(void)fprintf(out,
			      "stats %u overrun=%" PRIu64 " commit_overrun=%" PRIu64
			      " dropped=%" PRIu64 " read=%" PRIu64 "\n",
			      s->cpu, s->overrun, s->commit_overrun, s->dropped, s->read);
	}
	for (size_t i = 0; i < manifest->nr_filters; i++) {
		(void)fprintf(out, "filter %s ", manifest->filters[i].event);
		script_put_text(out, manifest->filters[i].text, 0);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < manifest->nr_disturbances; i++) {
		const struct kmt_disturbance *d = &manifest->disturbances[i];

		(void)fprintf(out, "disturbed %" PRIu64 " %" PRIu64 " %s\n", d->from_ns, d->to_ns,
			      d->what);
	}
	for (size_t i = 0; i < manifest->nr_pairs; i++) {
		const struct kmt_pair *p = &manifest->pairs[i];

		(void)fprintf(out, "pair %s %s %s%s%s%s\n", p->name, p->alloc, p->free,
			      *p->module ? " module=" : "", p->module, p->is_count ? " count" : "");
	}
}
