/* ports.h - the switch's ports as controllers see and set them. For ofproto.c, session.c,
 * bundles.c and multiparts.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/changes.h"

void ports_add(struct ofproto *ofproto, const struct ofproto_port *port);
void ports_del(struct ofproto *ofproto, uint32_t number);
void ports_changed(struct ofproto *ofproto, uint32_t number);
void ports_destroy(struct ofproto *ofproto);

int ports_mod(struct changes *changes, const struct of_port_mod *mod,
              struct of_error *error);
/* After a port-mod has come to stay: tells those who want to know. */
void ports_report_changes(struct ofproto *ofproto);
void port_describe(const struct port *port, struct of_port *shown);
/* All of them by number; 'list' has room for ofproto->ports.count. Returns how many. */
size_t ports_list(const struct ofproto *ofproto, struct port **list);
