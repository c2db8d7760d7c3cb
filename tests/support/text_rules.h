/* text_rules.h - rules for the datapath from flows as users write them, for unit tests.
 */
#pragma once

#include <stdint.h>

/* Replaces all rules of a bridge by those of a list that ends with NULL, and publishes
 * them. A text that is wrong fails the test. */
void text_rules(uint32_t bridge_id, const char *first, ...);
