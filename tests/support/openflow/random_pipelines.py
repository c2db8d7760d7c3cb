# random_pipelines.py - random tables and groups as ovs-ofctl(8) takes them, that do much to the frames of
# random_frames.py: matches on few values, and every action whose outcome is no matter of a hash or of a rate. For
# test_openflow_differential.py.
from support.openflow import random_frames as f

TABLES = 4
GROUPS = 8
PORTS = ["1", "2", "3", "4"]
PUSHES = ("no", "cut", "vlan", "mpls", "set", "bucket")
TRANSPORTS = ("tcp", "udp", "sctp")


class State:
    """What the packet is known to be at some place of a list of actions."""

    def __init__(self, protocol, tagged, bottom=None):
        self.protocol = protocol
        self.tagged = tagged
        self.bottom = bottom  # whether the outermost label is the last one, if that is known


class Pipeline:
    """Open vSwitch knows of two tags and three labels: 'pushes' says where one more may be pushed, at most once on a
    packet's way: "vlan" or "mpls" in table 0, "set" in action sets, "bucket" in groups, or "no". With "cut" there are
    outputs with a max_len, but nothing is popped: Open vSwitch may cut the frame before it takes off what it should.
    Where there are action sets there is no clone (Open vSwitch carries them out at its end, too) and no exit (Open
    vSwitch then does not carry them out). With 'decrements', of TTLs, nothing is popped: what is behind a label may not
    be what its new EtherType says, and has a TTL only for Open vSwitch. For the same reason no rule sets a field of the
    IP header that it laid bare itself.
    """

    def __init__(self, r, pushes, decrements):
        self.r = r
        self.pushes = pushes
        self.cuts = pushes == "cut"
        self.decrements = decrements
        self.has_sets = r.random() < 0.6
        self.table = 0
        self.pushed = False

    # ---- matches

    def value(self, values, mask=None):
        text = str(self.r.choice(values))
        return text + (f"/{self.r.choice(mask)}" if mask and self.r.random() < 0.4 else "")

    def layer3_fields(self, protocol):
        r = self.r
        four = {"nw_src": lambda: self.value(f.IPV4, [8, 16, 31, "255.0.0.255"]),
                "nw_dst": lambda: self.value(f.IPV4, [8, 24, 0])}
        six = {"ipv6_src": lambda: self.value(f.IPV6, [16, 64, 127]), "ipv6_dst": lambda: self.value(f.IPV6, [10, 112]),
               "ipv6_label": lambda: self.value(["0x1", "0x12345", "0x0"], ["0xff"]) if r.random() < 0.5 else "0x12345"}
        both = {"nw_tos": lambda: str(r.choice(f.TOSES) & 0xfc), "nw_ecn": lambda: str(r.randrange(4)),
                "nw_ttl": lambda: self.value(f.TTLS),
                "nw_frag": lambda: r.choice(["no", "yes", "first", "later", "not_later"])}
        ports = {end: lambda: self.value(f.PORTS, ["0x1", "0xff00"]) for end in ("tp_src", "tp_dst")}
        base, is_six = protocol.rstrip("6"), protocol.endswith("6")
        if protocol in ("ip", "ipv6"):
            is_six = protocol == "ipv6"
        if base in (*TRANSPORTS, "icmp") or protocol in ("ip", "ipv6"):
            known = {**(six if is_six else four), **both}
            if base not in ("ip", "ipv"):
                known["nw_frag"] = lambda: r.choice(["no", "yes", "first", "not_later"])
            if base in TRANSPORTS:
                known.update({f"{base}_src": ports["tp_src"], f"{base}_dst": ports["tp_dst"]})
                if base == "tcp":
                    known["tcp_flags"] = lambda: r.choice(["+syn", "+syn-ack", "+ack", "0x12"])
            elif base == "icmp":
                known.update({"icmp_type": lambda: self.value([128, 129, 133] if is_six else [0, 3, 8, 255]),
                              "icmp_code": lambda: self.value([0, 1])})
            return known
        if protocol == "arp":
            return {"arp_op": lambda: self.value([1, 2, 3, 0]), "arp_spa": lambda: self.value(f.IPV4, [8]),
                    "arp_tpa": lambda: self.value(f.IPV4, [16]), "arp_sha": lambda: self.value(f.MACS),
                    "arp_tha": lambda: self.value(f.MACS)}
        if protocol == "mpls":
            return {"mpls_label": lambda: self.value(f.LABELS), "mpls_tc": lambda: self.value([0, 5, 7]),
                    "mpls_ttl": lambda: self.value(f.TTLS), "mpls_bos": lambda: self.value([0, 1])}
        if protocol in ("nd_s", "nd_a"):
            return {"nd_target": lambda: self.value(f.IPV6, [64]),
                    "nd_sll" if protocol == "nd_s" else "nd_tll": lambda: self.value(f.MACS + ["00:00:00:00:00:00"])}
        return {}

    def match(self, own_registers):
        r = self.r
        protocol = r.choice(["", "", "", "ip", "ip", "ip", "ipv6", "ipv6", "tcp", "udp", "sctp", "icmp", "tcp6", "udp6",
                             "sctp6", "icmp6", "arp", "rarp", "mpls", "mpls", "mplsm", "nd_s", "nd_a"])
        start = {"nd_s": "icmp6,icmp_type=135,icmp_code=0", "nd_a": "icmp6,icmp_type=136,icmp_code=0"}
        words = [start.get(protocol, protocol)] if protocol else []
        if protocol == "mplsm":
            protocol = "mpls"
        layer2 = {"in_port": lambda: r.choice(PORTS),
                  "dl_src": lambda: self.value(f.MACS, ["00:00:00:00:00:ff", "ff:ff:ff:00:00:00"]),
                  "dl_dst": lambda: self.value(f.MACS + f.GROUP_MACS, ["01:00:00:00:00:00"])}
        tag = r.choice(["", "", "", "", "vlan_tci=0", "vlan_tci=0x1000/0x1000", f"dl_vlan={r.choice(f.VIDS)}",
                        f"vlan_tci=0x1000/0x1000,dl_vlan_pcp={r.choice([0, 3, 7])}"])
        words += [tag] if tag else []
        if own_registers and r.random() < 0.5:
            layer2.update({f"reg{n}": lambda: self.value([0, 1, 2, 5], ["0x1"]) for n in (0, 1)})
            layer2["metadata"] = lambda: self.value([0, 1, 5], ["0x1"])
        for known, most in ((layer2, 2), (self.layer3_fields(protocol), 3)):
            names = r.sample(list(known), r.randrange(min(most, len(known)) + 1))
            if protocol == "mpls" and known is not layer2:
                names = [name for name in names if name != "mpls_bos"] + ["mpls_bos"]
            words += [self.worded(name, known[name]()) for name in names]
        bottom = {"mpls_bos=0": False, "mpls_bos=1": True}.get(words[-1] if words else None)
        return ",".join(words), State(protocol, "0x1000/" in tag or "dl_vlan" in tag, bottom)

    @staticmethod
    def worded(name, value):
        if name.startswith(("reg", "metadata", "tcp_s", "tcp_d", "udp_", "sctp_")) and "/" in value:
            number, mask = value.split("/")
            return f"{name}={int(number, 0) & int(mask, 0):#x}/{mask}"
        return f"{name}={value}"

    # ---- actions

    def group_action(self):
        """Not in the last table, to which buckets resubmit."""
        return f"group:{self.r.randrange(1, GROUPS + 1)}" if self.table < TABLES - 1 else self.output()

    def port(self):
        return self.r.choice([*PORTS, "in_port", "in_port"])

    def output(self):
        r = self.r
        if self.cuts and r.random() < 0.2:
            return f"output(port={r.choice(PORTS)},max_len={r.choice([14, 15, 40, 64, 9999])})"
        return r.choice([self.port(), self.port(),
                         "output:NXM_NX_REG0[]", "output:reg1[0..3]", "all", "flood",
                         f"bundle(eth_src,0,active_backup,ofport,members:{r.choice(['1,2', '9,2', '3'])})",
                         f"bundle(nw_src,0,hrw,ofport,members:{r.choice(PORTS)})", f"enqueue:{r.choice(PORTS)}:3"])

    def check_pkt_larger(self):
        """Open vSwitch goes on in two ways from it, and does what is behind a resubmit, and action sets, in each of them and
        once more."""
        word = f"check_pkt_larger({self.r.choice([60, 63, 64, 100, 1500])})->NXM_NX_REG0[0]"
        return word if self.table == 0 and not self.has_sets else "note:04"

    def anywhere(self, depth):
        """Actions that need nothing."""
        r = self.r
        later = [n for n in range(self.table + 1, TABLES)]
        words = [
            f"mod_dl_src:{r.choice(f.MACS)}", f"mod_dl_dst:{r.choice(f.MACS)}",
            f"set_field:{r.choice(f.MACS)}->eth_src", "set_field:00:00:00:00:00:05/00:00:00:00:00:ff->eth_dst",
            f"load:{r.randrange(256)}->NXM_OF_ETH_DST[{r.choice(['0..7', '8..15', '40..47'])}]",
            "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", "move:NXM_OF_ETH_SRC[0..15]->NXM_NX_REG1[16..31]",
            "move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]", f"load:{r.randrange(6)}->NXM_NX_REG{r.randrange(2)}[]",
            f"load:{r.randrange(6)}->NXM_OF_IN_PORT[]", "load:0xffff->NXM_OF_IN_PORT[]",
            f"set_field:{r.randrange(6)}->reg{r.randrange(2)}", "set_field:0x1/0x3->reg0",
            f"set_field:{r.choice([1, 5])}->metadata", "set_field:0x1234567812345678->xreg0",
            "move:NXM_NX_REG0[]->NXM_NX_REG1[]", "move:OXM_OF_METADATA[0..31]->NXM_NX_REG0[]",
            "push:NXM_NX_REG0[]", "pop:NXM_NX_REG1[]", "push:NXM_OF_ETH_SRC[]", "pop:NXM_OF_ETH_DST[]",
            "push:NXM_OF_IN_PORT[],pop:NXM_NX_REG0[0..15]", "pop:NXM_OF_ETH_SRC[0..15]",
            "note:01.02.03", "ct_clear", f"set_queue:{r.randrange(9)}", "pop_queue",
            f"set_tunnel:{r.randrange(9)}", "move:NXM_NX_TUN_ID[0..31]->NXM_NX_REG1[]",
            "multipath(eth_src,0,modulo_n,1,0,NXM_NX_REG0[0..7])",
            *([self.check_pkt_larger()] if self.pushes in ("no", "vlan", "mpls") else []),
            "note:00" if self.has_sets or depth > 0 else "exit",
        ]
        if later:
            table = r.choice(later)
            words += [f"resubmit(,{table})"] * 2 + [f"resubmit({self.port()},{table})", f"resubmit(,{table})"]
        if depth < 2 and not self.has_sets:
            words += ["clone"] * 3
        words += [self.group_action()] * 2
        return words

    def about(self, state):
        """Actions that need what the packet is."""
        r, protocol = self.r, state.protocol
        base, is_six = protocol.rstrip("6"), protocol == "ipv6" or protocol.endswith("6") or protocol.startswith("nd_")
        words = []
        if state.tagged:
            words += [f"mod_vlan_vid:{r.choice(f.VIDS)}", f"mod_vlan_pcp:{r.choice([0, 3, 7])}",
                      "set_field:4101->vlan_vid", "set_field:6->vlan_pcp", "move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG1[0..11]",
                      "push:OXM_OF_VLAN_PCP[],pop:NXM_NX_REG0[0..2]"]
            words += [] if self.cuts else ["strip_vlan", "pop_vlan"]
        if protocol in ("ip", "ipv6", "icmp", "icmp6", "nd_s", "nd_a") or base in TRANSPORTS:
            words += [f"mod_nw_tos:{r.choice([0, 40, 252])}", f"mod_nw_ecn:{r.randrange(4)}", f"mod_nw_ttl:{r.choice([64, 255])}", "set_field:12->ip_dscp",
                      "move:NXM_NX_IP_TTL[]->NXM_NX_REG0[0..7]", "load:99->NXM_NX_IP_TTL[]"]
            words += ["dec_ttl", "dec_ttl", "dec_ttl(1,2)"] if self.decrements else ["mod_nw_ttl:1", "mod_nw_ttl:0"]
            if is_six:
                words += [f"set_field:{r.choice(f.IPV6)}->ipv6_{r.choice(['src', 'dst'])}", "set_field:0x777->ipv6_label",
                          "set_field:::7/::f->ipv6_src", "move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[]"]
            else:
                words += [f"mod_nw_src:{r.choice(f.IPV4)}", f"mod_nw_dst:{r.choice(f.IPV4)}",
                          "set_field:0.0.0.9/0.0.0.255->ip_src", "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]",
                          "push:NXM_OF_IP_SRC[],push:NXM_OF_IP_DST[],pop:NXM_OF_IP_SRC[],pop:NXM_OF_IP_DST[]"]
        if base in TRANSPORTS:
            end = r.choice(["src", "dst"])
            words += [f"set_field:{r.choice(f.PORTS)}->{base}_{end}"] * 3
            words += [f"load:0xff->NXM_OF_{base.upper()}_{end.upper()}[0..7]" if base != "sctp" else "note:03",
                      f"move:OXM_OF_{base.upper()}_SRC[]->OXM_OF_{base.upper()}_DST[]"]
        if protocol in ("icmp", "icmp6"):
            name = "icmp" if protocol == "icmp" else "icmpv6"
            words += [f"set_field:{r.choice([0, 8, 130])}->{name}_type", f"set_field:{r.choice([0, 1])}->{name}_code"]
        if protocol == "arp":
            words += [f"set_field:{r.choice([1, 2])}->arp_op", f"set_field:{r.choice(f.IPV4)}->arp_spa",
                      f"set_field:{r.choice(f.MACS)}->arp_tha", "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]",
                      "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]", "move:NXM_OF_ETH_SRC[]->NXM_NX_ARP_SHA[]"]
        if protocol.startswith("nd_"):
            words += [f"set_field:{r.choice(f.IPV6)}->nd_target"] * 2
            words += [f"set_field:{r.choice(f.MACS)}->{'nd_sll' if protocol == 'nd_s' else 'nd_tll'}"] * 2
        if protocol == "mpls":
            words += [f"set_mpls_label:{r.choice(f.LABELS)}", f"set_mpls_tc:{r.choice([0, 5])}", f"set_mpls_ttl:{r.choice(f.TTLS)}", "set_field:77->mpls_label",
                      "move:OXM_OF_MPLS_LABEL[]->NXM_NX_REG0[0..19]"]
            words += ["dec_mpls_ttl"] * 2 * self.decrements
        return words

    def reshape(self, state):
        """An action that changes what the packet is, or None; 'state' says so afterwards."""
        r = self.r
        choices = ["pop_mpls"] * (state.bottom is not None and self.pushes not in ("cut", "mpls") and not self.decrements)
        if self.table == 0 and not self.pushed and self.pushes in ("vlan", "mpls"):
            choices.append(f"push_{self.pushes}")
        if not choices:
            return self.output()
        chosen = r.choice(choices)
        self.pushed = self.pushed or chosen != "pop_mpls"
        if chosen == "push_vlan":
            state.tagged = True
            return self.push_vlan()
        if chosen == "push_mpls":
            if state.protocol in ("", "rarp"):
                return self.output()
            fields = [f"set_field:{r.choice(f.LABELS)}->mpls_label", "set_field:5->mpls_tc"]
            fields += [f"set_mpls_ttl:{r.choice(f.TTLS)}"] if state.protocol == "mpls" or r.random() < 0.5 else []
            state.protocol, state.bottom = "mpls", state.protocol != "mpls"
            return ",".join([f"push_mpls:{r.choice(['0x8847', '0x8848'])}", *fields])
        eth_type = r.choice(["0x0800", "0x86dd", "0x1234"] if state.bottom else ["0x8847"])
        state.protocol = "" if state.bottom else "mpls"
        state.bottom = None
        return f"pop_mpls:{eth_type}"

    def push_vlan(self):
        """Open vSwitch does not copy what the next tag has: all of the new one is set."""
        r = self.r
        return (f"push_vlan:{r.choice(['0x8100', '0x88a8'])},set_field:{4096 + r.choice(f.VIDS)}->vlan_vid,"
                f"set_field:{r.choice([0, 5])}->vlan_pcp")

    def actions(self, state, most, depth=0):
        r = self.r
        words = []
        for _ in range(r.randrange(1, most + 1)):
            choice, about = r.random(), self.about(state)
            if choice < 0.35 and about:
                word = r.choice(about)
                if word in ("strip_vlan", "pop_vlan"):
                    state.tagged = False
            elif choice < 0.45:
                word = self.reshape(state)
            elif choice < 0.7:
                word = self.output()
            else:
                word = r.choice(self.anywhere(depth))
                if word == "clone":
                    inner = State(state.protocol, state.tagged, state.bottom)
                    word = f"clone({self.actions(inner, 3, depth + 1)})"
                    if (inner.protocol, inner.tagged) != (state.protocol, state.tagged):
                        continue  # Debian's tool believes that it stays so behind the clone
            words.append(word)
        return ",".join(words)

    def instructions(self, state):
        r = self.r
        self.pushed = False
        words = []
        if r.random() < 0.06:
            return "drop"
        words.append(self.actions(state, 6) + ("," + self.output() if r.random() < 0.6 else ""))
        if r.random() < 0.08:
            words.append("clear_actions")
        if r.random() < 0.25 and self.has_sets:
            words.append(f"write_actions({self.set_actions(state)})")
        if r.random() < 0.15:
            words.append(f"write_metadata:{r.choice(['0x1', '0x5', '0x4/0xf'])}")
        if r.random() < 0.35 and self.table + 1 < TABLES:
            words.append(f"goto_table:{r.randrange(self.table + 1, TABLES)}")
        return ",".join(words)

    def set_actions(self, state):
        """Of an action set: in any order, done in that of the specification."""
        r = self.r
        words = [r.choice([*PORTS, *([] if self.table == TABLES - 1 else [self.group_action()]), "in_port"])]
        own = [word for word in self.about(state)
               if word.startswith(("set_field", "dec_ttl", "dec_mpls", "mod_nw")) and "vlan" not in word]
        words += r.sample(own, min(len(own), r.randrange(3)))
        words += r.sample([f"mod_dl_src:{r.choice(f.MACS)}", f"set_field:{r.randrange(5)}->reg0", "set_queue:4",
                           f"set_field:{r.choice(f.MACS)}->eth_dst"], r.randrange(3))
        r.shuffle(words)
        if self.pushes == "set" and r.random() < 0.5:  # in front: it is the prerequisite of others
            words.insert(0, "push_vlan:0x8100,set_field:4101->vlan_vid,set_field:5->vlan_pcp")
        return ",".join(words)

    # ---- tables and groups

    def rules(self, n):
        r, rules, seen = self.r, [], set()
        for self.table in range(TABLES):
            for _ in range(n):
                words, state = self.match(self.table > 0)
                priority = r.choice([10, 20, 30, 40]) + len(seen) * 50 % 1000
                if (self.table, words) in seen:
                    continue
                seen.add((self.table, words))
                rules.append(f"table={self.table},priority={priority}{',' if words else ''}{words},"
                             f"actions={self.instructions(state)}")
            self.pushed = False
            miss = self.actions(State("", False), 4)
            rules.append(f"table={self.table},priority=0,actions={miss},{self.output()}")
        if r.random() < 0.5:
            rules += self.conjunctions()
        return rules

    def conjunctions(self):
        r = self.r
        table = r.randrange(TABLES)
        one, other = r.sample(f.MACS, 2)  # no packet is of both conjunctions
        return [f"table={table},priority=2000,dl_src={one},actions=conjunction(7,1/2)",
                *(f"table={table},priority=2000,ip,nw_dst={address},actions=conjunction(7,2/2)" for address in f.IPV4[:3]),
                f"table={table},priority=2000,dl_src={other},actions=conjunction(8,2/2)",
                f"table={table},priority=2000,in_port={r.choice(PORTS)},actions=conjunction(8,1/2)",
                f"table={table},priority=2000,conj_id=7,actions=set_field:5->reg1,{self.port()}",
                f"table={table},priority=2000,conj_id=8,actions=mod_dl_src:02:00:00:00:00:aa,{self.port()}"]

    def bucket(self):
        r = self.r
        choices = [self.port(), f"set_field:{r.choice(f.MACS)}->eth_dst,{self.port()}", "drop",
                   f"set_queue:1,{self.port()}", f"mod_dl_src:{r.choice(f.MACS)},{self.port()}"]
        if not self.cuts:
            choices.append(f"pop_vlan,{self.port()}")
        if self.pushes == "bucket":
            choices.append(f"{self.push_vlan()},{self.port()}")
        else:
            choices.append(f"load:{r.randrange(5)}->NXM_NX_REG1[],resubmit(,{TABLES - 1})")
        return r.choice(choices)

    def groups(self):
        r, texts = self.r, []
        for number in range(1, GROUPS + 1):
            kind = r.choice(["all", "all", "select", "indirect", "fast_failover"])
            words = [f"group_id={number}", f"type={kind}"]
            # The hash of its own is a second pass in Open vSwitch, in which a clone or a TTL that ends ends all.
            if kind == "select" and (self.decrements or not self.has_sets):
                words.append("selection_method=hash,fields(eth_src)")
            buckets = 1 if kind in ("indirect", "select") else r.randrange(4)
            for i in range(buckets):
                more = {"select": "weight:1,", "fast_failover": f"watch_port:{r.choice(['1', '2', '3', '9'])},"}.get(kind, "")
                inner = self.bucket()
                if number > 1 and self.pushes != "bucket" and r.random() < 0.15:
                    inner = f"group:{r.randrange(1, number)}"
                words.append(f"bucket={more}actions={inner}")
            texts.append(",".join(words))
        return texts
