/* fuzz.h - the entry point of a fuzz target, as libFuzzer calls it and replay.c too. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define FUZZ_REQUIRE(condition)   \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)
