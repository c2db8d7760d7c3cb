/* of_print_private.h - what the printers of messages share. Private to of_print*.c; the
 * words of matches and actions are of_text's. No state, any thread. */
#pragma once

#include <inttypes.h>
#include <stdio.h>

#include "openflow/of_text_private.h"

/* One message that is being printed. */
struct of_printer {
	struct str *out;
	const struct of_msg *msg;
	const struct of_names *names;
	int verbosity;
	unsigned depth; /* messages in messages */
};

/* Bits and their names, a NULL at the end. */
struct print_bit {
	uint32_t bit;
	const char *name;
};

/* "A B"; 0 is 'none'. Bits without a name are shown as one number. */
void print_bits(struct str *out, uint32_t flags, const struct print_bit *bits,
                const char *separator, const char *none);

/* "1.005s", without a fraction that is 0. */
void print_duration(struct str *out, uint64_t duration_ns);
/* A counter, "?" if it is not known. */
void print_counter(struct str *out, const char *before, uint64_t value);

/* Names of the actions whose bits are set, by enum flow_action_type. */
void print_action_set(struct str *out, const uint64_t actions[2]);

/* Bytes 16 in a line, as hexadecimal and, with the second one, as text. */
void print_hex(struct str *out, const uint8_t *data, size_t n, bool with_text);
void print_hex_dump(struct str *out, const uint8_t *data, size_t n);

/* A packet's headers, as a match and in a line. */
void print_packet(struct of_printer *p, const uint8_t *data, size_t n);

/* A message inside of another. */
void print_inner(struct of_printer *p, const uint8_t *data, size_t n);

/* What follows the name and number, by family; false if the kind is not theirs. */
bool print_basic(struct of_printer *p);
bool print_flows(struct of_printer *p);
bool print_groups(struct of_printer *p);
bool print_ports(struct of_printer *p);
bool print_tables(struct of_printer *p);
bool print_packets(struct of_printer *p);
