/* core_speed.c - how fast the core that this runs on computes right now. Prints the time
 * stamp counter's cycles of the fastest of some short loops that touch no memory. vv.py
 * compares it with the best that it has seen: on a virtual machine whatever else the host
 * runs on the same physical core slows it by a third and more, for seconds at a time, and
 * nothing inside the guest shows it. Own process, one thread. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __x86_64__
#include <x86intrin.h>
#else
#include <time.h>
#endif

/* About 5 us per loop: shorter than what lies between two timer interrupts, and enough
 * loops that some are not interrupted at all. */
#define LOOPS      300
#define LOOP_STEPS 6000

static uint64_t
now(void)
{
#ifdef __x86_64__
	return __rdtsc();
#else
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
#endif
}

/* Several chains that do not depend on each other: a lone one would leave room for the
 * other thread of the core and feel nothing of it. */
static uint64_t
loop(void)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, start = now();

	for (unsigned i = 0; i < LOOP_STEPS; i++) {
		a = a * 3 + 1;
		b = b * 5 + 1;
		c ^= c << 1;
		d += d >> 3;
		e ^= e << 7;
		f += f >> 5;
		__asm__ volatile("" ::"r"(a), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f));
	}
	return now() - start;
}

int
main(void)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < LOOPS; i++) {
		uint64_t cycles = loop();

		if (cycles < best)
			best = cycles;
	}
	printf("%" PRIu64 "\n", best);
	return 0;
}
