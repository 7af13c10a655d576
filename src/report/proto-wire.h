/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_PROTO_WIRE_H
#define KMT_REPORT_PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A message of protocol buffers in the making, by its wire format alone: a few messages of two
 * formats need no generated code. What fails for want of memory is remembered, and said at the end.
 */
struct kmt_proto {
	uint8_t *bytes; /* on the heap */
	size_t nr, room;
	bool has_failed;
};

void kmt_proto_deinit(struct kmt_proto *proto);

/* Empties it, and keeps its room. */
void kmt_proto_clear(struct kmt_proto *proto);

/* Numbers: int64, uint64, bool, enum. 0 is written, too: in a list it counts. */
void kmt_proto_put_uint(struct kmt_proto *proto, uint32_t field, uint64_t n);
void kmt_proto_put_int(struct kmt_proto *proto, uint32_t field, int64_t n);
void kmt_proto_put_text(struct kmt_proto *proto, uint32_t field, const char *text);
void kmt_proto_put_bytes(struct kmt_proto *proto, uint32_t field, const void *bytes, size_t nr);

/* A list of numbers, packed. */
void kmt_proto_put_uints(struct kmt_proto *proto, uint32_t field, const uint64_t *numbers,
			 size_t nr);

/* Another message as a member. */
void kmt_proto_put_message(struct kmt_proto *proto, uint32_t field, const struct kmt_proto *member);

#endif
