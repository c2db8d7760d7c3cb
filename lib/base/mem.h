/* mem.h - allocation for the control plane, where running out ends the process.
 * Workers never allocate. Nothing here limits sizes: input from outside is bounded by its
 * parser. */
#pragma once

#include <stddef.h>

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* xcalloc() aligned to a cache line, for what workers read; release with free(). */
void *xcalloc_cacheline(size_t size) __attribute__((malloc, returns_nonnull));

/* The same for much memory that workers read here and there: on huge pages, if the kernel
 * has any, and all of it there already. */
void *xcalloc_huge(size_t size) __attribute__((malloc, returns_nonnull));
