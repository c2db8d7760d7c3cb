/* simulate_report.h - what a simulation found, as text or JSON. */
#pragma once

#include <jansson.h>

#include "base/str.h"
#include "simulate_meter.h"

/* A tree with what came of it. */
struct simulate_outcome {
	const struct simulate_tree *tree;
	const struct simulate_result *results; /* tree->n + 1: the root is last */
	double seconds;
};

void simulate_report_text(const struct simulate_outcome *outcome, struct str *out);

/* The classes that got more or less, or waited longer or shorter, than before. */
void simulate_report_difference(const struct simulate_outcome *before,
                                const struct simulate_outcome *after, struct str *out);

/* The caller releases it. */
json_t *simulate_report_json(const struct simulate_outcome *outcome);
