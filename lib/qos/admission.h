/* admission.h - whether the scheduler could keep what a tree of classes promises: parents
 * that exist, no cycle, depth, floors that fit. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ADMISSION_ROOT UINT32_MAX /* as a parent */

/* Rates that are 0 are not there. */
struct admission_class {
	uint32_t number, parent;
	uint64_t floor_bps, ceil_bps, peak_bps;
	uint64_t floor_pps, ceil_pps;
};

struct admission_tree {
	const char *noun;                      /* of a class, in messages */
	uint32_t number_max;                   /* of a class */
	uint64_t rate_bps, peak_bps, max_pps;  /* of the link */
	const struct admission_class *classes; /* parents anywhere */
	size_t n;
};

/* 0, or the reason, which names the class: -EINVAL, -ELOOP, -ERANGE. */
int admission_check(const struct admission_tree *tree, struct error *err);

/* Only that numbers are possible, are there once, and parents exist. */
int admission_check_numbers(const struct admission_tree *tree, struct error *err);
