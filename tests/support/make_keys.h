/* make_keys.h - maps of keys for the tests of vswitchd/desired_keys.h, written as words:
 * KEYS("max-rate", "100", "burst", "10"). */
#pragma once

#include "vswitchd/desired_keys.h"

#define KEYS(...)                                     \
	make_keys((const char *const[]){__VA_ARGS__}, \
	          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Names and values by turns; the last eight results are good. */
static inline struct keys
make_keys(const char *const *words, size_t n)
{
	static const char *all_names[8][16], *all_values[8][16];
	static unsigned turn;
	const char **names = all_names[++turn % 8], **values = all_values[turn % 8];

	for (size_t i = 0; i < n / 2; i++) {
		names[i] = words[2 * i];
		values[i] = words[2 * i + 1];
	}
	return (struct keys){.where = "Row r",
	                     .table = "T",
	                     .names = names,
	                     .values = values,
	                     .n = n / 2};
}
