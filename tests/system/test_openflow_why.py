# test_openflow_why.py - what traces and dumps of the flow cache say is what real packets do.
#
#   in ---- 1 [        ]
#   out --- 2 [ switch ]
#   other - 3 [        ]
import re
import time

import pytest
from support import proc
from support.openflow import links
from support.openflow.packets import Packet

PARTS = ("in", "out", "other")
GROUPS = ("type=all,bucket=output:2,bucket=set_field:5->ip_dscp,output:3,bucket=in_port",
          "type=select,bucket=weight:1,output:2,bucket=weight:2,output:3",
          "type=ff,bucket=watch_port:99,output:2,bucket=watch_port:3,output:3",
          "type=indirect,bucket=set_field:7->reg1,resubmit(,6)")


class Net:
    """A switch with three links, and rules by ovs-ofctl."""

    def __init__(self, lab):
        self.lab, self.switch, self.bridge = lab, lab.switch, lab.bridge
        made = links.attach(lab.switch, lab.bridge, lab.stack, PARTS)
        self.links = dict(enumerate(made.values(), 1))

    def ofctl(self, *words):
        return proc.run(["ovs-ofctl", "-O", "OpenFlow15", *words], 20, True, self.switch.environment()).stdout

    def rules(self, *texts):
        self.ofctl("del-flows", self.bridge)
        self.ofctl("del-groups", self.bridge)
        for number, group in enumerate(GROUPS, 1):
            if any(f"group:{number}" in text for text in texts):
                self.ofctl("add-group", self.bridge, f"group_id={number},{group}")
        for text in texts:
            self.ofctl("add-flow", self.bridge, text)

    def fresh_rules(self, *texts):
        """The same, with the cache's mask no wider than these read: it stays so for a second after rules go."""
        self.rules()
        time.sleep(1.2)
        self.rules(*texts)

    def trace(self, flow, *more):
        return self.switch.appctl("ofproto/trace", self.bridge, flow, *more)

    def arrivals(self, frame, wait=0.4):
        """What arrives where after 'frame' was sent by port 1: {port: [frames]}."""
        for link in self.links.values():
            link.flush()
        self.links[1].send(frame)
        time.sleep(wait)
        found = {}
        for number, link in self.links.items():
            while (data := link.receive(0)) is not None:
                found.setdefault(number, []).append(data)
        return found


@pytest.fixture(scope="module")
def net(lab):
    net = Net(lab)
    net.ofctl("add-meter", net.bridge, "meter=1,kbps,band=type=drop,rate=100000")
    return net


# Rules of table 0 for UDP packets, with those of other tables.
WAYS = {
    "output": ["actions=output:2"],
    "in_port": ["actions=in_port"],
    "hairpin": ["actions=output:1"],
    "no port": ["actions=output:77"],
    "dropped": ["actions=drop"],
    "no rule": ["tcp,actions=output:2"],
    "all": ["actions=ALL"],
    "group all": ["actions=group:1"],
    "group select": ["actions=group:2"],
    "group failover": ["actions=group:3"],
    "group indirect": ["actions=group:4", "table=6,reg1=7,actions=output:3"],
    "meter and goto": ["actions=meter:1,goto_table:2", "table=2,udp,actions=output:2,output:3"],
    "resubmit": ["actions=load:3->NXM_NX_REG0[],resubmit(,3),output:NXM_NX_REG0[]", "table=3,actions=output:2"],
    "clone": ["actions=clone(dec_ttl,output:2),output:3"],
    "ttl ends": ["actions=set_field:1->nw_ttl,dec_ttl,output:2"],
    "action set": ["actions=write_actions(set_field:1.2.3.4->ip_dst,output:3),goto_table:4",
                   "table=4,actions=output:2"],
    "tags": ["actions=push_vlan:0x8100,set_field:4196->vlan_vid,output:2,pop_vlan,output:3"],
    "headers laid bare": ["actions=push_mpls:0x8847,pop_mpls:0x0800,resubmit(,5)",
                          "table=5,udp,tp_dst=2222,actions=output:3"],
    "length": ["actions=check_pkt_larger(60)->NXM_NX_REG0[0],resubmit(,7)",
               "table=7,reg0=0x1/0x1,actions=output:2", "table=7,reg0=0x0/0x1,actions=output:3"],
    "loop": ["actions=output:2,resubmit(,0)"],
    "normal": ["actions=NORMAL"],
}


def rule(text):
    return f"priority=10,{text}" if text.startswith(("table", "tcp")) else f"priority=10,udp,{text}"


@pytest.mark.parametrize("way", WAYS)
def test_a_trace_ends_where_the_packet_does(net, way):
    frame = Packet("udp").bytes()
    net.rules(*map(rule, WAYS[way]))
    told = net.trace("in_port=1", frame.hex())
    ports = sorted(int(port) for port in re.findall(r"^Output: port (\d+)", told, re.M) if port != "65534")
    came = net.arrivals(frame)
    assert ports == sorted(number for number, frames in came.items() for _ in frames), told
    if not ports:
        assert re.search(r"^Drop: rx_\w+$", told, re.M), told


def test_a_dropped_packet_has_the_reason_that_is_counted(net):
    frame = Packet("udp").bytes()
    name = net.links[1].outside
    for way, reason in (("no rule", "rx_no_rule"), ("dropped", "rx_by_rule"), ("hairpin", "rx_hairpin"),
                        ("no port", "rx_no_output"), ("loop", "rx_too_many_resubmits"), ("ttl ends", "rx_ttl_ends")):
        net.rules(*map(rule, WAYS[way]))
        before = counter(net, name, f"drop_{reason}")
        assert f"Drop: {reason}\n" in net.trace("in_port=1", frame.hex()), way
        assert counter(net, name, f"drop_{reason}") == before, "a trace counts nothing"
        net.arrivals(frame, 0.1)
        assert counter(net, name, f"drop_{reason}") == before + 1, way


def counter(net, port, name):
    for line in net.switch.appctl("port/counters", port).splitlines():
        key, value = line.split(": ")
        if key == name:
            return int(value)
    return 0


def test_only_a_packet_has_effects(net):
    learn = "learn(table=9,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),NORMAL"
    flow = "in_port=1,udp,dl_src=02:00:00:00:00:77,nw_ttl=64"
    net.rules(f"udp,actions={learn}")
    net.switch.appctl("fdb/flush", net.bridge)
    assert "so learn action ignored" in net.trace(flow)
    assert "02:00:00:00:00:77" not in net.switch.appctl("fdb/show", net.bridge)
    assert "dl_dst" not in net.ofctl("dump-flows", net.bridge, "table=9")
    assert "so learn action ignored" not in net.trace(flow, "-generate")
    assert "02:00:00:00:00:77" in net.switch.appctl("fdb/show", net.bridge)
    assert "dl_dst=02:00:00:00:00:77" in net.ofctl("dump-flows", net.bridge, "table=9")
    assert " n_packets=0, n_bytes=0, " in net.ofctl("dump-flows", net.bridge, "table=0")


def test_a_trace_reads_as_open_vswitchs(net):
    net.fresh_rules("cookie=0x77,priority=10,udp,in_port=1,actions=set_field:5->reg0,goto_table:2",
                    "table=2,priority=5,reg0=5,ip,actions=set_field:1.2.3.4->ip_dst,output:2")
    told = net.trace("in_port=1,udp,nw_src=10.0.0.1,udp_dst=53,nw_ttl=64,dl_src=00:01:02:03:04:05")
    flow = ("in_port=1,vlan_tci=0x0000,dl_src=00:01:02:03:04:05,dl_dst=00:00:00:00:00:00,nw_src=10.0.0.1,nw_dst={},"
            "nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=0,tp_dst=53")
    assert told.splitlines()[:-1] == [
        "Flow: udp," + flow.format("0.0.0.0"), "",
        f'bridge("{net.bridge}")', "-" * len(f'bridge("{net.bridge}")'),
        " 0. udp,in_port=1, priority 10, cookie 0x77", "    set_field:0x5->reg0", "    goto_table:2",
        " 2. ip,reg0=0x5, priority 5", "    set_field:1.2.3.4->ip_dst", "    output:2", "",
        "Final flow: udp,reg0=0x5," + flow.format("1.2.3.4"),
        "Megaflow: recirc_id=0,eth,udp,in_port=1",
        f"Datapath actions: set(ipv4(dst=1.2.3.4)),{dp_number(net, 2)}"], told


def test_tables_one_after_the_other_stand_below_each_other(net):
    """A resubmit that ends a rule leads on, as goto_table does; another one is a level deeper."""
    net.fresh_rules("udp,actions=resubmit(,3),resubmit(,4)", "table=3,actions=set_field:1->reg1",
                    "table=4,actions=resubmit(,5)", "table=5,actions=output:2")
    told = net.trace("in_port=1,udp").splitlines()
    begin = told.index(" 0. udp, priority 32768")
    assert told[begin + 1:told.index("Final flow: udp,reg1=0x1," + told[0].removeprefix("Flow: udp,")) - 1] == [
        "    resubmit(,3)", "     3. priority 32768", "        set_field:0x1->reg1",
        "    resubmit(,4)", " 4. priority 32768", "    resubmit(,5)", " 5. priority 32768", "    output:2"], told


def test_a_trace_tells_what_ports_do_to_it(net):
    net.rules("actions=output:2")
    inside, outside = net.links[1].outside, net.links[2].outside
    try:
        net.switch.vsctl("set", "interface", inside, "ingress_policing_rate=3000", "ingress_policing_kpkts_rate=2")
        told = net.trace("in_port=1,udp")
        assert "\n -> above 3000 kbit/s what the port sends is dropped" in told
        assert "\n -> above 2000 packets/s what the port sends is dropped" in told
        assert "above" not in net.trace("in_port=3,udp")
        net.ofctl("mod-port", net.bridge, outside, "no-forward")
        told = net.trace("in_port=1,udp")
        assert "    output:2\n     >> no-forward is set on the port" in told
        assert "Drop: tx_port_no_forward at port 2" in told
        net.ofctl("mod-port", net.bridge, inside, "no-receive")
        told = net.trace("in_port=1,udp")
        assert told.startswith("Flow: udp,in_port=1,") and " 0. " not in told
        assert told.endswith("Final flow: unchanged\nDatapath actions: drop\nDrop: rx_port_no_receive\n") or told.endswith(
            "Final flow: unchanged\nDatapath actions: drop\nDrop: rx_port_no_receive")
    finally:
        net.ofctl("mod-port", net.bridge, inside, "receive")
        net.ofctl("mod-port", net.bridge, outside, "forward")
        net.switch.vsctl("set", "interface", inside, "ingress_policing_rate=0", "ingress_policing_kpkts_rate=0")


def dp_number(net, port):
    name = net.links[port].outside
    return re.search(rf"port (\d+): {name}$", net.switch.appctl("dpctl/show"), re.M).group(1)


def test_a_trace_takes_what_a_dump_shows(net):
    net.rules("udp,nw_src=192.168.10.0/24,tp_dst=2222,actions=output:2", "arp,actions=output:3",
              "dl_vlan=7,actions=IN_PORT")
    tagged = Packet("udp", tags=[(0x8100, 3 << 13 | 7)]).bytes()
    flows = []

    def three_are_cached(names):
        for frame in (Packet("udp").bytes(), Packet("arp").bytes(), tagged):
            for _ in range(3):
                net.arrivals(frame, 0.1)
        flows[:] = re.findall(r"^(recirc_id\S+), packets:.* actions:(.*)$",
                              net.switch.appctl("dpctl/dump-flows", *names), re.M)
        return len(flows) == 3

    for names in ([], ["--names"]):
        # Rules that have just changed what tables look at may put flows in anew.
        proc.wait_until(lambda names=names: three_are_cached(names), 20, "three flows")
        for flow, actions in flows:
            told = net.switch.appctl("ofproto/trace", flow, *names)
            assert f"Datapath actions: {actions}\n" in told, (flow, told)


def test_bad_traces_say_why(net):
    for words, reason in ((["nobr", "tcp"], "nobr: no such bridge"), ([net.bridge, "zz=3"], "zz"),
                          ([net.bridge, "tcp", "xyz"], "hex"), ([net.bridge, "tcp", "ff"], "14 bytes"),
                          ([net.bridge, "tcp", "--warp"], "--warp: unknown option")):
        result = proc.run(["ovs-appctl", "ofproto/trace", *words], 20, False, net.switch.environment())
        assert result.returncode == 2 and reason in result.stderr, result.stderr


def test_the_cache_is_shown_with_what_it_counted(net):
    net.fresh_rules("udp,nw_src=192.168.10.0/24,tp_dst=2222,actions=set_field:9->ip_dscp,output:2",
                    "arp,actions=drop")
    net.arrivals(Packet("udp").bytes(), 0.1)
    for _ in range(10):
        net.links[1].send(Packet("udp").bytes())
        net.links[1].send(Packet("arp").bytes())
        time.sleep(0.02)
    time.sleep(0.2)
    dumped = net.switch.appctl("dpctl/dump-flows", "--names")
    inside, outside = net.links[1].outside, net.links[2].outside
    udp = re.search(rf"recirc_id\(0\),in_port\({inside}\),packet_type\(ns=0,id=0\),eth_type\(0x0800\),"
                    r"ipv4\(src=192.168.10.0/255.255.255.0,proto=17\),udp\(dst=2222\), packets:(\d+), "
                    rf"bytes:(\d+), used:0\.\d+s, actions:set\(ipv4\(tos=0x24/0xfc\)\),{outside}$", dumped, re.M)
    assert udp, dumped
    # The first packet was walked, and the second put the flow in.
    assert int(udp.group(1)) == 9 and int(udp.group(2)) == 9 * len(Packet("udp").bytes())
    assert re.search(r"eth_type\(0x0806\),.*, packets:8, .* actions:drop$", dumped, re.M), dumped
    number = re.search(r"flows: (\d+)", net.switch.appctl("dpctl/show")).group(1)
    assert int(number) == dumped.count("recirc_id(0)")
    assert net.switch.appctl("dpctl/dump-flows", "filter=udp").count("recirc_id(0)") == 1
    assert "dp-extra-info:rx_by_rule\n" in net.switch.appctl("dpctl/dump-flows", "-m", "filter=arp")
