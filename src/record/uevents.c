// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "kmemtape/cleanup.h"
#include "uevents.h"

#define KERNEL_GROUP  1	   /* group 2 is what udev sends on */
#define MESSAGE_BYTES 8192 /* UEVENT_BUFFER_SIZE is 2048 */

int kmt_uevents_open(int *ret_fd, struct kmt_err *err)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	KMT_CLEANUP(kmt_close_fd)
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return kmt_fail(err, -errno, "uevents: %s", strerror(errno));
	*ret_fd = KMT_STEAL_FD(fd);
	return 0;
}

/* A message starts with "ACTION@DEVPATH" and a zero byte. */
static unsigned int classify(const char *message)
{
	const char *path = strchr(message, '@');

	if (!path)
		return 0;
	if (strncmp(path, "@/module/", strlen("@/module/")) == 0)
		return KMT_UEVENT_MODULE;
	if (strncmp(path, "@/devices/system/cpu/", strlen("@/devices/system/cpu/")) == 0)
		return KMT_UEVENT_CPU;
	return 0;
}

unsigned int kmt_uevents_read(int fd)
{
	char message[MESSAGE_BYTES];
	unsigned int bits = 0;

	for (;;) {
		ssize_t n = recv(fd, message, sizeof(message) - 1, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			bits = KMT_UEVENT_MODULE |
			       KMT_UEVENT_CPU; /* too many at once: look at all */
			continue;
		}
		if (n <= 0)
			return bits;
		message[n] = '\0';
		bits |= classify(message);
	}
}
