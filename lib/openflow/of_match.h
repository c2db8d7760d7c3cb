/* of_match.h - matches and single fields on the wire: 1.0's and 1.1's fixed structs, OXM
 * and NXM. Between net/flow_key.h and the message codec. No state, any thread. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "net/flow_field.h"
#include "openflow/of.h"

/* How a rule's match is written besides the version: Nicira's messages in 1.0 and 1.1
 * carry NXM, and may use cookie matches. */

/* Reads 'n' bytes of OXM/NXM entries without padding. 'cookie' and 'cookie_mask' (NULL =
 * refused) take nxm's cookie. Prerequisites are checked; unknown fields are an error,
 * unless 'lax' (for messages about what others did). */
int of_oxm_decode(const uint8_t *data, size_t n, bool lax, struct flow_match *match,
                  uint64_t *cookie, uint64_t *cookie_mask, struct of_error *error);

/* Writes entries, in the canonical order: prerequisites first. For OF10 and OF11 in NXM's
 * classes where both exist, above in OXM's. */
void of_oxm_encode(enum of_version version, const struct flow_match *match,
                   uint64_t cookie, uint64_t cookie_mask, struct str *out);

/* The whole struct ofp_match of a version at the start of 'data', padding included:
 * '*used' gets its bytes. */
int of_match_decode(enum of_version version, const uint8_t *data, size_t n,
                    struct flow_match *match, size_t *used, struct of_error *error);
void of_match_encode(enum of_version version, const struct flow_match *match,
                     struct str *out);

/* Whether the version's own match can say it; Nicira's extensions are needed else. */
bool of_match_fits(enum of_version version, const struct flow_match *match);

/* Whether the match has what a field needs. Ports are not those of later fragments; of
 * ICMP's fields the reference, Open vSwitch, does not ask that. */
bool of_match_allows(const struct flow_match *match, enum flow_field_id id);

/* One field's header and value (and mask), as in set-field. '*used' gets the bytes. */
int of_field_decode(enum of_version version, const uint8_t *data, size_t n,
                    enum flow_field_id *field, struct flow_value *value,
                    struct flow_value *mask, bool *has_mask, size_t *used,
                    struct of_error *error);
void of_field_encode(enum of_version version, enum flow_field_id field,
                     const struct flow_value *value, const struct flow_value *mask,
                     struct str *out);

/* Headers alone (4 bytes; 8 with an experimenter), as moves and table features have them.
 * 'has_mask' may be NULL. */
int of_field_header_decode(const uint8_t *data, size_t n, enum flow_field_id *field,
                           bool *has_mask, size_t *used, struct of_error *error);
void of_field_header_encode(enum of_version version, enum flow_field_id field,
                            bool has_mask, struct str *out);
