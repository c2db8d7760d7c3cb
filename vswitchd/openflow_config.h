/* openflow_config.h - struct ofproto_config as a value: copied, compared, released. For
 * running.c and diff.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/ofproto.h"

/* With all that it points to. 'with_controllers' false: as it is to be before they are
 * there. */
struct ofproto_config *openflow_config_copy(const struct ofproto_config *config,
                                            bool with_controllers);
void openflow_config_free(struct ofproto_config *config); /* NULL is fine */
bool openflow_config_equal(const struct ofproto_config *a,
                           const struct ofproto_config *b);
