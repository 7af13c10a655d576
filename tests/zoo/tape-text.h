/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_TAPE_TEXT_H
#define KMEMTAPE_ZOO_TAPE_TEXT_H

#include <stdio.h>

#include "machine.h"

/* Writes what happened as a script for mktape; with what the ring buffer lost left out. */
void zoo_tape_text(FILE *out, struct zoo_machine *machine);

/* The function and offset that the report shows for an actor's allocations: "foo_alloc+0x4c". */
void zoo_site_name(const struct zoo_actor *actor, char *text, size_t room);

#endif
