/* of_text.h - matches, actions and rules as ovs-ofctl(8), ovs-fields(7) and
 * ovs-actions(7) read and print them. No state, any thread. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "net/flow_action.h"
#include "openflow/of.h"
#include "openflow/of_msg.h"

/* Names of ports and tables, for reading and printing; NULL = numbers only. */
struct of_names {
	/* 0xffffffff = no such name. */
	uint32_t (*port_number)(const char *name, void *aux);
	const char *(*port_name)(uint32_t port, void *aux); /* NULL = none */
	int (*table_number)(const char *name, void *aux);   /* -1 = none */
	const char *(*table_name)(uint8_t table, void *aux);
	void *aux;
};

/* "in_port=1,tcp,tp_dst=80": commas, blanks. The reason names the word. */
int of_text_parse_match(const char *text, const struct of_names *names,
                        struct flow_match *match, struct error *err);
/* 'priority' < 0: is not shown. As ovs-ofctl prints a match. */
void of_text_format_match(struct str *out, const struct flow_match *match, int priority,
                          const struct of_names *names);

/* "output:1,set_field:5->reg0". */
int of_text_parse_actions(const char *text, const struct of_names *names,
                          struct flow_actions *actions, struct error *err);
void of_text_format_actions(struct str *out, const void *records, size_t bytes,
                            const struct of_names *names);

/* One value of a field: "10.0.0.1/8", "0x5/0xff", "tcp"... 'mask' all ones if none. */
int of_text_parse_field(const struct flow_field *field, const char *text,
                        const struct of_names *names, struct flow_value *value,
                        struct flow_value *mask, struct error *err);
void of_text_format_field(struct str *out, const struct flow_field *field,
                          const struct flow_value *value, const struct flow_value *mask,
                          const struct of_names *names);

/* "reg0[0..15]" */
int of_text_parse_subfield(const char *text, struct flow_subfield *sub,
                           struct error *err);
void of_text_format_subfield(struct str *out, const struct flow_subfield *sub);

/* A whole rule as add-flow and its kin take it: 'command' is what the tool is about to
 * do, an "add"/"modify"/"delete" in the text overrides it. 'mod' is the caller's, its
 * actions to be destroyed. */
int of_text_parse_flow(const char *text, enum of_flow_command command,
                       const struct of_names *names, struct of_flow_mod *mod,
                       struct error *err);

/* "group_id=1,type=select,bucket=..." and "meter=1,kbps,band=type=drop,rate=1"; a command
 * word at the start of a group overrides 'command'. 'mod' is empty after an error. */
int of_text_parse_group(const char *text, enum of_group_command command,
                        const struct of_names *names, struct of_group_mod *mod,
                        struct error *err);
/* Frees what of_text_parse_group() made. */
void of_text_destroy_group(struct of_group_mod *mod);
/* 'mod->bands' is the caller's, to be freed. */
int of_text_parse_meter(const char *text, enum of_meter_command command,
                        struct of_meter_mod *mod, struct error *err);

/* One rule of a flow stats reply, as dump-flows shows it: no blank in front, no newline.
 * Without statistics: only what add-flow takes. */
void of_text_format_flow(struct str *out, const struct of_flow_stats *flow,
                         const struct of_names *names, bool with_stats);

/* What tables can do; what the one before can too is not said again. */
void of_text_format_table_features(struct str *out, enum of_version version,
                                   const struct of_table_features *features, size_t n);

/* A message as "ovs-ofctl ofp-print" shows it; 'verbosity' as the option -m counts. Any
 * bytes: what cannot be read is shown as such. */
void of_text_format_message(struct str *out, const uint8_t *data, size_t n,
                            const struct of_names *names, int verbosity);
