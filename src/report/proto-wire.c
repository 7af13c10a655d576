// SPDX-License-Identifier: LGPL-2.1-only
#include <stdlib.h>
#include <string.h>

#include "proto-wire.h"

/* Of https://protobuf.dev/programming-guides/encoding/: a tag is field << 3 | one of these. */
#define WIRE_VARINT 0u
#define WIRE_LEN    2u

#define VARINT_BYTES_MAX 10

void kmt_proto_deinit(struct kmt_proto *proto)
{
	free(proto->bytes);
	*proto = (struct kmt_proto){ 0 };
}

void kmt_proto_clear(struct kmt_proto *proto)
{
	proto->nr = 0;
}

static bool make_room(struct kmt_proto *proto, size_t nr)
{
	size_t room = proto->room ? proto->room : 256;
	uint8_t *grown;

	while (room - proto->nr < nr) {
		if (room > SIZE_MAX / 2) {
			proto->has_failed = true;
			return false;
		}
		room *= 2;
	}
	if (room == proto->room)
		return true;
	grown = realloc(proto->bytes, room);
	if (!grown) {
		proto->has_failed = true;
		return false;
	}
	proto->bytes = grown;
	proto->room = room;
	return true;
}

static size_t varint_bytes(uint64_t n)
{
	size_t nr = 1;

	while (n >>= 7)
		nr++;
	return nr;
}

static void put_varint(struct kmt_proto *proto, uint64_t n)
{
	if (!make_room(proto, VARINT_BYTES_MAX))
		return;
	for (; n >= 0x80; n >>= 7)
		proto->bytes[proto->nr++] = (uint8_t)(n | 0x80);
	proto->bytes[proto->nr++] = (uint8_t)n;
}

void kmt_proto_put_uint(struct kmt_proto *proto, uint32_t field, uint64_t n)
{
	put_varint(proto, (uint64_t)field << 3 | WIRE_VARINT);
	put_varint(proto, n);
}

void kmt_proto_put_int(struct kmt_proto *proto, uint32_t field, int64_t n)
{
	kmt_proto_put_uint(proto, field, (uint64_t)n);
}

void kmt_proto_put_bytes(struct kmt_proto *proto, uint32_t field, const void *bytes, size_t nr)
{
	put_varint(proto, (uint64_t)field << 3 | WIRE_LEN);
	put_varint(proto, nr);
	if (!nr || !make_room(proto, nr))
		return;
	memcpy(proto->bytes + proto->nr, bytes, nr);
	proto->nr += nr;
}

void kmt_proto_put_text(struct kmt_proto *proto, uint32_t field, const char *text)
{
	kmt_proto_put_bytes(proto, field, text, strlen(text));
}

void kmt_proto_put_uints(struct kmt_proto *proto, uint32_t field, const uint64_t *numbers,
			 size_t nr)
{
	size_t bytes = 0;

	for (size_t i = 0; i < nr; i++)
		bytes += varint_bytes(numbers[i]);
	put_varint(proto, (uint64_t)field << 3 | WIRE_LEN);
	put_varint(proto, bytes);
	for (size_t i = 0; i < nr; i++)
		put_varint(proto, numbers[i]);
}

void kmt_proto_put_message(struct kmt_proto *proto, uint32_t field, const struct kmt_proto *member)
{
	proto->has_failed |= member->has_failed;
	kmt_proto_put_bytes(proto, field, member->bytes, member->nr);
}
