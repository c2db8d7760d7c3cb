/* ofctl_protocols.h - the forms in which rules can be sent, as ovs-ofctl(8) names them:
 * versions, and of 1.0 with Nicira's matches and with a place for the table or without.
 * Of ofctl_protocols.c, no state. */
#pragma once

#include "ofctl.h"

/* Bits, in the order in which they are tried. */
#define OFCTL_OF10          0x03U /* without and with a table */
#define OFCTL_NXM           0x0cU
#define OFCTL_WITHOUT_TABLE 0x05U
#define OFCTL_WITH_TABLE    0x0aU /* a table that is not said is 255 */
#define OFCTL_OF11          0x10U
#define OFCTL_OXM           0x1e0U /* 1.2 to 1.5 */
#define OFCTL_FROM_13       0x1c0U
#define OFCTL_ANY           0x1ffU

/* In which ones it can be said what the text means; 'mod' is made of it. */
uint32_t ofctl_protocols_of(const struct of_flow_mod *mod);
/* Of the versions that the options allow, and of the formats. */
uint32_t ofctl_protocols_allowed(void);
enum of_version ofctl_protocol_version(uint32_t protocol);
/* "OpenFlow10,NXM+table_id", "any", "none". */
void ofctl_protocols_format(struct str *out, uint32_t protocols);
/* The same in reverse; 0: the text names none. */
uint32_t ofctl_protocols_parse(const char *text);
