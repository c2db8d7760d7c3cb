/* action_check.h - whether what actions name exists on this switch. Beside
 * of_actions_check(), which looks at their form. Main thread. */
#pragma once

#include "vswitchd/ofproto/switch.h"

/* Form and targets: ports, groups, meters. 'table' as of_actions_check(). A bucket may
 * lead to groups that do not exist yet. */
int action_check(const struct ofproto *ofproto, const struct flow_actions *actions,
                 const struct flow_match *match, uint8_t table, bool in_bucket,
                 struct of_error *error);
