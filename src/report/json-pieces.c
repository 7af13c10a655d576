// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "json-pieces.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_spaces(struct kmt_pieces *pieces)
{
	while (pieces->at < pieces->end && is_space(*pieces->at))
		pieces->at++;
}

static bool take(struct kmt_pieces *pieces, char wanted)
{
	skip_spaces(pieces);
	if (pieces->at == pieces->end || *pieces->at != wanted)
		return false;
	pieces->at++;
	return true;
}

/* From behind its first quote to behind its last. */
static int skip_string(struct kmt_pieces *pieces)
{
	while (pieces->at < pieces->end) {
		char c = *pieces->at++;

		if (c == '"')
			return 0;
		if (c == '\\' && pieces->at < pieces->end)
			pieces->at++;
	}
	return -EBADMSG;
}

/* Up to what ends it: a comma or bracket of the level that it is on. */
static int skip_value(struct kmt_pieces *pieces)
{
	char closings[KMT_PIECES_DEPTH_MAX];
	size_t depth = 0;

	for (; pieces->at < pieces->end; pieces->at++) {
		char c = *pieces->at;

		if (c == '"') {
			pieces->at++;
			if (skip_string(pieces) < 0)
				return -EBADMSG;
			pieces->at--;
		} else if (c == '{' || c == '[') {
			if (depth == KMT_PIECES_DEPTH_MAX)
				return -EBADMSG;
			closings[depth++] = c == '{' ? '}' : ']';
		} else if (c == '}' || c == ']') {
			if (depth == 0)
				return 0;
			if (closings[--depth] != c)
				return -EBADMSG;
		} else if (c == ',' && depth == 0) {
			return 0;
		}
	}
	return -EBADMSG;
}

int kmt_pieces_open(struct kmt_pieces *pieces, const char *text, size_t bytes, char opening)
{
	*pieces = (struct kmt_pieces){ .at = text,
				       .end = text + bytes,
				       .closing = opening == '{' ? '}' : ']' };
	return take(pieces, opening) ? 0 : -EBADMSG;
}

static int take_key(struct kmt_pieces *pieces, struct kmt_piece *piece)
{
	if (!take(pieces, '"'))
		return -EBADMSG;
	piece->key = pieces->at;
	if (skip_string(pieces) < 0)
		return -EBADMSG;
	piece->key_bytes = (size_t)(pieces->at - 1 - piece->key);
	return take(pieces, ':') ? 0 : -EBADMSG;
}

static int end(struct kmt_pieces *pieces)
{
	pieces->has_ended = true;
	skip_spaces(pieces);
	return pieces->at == pieces->end ? 0 : -EBADMSG;
}

int kmt_pieces_next(struct kmt_pieces *pieces, struct kmt_piece *ret_piece)
{
	struct kmt_piece piece = { NULL };

	if (pieces->has_ended)
		return 0;
	if (take(pieces, pieces->closing))
		return end(pieces);
	if (pieces->has_begun && !take(pieces, ','))
		return -EBADMSG;
	pieces->has_begun = true;
	if (pieces->closing == '}' && take_key(pieces, &piece) < 0)
		return -EBADMSG;
	skip_spaces(pieces);
	piece.text = pieces->at;
	if (skip_value(pieces) < 0)
		return -EBADMSG;
	piece.bytes = (size_t)(pieces->at - piece.text);
	while (piece.bytes && is_space(piece.text[piece.bytes - 1]))
		piece.bytes--;
	if (piece.bytes == 0)
		return -EBADMSG;
	*ret_piece = piece;
	return 1;
}
