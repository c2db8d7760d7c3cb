/* offload_test.c - datapath/offload.c and charge.h on real packets: segments put together
 * again and judged by the slow way to sum, rings that take less than offered, and
 * headers that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/charge.h"
#include "datapath/eal.h"
#include "datapath/offload.h"
#include "datapath/port/port.h"

#define FRAME_MAX 66000
#define SENT_MAX  2048

struct shape {
	bool is_ipv6, is_udp;
	unsigned tags, tcp_options; /* bytes of options */
	size_t payload;
	uint32_t mss;
	size_t piece; /* bytes per buffer; 0 = as many as fit */
};

static struct worker worker;
static struct port port;
static struct port_worker port_worker;
static struct rte_mempool *pool;
static uint8_t bytes[FRAME_MAX];

/* What the port has sent. */
static struct rte_mbuf *sent[SENT_MAX];
static unsigned n_sent, takes_left;

static uint64_t random_state = 0x9e3779b97f4a7c15ULL;

static uint32_t
random_u32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

static uint16_t
fake_tx(struct worker *w, struct port *p, uint16_t queue, struct rte_mbuf **pkts,
        uint16_t n)
{
	uint16_t taken = (uint16_t)(n < takes_left ? n : takes_left);

	(void)w;
	(void)p;
	(void)queue;
	for (uint16_t i = 0; i < taken; i++)
		sent[n_sent++] = pkts[i];
	takes_left -= taken;
	return taken;
}

static const struct port_ops fake_ops = {.tx = fake_tx};

static void
forget_sent(void)
{
	rte_pktmbuf_free_bulk(sent, n_sent);
	n_sent = 0;
	takes_left = SENT_MAX;
	memset(port_worker.drops, 0, sizeof(port_worker.drops));
}

/* The Internet checksum the slow way, as it stands in a header: 'sum' is that of what
 * goes before, which has an even length. */
static uint16_t
slow_checksum(uint32_t sum, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* ---- frames ---- */

static size_t
header_bytes(const struct shape *shape)
{
	return 14 + shape->tags * 4 + (shape->is_ipv6 ? 40 : 20) +
	       (shape->is_udp ? 8 : 20 + shape->tcp_options);
}

static void
put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint8_t *
make_l3(const struct shape *shape, uint8_t *ip, size_t l4_bytes)
{
	uint8_t protocol = shape->is_udp ? 17 : 6;

	if (shape->is_ipv6) {
		ip[0] = 0x60;
		put16(ip + 4, l4_bytes);
		ip[6] = protocol;
		ip[7] = 64;
		for (int i = 8; i < 40; i++)
			ip[i] = (uint8_t)(i * 37);
		return ip + 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, 20 + l4_bytes);
	put16(ip + 4, 0xfffe); /* wraps */
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, ((uint8_t[]){10, 1, 2, 3, 192, 168, 255, 254}), 8);
	put16(ip + 10, 0);
	put16(ip + 10, slow_checksum(0, ip, 20));
	return ip + 20;
}

/* Writes the frame to 'bytes'; the checksum field holds rubbish. */
static size_t
make_frame(const struct shape *shape)
{
	size_t headers = header_bytes(shape), length = headers + shape->payload;
	size_t l3 = 14 + shape->tags * 4;
	uint8_t *l4;

	memset(bytes, 0, headers);
	memset(bytes, 2, 12);
	for (unsigned i = 0; i < shape->tags; i++) {
		put16(bytes + 12 + i * 4, i + 1 < shape->tags ? 0x88a8 : 0x8100);
		put16(bytes + 14 + i * 4, 100 + i);
	}
	put16(bytes + l3 - 2, shape->is_ipv6 ? 0x86dd : 0x0800);
	l4 = make_l3(shape, bytes + l3, length - l3 - (shape->is_ipv6 ? 40 : 20));
	put16(l4, 40000);
	put16(l4 + 2, 5001);
	if (shape->is_udp) {
		put16(l4 + 4, 8 + shape->payload);
		put16(l4 + 6, 0xdead);
	} else {
		memcpy(l4 + 4, ((uint8_t[]){0xff, 0xff, 0xf0, 0}), 4);
		l4[12] = (uint8_t)((5 + shape->tcp_options / 4) << 4);
		l4[13] = 0x99; /* CWR, ACK, PSH, FIN */
		put16(l4 + 16, 0xdead);
		memset(l4 + 20, 1, shape->tcp_options);
	}
	for (size_t i = 0; i < shape->payload; i++)
		bytes[headers + i] = (uint8_t)(i * 31 + i / 251);
	return length;
}

/* A packet of the bytes; its first buffer has all headers, the others 'piece' bytes. */
static struct rte_mbuf *
make_packet(size_t length, size_t headers, size_t piece)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool), *tail = head;
	size_t done = 0;

	assert_non_null(head);
	while (done < length) {
		size_t n = length - done, room = rte_pktmbuf_tailroom(tail);

		if (piece && n > piece + (done ? 0 : headers))
			n = piece + (done ? 0 : headers);
		n = n < room ? n : room;
		memcpy(rte_pktmbuf_append(tail, (uint16_t)n), bytes + done, n);
		done += n;
		if (tail != head)
			head->pkt_len += (uint32_t)n;
		if (done < length) {
			tail->next = rte_pktmbuf_alloc(pool);
			assert_non_null(tail->next);
			tail = tail->next;
			head->nb_segs++;
		}
	}
	assert_int_equal(head->pkt_len, length);
	return head;
}

static struct rte_mbuf *
make_shape(const struct shape *shape)
{
	size_t length = make_frame(shape);

	return make_packet(length, header_bytes(shape), shape->piece);
}

/* ---- judgement ---- */

/* Lengths and checksums of a flat frame are right; returns its payload. */
static const uint8_t *
check_frame(const struct shape *shape, const uint8_t *frame, size_t length)
{
	const uint8_t *ip = frame + 14 + shape->tags * 4;
	const uint8_t *l4 = ip + (shape->is_ipv6 ? 40 : 20);
	size_t l4_bytes = length - (size_t)(l4 - frame),
	       address = shape->is_ipv6 ? 16 : 4;
	uint32_t sum = (shape->is_udp ? 17 : 6) + (uint32_t)l4_bytes;

	sum += (uint16_t)~slow_checksum(0, l4 - 2 * address, 2 * address);
	assert_int_equal(slow_checksum(sum, l4, l4_bytes), 0);
	if (shape->is_ipv6) {
		assert_int_equal(ip[4] << 8 | ip[5], l4_bytes);
	} else {
		assert_int_equal(ip[2] << 8 | ip[3], 20 + l4_bytes);
		assert_int_equal(slow_checksum(0, ip, 20), 0);
	}
	return frame + header_bytes(shape);
}

/* All that was sent is, in order, the frame in 'bytes'; returns the bytes on the wire. */
static size_t
check_segments(const struct shape *shape)
{
	size_t headers = header_bytes(shape), done = 0, wire = 0;
	uint8_t flat[16384];

	for (unsigned i = 0; i < n_sent; i++) {
		size_t length = sent[i]->pkt_len;
		bool is_last = i + 1 == n_sent;
		const uint8_t *payload, *tcp;

		assert_int_equal(sent[i]->ol_flags & OFFLOAD_TX_FLAGS, 0);
		assert_true(length <= sizeof(flat) && length > headers);
		if (rte_pktmbuf_read(sent[i], 0, (uint32_t)length, flat) != flat)
			memcpy(flat, rte_pktmbuf_mtod(sent[i], void *), length);
		payload = check_frame(shape, flat, length);
		assert_true(is_last || length == headers + shape->mss);
		assert_memory_equal(payload, bytes + headers + done, length - headers);
		tcp = payload - 20 - shape->tcp_options;
		assert_int_equal((uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
		                         (uint32_t)tcp[6] << 8 | tcp[7],
		                 (uint32_t)(0xfffff000 + done));
		assert_int_equal(tcp[13], 0x10 | (is_last ? 0x09 : 0) | (i ? 0 : 0x80));
		if (!shape->is_ipv6)
			assert_int_equal(flat[18 + shape->tags * 4] << 8 |
			                         flat[19 + shape->tags * 4],
			                 (uint16_t)(0xfffe + i));
		done += length - headers;
		wire += length;
	}
	assert_int_equal(done, shape->payload);
	return wire;
}

static const struct shape shapes[] = {
	{.payload = 65000, .mss = 1448, .tcp_options = 12},
	{.payload = 65000, .mss = 1448, .piece = 61},
	{.payload = 64000, .mss = 1428, .is_ipv6 = true, .tcp_options = 12},
	{.payload = 64000, .mss = 1428, .is_ipv6 = true, .piece = 1001},
	{.payload = 30000, .mss = 1444, .tags = 1, .piece = 77},
	{.payload = 30001, .mss = 1439, .tags = 2, .is_ipv6 = true, .tcp_options = 40},
	{.payload = 1449, .mss = 1448},
	{.payload = 2896, .mss = 1448},
	{.payload = 65000, .mss = 8948, .tcp_options = 12, .piece = 333},
	{.payload = 65001, .mss = 8949, .is_ipv6 = true},
	{.payload = 10000, .mss = 48},
};

static void
test_segments_are_the_frame(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *shape = &shapes[i];
		unsigned free_before = rte_mempool_avail_count(pool);
		struct rte_mbuf *pkt;

		pkt = make_shape(shape);
		assert_true(offload_mark(pkt, shape->mss));
		port.offloads = 0;
		assert_true(offload_is_needed(&port, &pkt, 1));
		assert_int_equal(offload_transmit(&worker, &port, 0, &pkt, 1), 1);
		assert_int_equal(n_sent, (shape->payload + shape->mss - 1) / shape->mss);
		check_segments(shape);
		forget_sent();
		assert_int_equal(rte_mempool_avail_count(pool), free_before);
	}
}

/* A frame goes to a port that takes it as it is. */
static void
test_frames_go_whole_where_they_can(void **state)
{
	const struct shape v4 = {.payload = 20000, .mss = 1448};
	const struct shape v6 = {.payload = 20000, .mss = 1448, .is_ipv6 = true};
	struct rte_mbuf *pkts[2] = {make_shape(&v4), make_shape(&v6)};

	(void)state;
	assert_true(offload_mark(pkts[0], 1448));
	assert_true(offload_mark(pkts[1], 1448));
	port.offloads = PORT_OFFLOADS_ALL;
	assert_false(offload_is_needed(&port, pkts, 2));
	port.offloads = PORT_OFFLOAD_CHECKSUM | PORT_OFFLOAD_TSO6;
	assert_true(offload_is_needed(&port, pkts, 2));
	assert_int_equal(offload_transmit(&worker, &port, 0, pkts, 2), 2);
	assert_int_equal(n_sent, 14 + 1);
	assert_ptr_equal(sent[14], pkts[1]);
	assert_true(sent[14]->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
	assert_int_equal(sent[14]->tso_segsz, 1448);
	forget_sent();
}

/* A ring with little room: every segment once, in order, whatever is offered again. */
static void
test_segments_not_taken_are_sent_later(void **state)
{
	const struct shape shape = {.payload = 60000, .mss = 1000, .piece = 999};
	struct rte_mbuf *pkts[2] = {make_shape(&shape), NULL};
	unsigned offers = 0;

	(void)state;
	assert_true(offload_mark(pkts[0], shape.mss));
	port.offloads = 0;
	takes_left = 0;
	while (offload_transmit(&worker, &port, 0, pkts, 1) == 0) {
		/* A guest that now takes large frames does not get the rest as one. */
		if (offers == 5)
			port.offloads = PORT_OFFLOADS_ALL & ~PORT_OFFLOAD_TSO6;
		takes_left = ++offers % 7;
		assert_in_range(offers, 0, 60);
	}
	assert_int_equal(n_sent, 60);
	check_segments(&shape);
	forget_sent();
}

static void
test_without_buffers_the_rest_is_dropped_and_counted(void **state)
{
	const struct shape shape = {.payload = 60000, .mss = 1000};
	struct rte_mbuf *pkt = make_shape(&shape), **hoard;
	unsigned n = 0, free_before = rte_mempool_avail_count(pool);

	(void)state;
	assert_true(offload_mark(pkt, shape.mss));
	port.offloads = 0;
	hoard = malloc((free_before + 1) * sizeof(*hoard));
	assert_non_null(hoard);
	while ((hoard[n] = rte_pktmbuf_alloc(pool)))
		n++;
	assert_int_equal(n, free_before);
	/* Room for one batch of segments, not for the second. */
	rte_pktmbuf_free_bulk(hoard + n - 40, 40);
	assert_int_equal(offload_transmit(&worker, &port, 0, &pkt, 1), 1);
	assert_int_equal(n_sent, 32);
	assert_int_equal(port_worker.drops[DROP_TX_NO_BUFFER], 1);
	rte_pktmbuf_free_bulk(hoard, n - 40);
	free(hoard);
	forget_sent();
	assert_true(rte_mempool_avail_count(pool) > free_before);
}

static void
test_checksums_are_completed(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct shape shape = {
			.is_ipv6 = random_u32() % 2,
			.is_udp = random_u32() % 2,
			.tags = random_u32() % 3,
			.payload = 1 + random_u32() % 6000,
			.piece = random_u32() % 2 ? 1 + random_u32() % 500 : 0,
		};
		struct rte_mbuf *pkt = make_shape(&shape);
		uint8_t flat[8192];

		if (shape.piece && shape.payload / shape.piece > 200) {
			rte_pktmbuf_free(pkt);
			continue;
		}
		assert_true(offload_mark(pkt, 0));
		port.offloads = 0;
		assert_int_equal(offload_transmit(&worker, &port, 0, &pkt, 1), 1);
		assert_int_equal(n_sent, 1);
		assert_int_equal(pkt->ol_flags & OFFLOAD_TX_FLAGS, 0);
		if (rte_pktmbuf_read(pkt, 0, pkt->pkt_len, flat) != flat)
			memcpy(flat, rte_pktmbuf_mtod(pkt, void *), pkt->pkt_len);
		check_frame(&shape, flat, pkt->pkt_len);
		forget_sent();
	}
}

/* Ethernet's padding is not part of the sum. */
static void
test_padding_is_not_summed(void **state)
{
	const struct shape shape = {.payload = 3};
	size_t length = make_frame(&shape);
	struct rte_mbuf *pkt;

	(void)state;
	memset(bytes + length, 0xee, 60 - length);
	pkt = make_packet(60, 60, 0);
	assert_true(offload_mark(pkt, 0));
	offload_complete_checksum(pkt);
	check_frame(&shape, rte_pktmbuf_mtod(pkt, uint8_t *), length);
	rte_pktmbuf_free(pkt);
}

/* With a routing header the pseudo-header's destination is another: only the sender's sum
 * in the field knows it. */
static void
test_extensions_are_summed_at_arrival(void **state)
{
	const struct shape shape = {.is_ipv6 = true, .is_udp = true, .payload = 1001};
	size_t length = make_frame(&shape);
	uint32_t sum = 17 + 8 + 1001;
	struct rte_mbuf *pkt;
	uint8_t *l4;

	(void)state;
	memmove(bytes + 54 + 24, bytes + 54, length - 54);
	memset(bytes + 54, 0, 24);
	bytes[20] = 43;
	put16(bytes + 18, length - 54 + 24);
	bytes[54] = 17;
	bytes[55] = 2;
	memset(bytes + 62, 0x77, 16); /* the last destination */
	l4 = bytes + 54 + 24;
	sum += (uint16_t)~slow_checksum(0, bytes + 22, 16);
	sum += (uint16_t)~slow_checksum(0, bytes + 62, 16);
	put16(l4 + 6, (uint16_t)~slow_checksum(sum, l4, 0));
	pkt = make_packet(length + 24, 100, 333);
	assert_true(offload_mark(pkt, 0));
	assert_int_equal(pkt->ol_flags & OFFLOAD_TX_FLAGS, 0);
	memcpy(l4 + 6, rte_pktmbuf_mtod_offset(pkt, void *, 54 + 24 + 6), 2);
	assert_int_equal(slow_checksum(sum, l4, 1009), 0);
	rte_pktmbuf_free(pkt);
}

/* ---- charge ---- */

static void
test_charge_is_what_is_on_the_wire(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct shape shape = {
			.is_ipv6 = random_u32() % 2,
			.tags = random_u32() % 3,
			.tcp_options = random_u32() % 11 * 4,
			.payload = 1 + random_u32() % 60000,
			.mss = 48 + random_u32() % 2000,
		};
		int32_t overhead = (int32_t)(random_u32() % 40) - 10;
		uint32_t mpu = random_u32() % 200;
		struct rte_mbuf *pkt = make_shape(&shape);
		uint64_t want = 0;

		assert_true(offload_mark(pkt, shape.mss));
		packet_charge(pkt, overhead, mpu);
		struct qos_item item = packet_meta(pkt)->item;
		port.offloads = 0;
		assert_int_equal(offload_transmit(&worker, &port, 0, &pkt, 1), 1);
		for (unsigned i = 0; i < n_sent; i++) {
			int64_t frame = (int64_t)sent[i]->pkt_len + overhead;

			want += (uint64_t)(frame > mpu ? frame : mpu);
		}
		assert_int_equal(item.charged_bytes, want);
		assert_int_equal(item.charged_packets, n_sent);
		forget_sent();
	}
}

static void
test_charge_by_hand(void **state)
{
	/* 3 segments of 1514 bytes and one of 54 + 12 + 4 = 70, counted as 84. */
	const struct shape shape = {
		.payload = 3 * 1448 + 4, .mss = 1448, .tcp_options = 12};
	struct rte_mbuf *pkt = make_shape(&shape);

	(void)state;
	packet_charge(pkt, 24, 84);
	assert_int_equal(packet_meta(pkt)->item.charged_bytes, 66 + 3 * 1448 + 4 + 24);
	assert_int_equal(packet_meta(pkt)->item.charged_packets, 1);
	assert_true(offload_mark(pkt, shape.mss));
	packet_charge(pkt, 4, 84);
	assert_int_equal(packet_meta(pkt)->item.charged_bytes, 3 * 1518 + 84);
	assert_int_equal(packet_meta(pkt)->item.charged_packets, 4);
	assert_int_equal(offload_frame_bytes(pkt), 1514);
	rte_pktmbuf_free(pkt);
}

/* ---- arrival ---- */

static bool
is_accepted(struct rte_mbuf *pkt)
{
	bool is_good = offload_accept(&worker, &port, &pkt, 1) == 1;

	if (is_good)
		rte_pktmbuf_free(pkt);
	return is_good;
}

static void
test_marks_of_rte_vhost_become_ours(void **state)
{
	const struct shape tcp = {
		.payload = 3000, .mss = 1448, .tcp_options = 12, .tags = 1};
	const struct shape udp = {.payload = 1000, .is_udp = true, .is_ipv6 = true};
	struct rte_mbuf *pkts[3] = {make_shape(&tcp), make_shape(&udp), make_shape(&tcp)};

	(void)state;
	pkts[0]->ol_flags = RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE;
	pkts[0]->tso_segsz = 1448;
	pkts[1]->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	assert_int_equal(offload_accept(&worker, &port, pkts, 3), 3);
	assert_int_equal(pkts[0]->ol_flags, RTE_MBUF_F_TX_TCP_SEG |
	                                            RTE_MBUF_F_TX_TCP_CKSUM |
	                                            RTE_MBUF_F_TX_IPV4);
	assert_int_equal(pkts[0]->l2_len, 18);
	assert_int_equal(pkts[0]->l3_len, 20);
	assert_int_equal(pkts[0]->l4_len, 32);
	assert_int_equal(pkts[0]->tso_segsz, 1448);
	assert_int_equal(pkts[1]->ol_flags, RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV6);
	assert_int_equal(pkts[1]->l3_len, 40);
	assert_int_equal(pkts[2]->ol_flags, 0);
	/* A tag less: the lengths follow. */
	rte_pktmbuf_adj(pkts[0], 4);
	offload_move_l3(pkts[0], -4);
	assert_int_equal(pkts[0]->l2_len, 14);
	rte_pktmbuf_free_bulk(pkts, 3);
}

/* A frame of one segment is no frame to segment. */
static void
test_one_segment_is_only_summed(void **state)
{
	const struct shape shape = {.payload = 1448, .mss = 1448};
	struct rte_mbuf *pkt = make_shape(&shape);

	(void)state;
	assert_true(offload_mark(pkt, 1448));
	assert_int_equal(pkt->ol_flags, RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4);
	rte_pktmbuf_free(pkt);
}

static struct rte_mbuf *
make_lie(size_t at, uint8_t value, uint16_t mss)
{
	const struct shape shape = {.payload = 3000, .mss = 1448};
	size_t length = make_frame(&shape);
	struct rte_mbuf *pkt;

	bytes[at] = value;
	pkt = make_packet(length, 54, 0);
	pkt->ol_flags = RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE;
	pkt->tso_segsz = mss;
	return pkt;
}

static void
test_lies_are_dropped_and_counted(void **state)
{
	const struct shape udp = {.payload = 3000, .is_udp = true};
	struct rte_mbuf *pkt;

	(void)state;
	assert_true(is_accepted(make_lie(0, 2, 1448)));
	assert_false(is_accepted(make_lie(0, 2, 0))); /* no segment size */
	assert_true(is_accepted(make_lie(0, 2, 47)));
	assert_false(is_accepted(make_lie(0, 2, 46)));    /* a flood of small segments */
	assert_false(is_accepted(make_lie(13, 6, 1448))); /* ARP */
	assert_false(is_accepted(make_lie(14, 0x44, 1448)));
	assert_false(is_accepted(make_lie(14, 0x65, 1448)));
	assert_false(is_accepted(make_lie(17, 0, 1448)));    /* total length */
	assert_false(is_accepted(make_lie(16, 0xff, 1448))); /* beyond the packet */
	assert_false(is_accepted(make_lie(16, 0, 1448)));    /* before its headers */
	assert_false(is_accepted(make_lie(20, 0x20, 1448))); /* a fragment */
	assert_false(is_accepted(make_lie(23, 17, 1448)));   /* UDP */
	assert_false(is_accepted(make_lie(23, 1, 1448)));    /* ICMP */
	assert_false(is_accepted(make_lie(46, 0x40, 1448))); /* TCP header of 16 bytes */
	assert_int_equal(port_worker.drops[DROP_RX_OFFLOAD], 12);
	pkt = make_shape(&udp);
	pkt->ol_flags = RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE;
	pkt->tso_segsz = 1000;
	assert_false(is_accepted(pkt));
	forget_sent();
}

/* Headers cut at every byte, in packets and in buffers. */
static void
test_cut_headers_are_dropped(void **state)
{
	const struct shape shape = {
		.payload = 3000, .mss = 1448, .is_ipv6 = true, .tags = 1};

	(void)state;
	for (size_t cut = 1; cut <= header_bytes(&shape); cut++) {
		struct rte_mbuf *pkt;

		make_frame(&shape);
		pkt = make_packet(cut, cut, 0);
		assert_false(offload_mark(pkt, 1448));
		assert_int_equal(pkt->ol_flags, 0);
		rte_pktmbuf_free(pkt);
		if (cut == header_bytes(&shape))
			break;
		pkt = make_packet(make_frame(&shape), cut, 1);
		assert_int_equal(pkt->data_len, cut + 1);
		assert_int_equal(offload_mark(pkt, 1448),
		                 cut + 1 >= header_bytes(&shape));
		rte_pktmbuf_free(pkt);
	}
}

/* Anything that is believed can be charged and sent. */
static void
test_random_headers_do_no_harm(void **state)
{
	unsigned believed = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct shape shape = {
			.is_ipv6 = random_u32() % 2,
			.is_udp = random_u32() % 4 == 0,
			.tags = random_u32() % 3,
			.payload = random_u32() % 4000,
		};
		size_t length = make_frame(&shape), headers = header_bytes(&shape);
		uint32_t mss = random_u32() % 4 ? random_u32() % 2000 : 0;
		struct rte_mbuf *pkt;

		for (unsigned i = random_u32() % 3; i > 0; i--)
			bytes[12 + random_u32() % (headers - 12)] = (uint8_t)random_u32();
		pkt = make_packet(length, headers, 0);
		if (!offload_mark(pkt, mss)) {
			rte_pktmbuf_free(pkt);
			continue;
		}
		believed++;
		packet_charge(pkt, 24, 84);
		assert_true(packet_meta(pkt)->item.charged_packets > 0);
		port.offloads = 0;
		assert_int_equal(offload_transmit(&worker, &port, 0, &pkt, 1), 1);
		assert_int_equal(port_worker.drops[DROP_TX_OFFLOAD], 0);
		forget_sent();
	}
	assert_in_range(believed, 2000, 19000);
}

static int
set_up(void **state)
{
	static struct dp_config config = {.eal_extra = "--no-huge -m 128 --no-pci"};
	struct error err = {""};

	(void)state;
	if (eal_start(&config, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	pool = eal_packet_pool(0);
	port.ops = &fake_ops;
	port.by_worker[0] = &port_worker;
	takes_left = SENT_MAX;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_are_the_frame),
		cmocka_unit_test(test_frames_go_whole_where_they_can),
		cmocka_unit_test(test_segments_not_taken_are_sent_later),
		cmocka_unit_test(test_without_buffers_the_rest_is_dropped_and_counted),
		cmocka_unit_test(test_checksums_are_completed),
		cmocka_unit_test(test_padding_is_not_summed),
		cmocka_unit_test(test_extensions_are_summed_at_arrival),
		cmocka_unit_test(test_charge_is_what_is_on_the_wire),
		cmocka_unit_test(test_charge_by_hand),
		cmocka_unit_test(test_marks_of_rte_vhost_become_ours),
		cmocka_unit_test(test_one_segment_is_only_summed),
		cmocka_unit_test(test_lies_are_dropped_and_counted),
		cmocka_unit_test(test_cut_headers_are_dropped),
		cmocka_unit_test(test_random_headers_do_no_harm),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
