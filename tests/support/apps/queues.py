# queues.py - an os-ken app: two hosts' traffic takes two queues of the third port, OpenFlow 1.3.
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, set_ev_cls
from os_ken.ofproto import ofproto_v1_3


class Queues(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def connected(self, event):
        datapath = event.msg.datapath
        parser, of = datapath.ofproto_parser, datapath.ofproto
        rules = [({"in_port": 3}, [parser.OFPActionOutput(of.OFPP_NORMAL)])]
        for port in (1, 2):
            rules.append(({"in_port": port}, [parser.OFPActionSetQueue(port), parser.OFPActionOutput(of.OFPP_NORMAL)]))
        for match, actions in rules:
            datapath.send_msg(parser.OFPFlowMod(
                datapath=datapath, priority=10, match=parser.OFPMatch(**match),
                instructions=[parser.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, actions)]))
