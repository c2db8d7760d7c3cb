# test_openflow_compare_texts.py - what needs no switch: weir-ofctl prints messages, whole or broken, as Debian's
# ovs-ofctl 3.1 does.
#
#   tests/unit/of_vectors.txt, and what hostile.py makes of it ---> ovs-ofctl ofp-parse  ---> the same text
#                                                              \--> weir-ofctl ofp-parse
import os
import random
import re
import shutil

import pytest
from support import proc
from support.openflow import hostile, ofctl

SEED = int(os.environ.get("WEIR_TEST_SEED", "1"))
MUTANTS = 10000
VERSIONS = range(1, 7)
# Messages are told apart in the output by an echo that no sample is.
MARK = hostile.HEADER.pack(1, hostile.ECHO_REQUEST, 8, 0xfeed)
MARK_TEXT = "OFPT_ECHO_REQUEST (xid=0xfeed): 0 bytes of payload\n"
# What weir-ofctl prints otherwise, and why.
TRUER = {
    "nx_resume": "what is in a continuation is the switch's own affair",
    "nx_ct_flush": "is shown as bytes",
    "controller_status": "Open vSwitch 3.1 does not know it",
    "controller_status_request": "Open vSwitch 3.1 does not know it",
    "controller_status_reply": "Open vSwitch 3.1 does not know it",
    "bundle_features_request": "Open vSwitch 3.1 does not know it",
    "bundle_features_reply": "Open vSwitch 3.1 does not know it",
    "request_forward": "what cannot be read inside does not hide the rest",
    "bundle_add": "the same",
    "table_features_request": "features that are not given are no reason not to show the others",
    "table_features_reply": "weir-ofctl names the fields that weir has",
    "table_mod": "Open vSwitch 3.1 prints ***error*** in 1.4 and 1.5",
    "get_async_reply": "Open vSwitch 3.1 hides reasons that it does not know",
    "port_stats_reply": "Open vSwitch's own counters are not shown",
}
# A message of 1.5 with multipart 17, which Open vSwitch 3.1 does not know; errors that only look like Nicira's; what
# watches a bucket of a group whose type a command to insert it does not say; an error about another version's message.
TRUER_SAMPLES = re.compile(
    r"06(12|13)\w{12}0011|0201\w{12}b0c2|(0601\w{20})?060f00380000000600030000|0401\w{12}ffff08fc4f4e46")
# With more verbosity, ovs-ofctl shows matches of Nicira's messages by the names of their fields on the wire.
RAW = "NXT_FLOW_MOD"

pytestmark = pytest.mark.skipif(shutil.which("ovs-ofctl") is None, reason="needs Debian's openvswitch-switch")


def run(tool, *words, stdin=None, check=True):
    program = proc.build_directory() / "utilities" / tool if tool.startswith("weir") else tool
    return proc.run([program, *words], 60, check, stdin=stdin)


def printed(tmp_path, messages):
    """What each tool prints of each message: a list of pairs."""
    path = tmp_path / "messages"
    path.write_bytes(b"".join(message + MARK for message in messages))
    lists = [run(tool, "ofp-parse", path).stdout.split(MARK_TEXT)[:-1] for tool in ofctl.TOOLS]
    assert [len(texts) for texts in lists] == [len(messages)] * 2
    return list(zip(*lists))


def samples():
    return [sample for version in VERSIONS for same in hostile.samples(version).values() for sample in same]


def test_messages_are_printed_alike(tmp_path):
    chosen = [sample for sample in samples()
              if sample.kind not in TRUER and not TRUER_SAMPLES.match(sample.data.hex())]
    assert len(chosen) > 450
    found = [f"{sample.kind} {sample.data.hex()}\n{expected}{got}" for sample, (expected, got)
             in zip(chosen, printed(tmp_path, [sample.data for sample in chosen])) if got != expected]
    assert not found, "\n".join(found[:10])


@pytest.mark.parametrize("verbosity", ["", "0", "1", "3", "5"])
def test_a_message_is_printed_as_verbosely(verbosity):
    words = [verbosity] if verbosity else []
    kinds = {}
    for sample in samples():
        if sample.kind in ("packet_in", "packet_out", "echo_request", "flow_mod", "error", "hello") and not \
                TRUER_SAMPLES.match(sample.data.hex()):
            kinds.setdefault((sample.kind, sample.version), sample)
    assert len(kinds) > 30
    for sample in kinds.values():
        expected, got = (run(tool, "ofp-print", sample.data.hex(), *words).stdout for tool in ofctl.TOOLS)
        assert got == expected or expected.startswith(RAW)


def test_what_is_no_message_is_shown_as_bytes():
    for text in ("", "01", "0100000800", "01000008000000", "0100000900000001", "010000080000000100", "0700000800000001",
                 "0463000800000001", "0412001000000001fff0000000000000", "01 00 0008 00 00 00 01"):
        answers = [run(tool, "ofp-print", text, check=False) for tool in ofctl.TOOLS]
        assert answers[0].stdout == answers[1].stdout, text
        assert answers[0].returncode == answers[1].returncode, text


def test_broken_messages_are_told_alike(tmp_path):
    """Which of several errors is told first may differ, and whether bits without a meaning are one."""
    mutants = [(sample.kind, mutant) for sample in samples() if sample.kind not in TRUER
               and not TRUER_SAMPLES.match(sample.data.hex()) for mutant in hostile.mutants(sample)]
    chosen = random.Random(SEED).sample(mutants, MUTANTS)
    both, alone, other = 0, [], []
    for (kind, data), texts in zip(chosen, printed(tmp_path, [data for _, data in chosen])):
        is_broken = ["decode error" in text for text in texts]
        if is_broken[0] != is_broken[1]:
            alone.append((kind, data.hex(), *texts))
        elif not is_broken[0]:
            both += 1
            if texts[0] != texts[1]:
                other.append((kind, data.hex(), *texts))
    print(f"{both} read by both, {len(other)} of them otherwise; {len(alone)} by one")
    assert both > MUTANTS / 3
    assert len(other) < both * 0.06, other[:5]
    assert len(alone) < MUTANTS * 0.08, alone[:5]


# ---- how rules are understood

MATCHES = """
in_port=1 dl_src=02:00:00:00:00:01 dl_src=02:00:00:00:00:01/ff:ff:ff:00:00:00
dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 dl_vlan=5 dl_vlan_pcp=3 dl_vlan=0xffff vlan_tci=0
vlan_tci=0x1000/0x1000 vlan_tci=0x5/0xfff vlan_vid=0x1005 vlan_vid=0x1000/0x1000 tcp
ip,nw_src=1.2.3.0/24 ip,nw_src=1.2.3.4/255.0.255.0 ip,nw_tos=4 ip,ip_dscp=1 ip,nw_ecn=1 ip,nw_ttl=4
ip,nw_frag=first tcp,tp_src=5 tcp,tp_src=4/4 tcp,tcp_flags=+syn udp,tp_src=5 sctp,tp_src=5
icmp,icmp_type=5 arp arp,arp_op=1 arp,arp_spa=1.2.3.0/24 arp,arp_spa=1.2.3.4/255.0.255.0
arp,arp_sha=02:00:00:00:00:01 rarp ipv6 ipv6,ipv6_src=::1 ipv6,ipv6_label=4 ipv6,nw_tos=4
ipv6,nw_proto=5 tcp6,tp_src=5 icmp6,icmpv6_type=1 icmp6,icmp_type=135,nd_target=::1 mpls
mpls,mpls_label=4 mpls,mpls_tc=4 mpls,mpls_bos=1 metadata=4 metadata=4/4 tun_id=4 tun_src=1.2.3.4
reg0=1 xreg0=1 xxreg0=1/1 pkt_mark=1 conj_id=1 ct_state=+trk ct_zone=1 ct_mark=1 ct_label=1
actset_output=1 in_port=LOCAL table=5 table=0 priority=9 cookie=7 idle_timeout=6 send_flow_rem
check_overlap reset_counts no_packet_counts importance=7 table=3,reg1=4
""".split()
# Actions, and behind @ what has to be matched for them.
ACTIONS = """
drop output:1 normal controller controller(userdata=01) enqueue:1:2 output(port=1,max_len=50)
output:reg0[] set_queue:4 mod_vlan_vid:5 strip_vlan strip_vlan@dl_vlan=5 push_vlan:0x8100
push_vlan:0x8100,strip_vlan pop_vlan push_vlan:0x8100,mod_vlan_vid:5 mod_vlan_vid:5,strip_vlan
mod_dl_src:02:00:00:00:00:01 mod_nw_src:1.2.3.4@ip mod_nw_src:1.2.3.4 mod_nw_tos:4@ip mod_nw_tos:4
mod_nw_ecn:1@ip dec_ttl@ip dec_ttl mod_tp_src:4@tcp mod_tp_dst:4 set_tunnel:4 resubmit(,2) group:1
meter:1 goto_table:2 clear_actions write_actions(output:1) write_metadata:5/7 learn(table=1,reg0[])
clone(output:1) ct(commit)@ip ct_clear note:01 exit move:reg0[]->reg1[] load:5->reg0[]
load:5->NXM_OF_ETH_DST[] set_field:5->reg0 set_field:02:00:00:00:00:01->eth_dst
set_field:1.2.3.4->ip_dst@ip set_field:::1->ipv6_dst@ipv6 set_field:5->tcp_dst@tcp
set_field:5->sctp_src@sctp set_field:5->ip_dscp@ip set_field:1->nw_ecn@ip set_field:1->nw_ttl@ip
set_field:5->tun_id set_field:5->metadata set_field:5->in_port set_field:5->xreg0
set_field:0x1005->vlan_vid@dl_vlan=5 set_field:5->vlan_pcp@dl_vlan=5 set_field:1->arp_op@arp
set_field:02:00:00:00:00:01->arp_sha@arp set_field:5->mpls_label@mpls set_field:5->mpls_ttl@mpls
push_mpls:0x8847 pop_mpls:0x800@mpls push:reg0[] set_field:5->reg0,goto_table:1 set_vlan_vid:5
set_vlan_pcp:4 ct(commit,exec(set_field:1->ct_mark))@ip write_actions(set_field:5->reg1)
clone(set_field:5->reg1) conjunction(1,1/2)
""".split()
# Open vSwitch takes nw_ecn for a match of OpenFlow 1.1, and "any tag" for none.
TRUER_MATCHES = ("ip,nw_ecn=1", "vlan_tci=0x1000/0x1000", "vlan_vid=0x1000/0x1000")
OPTIONS = ["-O OpenFlow13", "-O OpenFlow15", "-O OpenFlow11", "-F nxm", "-F openflow10", "-F NXM+table_id",
           "-F OpenFlow10,nxm", "-O OpenFlow15 -F oxm", "-O OpenFlow10,OpenFlow13 -F oxm", "-F oxm", "-F bogus", "-O bogus"]


def flows():
    for match in MATCHES:
        if match not in TRUER_MATCHES:
            yield f"{match},actions=drop"
    for word in ACTIONS:
        actions, _, match = word.partition("@")
        yield f"{match}{',' if match else ''}actions={actions}"


def parsed(tool, *words):
    """What was printed, and whether it failed; each tool has its own words for that."""
    done = run(tool, *words, check=False)
    return done.stdout, done.returncode


def test_it_is_told_alike_in_which_forms_a_rule_can_be_sent():
    wrong = []
    for flow in flows():
        expected, got = (parsed(tool, "parse-flow", flow) for tool in ofctl.TOOLS)
        if got != expected:
            wrong.append((flow, expected, got))
    assert not wrong


@pytest.mark.parametrize("options", OPTIONS)
def test_a_form_is_chosen_alike(options):
    for flow in ("in_port=1,actions=1", "table=3,actions=1", "reg1=1,actions=drop", "actions=push_vlan:0x8100",
                 "reset_counts,actions=drop", "actions=bogus", "in_port=1"):
        expected, got = (parsed(tool, *options.split(), "parse-flow", flow) for tool in ofctl.TOOLS)
        assert got == expected, flow


@pytest.mark.parametrize("lines", [["in_port=1,actions=2", "# nothing", "", "reg1=1,actions=group:1"],
                                   ["in_port=1,actions=2", "table=4,in_port=2,actions=drop", " reg1=5 , actions=3 # so"],
                                   ["in_port=1,actions=push_vlan:0x8100", "in_port=2,actions=3"], []])
def test_files_of_rules_are_understood_alike(tmp_path, lines):
    path = ofctl.write_lines(tmp_path, "rules", lines)
    for options in ([], ["-O", "OpenFlow13"], ["-O", "OpenFlow15"]):
        expected, got = (parsed(tool, *options, "parse-flows", path) for tool in ofctl.TOOLS)
        assert got == expected
