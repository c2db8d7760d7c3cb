/* compiler.h - attributes and small macros that every folder uses. Any thread. */
#pragma once

#include <assert.h>
#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define PRINTF_FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))
#define NODISCARD                __attribute__((warn_unused_result))
#define UNUSED                   __attribute__((unused))
#define CACHE_LINE_BYTES         64
#define CACHE_ALIGNED            __attribute__((aligned(CACHE_LINE_BYTES)))

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))
