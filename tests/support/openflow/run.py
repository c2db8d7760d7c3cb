# run.py - asks a switch the questions of cases.py and cases10.py and says which it answers as the specification does.
import collections
import time

from support.openflow import cases, wire

NONE_SECONDS = 0.3  # how long a frame that should come is waited for
SENTINEL_TYPE = 0x88b6
SENTINEL = bytes.fromhex("0202020202020204040404") + b"\4" + SENTINEL_TYPE.to_bytes(2, "big") + bytes(46)


class Runner:
    """'links' by part: in, out, other; 'numbers' their OpenFlow ports."""

    def __init__(self, path, version, links, numbers, settle=None):
        """'settle' is called after rules changed, for switches that apply them later than they say."""
        self.settle = settle
        self.switch = wire.Switch(path, version)
        self.links, self.numbers = links, numbers
        self.of, self.parser = self.switch.ofproto, self.switch.ofproto_parser
        # A service connection gets no packets before it says how much of them.
        self.switch.send(self.parser.OFPSetConfig(self.switch, 0, 0xffff))
        self.reserved = {"in_port": self.of.OFPP_IN_PORT, "all": self.of.OFPP_ALL, "flood": self.of.OFPP_FLOOD,
                         cases.CONTROLLER: self.of.OFPP_CONTROLLER}

    def port(self, part):
        return self.numbers.get(part) or self.reserved[part]

    # -- building messages

    def match(self, fields):
        return self.parser.OFPMatch(**{name: self.port(value) if name == "in_port" else value
                                       for name, value in fields.items()})

    def action(self, action):
        kind, *rest = action
        p = self.parser
        if kind == "output":
            return p.OFPActionOutput(self.port(rest[0]), 0xffff)
        if kind == "set":
            return p.OFPActionSetField(**{rest[0]: rest[1]})
        if kind == "group":
            return p.OFPActionGroup(rest[0])
        return {"push_vlan": p.OFPActionPushVlan, "pop_vlan": p.OFPActionPopVlan, "push_mpls": p.OFPActionPushMpls,
                "pop_mpls": p.OFPActionPopMpls, "push_pbb": p.OFPActionPushPbb, "pop_pbb": p.OFPActionPopPbb,
                "set_mpls_ttl": p.OFPActionSetMplsTtl, "dec_mpls_ttl": p.OFPActionDecMplsTtl,
                "set_nw_ttl": p.OFPActionSetNwTtl, "dec_nw_ttl": p.OFPActionDecNwTtl,
                "copy_ttl_out": p.OFPActionCopyTtlOut, "copy_ttl_in": p.OFPActionCopyTtlIn,
                "set_queue": p.OFPActionSetQueue}[kind](*rest)

    def actions(self, actions):
        return [self.action(action) for action in actions]

    def instruction(self, instruction):
        kind, *rest = instruction
        p, of = self.parser, self.of
        if kind == "goto":
            return p.OFPInstructionGotoTable(rest[0])
        if kind == "metadata":
            return p.OFPInstructionWriteMetadata(rest[0], 0xffffffffffffffff)
        if kind == "meter":
            return p.OFPInstructionMeter(rest[0])
        return p.OFPInstructionActions({"apply": of.OFPIT_APPLY_ACTIONS, "write": of.OFPIT_WRITE_ACTIONS,
                                        "clear": of.OFPIT_CLEAR_ACTIONS}[kind],
                                       self.actions(rest[0]) if rest else [])

    def install(self, case):
        for kind, *rest in case.before:
            if kind == "group":
                self.add_group(*rest)
        for table, priority, match, instructions in case.flows:
            self.switch.send(self.parser.OFPFlowMod(
                self.switch, table_id=table, priority=priority, match=self.match(match), cookie=7,
                buffer_id=self.of.OFP_NO_BUFFER, instructions=[self.instruction(i) for i in instructions]))
        self.sentinel()
        self.switch.barrier()

    def sentinel(self):
        self.switch.send(self.parser.OFPFlowMod(
            self.switch, priority=65535, match=self.match({"eth_type": SENTINEL_TYPE}),
            buffer_id=self.of.OFP_NO_BUFFER,
            instructions=[self.instruction(("apply", [("output", cases.OUT)]))]))

    def add_group(self, number, kind, buckets):
        p, of = self.parser, self.of
        made = []
        for bucket in buckets:
            watch = of.OFPP_ANY
            if bucket[0] == "watch":
                watch, bucket = self.port(bucket[1]), bucket[2]
            if self.switch.ofproto.OFP_VERSION >= 6:
                properties = [p.OFPGroupBucketPropWatch(type_=of.OFPGBPT_WATCH_PORT, watch=watch)]
                if kind == "select":
                    properties = [p.OFPGroupBucketPropWeight(type_=of.OFPGBPT_WEIGHT, weight=1)]
                if kind not in ("ff", "select"):
                    properties = []
                made.append(p.OFPBucket(bucket_id=len(made), actions=self.actions(bucket), properties=properties))
            else:
                made.append(p.OFPBucket(weight=1 if kind == "select" else 0, watch_port=watch,
                                        watch_group=of.OFPG_ANY, actions=self.actions(bucket)))
        kinds = {"all": of.OFPGT_ALL, "select": of.OFPGT_SELECT, "indirect": of.OFPGT_INDIRECT, "ff": of.OFPGT_FF}
        more = {"command_bucket_id": of.OFPG_BUCKET_ALL} if self.switch.ofproto.OFP_VERSION >= 6 else {}
        self.switch.send(p.OFPGroupMod(self.switch, command=of.OFPGC_ADD, type_=kinds[kind], group_id=number,
                                       buckets=made, **more))

    def clear(self):
        p, of = self.parser, self.of
        self.switch.send(p.OFPFlowMod(self.switch, table_id=of.OFPTT_ALL, command=of.OFPFC_DELETE,
                                      out_port=of.OFPP_ANY, out_group=of.OFPG_ANY, match=p.OFPMatch(),
                                      instructions=[], buffer_id=of.OFP_NO_BUFFER))
        more = {"command_bucket_id": of.OFPG_BUCKET_ALL} if of.OFP_VERSION >= 6 else {}
        self.switch.send(p.OFPGroupMod(self.switch, command=of.OFPGC_DELETE, group_id=of.OFPG_ALL, buckets=[],
                                       **more))
        self.switch.barrier()
        self.switch.packet_ins.clear()
        for link in self.links.values():
            link.flush()

    # -- asking

    def ask(self, case):
        """None if the answer is right, else what is wrong with it."""
        try:
            self.clear()
            self.install(case)
        except wire.Refused as refusal:
            return f"refused: {refusal}"
        if self.settle:
            self.settle()
        self.links[cases.IN].send(case.frame)
        if self.settle:
            time.sleep(0.02)
        self.links[cases.IN].send(SENTINEL)
        problems = []
        got = collections.defaultdict(list)
        deadline = time.monotonic() + NONE_SECONDS
        while True:  # up to the sentinel all that goes to a port has arrived
            frame = self.links[cases.OUT].receive(max(0, deadline - time.monotonic()))
            if frame is None:
                problems.append("the sentinel is lost")
                break
            if frame == SENTINEL:
                break
            got[cases.OUT].append(frame)
        for part in (cases.IN, cases.OTHER):
            wanted = part in case.expect
            while (frame := self.links[part].receive(NONE_SECONDS if wanted and not got[part] else 0)) is not None:
                got[part].append(frame)
        message = self.switch.wait_packet_in(NONE_SECONDS if cases.CONTROLLER in case.expect else 0.002)
        if message is not None:
            got[cases.CONTROLLER].append(bytes(message.data))
        for part in (cases.IN, cases.OUT, cases.OTHER, cases.CONTROLLER):
            wanted = [case.expect[part]] if part in case.expect else []
            if [strip(frame) for frame in got[part]] != [strip(frame) for frame in wanted]:
                problems.append(f"{part}: " + (describe(got[part], wanted)))
        return "; ".join(problems) or None

    def close(self):
        self.switch.close()


def strip(frame):
    """Without what is perhaps padding."""
    return frame.rstrip(b"\0")


def describe(got, wanted):
    if not got:
        return "nothing came"
    if not wanted:
        return f"came {got[0].hex()}"
    return f"came {' and '.join(frame.hex() for frame in got)} for {wanted[0].hex()}"


