// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change.h"
#include "fuzz.h"

/*
 * Runs a fuzz target without libFuzzer: every file of the corpus, then a number of mutations of it,
 * the same ones each time.
 *
 *   fuzz-TARGET [-n MUTATIONS] [-s SEED] CORPUS...     files or directories
 *   fuzz-TARGET [-s SEED] -w N CORPUS... >FILE         write mutation N instead of running it
 *
 * When the target dies, the last line on stderr says which input it was.
 */
#define INPUT_BYTES_MAX (1u << 20)
#define SEEDS_MAX	4096u
#define GROWN_BYTES	4096u /* a mutation may add this much */

struct seed {
	char *name;
	uint8_t *bytes;
	size_t size;
};

static struct seed seeds[SEEDS_MAX];
static size_t nr_seeds;
static char current[512]; /* what is running, for say_current() */

/* Async-signal-safe, and called by the sanitizers before they end the process. */
static void say_current(void)
{
	(void)!write(STDERR_FILENO, current, strlen(current));
}

static void on_signal(int signal)
{
	say_current();
	(void)raise(signal); /* SA_RESETHAND: this time it kills */
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch(void)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(say_current);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!__sanitizer_set_death_callback || signals[i] == SIGABRT ||
		    signals[i] == SIGALRM)
			(void)sigaction(signals[i], &action, NULL);
}

static void add_file(const char *name)
{
	FILE *file = fopen(name, "rb");
	struct seed *seed = &seeds[nr_seeds];

	if (!file || nr_seeds == SEEDS_MAX) {
		fprintf(stderr, "%s: cannot be read, or one too many\n", name);
		exit(2);
	}
	seed->name = strdup(name);
	seed->bytes = malloc(INPUT_BYTES_MAX);
	if (!seed->name || !seed->bytes)
		exit(2);
	seed->size = fread(seed->bytes, 1, INPUT_BYTES_MAX, file);
	(void)fclose(file);
	nr_seeds++;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* By name, so that the order is the same everywhere. */
static void add_path(const char *path)
{
	struct dirent **entries;
	struct stat st;
	int nr;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		add_file(path);
		return;
	}
	nr = scandir(path, &entries, is_visible, alphasort);
	for (int i = 0; i < nr; i++) {
		char name[4096];

		(void)snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		add_file(name);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

/* Mutation @number depends on the corpus, @seed and @number only. */
static size_t mutate(uint8_t *bytes, uint64_t seed, uint64_t number)
{
	uint64_t state = seed ^ number * 0xd1342543de82ef95;
	const struct seed *from = &seeds[change_below(&state, nr_seeds)];
	size_t size = from->size, changes = 1 + change_below(&state, 8);

	memcpy(bytes, from->bytes, size);
	while (changes-- > 0) {
		const struct seed *other = &seeds[change_below(&state, nr_seeds)];

		size = change_once(bytes, size, from->size + GROWN_BYTES, other->bytes, other->size,
				   &state);
	}
	return size;
}

/* In memory of just its size, so that a read behind its end is seen. */
static void run(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	MUST(exact);
	memcpy(exact, bytes, size);
	(void)alarm(60); /* a hang is a finding */
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

int main(int argc, char **argv)
{
	uint64_t nr_mutations = 0, seed = 1, only = UINT64_MAX;
	uint8_t *bytes = malloc(INPUT_BYTES_MAX + GROWN_BYTES);
	int option;

	while ((option = getopt(argc, argv, "n:s:w:")) >= 0) {
		if (option == '?')
			return 2;
		*(option == 'n'	  ? &nr_mutations
		  : option == 's' ? &seed
				  : &only) = strtoull(optarg, NULL, 0);
	}
	for (int i = optind; i < argc; i++)
		add_path(argv[i]);
	if (!bytes || nr_seeds == 0) {
		fprintf(stderr, "%s: no corpus\n", argv[0]);
		return 2;
	}
	if (only != UINT64_MAX) {
		(void)fwrite(bytes, 1, mutate(bytes, seed, only), stdout);
		return fflush(stdout) ? 1 : 0;
	}
	watch();
	for (size_t i = 0; i < nr_seeds; i++) {
		(void)snprintf(current, sizeof(current), "input: %s\n", seeds[i].name);
		run(seeds[i].bytes, seeds[i].size);
	}
	for (uint64_t i = 0; i < nr_mutations; i++) {
		(void)snprintf(current, sizeof(current), "input: mutation %llu, see -w\n",
			       (unsigned long long)i);
		run(bytes, mutate(bytes, seed, i));
	}
	(void)alarm(0);
	printf("%zu inputs, %llu mutations\n", nr_seeds, (unsigned long long)nr_mutations);
	for (size_t i = 0; i < nr_seeds; i++) {
		free(seeds[i].name);
		free(seeds[i].bytes);
	}
	free(bytes);
	return 0;
}
