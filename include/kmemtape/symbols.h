/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SYMBOLS_H
#define KMEMTAPE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * Function names by address *and time*: a module may have been unloaded, and its addresses used
 * again by the next one. Filled first, looked up then; not for several threads while it is filled.
 */
struct kmt_symbols;

struct kmt_symbol {
	const char *function; /* borrowed; NULL if only the module is known */
	uint64_t offset;      /* of the address in the function, or in the module; 0: in neither */
	uint64_t size;	      /* of the function; 0 unknown */
	const char *module;   /* NULL: built in */
	const char *taint;    /* of the module as /proc/modules shows it: "OE"; "" for none */
	uint32_t instance;    /* tells loads of modules apart; 0: built in */
	uint64_t unloaded_ns; /* when this load of the module went; 0: never, or built in */
};

int kmt_symbols_new(struct kmt_symbols **ret_symbols, struct kmt_err *err);
/* True if there were so many modules, and so many look-ups, that names are no longer found: no tape that
 * was recorded is like this. */
bool kmt_symbols_is_exhausted(const struct kmt_symbols *symbols);
struct kmt_symbols *kmt_symbols_free(struct kmt_symbols *symbols);

/**
 * kmt_symbols_add_kallsyms() - lines of /proc/kallsyms
 * @text: on the heap, @bytes long and a zero byte; taken on success, and changed
 *
 * Symbols of modules belong to the modules loaded by then: call kmt_symbols_add_modules() before.
 */
int kmt_symbols_add_kallsyms(struct kmt_symbols *symbols, char *text, size_t bytes,
			     struct kmt_err *err);

/**
 * kmt_symbols_add_modules() - text of symbols/modules (see tape-format.h)
 * @read: gives the kallsyms text of the module that line @line (1, 2, ...) loads, on the heap, or
 * -ENOENT
 */
int kmt_symbols_add_modules(struct kmt_symbols *symbols, const char *text, size_t bytes,
			    int (*read)(void *context, unsigned int line, char **ret_text,
					size_t *ret_bytes),
			    void *context, struct kmt_err *err);

/*
 * A module_load or module_free event: its time is exact, where that of symbols/modules is when the
 * recorder noticed. @pid runs the module's init function.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_symbols_note_load(struct kmt_symbols *symbols, const char *module, int32_t pid,
			  uint64_t time_ns);
int kmt_symbols_note_free(struct kmt_symbols *symbols, const char *module, uint64_t time_ns);

/* Bounds of the kernel's own code, for addresses that mean the same at any time. 0..0: unknown. */
void kmt_symbols_kernel_range(const struct kmt_symbols *symbols, uint64_t *ret_from,
			      uint64_t *ret_to);

/**
 * kmt_symbols_look_up() - what a return address was at a time
 *
 * Looks for @address - 1: a call may be the last instruction of its function. @pid is the task that
 * called: what is of no known code is of the module whose init function it runs then.
 *
 * Return: 1 found, 0 unknown.
 */
int kmt_symbols_look_up(const struct kmt_symbols *symbols, uint64_t address, int32_t pid,
			uint64_t time_ns, struct kmt_symbol *ret_symbol);

/**
 * kmt_symbols_look_back() - whose code an address was last, if it is nobody's any more
 *
 * For what outlives a module and is told by address, such as its vmalloc areas.
 *
 * Return: 1 found, in a module that went before @time_ns; else 0.
 */
int kmt_symbols_look_back(const struct kmt_symbols *symbols, uint64_t address, uint64_t time_ns,
			  struct kmt_symbol *ret_symbol);

/* Taint of the module called @name that came last by @time_ns; "" none, or no such module. */
const char *kmt_symbols_taint(const struct kmt_symbols *symbols, const char *name,
			      uint64_t time_ns);

/*
 * The build-id of a module, hexadecimal; "" unknown. @instance as in struct kmt_symbol; 0: of any
 * load of @name, NULL if they differ.
 */
const char *kmt_symbols_build_id(const struct kmt_symbols *symbols, const char *name,
				 uint32_t instance);

/* The name of a load of a module, and its build-id as above; NULL: there were no more than @index. */
const char *kmt_symbols_module(const struct kmt_symbols *symbols, size_t index,
			       const char **ret_build_id);

/* Where the kernel's _stext was; 0 unknown. */
uint64_t kmt_symbols_stext(const struct kmt_symbols *symbols);

/**
 * kmt_symbols_visit() - every function that @address was of at any time
 * @visit: true ends it
 *
 * Return: true if a visit did.
 */
bool kmt_symbols_visit(const struct kmt_symbols *symbols, uint64_t address,
		       bool (*visit)(void *context, const struct kmt_symbol *symbol),
		       void *context);

KMT_DEFINE_FREEP(struct kmt_symbols *, kmt_symbols_free)

#endif
