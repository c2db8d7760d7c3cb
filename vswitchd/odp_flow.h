/* odp_flow.h - flows of a datapath, as dpctl/dump-flows shows them, in the words of
 * OpenFlow: so that traces take what dumps show. Main thread. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "vswitchd/running.h"

/* Whether a text looks like one: "in_port(2),eth_type(0x0800)". */
bool odp_flow_is_one(const char *text);

/* Appends the flow as ofproto_trace() takes it: of what is masked, the value. '*port' is
 * the port that it comes from. The reason names the part that is wrong. */
int odp_flow_translate(const struct running *running, const char *text,
                       const struct running_port **port, struct str *flow,
                       struct error *err);
