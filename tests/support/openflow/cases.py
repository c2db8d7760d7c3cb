# cases.py - the questions put to a switch: for every match field, action, group and meter type what is installed,
# which frame goes in by port 1, and what must come out. run.py asks them.
import ipaddress
import struct

from support.openflow.packets import KINDS, Packet

IN, OUT, OTHER = "in", "out", "other"  # ports by their part
CONTROLLER = "controller"

PREREQUISITES = {  # per kind of packet, by layer
    "arp": {"eth_type": 0x0806},
    "tcp": {"eth_type": 0x0800, "ip_proto": 6}, "udp": {"eth_type": 0x0800, "ip_proto": 17},
    "sctp": {"eth_type": 0x0800, "ip_proto": 132}, "icmp": {"eth_type": 0x0800, "ip_proto": 1},
    "tcp6": {"eth_type": 0x86dd, "ip_proto": 6}, "udp6": {"eth_type": 0x86dd, "ip_proto": 17},
    "sctp6": {"eth_type": 0x86dd, "ip_proto": 132}, "icmp6": {"eth_type": 0x86dd, "ip_proto": 58},
    "ns6": {"eth_type": 0x86dd, "ip_proto": 58, "icmpv6_type": 135},
    "na6": {"eth_type": 0x86dd, "ip_proto": 58, "icmpv6_type": 136},
}
IP = tuple(kind for kind in KINDS if kind != "arp")
IP4 = ("tcp", "udp", "sctp", "icmp")
IP6 = tuple(kind for kind in IP if kind not in IP4)


class Field:
    """A match field: in which kinds of packet, the packet's own name of it, another value, a mask."""

    def __init__(self, name, kinds, own=None, other=None, mask=None, settable=True, layer=2):
        self.name, self.kinds, self.own = name, kinds, own or name
        self.other, self.mask, self.settable, self.layer = other, mask, settable, layer

    def needs(self, kind):
        """What a match on it must also say, in order."""
        known = PREREQUISITES[kind]
        names = {2: (), 3: ("eth_type",), 4: ("eth_type", "ip_proto"), 5: tuple(known)}[self.layer]
        return {name: known[name] for name in names if name in known}


FIELDS = [
    Field("eth_dst", KINDS, other="44:44:44:44:44:44", mask="ff:ff:ff:00:00:ff"),
    Field("eth_src", KINDS, other="54:55:55:55:55:55", mask="ff:ff:ff:00:00:ff"),
    Field("eth_type", KINDS, other=0x8915),
    Field("ip_dscp", IP, other=63, layer=3),
    Field("ip_ecn", IP, other=3, layer=3),
    Field("ip_proto", IP, other=255, layer=3),
    Field("ipv4_src", IP4, other="10.10.10.10", mask="255.255.255.0", layer=3),
    Field("ipv4_dst", IP4, other="10.20.20.20", mask="255.255.255.0", layer=3),
    Field("tcp_src", ("tcp", "tcp6"), "tp_src", other=3333, mask=0xfff0, layer=4),
    Field("tcp_dst", ("tcp", "tcp6"), "tp_dst", other=4444, mask=0xfff0, layer=4),
    Field("udp_src", ("udp", "udp6"), "tp_src", other=3333, mask=0xfff0, layer=4),
    Field("udp_dst", ("udp", "udp6"), "tp_dst", other=4444, mask=0xfff0, layer=4),
    Field("sctp_src", ("sctp", "sctp6"), "tp_src", other=3333, mask=0xfff0, layer=4),
    Field("sctp_dst", ("sctp", "sctp6"), "tp_dst", other=4444, mask=0xfff0, layer=4),
    Field("icmpv4_type", ("icmp",), "icmp_type", other=0, layer=4),
    Field("icmpv4_code", ("icmp",), "icmp_code", other=6, layer=4),
    Field("arp_op", ("arp",), other=2, layer=3),
    Field("arp_spa", ("arp",), other="10.10.10.10", mask="255.255.255.0", layer=3),
    Field("arp_tpa", ("arp",), other="10.20.20.20", mask="255.255.255.0", layer=3),
    Field("arp_sha", ("arp",), other="54:55:55:55:55:55", mask="ff:ff:ff:00:00:ff", layer=3),
    Field("arp_tha", ("arp",), other="44:44:44:44:44:44", mask="ff:ff:ff:00:00:ff", layer=3),
    Field("ipv6_src", IP6, other="b0::b0", mask="ffff:ffff:ffff:ffff::", layer=3),
    Field("ipv6_dst", IP6, other="a0::a0", mask="ffff:ffff:ffff:ffff::", layer=3),
    Field("ipv6_flabel", IP6, other=203, mask=0xffff0, layer=3),
    Field("icmpv6_type", ("icmp6", "ns6", "na6"), "icmp_type", other=129, layer=4),
    Field("icmpv6_code", ("icmp6", "ns6", "na6"), "icmp_code", other=1, layer=4),
    Field("ipv6_nd_target", ("ns6", "na6"), "nd_target", other="fd80::5678", mask="ffff:ffff:ffff:ffff::", layer=5),
    Field("ipv6_nd_sll", ("ns6",), "nd_sll", other="54:55:55:55:55:55", layer=5),
    Field("ipv6_nd_tll", ("na6",), "nd_tll", other="44:44:44:44:44:44", layer=5),
    Field("tcp_flags", ("tcp", "tcp6"), other=0x001, mask=0x010, settable=False, layer=4),
]
VLAN_KINDS = ("arp", "tcp", "udp6", "icmp6")
MPLS_KINDS = ("tcp", "udp6")
EXTENSIONS = {  # bits of ipv6_exthdr -> extension headers
    "none": (1, None), "esp": (2, [(50, None)]), "auth": (4, [(51, b"\4" + b"\0" * 22)]),
    "dest": (8, [(60, b"\0\1\4\0\0\0\0")]), "frag": (16, [(44, b"\0\0\0\0\0\0\1")]),
    "router": (32, [(43, b"\0\2\1" + b"\0" * 4)]), "hop": (64, [(0, b"\0\1\4\0\0\0\0")]),
}


def number(value):
    """A value of a field as an integer."""
    if isinstance(value, int):
        return value
    if "." in value:
        return int(ipaddress.ip_address(value))
    if len(value) == 17 and value.count(":") == 5:
        return int(value.replace(":", ""), 16)
    return int(ipaddress.ip_address(value))


def like(value, integer):
    """An integer in the form of another value of the field."""
    if isinstance(value, int):
        return integer
    if "." in value:
        return str(ipaddress.IPv4Address(integer))
    if len(value) == 17 and value.count(":") == 5:
        return ":".join(f"{byte:02x}" for byte in integer.to_bytes(6, "big"))
    return str(ipaddress.IPv6Address(integer))


class Case:
    """'flows': (table, priority, match, instructions); 'expect': frames by place, None = nothing comes out."""

    def __init__(self, group, name, flows, frame, expect, before=()):
        self.group, self.name, self.flows, self.frame, self.expect, self.before = (
            group, name, flows, frame, expect, before)


def both(group, name, match, packet, actions=(), result=None, **more):
    """A match (and actions) twice: sent to a port, and to the controller."""
    frame, result = packet.bytes(), (result or packet).bytes()
    for place in (OUT, CONTROLLER):
        yield Case(group, f"{name} --> {place}", [(0, 10, match, [("apply", [*actions, ("output", place)])])],
                   frame, {place: result}, **more)


def misses(group, name, match, packet):
    yield Case(group, f"{name} --> none", [(0, 10, match, [("apply", [("output", OUT)])])], packet.bytes(), {})


def match_cases(version):
    yield from both("match", "in_port", {"in_port": IN}, Packet("tcp"))
    yield from misses("match", "in_port (other)", {"in_port": OTHER}, Packet("tcp"))
    for field in FIELDS:
        if field.name == "tcp_flags" and version < 6:
            continue
        for kind in field.kinds:
            packet = Packet(kind)
            value = packet.f[field.own]
            needs = field.needs(kind)
            if field.name in needs:
                needs = {name: needs[name] for name in list(needs)[:list(needs).index(field.name)]}
            name = f"{kind}: {field.name}"
            yield from both("match", f"{name}={value}", {**needs, field.name: value}, packet)
            yield from misses("match", f"{name}={field.other} (other)", {**needs, field.name: field.other}, packet)
            if field.mask is not None:
                cut = like(value, number(value) & number(field.mask))
                yield from both("match", f"{name}={cut}/{field.mask}", {**needs, field.name: (cut, field.mask)},
                                packet)
                wrong = like(value, number(field.other) & number(field.mask))
                yield from misses("match", f"{name}={wrong}/{field.mask} (other)",
                                  {**needs, field.name: (wrong, field.mask)}, packet)
    yield from vlan_cases()
    yield from mpls_cases()
    yield from pbb_match_cases(version)
    yield from exthdr_cases()
    for value, mask in ((0x123456789abcdef0, None), (0x1200000000000000, 0xff00000000000000)):
        for place in (OUT, CONTROLLER):
            yield Case("match", f"metadata={value:#x}/{mask} --> {place}",
                       [(0, 10, {}, [("metadata", 0x123456789abcdef0), ("goto", 1)]),
                        (1, 10, {"metadata": (value, mask) if mask else value}, [("apply", [("output", place)])])],
                       Packet("tcp").bytes(), {place: Packet("tcp").bytes()})


def vlan_cases():
    for kind in VLAN_KINDS:
        packet = Packet(kind, tags=[(0x8100, 0x6064)])
        name = f"vlan {kind}: "
        for match in ({"vlan_vid": 0x1064}, {"vlan_vid": (0x1000, 0x1000)}, {"vlan_vid": (0x1060, 0x1ff0)},
                      {"vlan_vid": 0x1064, "vlan_pcp": 3}):
            yield from both("match", name + str(match), match, packet)
        yield from both("match", f"{kind}: vlan_vid=0", {"vlan_vid": 0}, Packet(kind))
        for match in ({"vlan_vid": 0x1065}, {"vlan_vid": 0}, {"vlan_vid": 0x1064, "vlan_pcp": 5}):
            yield from misses("match", f"{name}{match} (other)", match, packet)
        yield from misses("match", f"{kind}: any vlan (none)", {"vlan_vid": (0x1000, 0x1000)}, Packet(kind))
        inner = PREREQUISITES[kind]
        yield from both("match", f"{name}inside", {"eth_type": inner["eth_type"], "vlan_vid": 0x1064}, packet)


def mpls_cases():
    for kind in MPLS_KINDS:
        packet = Packet(kind, mpls=[(100, 3, 64, None)])
        two = Packet(kind, mpls=[(100, 3, 64, None), (200, 1, 32, None)])
        needs = {"eth_type": 0x8847}
        name = f"mpls {kind}: "
        for match in ({"mpls_label": 100}, {"mpls_tc": 3}, {"mpls_bos": 1}):
            yield from both("match", name + str(match), {**needs, **match}, packet)
        yield from both("match", f"{name}two, bos=0", {**needs, "mpls_bos": 0}, two)
        for match in ({"mpls_label": 101}, {"mpls_tc": 2}, {"mpls_bos": 0}):
            yield from misses("match", f"{name}{match} (other)", {**needs, **match}, packet)


PBB = (0x10203, 1, "32:22:22:22:22:22", "34:33:33:33:33:33")


def pbb_match_cases(version):
    packet = Packet("tcp", pbb=PBB)
    needs = {"eth_type": 0x88e7}
    yield from both("match", "pbb: pbb_isid", {**needs, "pbb_isid": 0x10203}, packet)
    yield from both("match", "pbb: pbb_isid masked", {**needs, "pbb_isid": (0x10200, 0xffff00)}, packet)
    yield from misses("match", "pbb: pbb_isid (other)", {**needs, "pbb_isid": 0x10204}, packet)
    if version >= 5:
        yield from both("match", "pbb: pbb_uca", {**needs, "pbb_uca": 1}, packet)
        yield from misses("match", "pbb: pbb_uca (other)", {**needs, "pbb_uca": 0}, packet)


def exthdr_cases():
    for name, (bit, headers) in EXTENSIONS.items():
        for kind in ("tcp6", "udp6"):
            if headers is None:
                packet = Packet(kind, exthdrs=[(59, b"")], ip_proto=59)
                packet.f["exthdrs"] = []
            elif headers[0][1] is None:
                packet = Packet(kind, ip_proto=50)
            else:
                packet = Packet(kind, exthdrs=headers)
            for mask in (None, bit):
                value = bit if mask is None else (bit, mask)
                if mask is None and headers is None:
                    continue  # "no next header" with data behind it is up to the switch
                yield from both("match", f"{kind}: ipv6_exthdr {name} mask {mask}",
                                {"eth_type": 0x86dd, "ipv6_exthdr": value}, packet)
            other = 64 if bit != 64 else 4
            yield from misses("match", f"{kind}: ipv6_exthdr {name} (other)",
                              {"eth_type": 0x86dd, "ipv6_exthdr": (other, other)}, packet)


def set_field_cases(version):
    for field in FIELDS:
        if not field.settable:
            continue
        for kind in field.kinds:
            packet = Packet(kind)
            name = f"{kind}: set {field.name}={field.other}"
            needs = {**Field("x", (), layer=5).needs(kind)} if field.layer == 5 else field.needs(kind)
            if field.name in ("ip_proto",):
                needs = {"eth_type": PREREQUISITES[kind]["eth_type"]}
            if field.name == "eth_type":
                needs = {}
            result = packet.but(**{field.own: field.other})
            if field.name == "ip_proto":
                result = raw_proto(packet, field.other)
            yield from both("set-field", name, needs, packet, [("set", field.name, field.other)], result)
            if version >= 6 and field.mask is not None:
                mixed = like(field.other, number(field.other) & number(field.mask)
                             | number(packet.f[field.own]) & ~number(field.mask))
                yield from both("set-field", f"{name}/{field.mask}", needs, packet,
                                [("set", field.name, (like(field.other, number(field.other) & number(field.mask)),
                                                      field.mask))],
                                packet.but(**{field.own: mixed}))
    for kind in VLAN_KINDS:
        packet = Packet(kind, tags=[(0x8100, 0x6064)])
        yield from both("set-field", f"vlan {kind}: set vlan_vid", {"vlan_vid": (0x1000, 0x1000)}, packet,
                        [("set", "vlan_vid", 0x1111)], packet.but(tags=[(0x8100, 0x6111)]))
        yield from both("set-field", f"vlan {kind}: set vlan_pcp", {"vlan_vid": (0x1000, 0x1000)}, packet,
                        [("set", "vlan_pcp", 5)], packet.but(tags=[(0x8100, 0xa064)]))
    for kind in MPLS_KINDS:
        packet = Packet(kind, mpls=[(100, 3, 64, None)])
        needs = {"eth_type": 0x8847}
        for name, value, result in (("mpls_label", 77, (77, 3, 64, None)), ("mpls_tc", 1, (100, 1, 64, None)),
                                    ("mpls_bos", 0, (100, 3, 64, 0))):
            yield from both("set-field", f"mpls {kind}: set {name}", needs, packet, [("set", name, value)],
                            packet.but(mpls=[result]))
    packet = Packet("tcp", pbb=PBB)
    yield from both("set-field", "pbb: set pbb_isid", {"eth_type": 0x88e7}, packet, [("set", "pbb_isid", 0x777)],
                    packet.but(pbb=(0x777, *PBB[1:])))
    if version >= 5:
        yield from both("set-field", "pbb: set pbb_uca", {"eth_type": 0x88e7}, packet, [("set", "pbb_uca", 0)],
                        packet.but(pbb=(PBB[0], 0, *PBB[2:])))
    yield from both("set-field", "metadata in a later table (tunnel_id)", {}, Packet("tcp"),
                    [("set", "tunnel_id", 0x1234)])


class Raw:
    def __init__(self, data):
        self.data = data

    def bytes(self):
        return self.data


def raw_proto(packet, protocol):
    """Only the protocol number changes; IPv4's checksum follows, layer 4 is no longer known."""
    data = bytearray(packet.bytes())
    if packet.is_ipv6:
        data[20] = protocol
    else:
        data[23] = protocol
        data[24:26] = b"\0\0"
        total = sum(struct.unpack("!10H", data[14:34]))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        data[24:26] = struct.pack("!H", ~total & 0xffff)
    return Raw(bytes(data))


def tag_cases():
    for kind in ("arp", "tcp", "udp", "sctp", "icmp", "tcp6", "udp6", "icmp6"):
        plain = Packet(kind)
        tagged = plain.but(tags=[(0x8100, 0x6064)])
        double = plain.but(tags=[(0x88a8, 0x6064), (0x8100, 0x6064)])
        for tpid in (0x8100, 0x88a8):
            yield from both("push", f"{kind}: push_vlan {tpid:#x}", {}, plain, [("push_vlan", tpid)],
                            plain.but(tags=[(tpid, 0)]))
            yield from both("push", f"{kind}: push_vlan {tpid:#x}, set vid", {}, plain,
                            [("push_vlan", tpid), ("set", "vlan_vid", 0x1064)], plain.but(tags=[(tpid, 0x64)]))
        yield from both("push", f"vlan {kind}: push_vlan copies the tag", {}, tagged, [("push_vlan", 0x88a8)], double)
        yield from both("pop", f"vlan {kind}: pop_vlan", {"vlan_vid": (0x1000, 0x1000)}, tagged, [("pop_vlan",)],
                        plain)
        yield from both("pop", f"qinq {kind}: pop_vlan", {"vlan_vid": (0x1000, 0x1000)}, double, [("pop_vlan",)],
                        tagged)


def label_cases():
    for kind in ("tcp", "udp", "icmp", "tcp6", "udp6", "icmp6"):
        plain = Packet(kind)
        eth_type = PREREQUISITES[kind]["eth_type"]
        one = plain.but(mpls=[(100, 3, 60, None)])
        two = plain.but(mpls=[(100, 3, 60, None), (200, 1, 30, None)])
        mpls, ip = {"eth_type": 0x8847}, {"eth_type": eth_type}
        for pushed in (0x8847, 0x8848):
            yield from both("push", f"{kind}: push_mpls {pushed:#x} takes IP's TTL", ip, plain,
                            [("push_mpls", pushed)], plain.but(mpls=[(0, 0, 64, None)], mpls_type=pushed))
        yield from both("push", f"mpls {kind}: push_mpls copies the label", mpls, one, [("push_mpls", 0x8847)],
                        plain.but(mpls=[(100, 3, 60, None), (100, 3, 60, None)]))
        yield from both("push", f"{kind}: push_mpls, set label", ip, plain,
                        [("push_mpls", 0x8847), ("set", "mpls_label", 55)], plain.but(mpls=[(55, 0, 64, None)]))
        yield from both("pop", f"mpls {kind}: pop_mpls", mpls, one, [("pop_mpls", eth_type)], plain)
        yield from both("pop", f"mpls 2 {kind}: pop_mpls", mpls, two, [("pop_mpls", 0x8847)],
                        plain.but(mpls=[(200, 1, 30, None)]))
        yield from both("ttl", f"mpls {kind}: set_mpls_ttl", mpls, one, [("set_mpls_ttl", 9)],
                        plain.but(mpls=[(100, 3, 9, None)]))
        yield from both("ttl", f"mpls {kind}: dec_mpls_ttl", mpls, one, [("dec_mpls_ttl",)],
                        plain.but(mpls=[(100, 3, 59, None)]))
        yield from both("ttl", f"{kind}: set_nw_ttl", ip, plain, [("set_nw_ttl", 7)], plain.but(ttl=7))
        yield from both("ttl", f"{kind}: dec_nw_ttl", ip, plain, [("dec_nw_ttl",)], plain.but(ttl=63))
        yield from both("ttl", f"mpls {kind}: copy_ttl_out from IP", mpls, one, [("copy_ttl_out",)],
                        plain.but(mpls=[(100, 3, 64, None)]))
        yield from both("ttl", f"mpls 2 {kind}: copy_ttl_out", mpls, two, [("copy_ttl_out",)],
                        plain.but(mpls=[(100, 3, 30, None), (200, 1, 30, None)]))
        yield from both("ttl", f"mpls {kind}: copy_ttl_in to IP", mpls, one, [("copy_ttl_in",)], one.but(ttl=60))
        yield from both("ttl", f"mpls 2 {kind}: copy_ttl_in", mpls, two, [("copy_ttl_in",)],
                        plain.but(mpls=[(100, 3, 60, None), (200, 1, 60, None)]))
        for name, match, packet, action in (
                ("dec_nw_ttl", ip, plain.but(ttl=1), "dec_nw_ttl"),
                ("dec_mpls_ttl", mpls, plain.but(mpls=[(100, 3, 1, None)]), "dec_mpls_ttl")):
            yield Case("ttl", f"{kind}: {name} of 1 is not sent",
                       [(0, 10, match, [("apply", [(action,), ("output", OUT)])])], packet.bytes(), {})


def snap_cases():
    """Frames that have a length in the place of their type, and the type behind it."""
    for kind in ("tcp", "udp6"):
        plain = Packet(kind, snap=True)
        tagged = plain.but(tags=[(0x8100, 0x6064)])
        eth_type, address, other = (0x86dd, "ipv6_dst", "20::7") if plain.is_ipv6 else (0x0800, "ipv4_dst", "1.2.3.4")
        for name, packet in (("snap", plain), ("vlan snap", tagged)):
            ip, mpls = {"eth_type": eth_type}, {"eth_type": 0x8847}
            one, label = packet.but(mpls=[(100, 3, 60, None)]), packet.but(mpls=[(55, 0, 64, None)])
            yield from both("match", f"{name} {kind}: eth_type", ip, packet)
            yield from both("set-field", f"{name} {kind}: {address}", ip, packet, [("set", address, other)],
                            packet.but(**{address: other}))
            yield from both("push", f"{name} {kind}: push_mpls, set label", ip, packet,
                            [("push_mpls", 0x8847), ("set", "mpls_label", 55)], label)
            yield Case("push", f"{name} {kind}: push_mpls is matched",
                       [(0, 10, ip, [("apply", [("push_mpls", 0x8847)]), ("goto", 1)]),
                        (1, 10, mpls, [("apply", [("output", OUT)])])], packet.bytes(),
                       {OUT: packet.but(mpls=[(0, 0, 64, None)]).bytes()})
            yield from both("pop", f"mpls {name} {kind}: pop_mpls", mpls, one, [("pop_mpls", eth_type)], packet)
        yield from both("push", f"snap {kind}: push_vlan, set vid", {}, plain,
                        [("push_vlan", 0x8100), ("set", "vlan_vid", 0x1064)], plain.but(tags=[(0x8100, 0x64)]))
        yield from both("pop", f"vlan snap {kind}: pop_vlan", {"vlan_vid": (0x1000, 0x1000)}, tagged, [("pop_vlan",)],
                        plain)


def pbb_cases():
    for kind in ("arp", "tcp", "udp6", "icmp6"):
        plain = Packet(kind)
        inside = plain.but(pbb=(0, 0, plain.f["eth_dst"], plain.f["eth_src"]))
        yield from both("push", f"{kind}: push_pbb", {}, plain, [("push_pbb", 0x88e7)], inside)
        yield from both("push", f"{kind}: push_pbb, set isid", {}, plain,
                        [("push_pbb", 0x88e7), ("set", "pbb_isid", 0x50)],
                        plain.but(pbb=(0x50, 0, plain.f["eth_dst"], plain.f["eth_src"])))
        yield from both("pop", f"pbb {kind}: pop_pbb", {"eth_type": 0x88e7}, plain.but(pbb=PBB), [("pop_pbb",)],
                        plain)


def output_cases():
    for kind in KINDS:
        packet = Packet(kind)
        frame = packet.bytes()
        yield Case("output", f"{kind}: a port", [(0, 10, {}, [("apply", [("output", OUT)])])], frame, {OUT: frame})
        yield Case("output", f"{kind}: two ports", [(0, 10, {}, [("apply", [("output", OUT), ("output", OTHER)])])],
                   frame, {OUT: frame, OTHER: frame})
        yield Case("output", f"{kind}: in_port", [(0, 10, {}, [("apply", [("output", "in_port")])])], frame,
                   {IN: frame})
        yield Case("output", f"{kind}: the port of arrival is not sent to",
                   [(0, 10, {}, [("apply", [("output", IN)])])], frame, {})
        yield Case("output", f"{kind}: all", [(0, 10, {}, [("apply", [("output", "all")])])], frame,
                   {OUT: frame, OTHER: frame})
        yield Case("output", f"{kind}: flood", [(0, 10, {}, [("apply", [("output", "flood")])])], frame,
                   {OUT: frame, OTHER: frame})
        yield Case("output", f"{kind}: write_actions", [(0, 10, {}, [("write", [("output", OUT)])])], frame,
                   {OUT: frame})
        yield Case("output", f"{kind}: goto, write and clear",
                   [(0, 10, {}, [("write", [("output", OTHER)]), ("goto", 1)]),
                    (1, 10, {}, [("clear",), ("write", [("output", OUT)])])], frame, {OUT: frame})
        yield Case("output", f"{kind}: no rule", [], frame, {})
        yield Case("output", f"{kind}: controller", [(0, 10, {}, [("apply", [("output", CONTROLLER)])])], frame,
                   {CONTROLLER: frame})
        yield Case("output", f"{kind}: priority",
                   [(0, 10, {}, [("apply", [("output", OTHER)])]),
                    (0, 11, {"in_port": IN}, [("apply", [("output", OUT)])])], frame, {OUT: frame})


def group_cases():
    for kind in KINDS:
        packet = Packet(kind)
        frame = packet.bytes()
        flow = [(0, 10, {}, [("apply", [("group", 1)])])]
        other = packet.but(eth_dst="44:44:44:44:44:44").bytes()
        for group, buckets, expect in (
                ("all", [[("output", OUT)], [("output", OTHER)]], {OUT: frame, OTHER: frame}),
                ("all", [[("set", "eth_dst", "44:44:44:44:44:44"), ("output", OUT)], [("output", OTHER)]],
                 {OUT: other, OTHER: frame}),
                ("indirect", [[("output", OUT)]], {OUT: frame}),
                ("select", [[("output", OUT)]], {OUT: frame}),
                ("ff", [("watch", OUT, [("output", OUT)]), ("watch", OTHER, [("output", OTHER)])], {OUT: frame})):
            yield Case("group", f"{kind}: {group} {len(buckets)} {'set' if other in expect.values() else ''}", flow,
                       frame, expect, before=[("group", 1, group, buckets)])
        yield Case("group", f"{kind}: a chain", flow, frame, {OUT: frame, OTHER: frame},
                   before=[("group", 2, "all", [[("output", OUT)], [("output", OTHER)]]),
                           ("group", 1, "all", [[("group", 2)]])])
        yield Case("group", f"{kind}: from the action set",
                   [(0, 10, {}, [("write", [("group", 1), ("output", OTHER)])])], frame, {OUT: frame},
                   before=[("group", 1, "indirect", [[("output", OUT)]])])


def cases(version):
    """All questions of an OXM version: 4 = 1.3, 5 = 1.4, 6 = 1.5."""
    yield from match_cases(version)
    yield from set_field_cases(version)
    yield from tag_cases()
    yield from label_cases()
    yield from snap_cases()
    yield from pbb_cases()
    yield from output_cases()
    yield from group_cases()
