/* flow_table.h - the rules of one table, found by exact match and priority, or chosen by
 * what flow-mods and statistics ask for: of the rules with the mask that is asked for, by
 * hash; of those with narrower ones, all are looked at, or those of a cookie. Holds
 * rules; the datapath's copies of them are changes.c's. Main thread. */
#pragma once

#include "base/heap.h"
#include "base/hmap.h"
#include "base/list.h"
#include "datapath/datapath.h"
#include "openflow/of_msg.h"

#define FLOW_TABLE_RULES_MAX  1000000U /* as the reference reports */
#define FLOW_TABLE_NAME_BYTES 32       /* on the wire */

struct flow_form;
struct flow_cookie;
struct eviction;
struct eviction_group;
struct reference;

struct rule {
	struct hmap_node node;      /* flow_table.rules */
	struct hmap_node form_node; /* of its form */
	struct flow_form *form;     /* flow_table.c's: of the rules with this mask */
	struct list cookie_node;    /* of its cookie's rules */
	struct flow_cookie *by_cookie;
	struct list timeout;                   /* of a slot of timeouts.c; alone = none */
	struct eviction_group *eviction_group; /* eviction.c's; NULL = it stays */
	struct heap_node evict;                /* of that group */
	struct dp_rule *dp;                    /* NULL = not in the datapath */
	struct reference *references; /* references.c's: the groups and meters it uses */
	struct hmap_node fin;         /* ofproto.fin_rules, while it has a fin_timeout */
	uint64_t id;                  /* of no other rule of the switch */
	struct flow_actions actions;
	uint64_t cookie; /* in a table changed by flow_table_set_cookie() alone */
	uint64_t created_ns, modified_ns;
	/* Added to what the datapath counts: what was counted before it was put there
	 * again, less what was reset; wraps. */
	uint64_t base_packets, base_bytes, base_used_ns;
	uint16_t priority, idle_s, hard_s, importance, flags;
	uint8_t table;
	bool is_hidden; /* from controllers */
	struct flow_match match;
};

struct flow_table {
	struct hmap rules;
	struct hmap forms; /* by mask */
	struct hmap cookies;
	uint8_t id;
	uint32_t n_hidden;
	enum dp_miss miss;
	bool has_miss; /* a controller said what happens to packets without a rule */
	char name[FLOW_TABLE_NAME_BYTES]; /* empty = none */
	bool is_name_configured;
	/* Rules that controllers may have here; more may be here from before. */
	uint32_t limit;
	bool evicts;               /* a controller asked for it */
	bool is_to_evict;          /* the configuration did */
	struct flow_key evict_by;  /* eviction_create() */
	struct eviction *eviction; /* NULL = a full table refuses rules */
	uint32_t eviction_flags;
	bool has_vacancy, is_vacancy_down; /* the last event said "down" */
	uint8_t vacancy_down, vacancy_up;  /* percent of free places */
};

struct rule_stats {
	uint64_t packets, bytes, used_ns;
};

/* What to choose; zero values are not "any". */
struct rule_filter {
	const struct flow_match *match;
	bool is_strict;
	uint16_t priority; /* strict */
	uint8_t table;     /* OF_TABLE_ALL */
	uint64_t cookie, cookie_mask;
	uint32_t out_port, out_group; /* FLOW_PORT_NONE, OF_GROUP_ANY */
};

struct rule_list {
	struct rule **rules;
	size_t n, allocated;
};

void flow_table_init(struct flow_table *table, uint8_t id);
/* Frees the rules, too; the datapath is not told. */
void flow_table_destroy(struct flow_table *table);

void flow_table_insert(struct flow_table *table, struct rule *rule);
void flow_table_remove(struct flow_table *table, struct rule *rule);
void flow_table_set_cookie(struct flow_table *table, struct rule *rule, uint64_t cookie);
/* How many rules have it. */
uint32_t flow_table_count_cookie(const struct flow_table *table, uint64_t cookie);
struct rule *flow_table_find(const struct flow_table *table,
                             const struct flow_match *match, uint16_t priority);
/* A rule of the same priority that matches packets that 'match' matches as well; not the
 * one that is equal to it. */
struct rule *flow_table_find_overlap(const struct flow_table *table,
                                     const struct flow_match *match, uint16_t priority);
/* Appends what is chosen; hidden rules never are. */
void flow_table_select(const struct flow_table *table, const struct rule_filter *filter,
                       struct rule_list *list);

/* The same bit by bit, while the table may change in between: '*position' begins with 0
 * and is 0 again at the end. */
void flow_table_select_some(const struct flow_table *table,
                            const struct rule_filter *filter, size_t *position,
                            struct rule_list *list);

void rule_list_add(struct rule_list *list, struct rule *rule);
void rule_list_destroy(struct rule_list *list);

struct rule *rule_create(uint8_t table, const struct flow_match *match,
                         uint16_t priority);
void rule_free(struct rule *rule);
bool rule_fits(const struct rule *rule, const struct rule_filter *filter);
void rule_get_stats(const struct rule *rule, struct rule_stats *stats);
/* When the rule's time is over as things are, UINT64_MAX = never; *is_hard: by its hard
 * timeout. */
uint64_t rule_deadline_ns(const struct rule *rule, bool *is_hard);

/* Rules that controllers see. */
static inline size_t
flow_table_count(const struct flow_table *table)
{
	return table->rules.count - table->n_hidden;
}

/* Whether records send packets to a port or group, also in nested lists. */
bool actions_output_to(const struct flow_actions *actions, uint32_t port);
bool actions_use_group(const void *records, size_t bytes, uint32_t group);
bool actions_have(const void *records, size_t bytes, enum flow_action_type type);

/* The nested list of a record that has one; false. */
bool action_nested(const struct flow_action *action, const void **records, size_t *bytes);
