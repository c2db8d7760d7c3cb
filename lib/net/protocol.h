/* protocol.h - numbers of the protocols that headers name: IEEE 802's and IANA's. For all
 * of lib/net. No state. */
#pragma once

#define NET_ETH_BYTES  14
#define NET_VLAN_BYTES 4
#define NET_IPV4_BYTES 20
#define NET_IPV6_BYTES 40
#define NET_ARP_BYTES  28 /* Ethernet and IPv4 */

#define NET_TYPE_802_3_MAX 0x05dc /* up to here the field is a length */
#define NET_TYPE_MIN       0x0600
#define NET_TYPE_IPV4      0x0800
#define NET_TYPE_ARP       0x0806
#define NET_TYPE_RARP      0x8035
#define NET_TYPE_VLAN      0x8100
#define NET_TYPE_IPV6      0x86dd
#define NET_TYPE_MPLS      0x8847
#define NET_TYPE_MPLS_MC   0x8848
#define NET_TYPE_QINQ      0x88a8
#define NET_TYPE_PBB       0x88e7

#define NET_PROTO_HOP_BY_HOP  0
#define NET_PROTO_ICMP        1
#define NET_PROTO_TCP         6
#define NET_PROTO_UDP         17
#define NET_PROTO_ROUTING     43
#define NET_PROTO_FRAGMENT    44
#define NET_PROTO_ESP         50
#define NET_PROTO_AUTH        51
#define NET_PROTO_ICMPV6      58
#define NET_PROTO_NONE        59
#define NET_PROTO_DESTINATION 60
#define NET_PROTO_SCTP        132

#define NET_ND_SOLICIT   135
#define NET_ND_ADVERTISE 136
