/* mem.c - allocate or end the process. Any thread but workers. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/compiler.h"

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

static void *
mem_check(void *p)
{
	if (!p) {
		fputs("weir: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
xmalloc(size_t n)
{
	return mem_check(malloc(n ? n : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return mem_check(count && size ? calloc(count, size) : calloc(1, 1));
}

void *
xrealloc(void *p, size_t n)
{
	return mem_check(realloc(p, n ? n : 1));
}

void *
xmemdup(const void *p, size_t n)
{
	void *copy = xmalloc(n);

	memcpy(copy, p, n);
	return copy;
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *
xasprintf(const char *fmt, ...)
{
	va_list args;
	char *s = NULL;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		s = NULL;
	va_end(args);
	return mem_check(s);
}

void *
xcalloc_cacheline(size_t size)
{
	size_t rounded =
		(size + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES * CACHE_LINE_BYTES;
	void *p = mem_check(aligned_alloc(CACHE_LINE_BYTES, rounded));

	return memset(p, 0, rounded);
}

void *
xcalloc_huge(size_t size)
{
	size_t rounded = (size + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
	void *p;

	if (size < HUGE_PAGE_BYTES)
		return xcalloc_cacheline(size);
	p = mem_check(aligned_alloc(HUGE_PAGE_BYTES, rounded));
	/* Without them it only costs somewhat more to read. */
	madvise(p, rounded, MADV_HUGEPAGE);
	return memset(p, 0, size);
}
