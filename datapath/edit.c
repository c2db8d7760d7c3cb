/* edit.c - applies SET_FIELD, PUSH_*, POP_* and *_TTL* to packets, one packet at a time.
 * Between action.c and net/rewrite.h. Worker threads. */
#include "datapath/edit.h"

#include <errno.h>

#include "base/compiler.h"
#include "datapath/frame.h"
#include "datapath/offload.h"
#include "datapath/port/port.h"
#include "datapath/program.h"

#include "datapath/hot.h"

/* Tags that are looked behind for the network header. */
#define EDIT_TAGS_MAX  2
#define EDIT_DEPTH_MAX 16

bool
edit_is_for(const struct flow_action *action)
{
	return action->type == ACTION_SET_FIELD ||
	       (action->type >= ACTION_PUSH_VLAN && action->type <= ACTION_COPY_TTL_IN);
}

static bool
edit_hides(const struct flow_action *action, unsigned *n_tags)
{
	switch ((int)action->type) {
	case ACTION_PUSH_MPLS:
	case ACTION_PUSH_PBB:
		return true;
	case ACTION_PUSH_VLAN:
		return ++*n_tags > EDIT_TAGS_MAX;
	case ACTION_SET_FIELD:
		switch ((int)((const struct flow_set_field *)action)->field) {
		case FIELD_ETH_TYPE:
		case FIELD_IP_PROTO:
			return true;
		default:
			return false;
		}
	default:
		return false;
	}
}

static bool
edit_list_hides(const void *records, size_t bytes, unsigned n_tags, unsigned depth)
{
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		const struct flow_nested *list = (const void *)action;

		if (edit_hides(action, &n_tags))
			return true;
		if (action->type == ACTION_CLONE && depth < EDIT_DEPTH_MAX &&
		    edit_list_hides(list->nested, list->nested_bytes, n_tags, depth + 1))
			return true;
	}
	return false;
}

/* How many tags the packets have is not known here: two more are too many. */
bool
edit_hides_layer4(const void *records, size_t bytes)
{
	return edit_list_hides(records, bytes, 1, 0);
}

/* What is left to do for the packet is done before it cannot be found any more. Segmented
 * it was before. */
static void
edit_complete(struct rte_mbuf *pkt, struct rewrite *rewrite,
              const struct flow_action *action)
{
	unsigned n_tags;

	if (likely(!rewrite->checksum_is_pending))
		return;
	if (!rewrite->is_scanned)
		rewrite_scan(rewrite);
	n_tags = rewrite->n_tags;
	if (!edit_hides(action, &n_tags))
		return;
	frame_update(pkt, rewrite);
	offload_complete_checksum(pkt);
	rewrite->checksum_is_pending = false;
}

static int
edit_apply(struct rewrite *rewrite, const struct flow_action *action)
{
	const struct flow_set_field *set = (const void *)action;
	const struct flow_number *number = (const void *)action;

	switch ((int)action->type) {
	case ACTION_SET_FIELD:
		return rewrite_set_field(rewrite, set->field, &set->value, &set->mask);
	case ACTION_PUSH_VLAN:
		return rewrite_push_vlan(rewrite, (uint16_t)number->value);
	case ACTION_POP_VLAN:
		return rewrite_pop_vlan(rewrite);
	case ACTION_PUSH_MPLS:
		return rewrite_push_mpls(rewrite, (uint16_t)number->value);
	case ACTION_POP_MPLS:
		return rewrite_pop_mpls(rewrite, (uint16_t)number->value);
	case ACTION_PUSH_PBB:
		return rewrite_push_pbb(rewrite, (uint16_t)number->value);
	case ACTION_POP_PBB:
		return rewrite_pop_pbb(rewrite);
	case ACTION_DEC_TTL:
		return rewrite_dec_ip_ttl(rewrite);
	case ACTION_DEC_MPLS_TTL:
		return rewrite_dec_mpls_ttl(rewrite);
	case ACTION_COPY_TTL_OUT:
		return rewrite_copy_ttl_out(rewrite);
	case ACTION_COPY_TTL_IN:
		return rewrite_copy_ttl_in(rewrite);
	default:
		return 0;
	}
}

enum drop_reason
edit_packet(const struct flow_action *first, const struct flow_action *end,
            struct rte_mbuf **pkt)
{
	struct rewrite rewrite;
	enum drop_reason reason = frame_open(pkt, &rewrite);

	if (unlikely(reason != DROP_N_REASONS))
		return reason;
	FLOW_ACTION_FOR_EACH(action, first,
	                     (size_t)((const char *)end - (const char *)first))
	{
		int ret;

		edit_complete(*pkt, &rewrite, action);
		ret = edit_apply(&rewrite, action);
		if (likely(ret == 0 || ret == -ENOENT))
			continue; /* what it has not is not set */
		frame_update(*pkt, &rewrite);
		return ret == -ERANGE ? DROP_RX_TTL_ENDS : DROP_RX_NO_HEADROOM;
	}
	frame_update(*pkt, &rewrite);
	return DROP_N_REASONS;
}

unsigned
edit_packets(struct worker *worker, struct port *in, const struct flow_action *first,
             const struct flow_action *end, struct rte_mbuf **pkts, unsigned n)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *pkt = pkts[i];
		enum drop_reason reason = edit_packet(first, end, &pkt);

		if (likely(reason == DROP_N_REASONS)) {
			pkts[left++] = pkt;
			continue;
		}
		port_drop(in, worker, reason, &pkt, 1);
	}
	return left;
}
