/* rule.h - the rules of a bridge as main has them: dp_rule_*() make, change and delete
 * what classifier.h says workers see. Main. */
#pragma once

#include <stdint.h>

struct bridge;
struct table;

/* Lets workers find what was added, ahead of the version that has it, and gives back what
 * removals left empty. */
void rules_show(struct bridge *bridge);

/* Takes the rules that were removed before the bridge's last publication out of their
 * tables, once no worker needs them. */
void rules_retire(struct bridge *bridge);

/* All of them at once: no worker sees the bridge any more. */
void rules_destroy(struct bridge *bridge);

/* What the rules of a table sent, in all. */
uint64_t rules_count_packets(const struct table *table);
