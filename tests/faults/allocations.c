// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records, and counts what is allocated while events are on: on a machine without memory, the
 * recorder would wait for it, and lose events. Usage: allocations TAPE; prints "allocations
 * AT-THE-START BYTES LATER BYTES". Exit status 77: this build has no way to know.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/record.h"

#ifdef __SANITIZE_ADDRESS__
/* Of libasan: GCC 12 of Debian comes without the headers. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));
void __sanitizer_print_stack_trace(void);

#define EVENT "/sys/kernel/tracing/instances/kmemtape-%d/events/kmem/kfree/enable"

static char event_path[128];
static atomic_bool is_started; /* the first second is over */
static atomic_size_t nr[2], bytes[2];

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
	bool is_later = atomic_load(&is_started);

	if (!is_on())
		return;
	atomic_fetch_add(&nr[is_later], 1);
	atomic_fetch_add(&bytes[is_later], size);
	if (is_later)
		__sanitizer_print_stack_trace();
}

static void on_free(const volatile void *ptr)
{
}

static void on_status(void *context, const struct kmt_record_status *status)
{
	atomic_store(&is_started, !status->is_settling || atomic_load(&is_started));
}

int main(int argc, char **argv)
{
	struct kmt_record_summary summary;
	struct kmt_record_options options;
	struct kmt_err err;

	if (argc != 2)
		return 2;
	kmt_record_options_init(&options);
	options.path = argv[1];
	options.duration_ns = UINT64_C(3500000000);
	options.settle_ns = UINT64_C(1500000000);
	options.snapshot_ns = UINT64_C(1000000000);
	options.listener.status = on_status;
	(void)snprintf(event_path, sizeof(event_path), EVENT, getpid());
	(void)__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	if (kmt_record_run(&options, &summary, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("allocations %zu %zu %zu %zu\n", nr[0], bytes[0], nr[1], bytes[1]);
	return 0;
}
#else
int main(void)
{
	return 77;
}
#endif
