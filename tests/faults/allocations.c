// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs `kmemtape record`, and counts what is allocated while events are on: on a machine without
 * memory, the recorder would wait for it, and lose events. Usage: allocations FILE ARG...; FILE
 * gets "BEFORE WHILE-ON", and stderr a stack of each of the latter. Exit status 77: this build has
 * no way to know.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
/* Of libasan: GCC 12 of Debian comes without the headers. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));
void __sanitizer_print_stack_trace(void);

int kmemtape_main(int argc, char **argv);

#define EVENT "/sys/kernel/tracing/instances/kmemtape-%d/events/kmem/kfree/enable"

static char event_path[128];
static atomic_size_t nr_before, nr_while_on;
static _Thread_local bool is_ours; /* its allocation is the one that has to be seen */
static atomic_bool was_seen;

static bool is_on(void)
{
	char text[4] = "";
	int fd = open(event_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	(void)!read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return *text == '1';
}

static void on_malloc(const volatile void *ptr, size_t size)
{
	(void)ptr;
	(void)size;
	if (!is_on()) {
		atomic_fetch_add(&nr_before, 1);
		return;
	}
	if (is_ours) {
		atomic_store(&was_seen, true);
		return;
	}
	atomic_fetch_add(&nr_while_on, 1);
	__sanitizer_print_stack_trace();
}

static void on_free(const volatile void *ptr)
{
	(void)ptr;
}

/* Were nothing seen of what is allocated while events are on, there would be nothing to promise. */
static void *allocate_while_on(void *arg)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	void *volatile probe;

	(void)arg;
	is_ours = true;
	while (!is_on())
		(void)nanosleep(&pause, NULL);
	probe = malloc(1);
	free(probe);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	FILE *file;
	int status;

	if (argc < 3)
		return 2;
	file = fopen(argv[1], "we");
	if (!file)
		return 99;
	(void)snprintf(event_path, sizeof(event_path), EVENT, getpid());
	if (__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) <= 0 ||
	    pthread_create(&thread, NULL, allocate_while_on, NULL) != 0)
		return 99;
	argv[1] = argv[0];
	status = kmemtape_main(argc - 1, argv + 1);
	if (!atomic_load(&was_seen))
		return 98;
	(void)pthread_join(thread, NULL);
	fprintf(file, "%zu %zu\n", nr_before, nr_while_on);
	(void)fclose(file);
	return status;
}
#else
int main(void)
{
	return 77;
}
#endif
