/* units.h - rates, amounts and times as people write them: "2.5G", "10ms". Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT_BYTES 16

/* A number of at least 0 with an optional suffix K, M, G or T, powers of 1000. False if
 * 'text' is none, or above 10^15. */
bool units_parse_amount(const char *text, uint64_t *value);

/* A number with a suffix ns, us, ms or s; without one it counts seconds. At most a day.
 */
bool units_parse_time_ns(const char *text, uint64_t *ns);

/* Three or four digits and a suffix: "999", "1.50M", "12.3G"; "-" below 0. */
void units_format_amount(double value, char text[UNITS_TEXT_BYTES]);

/* "12.3us"; "-" below 0. */
void units_format_time(double ns, char text[UNITS_TEXT_BYTES]);
