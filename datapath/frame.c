/* frame.c - between DPDK's chains of buffers and net/rewrite.h. Worker threads. */
#include "datapath/frame.h"

#include <string.h>

#include "base/compiler.h"
#include "datapath/offload.h"

#include "datapath/hot.h"

/* Whether nobody else reads the packet's first buffer. */
static bool
frame_is_ours(const struct rte_mbuf *pkt)
{
	if (likely(RTE_MBUF_DIRECT(pkt)))
		return rte_mbuf_refcnt_read(pkt) == 1;
	return RTE_MBUF_HAS_EXTBUF(pkt) && rte_mbuf_refcnt_read(pkt) == 1 &&
	       rte_mbuf_ext_refcnt_read(pkt->shinfo) == 1;
}

/* Moves bytes of the following buffers to the first one, until it has 'bytes' of them or
 * the whole packet. False: they have no room there. */
static bool
frame_gather(struct rte_mbuf *pkt, uint16_t bytes)
{
	while (pkt->data_len < bytes && pkt->next) {
		struct rte_mbuf *next = pkt->next;
		uint16_t n = MIN_OF((uint16_t)(bytes - pkt->data_len), next->data_len);

		if (rte_pktmbuf_tailroom(pkt) < n)
			return false;
		memcpy(rte_pktmbuf_mtod(pkt, uint8_t *) + pkt->data_len,
		       rte_pktmbuf_mtod(next, uint8_t *), n);
		pkt->data_len = (uint16_t)(pkt->data_len + n);
		next->data_off = (uint16_t)(next->data_off + n);
		next->data_len = (uint16_t)(next->data_len - n);
		if (next->data_len == 0) {
			pkt->next = next->next;
			pkt->nb_segs--;
			next->next = NULL;
			next->nb_segs = 1;
			rte_pktmbuf_free_seg(next);
		}
	}
	return true;
}

enum drop_reason
frame_open(struct rte_mbuf **where, struct rewrite *rewrite)
{
	struct rte_mbuf *pkt = *where;

	if (unlikely(!frame_is_ours(pkt))) {
		struct rte_mbuf *copy = rte_pktmbuf_copy(pkt, pkt->pool, 0, UINT32_MAX);

		if (!copy)
			return DROP_RX_NO_BUFFER;
		packet_copy_meta(copy, pkt);
		rte_pktmbuf_free(pkt);
		*where = pkt = copy;
	}
	if (unlikely(pkt->nb_segs > 1 && pkt->data_len < FRAME_HEADER_BYTES) &&
	    !frame_gather(pkt, FRAME_HEADER_BYTES))
		return DROP_RX_HEADERS_SPLIT;
	*rewrite = (struct rewrite){
		.data = rte_pktmbuf_mtod(pkt, uint8_t *),
		.captured = pkt->data_len,
		.length = pkt->pkt_len,
		.headroom = rte_pktmbuf_headroom(pkt),
		.checksum_is_pending = pkt->ol_flags & OFFLOAD_TX_FLAGS,
	};
	return DROP_N_REASONS;
}

void
frame_update(struct rte_mbuf *pkt, const struct rewrite *rewrite)
{
	int grown = (int)rewrite->captured - (int)pkt->data_len;

	if (grown == 0)
		return;
	pkt->data_off = (uint16_t)rewrite->headroom;
	pkt->data_len = (uint16_t)rewrite->captured;
	pkt->pkt_len = (uint32_t)rewrite->length;
	offload_move_l3(pkt, grown);
}
