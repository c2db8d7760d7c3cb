/* ofctl_protocols.c - in which forms a rule can be sent, and how ovs-ofctl(8) names them.
 * For ofctl_text.c and the option -F of ofctl_main.c. */
#include "ofctl_protocols.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "cli.h"
#include "openflow/of_match.h"

/* Names of several first: the longest are used. */
static const struct {
	const char *name;
	uint32_t protocols;
} names[] = {
	{"any", OFCTL_ANY},
	{"OpenFlow10", OFCTL_OF10},
	{"NXM", OFCTL_NXM},
	{"OXM", OFCTL_OXM},
	{"OpenFlow10-table_id", 1U << 0},
	{"OpenFlow10+table_id", 1U << 1},
	{"NXM-table_id", 1U << 2},
	{"NXM+table_id", 1U << 3},
	{"OpenFlow11", OFCTL_OF11},
	{"OXM-OpenFlow12", 1U << 5},
	{"OXM-OpenFlow13", 1U << 6},
	{"OXM-OpenFlow14", 1U << 7},
	{"OXM-OpenFlow15", 1U << 8},
};

enum of_version
ofctl_protocol_version(uint32_t protocol)
{
	if (protocol & (OFCTL_OF10 | OFCTL_NXM))
		return OF10;
	for (unsigned i = 4; i < 9; i++)
		if (protocol & 1U << i)
			return (enum of_version)(OF11 + (i - 4));
	return OF10;
}

uint32_t
ofctl_protocols_allowed(void)
{
	uint32_t allowed = 0;

	for (uint32_t bit = 1; bit & OFCTL_ANY; bit <<= 1)
		if (ofctl_options.versions >> ofctl_protocol_version(bit) & 1)
			allowed |= bit;
	return allowed & ofctl_options.flow_formats;
}

void
ofctl_protocols_format(struct str *out, uint32_t protocols)
{
	bool is_first = true;

	if (!protocols)
		str_append(out, "none");
	for (size_t i = 0; protocols && i < ARRAY_SIZE(names); i++) {
		if ((protocols & names[i].protocols) != names[i].protocols)
			continue;
		str_printf(out, "%s%s", is_first ? "" : ",", names[i].name);
		protocols &= ~names[i].protocols;
		is_first = false;
	}
}

uint32_t
ofctl_protocols_parse(const char *text)
{
	char *copy = xstrdup(text), *save = NULL;
	uint32_t protocols = 0;

	for (char *word = strtok_r(copy, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(names) && strcasecmp(names[i].name, word))
			i++;
		if (i == ARRAY_SIZE(names)) {
			protocols = 0;
			break;
		}
		protocols |= names[i].protocols;
	}
	free(copy);
	return protocols;
}

/* ---- actions ---- */

/* Those that can write a field with the words that a version has. */
static uint32_t
protocols_of_field(enum flow_field_id id)
{
	static const char *const of_10[] = {
		"in_port",  "in_port_oxm", "eth_src", "eth_dst",   "vlan_tci",
		"vlan_vid", "vlan_pcp",    "ip_src",  "ip_dst",    "nw_tos",
		"ip_dscp",  "arp_op",      "arp_spa", "arp_tpa",   "tcp_src",
		"tcp_dst",  "udp_src",     "udp_dst", "icmp_type", "icmp_code"};
	static const char *const of_11[] = {"nw_ecn",  "metadata", "mpls_label",
	                                    "mpls_tc", "sctp_src", "sctp_dst"};

	for (size_t i = 0; i < ARRAY_SIZE(of_10); i++)
		if (flow_field_by_name(of_10[i]) == flow_field_get(id))
			return OFCTL_ANY;
	for (size_t i = 0; i < ARRAY_SIZE(of_11); i++)
		if (flow_field_by_name(of_11[i]) == flow_field_get(id))
			return OFCTL_ANY & ~OFCTL_OF10;
	return OFCTL_NXM | OFCTL_OXM;
}

/* 1.0 leaves it to the packet what an action means; later ones want it matched. */
static bool
is_consistent(const struct flow_action *action, const struct flow_match *match,
              bool has_tag)
{
	switch (action->type) {
	case ACTION_POP_VLAN:
		return has_tag;
	case ACTION_SET_VLAN_VID:
	case ACTION_SET_VLAN_PCP:
		return has_tag || !action->is_legacy;
	case ACTION_SET_IPV4_SRC:
	case ACTION_SET_IPV4_DST:
		return match->key.f.eth_type == 0x0800;
	case ACTION_SET_IP_DSCP:
	case ACTION_SET_IP_ECN:
	case ACTION_SET_IP_TTL:
	case ACTION_DEC_TTL:
		return match->key.f.eth_type == 0x0800 || match->key.f.eth_type == 0x86dd;
	case ACTION_SET_TP_SRC:
	case ACTION_SET_TP_DST:
		return match->key.f.ip_proto == 6 || match->key.f.ip_proto == 17 ||
		       match->key.f.ip_proto == 132;
	default:
		return true;
	}
}

static uint32_t
protocols_of_actions(const void *records, size_t bytes, const struct flow_match *match,
                     bool has_tag)
{
	uint32_t protocols = OFCTL_ANY;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		const struct flow_nested *nested = (const void *)action;
		const struct flow_set_field *set = (const void *)action;
		const struct flow_ct *ct = (const void *)action;

		if (!is_consistent(action, match, has_tag))
			protocols &= OFCTL_OF10 | OFCTL_NXM;
		if (action->type == ACTION_SET_FIELD && action->is_legacy != 1)
			protocols &= protocols_of_field(set->field);
		else if (action->type == ACTION_METER)
			protocols &= OFCTL_FROM_13;
		else if (action->type == ACTION_WRITE_METADATA)
			protocols &= ~OFCTL_OF10;
		else if (action->type == ACTION_PUSH_VLAN)
			protocols &= OFCTL_OF11 | OFCTL_OXM;
		else if (action->type == ACTION_CLONE ||
		         action->type == ACTION_WRITE_ACTIONS)
			protocols &= protocols_of_actions(
				nested->nested, nested->nested_bytes, match, has_tag);
		else if (action->type == ACTION_CT)
			protocols &= protocols_of_actions(ct->nested, ct->nested_bytes,
			                                  match, has_tag);
		has_tag |= action->type == ACTION_PUSH_VLAN ||
		           action->type == ACTION_SET_VLAN_VID ||
		           action->type == ACTION_SET_VLAN_PCP;
		has_tag &= action->type != ACTION_POP_VLAN;
	}
	return protocols;
}

uint32_t
ofctl_protocols_of(const struct of_flow_mod *mod)
{
	bool has_tag = mod->match.key.f.vlan_tci & mod->match.mask.f.vlan_tci &
	               FLOW_VLAN_PRESENT;
	uint32_t protocols = protocols_of_actions(mod->actions.data, mod->actions.bytes,
	                                          &mod->match, has_tag);

	if (!of_match_fits(OF10, &mod->match))
		protocols &= ~OFCTL_OF10;
	if (!of_match_fits(OF11, &mod->match))
		protocols &= ~OFCTL_OF11;
	if (mod->table != OF_TABLE_ALL)
		protocols &= ~OFCTL_WITHOUT_TABLE;
	if (mod->flags & OF_FLOW_RESET_COUNTS)
		protocols &= OFCTL_OXM;
	if (mod->flags & (OF_FLOW_NO_PACKETS | OF_FLOW_NO_BYTES))
		protocols &= OFCTL_FROM_13;
	return protocols;
}
