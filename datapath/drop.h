/* drop.h - every reason for which the datapath drops a packet: one name, one counter
 * each. */
#pragma once

#include "base/compiler.h"

/* X(symbol, name, counts in: rx = the port it came from, tx = the port it was to leave
 * by) */
#define DROP_REASONS(X)                                       \
	X(RX_POLICED, "rx_policed", rx)                       \
	X(RX_GATE_FULL, "rx_gate_full", rx)                   \
	X(RX_GATE_TIMEOUT, "rx_gate_timeout", rx)             \
	X(RX_MALFORMED, "rx_malformed", rx)                   \
	X(RX_RESERVED_MAC, "rx_reserved_mac", rx)             \
	X(RX_VLAN_ACCESS_TAGGED, "rx_vlan_access_tagged", rx) \
	X(RX_VLAN_NOT_CARRIED, "rx_vlan_not_carried", rx)     \
	X(RX_HAIRPIN, "rx_hairpin", rx)                       \
	X(RX_NO_OUTPUT, "rx_no_output", rx)                   \
	X(RX_NO_RULE, "rx_no_rule", rx)                       \
	X(RX_BY_RULE, "rx_by_rule", rx)                       \
	X(RX_TOO_MANY_ACTIONS, "rx_too_many_actions", rx)     \
	X(RX_TOO_MANY_RESUBMITS, "rx_too_many_resubmits", rx) \
	X(RX_NO_BUFFER, "rx_no_buffer", rx)                   \
	X(RX_OFFLOAD, "rx_offload", rx)                       \
	X(RX_PORT_NO_RECEIVE, "rx_port_no_receive", rx)       \
	X(RX_FRAGMENT, "rx_fragment", rx)                     \
	X(RX_HEADERS_SPLIT, "rx_headers_split", rx)           \
	X(RX_NO_HEADROOM, "rx_no_headroom", rx)               \
	X(RX_TTL_ENDS, "rx_ttl_ends", rx)                     \
	X(RX_METERED, "rx_metered", rx)                       \
	X(RX_PUNT_RATE, "rx_punt_rate", rx)                   \
	X(RX_PUNT_FULL, "rx_punt_full", rx)                   \
	X(RX_PUNT_TOO_LONG, "rx_punt_too_long", rx)           \
	X(RX_LEARN_FULL, "rx_learn_full", rx)                 \
	X(RX_PROGRAM_DEPTH, "rx_program_depth", rx)           \
	X(TX_PORT_DOWN, "tx_port_down", tx)                   \
	X(TX_PORT_NO_FORWARD, "tx_port_no_forward", tx)       \
	X(TX_NOT_CONNECTED, "tx_not_connected", tx)           \
	X(TX_RING_FULL, "tx_ring_full", tx)                   \
	X(TX_MTU_EXCEEDED, "tx_mtu_exceeded", tx)             \
	X(TX_NO_BUFFER, "tx_no_buffer", tx)                   \
	X(TX_OFFLOAD, "tx_offload", tx)                       \
	X(TX_HANDOVER_FULL, "tx_handover_full", tx)           \
	X(TX_KERNEL, "tx_kernel", tx)                         \
	X(TX_PATCH_LOOP, "tx_patch_loop", tx)                 \
	X(TX_PATCH_FULL, "tx_patch_full", tx)                 \
	X(TX_QOS_CLASS_FULL, "tx_qos_class_full", tx)         \
	X(TX_QOS_CODEL, "tx_qos_codel", tx)                   \
	X(TX_QOS_AGED, "tx_qos_aged", tx)                     \
	X(TX_QOS_PORT_FULL, "tx_qos_port_full", tx)           \
	X(TX_QOS_NO_CLASS, "tx_qos_no_class", tx)             \
	X(TX_QOS_POLICED, "tx_qos_policed", tx)

#define DROP_ENUM(symbol, name, side) DROP_##symbol,
enum drop_reason { DROP_REASONS(DROP_ENUM) DROP_N_REASONS };

/* The first reason that counts as tx_dropped; those before count as rx_dropped. */
#define DROP_FIRST_TX DROP_TX_PORT_DOWN

extern const char *const drop_reason_names[DROP_N_REASONS];
