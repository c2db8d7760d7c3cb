/* of_oxm.h - headers and values of single fields, for of_match.c and of_actions*.c.
 * Private to lib/openflow. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "net/flow_field.h"
#include "openflow/of.h"

struct of_oxm_header {
	enum flow_field_id field;
	uint8_t n_bytes;    /* after the header: value and mask */
	uint8_t wire_bytes; /* of the value alone */
	uint8_t used;       /* the header: 4 or, an experimenter's, 8 */
	bool has_mask;
	bool is_cookie;  /* nxm's, which is no field */
	bool is_unknown; /* beside an error: n_bytes may be skipped */
};

int of_oxm_header_read(const uint8_t *data, size_t n, struct of_oxm_header *header,
                       struct of_error *error);

/* Reads header->n_bytes. '*mask' is all ones where there is none; '*has_mask' is false
 * also where the mask says that every bit counts. */
int of_oxm_value_read(const struct of_oxm_header *header, const uint8_t *data,
                      struct flow_value *value, struct flow_value *mask, bool *has_mask,
                      struct of_error *error);

/* Whether the field can have the value. */
bool of_oxm_value_is_valid(enum flow_field_id id, const struct flow_value *value);

/* All bits of the field. */
void of_oxm_full_mask(enum flow_field_id field, struct flow_value *mask);

/* Whether there is a header for the field at all. */
bool of_oxm_has_name(enum flow_field_id field);

/* The header as the version has it, nothing if there is none, and a value of its width.
 */
void of_oxm_put_header(enum of_version version, enum flow_field_id field, bool has_mask,
                       struct str *out);
void of_oxm_put_value(enum of_version version, enum flow_field_id id,
                      const struct flow_value *value, struct str *out);
