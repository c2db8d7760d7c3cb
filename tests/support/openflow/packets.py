# packets.py - frames built from the values of OpenFlow fields, so that what a set-field should give is simply another build.
import copy
import ipaddress
import struct

KINDS = ("arp", "tcp", "udp", "sctp", "icmp", "tcp6", "udp6", "sctp6", "icmp6", "ns6", "na6")
PAYLOAD = bytes(range(40))


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return struct.pack("<I", crc ^ 0xffffffff)


class Packet:
    """A frame of one of KINDS, by the names of OXM fields. Tags and labels are lists, outermost first."""

    def __init__(self, kind, **fields):
        self.kind = kind
        self.f = {
            "eth_dst": "22:22:22:22:22:22", "eth_src": "12:11:11:11:11:11", "tags": [], "mpls": [], "pbb": None,
            "snap": False,  # the type stands in a SNAP header, behind a length
            "ipv4_src": "192.168.10.10", "ipv4_dst": "192.168.20.20",
            "ipv6_src": "10::10", "ipv6_dst": "20::20", "ipv6_flabel": 100, "exthdrs": [],
            "ip_dscp": 8, "ip_ecn": 0, "ttl": 64,
            "arp_op": 1, "arp_spa": "192.168.10.10", "arp_tpa": "192.168.20.20",
            "arp_sha": "12:11:11:11:11:11", "arp_tha": "22:22:22:22:22:22",
            "tp_src": 11111, "tp_dst": 2222, "tcp_flags": 0x12,
            "icmp_type": {"icmp": 8, "icmp6": 128, "ns6": 135, "na6": 136}.get(kind, 0), "icmp_code": 0,
            "nd_target": "fe80::1234", "nd_sll": "12:11:11:11:11:11", "nd_tll": "22:22:22:22:22:22",
            "ip_proto": {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "tcp6": 6, "udp6": 17, "sctp6": 132,
                         "icmp6": 58, "ns6": 58, "na6": 58}.get(kind),
            "eth_type": 0x0806 if kind == "arp" else 0x86dd if kind.endswith("6") else 0x0800,
        }
        self.f.update(fields)

    def but(self, **fields):
        """The same with other values."""
        other = copy.deepcopy(self)
        other.f.update(fields)
        return other

    @property
    def is_ipv6(self):
        return self.kind.endswith("6")

    def bytes(self):
        f = self.f
        body = self._arp() if self.kind == "arp" else self._ip()
        eth_type = f["eth_type"]
        if f["mpls"]:
            labels = b"".join(
                struct.pack("!I", label << 12 | tc << 9 | (i == len(f["mpls"]) - 1 if bos is None else bos) << 8 | ttl)
                for i, (label, tc, ttl, bos) in enumerate(f["mpls"]))
            body, eth_type = labels + body, f.get("mpls_type", 0x8847)
        body = struct.pack("!H", eth_type) + body
        if f["snap"]:
            body = struct.pack("!H6B", 6 + len(body), 0xaa, 0xaa, 3, 0, 0, 0) + body
        for tpid, tci in reversed(f["tags"]):
            body = struct.pack("!HH", tpid, tci) + body
        frame = mac(f["eth_dst"]) + mac(f["eth_src"]) + body
        if f["pbb"]:
            isid, uca, dst, src = f["pbb"]
            frame = mac(dst) + mac(src) + struct.pack("!HI", 0x88e7, uca << 27 | isid) + frame
        return frame.ljust(60, b"\0")

    def _arp(self):
        f = self.f
        return (struct.pack("!HHBBH", 1, 0x0800, 6, 4, f["arp_op"]) + mac(f["arp_sha"])
                + ipaddress.ip_address(f["arp_spa"]).packed + mac(f["arp_tha"])
                + ipaddress.ip_address(f["arp_tpa"]).packed)

    def _ip(self):
        f, version = self.f, "ipv6" if self.is_ipv6 else "ipv4"
        src, dst = (ipaddress.ip_address(f[f"{version}_{end}"]).packed for end in ("src", "dst"))
        tos = f["ip_dscp"] << 2 | f["ip_ecn"]
        l4 = self._l4(src, dst)
        if not self.is_ipv6:
            head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(l4), 1, 0, f["ttl"], f["ip_proto"], 0) + src + dst
            return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + l4
        following, extensions = f["ip_proto"], b""
        for number, content in reversed(f["exthdrs"]):
            extensions = bytes([following]) + content + extensions
            following = number
        return (struct.pack("!IHBB", 6 << 28 | tos << 20 | f["ipv6_flabel"], len(extensions) + len(l4), following,
                            f["ttl"]) + src + dst + extensions + l4)

    def _l4(self, src, dst):
        f, base = self.f, self.kind.rstrip("6")
        ports = struct.pack("!HH", f["tp_src"], f["tp_dst"])
        if base == "tcp":
            data, at = ports + struct.pack("!IIBBHHH", 1, 2, 0x50, f["tcp_flags"], 8192, 0, 0) + PAYLOAD, 16
        elif base == "udp":
            data, at = ports + struct.pack("!HH", 8 + len(PAYLOAD), 0) + PAYLOAD, 6
        elif base == "sctp":
            head, chunk = ports + struct.pack("!I", 0), struct.pack("!BBHI", 14, 0, 8, 0) + b""
            whole = head + b"\0\0\0\0" + chunk
            return head + crc32c(whole) + chunk
        else:
            data, at = bytes([f["icmp_type"], f["icmp_code"], 0, 0]) + self._icmp(), 2
        if not self.is_ipv6:
            pseudo = b"" if base == "icmp" else src + dst + struct.pack("!HH", f["ip_proto"], len(data))
        else:
            pseudo = src + dst + struct.pack("!II", len(data), f["ip_proto"])
        value = checksum(pseudo + data)
        if base == "udp" and value == 0:
            value = 0xffff
        return data[:at] + struct.pack("!H", value) + data[at + 2:]

    def _icmp(self):
        f = self.f
        if self.kind == "ns6":
            return b"\0\0\0\0" + ipaddress.ip_address(f["nd_target"]).packed + b"\1\1" + mac(f["nd_sll"])
        if self.kind == "na6":
            return b"\0\0\0\0" + ipaddress.ip_address(f["nd_target"]).packed + b"\2\1" + mac(f["nd_tll"])
        return struct.pack("!HH", 7, 1) + PAYLOAD
