# run10.py - run.py for OpenFlow 1.0, whose matches and actions are of another form.
import ipaddress

from support.openflow import cases, run
from support.openflow.packets import mac


class Runner10(run.Runner):
    def match(self, fields):
        made = {}
        for name, value in fields.items():
            if name == "in_port":
                value = self.port(value)
            elif name.startswith("dl_") and isinstance(value, str):
                value = mac(value)
            elif name in ("nw_src", "nw_dst"):
                value = int(ipaddress.ip_address(value))
            made[name] = value
        return self.parser.OFPMatch(**made)

    def action(self, action):
        kind, *rest = action
        p = self.parser
        if kind == "output":
            return p.OFPActionOutput(self.port(rest[0]), 0xffff)
        if kind == "enqueue":
            return p.OFPActionEnqueue(self.port(rest[0]), rest[1])
        if kind in ("dl_src", "dl_dst"):
            rest = [mac(rest[0])]
        elif kind in ("nw_src", "nw_dst"):
            rest = [rest[0]]
        return {"vlan_vid": p.OFPActionVlanVid, "vlan_pcp": p.OFPActionVlanPcp, "strip_vlan": p.OFPActionStripVlan,
                "dl_src": p.OFPActionSetDlSrc, "dl_dst": p.OFPActionSetDlDst, "nw_src": p.OFPActionSetNwSrc,
                "nw_dst": p.OFPActionSetNwDst, "nw_tos": p.OFPActionSetNwTos, "tp_src": p.OFPActionSetTpSrc,
                "tp_dst": p.OFPActionSetTpDst}[kind](*rest)

    def add_rule(self, priority, match, actions):
        self.switch.send(self.parser.OFPFlowMod(
            self.switch, match=self.match(match), cookie=7, command=self.of.OFPFC_ADD, priority=priority,
            buffer_id=0xffffffff, actions=self.actions(actions)))

    def install(self, case):
        for _, priority, match, actions in case.flows:
            self.add_rule(priority, match, actions)
        self.sentinel()
        self.switch.barrier()

    def sentinel(self):
        self.add_rule(65535, {"dl_type": run.SENTINEL_TYPE}, [("output", cases.OUT)])

    def clear(self):
        self.switch.send(self.parser.OFPFlowMod(
            self.switch, match=self.parser.OFPMatch(), cookie=0, command=self.of.OFPFC_DELETE,
            out_port=self.of.OFPP_NONE, actions=[]))
        self.switch.barrier()
        self.switch.packet_ins.clear()
        for link in self.links.values():
            link.flush()
