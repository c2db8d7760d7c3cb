# cases10.py - the questions of OpenFlow 1.0: its twelve fields and its own actions. As cases.py, for run10.py.
from support.openflow.cases import CONTROLLER, IN, OTHER, OUT, PREREQUISITES, Case, like, number
from support.openflow.packets import Packet

KINDS = ("arp", "tcp", "udp", "icmp")
VLAN = (0x8100, 0x6064)


class Field:
    def __init__(self, name, own, other, kinds=KINDS, bits=None):
        self.name, self.own, self.other, self.kinds, self.bits = name, own, other, kinds, bits


FIELDS = [
    Field("dl_src", "eth_src", "54:55:55:55:55:55"), Field("dl_dst", "eth_dst", "44:44:44:44:44:44"),
    Field("dl_type", "eth_type", 0x8915), Field("nw_src", "ipv4_src", "10.10.10.10", KINDS[1:], 24),
    Field("nw_dst", "ipv4_dst", "10.20.20.20", KINDS[1:], 24), Field("nw_tos", "ip_dscp", 63, KINDS[1:]),
    Field("nw_proto", "ip_proto", 255, KINDS[1:]),
    Field("tp_src", "tp_src", 3333, ("tcp", "udp")), Field("tp_dst", "tp_dst", 4444, ("tcp", "udp")),
    Field("tp_src", "icmp_type", 5, ("icmp",)), Field("tp_dst", "icmp_code", 5, ("icmp",)),
    Field("nw_src", "arp_spa", "10.10.10.10", ("arp",), 24), Field("nw_dst", "arp_tpa", "10.20.20.20", ("arp",), 24),
    Field("nw_proto", "arp_op", 2, ("arp",)),
]


def needs(field, kind):
    if not field.name.startswith(("nw_", "tp_")):
        return {}
    found = {"dl_type": PREREQUISITES[kind]["eth_type"]}
    if field.name.startswith("tp_"):
        found["nw_proto"] = PREREQUISITES[kind]["ip_proto"]
    return found


def wire_value(field, value):
    return value << 2 if field.name == "nw_tos" else value


def both(group, name, match, packet, actions=(), result=None):
    for place in (OUT, CONTROLLER):
        yield Case(group, f"{name} --> {place}", [(0, 10, match, [*actions, ("output", place)])], packet.bytes(),
                   {place: (result or packet).bytes()})


def misses(name, match, packet):
    """In 1.0 a packet without a rule goes to the controller."""
    yield Case("match", f"{name} --> miss", [(0, 10, match, [("output", OUT)])], packet.bytes(),
               {CONTROLLER: packet.bytes()})


def match_cases():
    for kind in KINDS:
        yield from both("match", f"{kind}: in_port", {"in_port": IN}, Packet(kind))
        yield from misses(f"{kind}: in_port (other)", {"in_port": OTHER}, Packet(kind))
        tagged = Packet(kind, tags=[VLAN])
        for name, value, other in (("dl_vlan", 100, 101), ("dl_vlan_pcp", 3, 5)):
            more = {"dl_vlan": 100} if name == "dl_vlan_pcp" else {}
            yield from both("match", f"vlan {kind}: {name}", {**more, name: value}, tagged)
            yield from misses(f"vlan {kind}: {name} (other)", {**more, name: other}, tagged)
        yield from both("match", f"{kind}: no vlan", {"dl_vlan": 0xffff}, Packet(kind))
        yield from misses(f"vlan {kind}: no vlan", {"dl_vlan": 0xffff}, tagged)
    for field in FIELDS:
        for kind in field.kinds:
            packet, more = Packet(kind), needs(field, kind)
            name, value = f"{kind}: {field.name}", packet.f[field.own]
            yield from both("match", name, {**more, field.name: wire_value(field, value)}, packet)
            yield from misses(f"{name} (other)", {**more, field.name: wire_value(field, field.other)}, packet)
            if field.bits:
                mask = (1 << 32) - (1 << 32 - field.bits)
                yield from both("match", f"{name}/{field.bits}",
                                {**more, field.name: like(value, number(value) & mask),
                                 f"{field.name}_mask": field.bits}, packet)


def action_cases():
    for kind in KINDS:
        packet = Packet(kind)
        tagged = packet.but(tags=[VLAN])
        yield from both("action", f"{kind}: set_vlan_vid adds a tag", {}, packet, [("vlan_vid", 100)],
                        packet.but(tags=[(0x8100, 100)]))
        yield from both("action", f"{kind}: set_vlan_pcp adds a tag", {}, packet, [("vlan_pcp", 3)],
                        packet.but(tags=[(0x8100, 0x6000)]))
        yield from both("action", f"vlan {kind}: set_vlan_vid", {}, tagged, [("vlan_vid", 7)],
                        packet.but(tags=[(0x8100, 0x6007)]))
        yield from both("action", f"vlan {kind}: set_vlan_pcp", {}, tagged, [("vlan_pcp", 1)],
                        packet.but(tags=[(0x8100, 0x2064)]))
        yield from both("action", f"vlan {kind}: strip_vlan", {}, tagged, [("strip_vlan",)], packet)
        for name, own, value in (("dl_src", "eth_src", "54:55:55:55:55:55"), ("dl_dst", "eth_dst",
                                                                             "44:44:44:44:44:44")):
            yield from both("action", f"{kind}: set {name}", {}, packet, [(name, value)], packet.but(**{own: value}))
        if kind == "arp":
            continue
        ip = {"dl_type": 0x0800}
        for name, own, value in (("nw_src", "ipv4_src", "10.10.10.10"), ("nw_dst", "ipv4_dst", "10.20.20.20")):
            yield from both("action", f"{kind}: set {name}", ip, packet, [(name, value)], packet.but(**{own: value}))
        yield from both("action", f"{kind}: set nw_tos", ip, packet, [("nw_tos", 63 << 2)], packet.but(ip_dscp=63))
        if kind != "icmp":
            l4 = {**ip, "nw_proto": PREREQUISITES[kind]["ip_proto"]}
            for name, value in (("tp_src", 3333), ("tp_dst", 4444)):
                yield from both("action", f"{kind}: set {name}", l4, packet, [(name, value)],
                                packet.but(**{name: value}))


def output_cases():
    for kind in KINDS:
        frame = Packet(kind).bytes()
        for name, actions, expect in (
                ("a port", [("output", OUT)], {OUT: frame}),
                ("two ports", [("output", OUT), ("output", OTHER)], {OUT: frame, OTHER: frame}),
                ("in_port", [("output", "in_port")], {IN: frame}),
                ("the port of arrival", [("output", IN)], {}),
                ("all", [("output", "all")], {OUT: frame, OTHER: frame}),
                ("flood", [("output", "flood")], {OUT: frame, OTHER: frame}),
                ("enqueue", [("enqueue", OUT, 0)], {OUT: frame}),
                ("controller", [("output", CONTROLLER)], {CONTROLLER: frame}),
                ("nothing", [], {})):
            yield Case("output", f"{kind}: {name}", [(0, 10, {}, actions)], frame, expect)


def cases():
    yield from match_cases()
    yield from action_cases()
    yield from output_cases()
