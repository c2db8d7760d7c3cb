/* dscp.c - writes a packet's DSCP and keeps its checksum right. Between qos.c and
 * frame.h. Worker threads. */
#include "datapath/dscp.h"

#include "datapath/frame.h"

#include "datapath/hot.h"

void
dscp_write(struct rte_mbuf **pkt, uint8_t dscp)
{
	const struct flow_value value = {{dscp}};
	struct rewrite rewrite;

	if (frame_open(pkt, &rewrite) != DROP_N_REASONS)
		return;
	rewrite_set_field(&rewrite, FIELD_IP_DSCP_SHIFTED, &value, NULL);
	frame_update(*pkt, &rewrite);
}
