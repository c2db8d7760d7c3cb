/* of_text_private.h - what the files of of_text share: words of a text, fields as people
 * write them, ports and tables. Private to of_text*.c. No state, any thread. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "openflow/of_text.h"

/* How a field's values are written. */
enum text_form {
	TEXT_DECIMAL,
	TEXT_HEX,
	TEXT_ETH,
	TEXT_IPV4,
	TEXT_IPV6,
	TEXT_PORT,
	TEXT_CT_STATE,
	TEXT_TUN_FLAGS,
	TEXT_TCP_FLAGS,
	TEXT_FRAGMENT,
	TEXT_PACKET_TYPE,
};

struct text_field {
	const char *name, *alias; /* as in a match and in set_field; alias may be NULL */
	const char *nxm, *oxm; /* protocol names, the first one is shown; NULL = none */
	enum text_form form;
};

/* By enum flow_field_id; a name of NULL: no text names it. */
extern const struct text_field text_fields[FIELD_N];

/* The field of a match's keyword, FIELD_NONE if there is none. */
enum flow_field_id text_field_by_keyword(const char *name);

/* By any of its names, 'n' characters: the whole field. False if there is none. */
bool text_find_field(const char *name, size_t n, struct flow_subfield *whole);

/* One word of "key", "key=value", "key:value", "key(value)" and "key(value)->tail",
 * cut out of the text in place. */
struct text_word {
	char *key;
	char *value;    /* "" if there is none */
	char *tail;     /* after "->" behind a ")", or NULL */
	char delimiter; /* '=', ':', '(' or 0 */
	char *rest;     /* where 'value' begins, uncut: see text_rest() */
};

/* False at the end of the text. */
bool text_next_word(char **cursor, struct text_word *word);

/* The next piece up to a comma or blank, for lists without keys; NULL at the end. */
char *text_next_item(char **cursor);

/* The whole of 'text' as a number of at most 'bytes', to 'out' right-aligned: decimal,
 * "0x" or octal with a leading 0. 0, -EINVAL or -ERANGE. */
int text_parse_number(const char *text, uint8_t *out, size_t bytes);
bool text_parse_u64(const char *text, uint64_t max, uint64_t *value);
int text_want_u64(const char *what, const char *text, uint64_t max, uint64_t *value,
                  struct error *err);

bool text_parse_mac(const char *text, uint8_t mac[6]);
int text_parse_ipv4(const char *text, uint8_t *value, uint8_t *mask, struct error *err);
int text_parse_ipv6(const char *text, uint8_t *value, uint8_t *mask, struct error *err);
bool text_parse_hex(const char *text, uint8_t *out, size_t max, size_t *n);

bool text_parse_port(const char *text, const struct of_names *names, uint32_t *port);
void text_format_port(struct str *out, uint32_t port, const struct of_names *names);
bool text_parse_table(const char *text, const struct of_names *names, uint8_t *table);
void text_format_table(struct str *out, uint8_t table, const struct of_names *names);

void text_format_mac(struct str *out, const uint8_t *mac);
void text_format_ipv4(struct str *out, const uint8_t *ip, const uint8_t *mask);
void text_format_ipv6(struct str *out, const uint8_t *ip, const uint8_t *mask);

/* Bytes as one number, "0x5"; 0 is "0". */
void text_format_hex(struct str *out, const uint8_t *bytes, size_t n);

const char *const *text_flag_names(enum text_form form);
/* "+syn-ack", or "syn|ack" with a full mask. */
void text_format_flags(struct str *out, const char *const *names, uint32_t flags,
                       uint32_t mask, uint32_t full);
/* NULL if there is no such combination. */
const char *text_fragment_name(uint8_t flags, uint8_t mask);

/* "->" in a text: cuts it there, and what follows is the result; NULL if there is none.
 */
char *text_cut_arrow(char *text);

uint64_t text_value_u64(const struct flow_value *value, size_t bytes);
void text_value_set(struct flow_value *value, size_t bytes, uint64_t number);
bool text_is_zero(const uint8_t *bytes, size_t n);
/* Sets all of the field's bits. */
void text_fill(const struct flow_field *field, struct flow_value *mask);

/* All of the field's bits are in the mask. */
bool text_is_full(const struct flow_field *field, const struct flow_value *mask);

/* Reading actions. */
struct text_actions {
	const struct of_names *names;
	struct error *err;
	struct flow_actions *out;
	unsigned depth; /* of nested lists */
	bool in_ct;     /* in exec() */
	char *tail;     /* what the word had behind its brackets, or NULL */
};

#define TEXT_DEPTH_MAX 32

/* One word of a match, into a match that was zeroed at first. */
int text_match_word(const struct text_word *word, const struct of_names *names,
                    struct flow_match *match, struct error *err);

/* After the last word: what depends on several. */
void text_match_end(struct flow_match *match);

/* A list of actions inside of others; 'in_ct' as there. */
int text_nested(struct text_actions *outer, char *text, bool in_ct,
                struct flow_actions *list);

/* The long ones; 'arg' is what stands behind the colon or in the brackets. The variant of
 * "bundle_load" is true. */
int text_parse_learn(struct text_actions *to, char *arg, int variant);
int text_parse_ct(struct text_actions *to, char *arg, int variant);
int text_parse_nat(struct text_actions *to, char *arg, int variant);
int text_parse_bundle(struct text_actions *to, char *arg, int variant);
int text_parse_multipath(struct text_actions *to, char *arg, int variant);
int text_parse_controller(struct text_actions *to, char *arg, int variant);
int text_parse_sample(struct text_actions *to, char *arg, int variant);

void text_format_learn(struct str *out, const struct flow_learn *learn,
                       const struct of_names *names);
void text_format_ct(struct str *out, const struct flow_ct *ct,
                    const struct of_names *names);
void text_format_nat(struct str *out, const struct flow_nat *nat);
void text_format_bundle(struct str *out, const struct flow_bundle *bundle,
                        const struct of_names *names);
void text_format_multipath(struct str *out, const struct flow_multipath *multipath);
void text_format_controller(struct str *out, const struct flow_controller *controller);
void text_format_sample(struct str *out, const struct flow_sample *sample,
                        const struct of_names *names);

/* A group as in "add-group" and in lists of groups; 'with_command' as the message says
 * what to do with it. */
void text_format_group(struct str *out, const struct of_group_mod *group,
                       bool with_command, const struct of_names *names);
void text_format_meter(struct str *out, const struct of_meter_mod *meter);
void text_format_meter_number(struct str *out, const char *key, char separator,
                              uint32_t meter);

extern const char *const text_reasons[]; /* of packet-ins, NULL at the end */
