/* flow_learn.h - the rule that a learn action makes of a packet: main makes it, workers
 * look whether it is there. Plain data, any thread. */
#pragma once

#include "net/flow_action.h"

/* Sets what the rule matches in 'match', which is empty before. */
void flow_learn_match(const struct flow_learn *learn, const struct flow_key *key,
                      struct flow_match *match);

/* Room for any record of such a rule. */
union flow_learn_record {
	struct flow_action head;
	struct flow_set_field set;
	struct flow_output output;
	struct flow_fin_timeout fin;
	uint64_t words[(sizeof(struct flow_set_field) + 7) / 8];
};

/* The rule's actions, in order: 'part' is 0 to learn->n. Not every part makes one: false.
 */
bool flow_learn_action(const struct flow_learn *learn, const struct flow_key *key,
                       uint32_t part, union flow_learn_record *action);
