# campus.py - an os-ken app with a pipeline as Faucet builds it: ten tables, VLANs per port, an access list, addresses
# learned into two tables, floods by a group, a meter for broadcasts. OpenFlow 1.3.
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_3

PORT_ACL, VLAN, VLAN_ACL, CLASSIFY, ETH_SRC, IPV4, IPV6, VIP, ETH_DST, FLOOD = range(10)
VLAN_VID, PORTS, METER = 100, (1, 2, 3), 1
FLOOD_GROUP = 0x1000  # plus the port of arrival


class Campus(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def add(self, datapath, table, priority, match, actions=(), goto=None, meter=None, **more):
        parser, of = datapath.ofproto_parser, datapath.ofproto
        instructions = []
        if meter is not None:
            instructions.append(parser.OFPInstructionMeter(meter))
        if actions:
            instructions.append(parser.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, list(actions)))
        if goto is not None:
            instructions.append(parser.OFPInstructionGotoTable(goto))
        datapath.send_msg(parser.OFPFlowMod(datapath=datapath, table_id=table, priority=priority,
                                            match=parser.OFPMatch(**match), instructions=instructions, **more))

    def clear(self, datapath):
        parser, of = datapath.ofproto_parser, datapath.ofproto
        for _ in range(2):
            datapath.send_msg(parser.OFPMeterMod(datapath, of.OFPMC_DELETE, 0, of.OFPM_ALL, []))
        datapath.send_msg(parser.OFPGroupMod(datapath, of.OFPGC_DELETE, of.OFPGT_ALL, of.OFPG_ALL, []))
        datapath.send_msg(parser.OFPFlowMod(datapath, table_id=of.OFPTT_ALL, command=of.OFPFC_DELETE,
                                            out_port=of.OFPP_ANY, out_group=of.OFPG_ANY))

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def connected(self, event):
        datapath = event.msg.datapath
        parser, of = datapath.ofproto_parser, datapath.ofproto
        datapath.send_msg(parser.OFPSetConfig(datapath, of.OFPC_FRAG_NORMAL, 0))
        self.clear(datapath)
        datapath.send_msg(parser.OFPMeterMod(
            datapath, of.OFPMC_ADD, of.OFPMF_PKTPS, METER, [parser.OFPMeterBandDrop(rate=10000, burst_size=1000)]))
        for port in PORTS:
            buckets = [parser.OFPBucket(actions=[parser.OFPActionPopVlan(), parser.OFPActionOutput(other)])
                       for other in PORTS if other != port]
            datapath.send_msg(parser.OFPGroupMod(datapath, of.OFPGC_ADD, of.OFPGT_ALL, FLOOD_GROUP + port, buckets))
        # Telnet is not for this network.
        self.add(datapath, PORT_ACL, 20, {"eth_type": 0x0800, "ip_proto": 6, "tcp_dst": 23})
        self.add(datapath, PORT_ACL, 0, {}, goto=VLAN)
        for port in PORTS:
            self.add(datapath, VLAN, 10, {"in_port": port, "vlan_vid": of.OFPVID_NONE},
                     [parser.OFPActionPushVlan(0x8100), parser.OFPActionSetField(vlan_vid=VLAN_VID | 0x1000)],
                     goto=VLAN_ACL)
        self.add(datapath, VLAN_ACL, 0, {}, goto=CLASSIFY)
        self.add(datapath, CLASSIFY, 5, {"eth_dst": "ff:ff:ff:ff:ff:ff"}, goto=ETH_SRC, meter=METER)
        self.add(datapath, CLASSIFY, 0, {}, goto=ETH_SRC)
        self.add(datapath, ETH_SRC, 0, {"vlan_vid": VLAN_VID | 0x1000},
                 [parser.OFPActionOutput(of.OFPP_CONTROLLER, 96)], goto=IPV4)
        for table in (IPV4, IPV6, VIP):
            self.add(datapath, table, 0, {}, goto=table + 1)
        self.add(datapath, ETH_DST, 0, {}, goto=FLOOD)
        for port in PORTS:
            self.add(datapath, FLOOD, 10, {"in_port": port, "vlan_vid": VLAN_VID | 0x1000},
                     [parser.OFPActionGroup(FLOOD_GROUP + port)])

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        message = event.msg
        datapath, parser = message.datapath, message.datapath.ofproto_parser
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        port = message.match["in_port"]
        vlan = VLAN_VID | 0x1000
        self.add(datapath, ETH_DST, 8192, {"vlan_vid": vlan, "eth_dst": frame.src},
                 [parser.OFPActionPopVlan(), parser.OFPActionOutput(port)], idle_timeout=300)
        self.add(datapath, ETH_SRC, 8191, {"in_port": port, "vlan_vid": vlan, "eth_src": frame.src}, goto=IPV4,
                 hard_timeout=150)
