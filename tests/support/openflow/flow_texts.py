# flow_texts.py - random rules, groups and meters as ovs-ofctl(8) takes them: all fields, actions and instructions
# that Open vSwitch 3.1 and weir both have, with what they require. For test_openflow_compare.py.
import random

PORTS = ["1", "2", "3", "77", "65279"]
GROUPS = 12
METERS = 8
TCP_FLAGS = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"]
CT_FLAGS = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"]


def mac(r):
    return ":".join(f"{r.randrange(256):02x}" for _ in range(6))


def plain_mac(r):
    """A station's address: a mask of it stays one bit pattern."""
    return f"{r.randrange(128) * 2:02x}:" + ":".join(f"{r.randrange(256):02x}" for _ in range(5))


def masked_mac(r):
    return mac(r) + r.choice(["", "", "/01:00:00:00:00:00", "/ff:ff:ff:00:00:00", "/" + mac(r)])


def address4(r):
    return ".".join(str(r.randrange(256)) for _ in range(4))


def masked4(r):
    return address4(r) + r.choice(["", "", f"/{r.randrange(1, 33)}", "/255.0.255.0"])


def address6(r):
    return r.choice(["::1", "fe80::1", "2001:db8::5:0", "::ffff:1.2.3.4", "ff02::1:ff00:1",
                     ":".join(f"{r.randrange(65536):x}" for _ in range(8))])


def masked6(r):
    return address6(r) + r.choice(["", "", f"/{r.randrange(1, 129)}", "/ffff::ff"])


def tunnel6(r):
    """weir keeps an IPv4 tunnel's address in the first 32 bits of an IPv6 one's: a mask reaches beyond them."""
    return address6(r) + r.choice(["", f"/{r.randrange(33, 129)}", "/ffff::ff"])


def exact(bits):
    def make(r):
        value = r.choice([0, 1, r.randrange(1 << bits), (1 << bits) - 1])
        return r.choice([str(value), hex(value)]) if bits <= 64 else hex(value)
    return make


def masked(bits):
    def make(r):
        text = exact(bits)(r)
        return text + (f"/{r.randrange(1, 1 << bits):#x}" if r.random() < 0.4 else "")
    return make


def flags(names):
    def make(r):
        chosen = r.sample(names, r.randrange(1, len(names)))
        return "".join(r.choice("+-") + name for name in chosen)
    return make


def written(bits):
    """A value for set_field: no bits outside of its mask, which are refused."""
    def make(r):
        value = r.randrange(1 << bits)
        if r.random() < 0.7:
            return hex(value)
        mask = r.randrange(1, 1 << bits)
        return f"{value & mask:#x}/{mask:#x}"
    return make


METADATA = {
    "metadata": masked(64), "tun_id": masked(64), "tun_src": masked4, "tun_dst": masked4,
    "tun_ipv6_src": tunnel6, "tun_ipv6_dst": tunnel6, "tun_flags": lambda r: r.choice(["oam", "+oam", "-oam"]),
    "pkt_mark": masked(32), "conj_id": exact(32), "ct_state": flags(CT_FLAGS), "ct_zone": exact(16),
    "ct_mark": masked(32), "ct_label": masked(128),
    "in_port": lambda r: r.choice([*PORTS, "LOCAL", "CONTROLLER"]),
    "dl_src": masked_mac, "dl_dst": masked_mac,
}
VLANS = [
    {}, {}, {}, {"dl_vlan": lambda r: str(r.randrange(4096))},
    {"dl_vlan": lambda r: str(r.randrange(4096)), "dl_vlan_pcp": lambda r: str(r.randrange(8))},
    {"dl_vlan_pcp": lambda r: str(r.randrange(8))}, {"vlan_tci": lambda r: "0"},
    {"vlan_vid": lambda r: f"{r.randrange(0x1000, 0x2000):#x}"}, {"vlan_vid": lambda r: "0x1000/0x1000"},
    {"vlan_tci": lambda r: "0x1000/0x1000"},
    {"vlan_vid": lambda r: f"{r.randrange(0x1000, 0x2000):#x}/{r.randrange(0x1000, 0x2000):#x}",
     "vlan_pcp": lambda r: str(r.randrange(8))},
]
# What only NXM can say, as 1.0 has it: a tag without the bit that tells that there is one. With bits of the priority
# Open vSwitch sends answers in 1.2 and later that its own tool cannot read.
VLANS_NXM = [{"vlan_tci": lambda r: f"{r.randrange(0x2000):#x}/{r.randrange(1, 0x2000):#x}"}]
IP = {
    "nw_tos": lambda r: str(r.randrange(64) * 4), "nw_ecn": lambda r: str(r.randrange(4)),
    "nw_ttl": lambda r: str(r.randrange(256)),
    "nw_frag": lambda r: r.choice(["no", "yes", "first", "later", "not_later"]),
}
IPV4 = {"nw_src": masked4, "nw_dst": masked4, **IP}
IPV6 = {"ipv6_src": masked6, "ipv6_dst": masked6, "ipv6_label": masked(20), **IP}
PROTOCOLS = {  # name: fields, of which layer 3 are the settable ones
    "": {}, "ip": IPV4, "ipv6": IPV6, "ip,nw_proto=47": IPV4, "ipv6,nw_proto=50": IPV6,
    **{f"{name}{six}": {**(IPV6 if six else IPV4), "nw_frag": lambda r: r.choice(["no", "yes", "first", "not_later"]),
                        f"{name}_src": masked(16), f"{name}_dst": masked(16),
                        **({"tcp_flags": flags(TCP_FLAGS)} if name == "tcp" else {})}
       for name in ("tcp", "udp", "sctp") for six in ("", "6")},
    "icmp": {**IPV4, "icmp_type": exact(8), "icmp_code": exact(8)},
    "icmp6": {**IPV6, "icmpv6_type": exact(8), "icmpv6_code": exact(8)},
    "icmp6,icmp_type=135,icmp_code=0": {**IPV6, "nd_target": masked6, "nd_sll": masked_mac},
    "icmp6,icmp_type=136,icmp_code=0": {**IPV6, "nd_target": masked6, "nd_tll": masked_mac},
    "arp": {"arp_op": lambda r: str(r.randrange(256)), "arp_spa": masked4, "arp_tpa": masked4, "arp_sha": masked_mac,
            "arp_tha": masked_mac},
    "rarp": {"arp_op": lambda r: r.choice(["3", "4"])},
    "mpls": {"mpls_label": exact(20), "mpls_tc": lambda r: str(r.randrange(8)),
             "mpls_bos": lambda r: str(r.randrange(2)), "mpls_ttl": lambda r: str(r.randrange(256))},
    "mplsm": {"mpls_label": exact(20)}, "dl_type=0x88cc": {},
}
# Without NXM or OXM: all that OpenFlow 1.1 can match.
FIELDS_11 = {"in_port", "dl_src", "dl_dst", "metadata", "dl_vlan", "dl_vlan_pcp", "nw_src", "nw_dst", "nw_tos", "mpls_label",
             "mpls_tc"}
# Actions on fields that it cannot match are none of its own.
NOT_IN_11 = ("set_field", "conjunction", "learn", "clone", "push:", "pop:", "load", "move")
# What set_field can write once the protocol is matched. Not a part of a field that 1.0 can set, or of vlan_tci: in 1.0
# and 1.1 Open vSwitch 3.1 shows that as if it were the whole.
SET_IPV4 = {"ip_src": address4, "ip_dst": address4}
SET_IPV6 = {"ipv6_src": address6, "ipv6_dst": address6, "ipv6_label": written(20)}
SET_IP = {"ip_dscp": lambda r: str(r.randrange(64)), "nw_ecn": lambda r: str(r.randrange(4)),
          "nw_ttl": lambda r: str(r.randrange(256))}
SET_ANY = {
    "metadata": written(64), "tun_id": written(64), "pkt_mark": written(32), "tun_src": address4, "tun_dst": address4,
    "tun_ipv6_src": address6, "tun_ipv6_dst": address6,
    "eth_src": lambda r: plain_mac(r), "eth_dst": lambda r: plain_mac(r), "reg1": written(32), "xreg2": written(64),
    "xxreg3": written(128), "in_port": lambda r: r.choice(PORTS)}


def registers(r):
    """Fields of the registers, each bit by one name."""
    names = {}
    for block in range(4):
        kind = r.choice(["reg", "xreg", "xxreg"])
        if kind == "xxreg":
            names[f"xxreg{block}"] = masked(128)
        elif kind == "xreg":
            names.update({f"xreg{i}": masked(64) for i in range(2 * block, 2 * block + 2)})
        else:
            names.update({f"reg{i}": masked(32) for i in range(4 * block, 4 * block + 4)})
    return names


def subfield(r, bits=None):
    name, width = r.choice([("reg3", 32), ("NXM_NX_REG4", 32), ("reg15", 32), ("xreg5", 64), ("metadata", 64),
                            ("NXM_NX_XXREG1", 128), ("OXM_OF_PKT_REG3", 64)])
    bits = bits or r.randrange(1, min(width, 64) + 1)
    if bits == width and r.random() < 0.5:
        return f"{name}[]"
    first = r.randrange(width - bits + 1) if width >= bits else 0
    return f"{name}[{first}..{first + bits - 1}]" if bits > 1 else f"{name}[{first}]"


class Texts:
    """Rules for one version of OpenFlow ("1.0" to "1.5"): what that version can say."""

    def __init__(self, seed, version):
        self.r = random.Random(f"{seed} {version}")
        self.version = version

    # ---- matches

    def match(self):
        """The words of a match, its protocol, and whether it says that there is a tag."""
        r = self.r
        words = []
        protocol = r.choice([name for name in PROTOCOLS if self.version != "1.1" or self.is_basic(name)])
        if protocol:
            words.append(protocol)
        tags = r.choice(VLANS + VLANS_NXM if self.version == "1.0" else VLANS)
        for known, most in (({**METADATA, **registers(r)}, 5), (tags, 9), (PROTOCOLS[protocol], 5)):
            if self.version == "1.1":
                known = {name: make for name, make in known.items() if name in FIELDS_11}
            count = len(known) if known is tags else r.randrange(min(most, len(known)) + 1)
            words += [f"{name}={known[name](r)}" for name in r.sample(list(known), count)]
        if self.version == "1.5" and r.random() < 0.05:
            words.append(f"actset_output={r.choice(PORTS)}")
        has_tag = any("dl_vlan=" in word or "vlan_vid=" in word or word == "vlan_tci=0x1000/0x1000" for word in words)
        return self.consistent(words), protocol, has_tag

    @staticmethod
    def is_basic(protocol):
        return "6" not in protocol and not protocol.startswith("rarp")

    @staticmethod
    def consistent(words):
        """Without what excludes another: two addresses of tunnels of different kinds."""
        if any(word.startswith("tun_ipv6") for word in words):
            return [word for word in words if not word.startswith(("tun_src", "tun_dst"))]
        return words

    # ---- actions

    def port(self):
        return self.r.choice([*PORTS, "LOCAL", "in_port"])

    def learned(self, prerequisites):
        r = self.r
        return r.choice([
            "NXM_OF_VLAN_TCI[0..11]", "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]", "NXM_OF_ETH_SRC[]",
            f"reg2={exact(32)(r)}", f"reg2[3..9]={r.randrange(128)}", f"eth_src={mac(r)}",
            "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]", f"load:{r.randrange(16)}->{subfield(r, 8)}",
            f"load:{r.randrange(1 << 40):#x}->xreg3[0..39]", "load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[]",
            "output:NXM_OF_IN_PORT[]", "output:NXM_NX_REG5[0..15]", "NXM_NX_REG3[0..7]=NXM_NX_REG4[8..15]",
            *(["NXM_OF_IP_SRC[]", "NXM_OF_IP_DST[]=NXM_OF_IP_SRC[]", f"ip_dst={address4(r)}"]
              if prerequisites == "ip" else []),
        ])

    def learn(self, protocol):
        r = self.r
        words = [f"table={r.randrange(254)}"]
        words += [word for word in (f"idle_timeout={r.randrange(1, 999)}", f"hard_timeout={r.randrange(1, 999)}",
                                    f"priority={r.randrange(65536)}", f"cookie={r.randrange(1 << 64):#x}",
                                    "send_flow_rem", "delete_learned", f"limit={r.randrange(1, 999)}",
                                    f"result_dst={subfield(r, 1)}",
                                    f"fin_idle_timeout={r.randrange(1, 99)}", f"fin_hard_timeout={r.randrange(1, 99)}")
                  if r.random() < 0.2]
        prerequisites = protocol if r.random() < 0.3 else ""
        if prerequisites == "ip":
            words.append("eth_type=0x800")
        words += [self.learned(prerequisites) for _ in range(r.randrange(4))]
        return f"learn({','.join(words)})"

    def action(self, protocol, depth=0):
        r = self.r
        width = r.randrange(1, 33)
        field = r.choice(list(SET_ANY))
        choices = [
            self.port(), f"output:{self.port()}", f"output:{subfield(r, 16)}",
            f"output(port={r.choice(PORTS)},max_len={r.randrange(14, 2000)})", "normal", "flood", "all",
            f"controller:{r.randrange(65536)}", "controller",
            f"controller(reason={r.choice(['no_match', 'invalid_ttl', 'action_set', 'group'])},max_len=12,id=3)",
            f"controller(userdata=01.02.{r.randrange(256):02x}.04,max_len={r.randrange(65536)},meter_id=3)",
            f"set_queue:{r.randrange(99)}", "pop_queue",
            f"mod_dl_src:{mac(r)}", f"mod_dl_dst:{mac(r)}", f"set_tunnel:{r.randrange(1 << 34):#x}",
            f"set_tunnel64:{r.randrange(1 << 60):#x}", f"resubmit({r.choice(['', *PORTS])},{r.randrange(254)})",
            f"resubmit:{r.choice(PORTS)}", f"push:{subfield(r)}", f"pop:{subfield(r)}",
            f"load:{r.randrange(1 << width):#x}->{subfield(r, width)}", f"load:{r.randrange(1 << 64):#x}->xreg7",
            f"move:{subfield(r, width)}->{subfield(r, width)}", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
            "move:NXM_OF_IN_PORT[]->NXM_NX_REG3[0..15]", f"set_field:{SET_ANY[field](r)}->{field}",
            "exit", f"note:{'.'.join(f'{r.randrange(256):02x}' for _ in range(r.randrange(1, 20)))}",
            f"multipath({r.choice(['eth_src', 'symmetric_l4', 'symmetric_l3l4', 'symmetric_l3l4+udp', 'symmetric_l3'])},"
            f"{r.randrange(99)},{r.choice(['modulo_n', 'hash_threshold', 'hrw', 'iter_hash'])},{r.randrange(1, 65)},0,"
            "reg1[0..7])",
            f"bundle({r.choice(['eth_src', 'nw_src', 'nw_dst', 'symmetric_l4'])},{r.randrange(9)},"
            f"{r.choice(['active_backup', 'hrw'])},ofport,members:1,2,3)",
            f"bundle_load(symmetric_l4,{r.randrange(9)},hrw,ofport,NXM_NX_REG1[],members:1,7)",
            f"check_pkt_larger({r.randrange(65536)})->{subfield(r, 1)}", "learn",
        ]
        if self.version == "1.1":
            choices = [word for word in choices if not word.startswith(NOT_IN_11)]
        if self.version != "1.0":
            choices.append(f"group:{r.randrange(1, GROUPS + 1)}")
        if depth < 2:
            choices.append("clone")
        chosen = r.choice(choices)
        if chosen == "learn":
            return self.learn(protocol)
        if chosen == "clone":
            return f"clone({','.join(self.action(protocol, depth + 1) for _ in range(r.randrange(1, 4)))})"
        return chosen

    def protocol_actions(self, protocol, has_tag):
        """Those that need what the match has said."""
        r = self.r
        start = protocol.split(",")[0]
        six = start.endswith("6") or start == "ipv6"
        words = []
        if self.version == "1.1":
            return [f"mod_nw_tos:{r.randrange(64) * 4}"] if start in ("ip", "tcp", "udp", "sctp") else []
        if start in ("ip", "ipv6", "tcp", "udp", "sctp", "icmp", "tcp6", "udp6", "sctp6", "icmp6"):
            known = {**SET_IP, **(SET_IPV6 if six else SET_IPV4)}
            words += [f"set_field:{make(r)}->{name}" for name, make in known.items()]
            words += ["dec_ttl", f"dec_ttl({r.randrange(9)},{r.randrange(9)})", f"mod_nw_tos:{r.randrange(64) * 4}",
                      f"mod_nw_ttl:{r.randrange(256)}", f"mod_nw_ecn:{r.randrange(4)}"]
            words += [] if six else [f"mod_nw_src:{address4(r)}", f"mod_nw_dst:{address4(r)}",
                                     "move:NXM_OF_IP_SRC[]->NXM_NX_REG1[]"]
        for name in ("tcp", "udp", "sctp"):
            if start.startswith(name):
                words += [f"set_field:{r.randrange(65536)}->{name}_{end}" for end in ("src", "dst")]
                words += [f"mod_tp_src:{r.randrange(65536)}", f"mod_tp_dst:{r.randrange(65536)}"]
        if start == "arp":
            words += [f"set_field:{r.randrange(4)}->arp_op", f"set_field:{address4(r)}->arp_spa",
                      f"set_field:{address4(r)}->arp_tpa", f"set_field:{mac(r)}->arp_sha",
                      f"set_field:{mac(r)}->arp_tha", "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]",
                      f"load:{r.randrange(1 << 48):#x}->NXM_NX_ARP_SHA[]"]
        if start.startswith("mpls"):
            words += [f"set_mpls_label:{r.randrange(1 << 20)}", f"set_mpls_tc:{r.randrange(8)}",
                      f"set_mpls_ttl:{r.randrange(256)}", "dec_mpls_ttl", f"set_field:{r.randrange(1 << 20)}->mpls_label",
                      f"set_field:{r.randrange(8)}->mpls_tc"]
        if "icmp_type=135" in protocol:
            words += [f"set_field:{address6(r)}->nd_target", f"set_field:{mac(r)}->nd_sll"]
        if has_tag:
            words += [f"mod_vlan_vid:{r.randrange(4096)}", f"mod_vlan_pcp:{r.randrange(8)}",
                      f"set_field:{r.randrange(4096, 8192)}->vlan_vid", f"set_field:{r.randrange(8)}->vlan_pcp",
                      "move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG1[0..11]"]
        return r.sample(words, r.randrange(min(3, len(words)) + 1)) if words else []

    def tag_actions(self, protocol, has_tag):
        """At the end: what changes which protocol is outermost."""
        r = self.r
        if r.random() < 0.85:
            return []
        words = [["strip_vlan"]] if has_tag else []
        if self.version != "1.0":
            words.append([f"push_vlan:{r.choice(['0x8100', '0x88a8'])}", f"set_field:{r.randrange(4096, 8192)}->vlan_vid"])
        if protocol in ("ip", "ipv6"):
            words.append([f"push_mpls:{r.choice(['0x8847', '0x8848'])}", f"set_field:{r.randrange(99)}->mpls_label"])
        if protocol == "mpls":
            words.append(["pop_mpls:0x0800"])
        return [*r.choice(words), r.choice(PORTS)] if words else []

    def conjunction(self):
        r = self.r
        clauses = r.randrange(2, 5)
        return ",".join(f"conjunction({r.randrange(1 << 16)},{r.randrange(1, clauses + 1)}/{clauses})"
                        for _ in range(r.randrange(1, 4)))

    def instructions(self, protocol, has_tag, table):
        r = self.r
        if r.random() < 0.03 and self.version != "1.1":
            return self.conjunction()
        words = []
        if self.version in ("1.3", "1.4", "1.5") and r.random() < 0.1:
            words.append(f"meter:{r.randrange(1, METERS + 1)}")
        words += [self.action(protocol) for _ in range(r.randrange(4))] + self.protocol_actions(protocol, has_tag)
        if self.version == "1.0" and r.random() < 0.1:
            words.append(f"enqueue:{r.choice(PORTS)}:{r.randrange(9)}")
        words += self.tag_actions(protocol, has_tag)
        if self.version != "1.0":
            tag = f"push_vlan:0x8100,set_field:{r.randrange(4096, 8192)}->vlan_vid,LOCAL"
            inner = r.choice(["2", "group:3", f"set_field:{mac(r)}->eth_src,3", "set_queue:5,output:1", "normal",
                              "flood" if has_tag or "push_vlan" in ",".join(words) else tag,
                              "1" if self.version == "1.1" else f"set_field:{r.randrange(1 << 32)}->reg1"])
            later = ["clear_actions", f"write_actions({inner})", f"write_metadata:{masked(64)(r)}"]
            words += [word for word in later if r.random() < 0.1]
            # Behind write_metadata Open vSwitch 3.1 makes of it, in 1.0, what its own tool cannot read.
            if r.random() < 0.1 and table < 253 and later[2] not in words:
                words.append(f"goto_table:{r.randrange(table + 1, 254)}")
        return ",".join(words) or "drop"

    def rule(self):
        r = self.r
        table = r.choice([0, 0, 1, 2, r.randrange(254), 253])
        words = [f"table={table}", f"priority={r.choice([0, 1, 5, 100, 32768, 65535, r.randrange(65536)])}"]
        for word in (f"idle_timeout={r.randrange(1000, 65536)}", f"hard_timeout={r.randrange(1000, 65536)}",
                     f"cookie={r.randrange(1 << 64):#x}", "send_flow_rem"):
            if r.random() < 0.15:
                words.append(word)
        if self.version in ("1.4", "1.5") and r.random() < 0.15:
            words.append(f"importance={r.randrange(65536)}")
        if self.version not in ("1.0", "1.1", "1.2"):
            words += [word for word in ("no_packet_counts", "no_byte_counts") if r.random() < 0.05]
        if self.version not in ("1.0", "1.1") and r.random() < 0.05:
            words.append("reset_counts")
        match, protocol, has_tag = self.match()
        return ",".join([*words, *match, "actions=" + self.instructions(protocol, has_tag, table)])

    # ---- groups and meters

    def bucket_actions(self):
        r = self.r
        return r.choice([f"output:{r.choice(PORTS)}", f"set_field:{mac(r)}->eth_dst,output:{r.choice(PORTS)}",
                         f"load:{r.randrange(99)}->NXM_NX_REG1[],resubmit(,{r.randrange(254)})",
                         f"push_vlan:0x8100,set_field:{r.randrange(4096, 8192)}->vlan_vid,output:2", "drop",
                         f"set_queue:{r.randrange(9)},output:1"])

    def group(self, number):
        r = self.r
        kind = r.choice(["all", "select", "indirect", "fast_failover"])
        words = [f"group_id={number}", f"type={kind}"]
        if kind == "select" and self.version == "1.5" and r.random() < 0.7:
            words.append(r.choice(["selection_method=dp_hash", "selection_method=dp_hash,selection_method_param=7",
                                   "selection_method=hash,fields(ip_src,ip_dst)",
                                   "selection_method=hash,fields(eth_src=ff:ff:ff:00:00:00,ip_proto)"]))
        has_ids = self.version == "1.5" and r.random() < 0.5
        for i in range(1 if kind == "indirect" else r.randrange(1, 5)):
            bucket = []
            if has_ids:
                bucket.append(f"bucket_id:{i * 7}")
            if kind == "select":
                bucket.append(f"weight:{r.randrange(1, 200)}")
            if kind == "fast_failover":
                bucket.append(f"watch_port:{r.choice(PORTS[:3])}")
            words.append("bucket=" + ",".join([*bucket, f"actions={self.bucket_actions()}"]))
        return ",".join(words)

    def meter(self, number):
        r = self.r
        words = [f"meter={number}", r.choice(["kbps", "pktps"])]
        words += [word for word in ("burst", "stats") if r.random() < 0.5]
        burst = f",burst_size={r.randrange(1, 9999)}" if "burst" in words else ""
        words.append(f"band=type=drop,rate={r.randrange(1, 99999)}{burst}")
        return ",".join(words)
