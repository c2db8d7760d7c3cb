/* units.c - reads and writes numbers with suffixes. Pure. */
#include <config.h>

#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

#define AMOUNT_MAX  1e15
#define TIME_MAX_NS (86400 * 1e9)

struct suffix {
	const char *text;
	double factor;
};

/* Digits with at most one point only: no sign, no "inf", no exponent. */
static bool
units_parse(const char *text, const struct suffix *suffixes, size_t n, double max,
            uint64_t *value)
{
	size_t digits = strspn(text, "0123456789.");
	double number;
	char *end;

	if (!digits || digits > 20)
		return false;
	number = strtod(text, &end);
	if (end != text + digits)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(end, suffixes[i].text) != 0)
			continue;
		number *= suffixes[i].factor;
		if (number > max)
			return false;
		*value = (uint64_t)(number + 0.5);
		return true;
	}
	return false;
}

bool
units_parse_amount(const char *text, uint64_t *value)
{
	static const struct suffix suffixes[] = {
		{"", 1}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"t", 1e12}};

	return units_parse(text, suffixes, ARRAY_SIZE(suffixes), AMOUNT_MAX, value);
}

bool
units_parse_time_ns(const char *text, uint64_t *ns)
{
	static const struct suffix suffixes[] = {
		{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};

	return units_parse(text, suffixes, ARRAY_SIZE(suffixes), TIME_MAX_NS, ns);
}

static void
units_format(double value, double step, const char *const *suffixes, size_t n, char *text)
{
	size_t i = 0;
	int decimals;

	if (value < 0) {
		strcpy(text, "-");
		return;
	}
	/* What would be printed as 1000 belongs to the next suffix. */
	while (i + 1 < n && value >= step * 0.9995) {
		value /= step;
		i++;
	}
	decimals = i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	snprintf(text, UNITS_TEXT_BYTES, "%.*f%s", decimals, value < 1e9 ? value : 1e9,
	         suffixes[i]);
}

void
units_format_amount(double value, char text[UNITS_TEXT_BYTES])
{
	static const char *const suffixes[] = {"", "K", "M", "G", "T"};

	units_format(value, 1000, suffixes, ARRAY_SIZE(suffixes), text);
}

void
units_format_time(double ns, char text[UNITS_TEXT_BYTES])
{
	static const char *const suffixes[] = {"ns", "us", "ms", "s"};

	units_format(ns, 1000, suffixes, ARRAY_SIZE(suffixes), text);
}
