"""Rules as text: lib/openflow reads and prints what Debian's ovs-ofctl does, byte for byte.

    random rules -> of_text_tool --------------.
                 -> ovs-ofctl diff-flows ------+-- the same lines

"diff-flows FILE EMPTY" prints rules as they were read, without a way over the wire. What
ovs-ofctl refuses for reasons other than its syntax (prerequisites) is not compared.
"""

import os
import pathlib
import random
import shutil
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", "build"))
TOOL = BUILD / "tests/support/of_text_tool"
SEED = int(os.environ.get("WEIR_TEST_SEED", "1"))
RULES = 3000

pytestmark = pytest.mark.skipif(
    shutil.which("ovs-ofctl") is None or not TOOL.exists(), reason="needs ovs-ofctl"
)


def mac(r):
    return ":".join(f"{r.randrange(256):02x}" for _ in range(6))


def ipv4(r):
    address = ".".join(str(r.randrange(256)) for _ in range(4))
    return address + r.choice(["", "", f"/{r.randrange(33)}", "/255.0.255.0"])


def ipv6(r):
    address = r.choice(["::1", "fe80::1", "2001:db8::5:0", "::ffff:1.2.3.4", "ff02::1:ff00:1"])
    return address + r.choice(["", "", f"/{r.randrange(129)}", "/ffff::ff"])


def number(r, bits, maskable=True):
    value = r.choice([0, 1, r.randrange(1 << bits), (1 << bits) - 1])
    text = r.choice([str(value) if bits <= 64 else hex(value), hex(value)])
    if maskable and r.random() < 0.3:
        text += "/" + hex(r.randrange(1, 1 << bits))
    return text


def written(r, bits):
    """A value for set_field: without bits outside of its mask, which switches refuse."""
    value = r.choice([0, 1, r.randrange(1 << bits), (1 << bits) - 1])
    if r.random() < 0.7:
        return hex(value)
    mask = r.randrange(1, 1 << bits)
    return f"{value & mask:#x}/{mask:#x}"


def flags(r, names):
    chosen = r.sample(names, r.randrange(1, len(names)))
    if r.random() < 0.3:
        return "|".join(chosen)
    return "".join(r.choice("+-") + name for name in chosen)


CT = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"]
TCP = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"]

METADATA = {
    # What overlaps is left out: which of two that differ counts is nobody's business.
    **{f"reg{i}": lambda r: number(r, 32) for i in range(8)},
    "xreg4": lambda r: number(r, 64),
    "xxreg3": lambda r: number(r, 128),
    "metadata": lambda r: number(r, 64),
    "tun_id": lambda r: number(r, 64),
    "tun_src": ipv4,
    "tun_dst": ipv4,
    "tun_flags": lambda r: r.choice(["oam", "+oam", "-oam", "0", "1", "0/1"]),
    "pkt_mark": lambda r: number(r, 32),
    "ct_state": lambda r: r.choice([flags(r, CT), number(r, 8)]),
    "ct_zone": lambda r: number(r, 16, False),
    "ct_mark": lambda r: number(r, 32),
    "ct_label": lambda r: number(r, 128),
    "conj_id": lambda r: number(r, 32, False),
    "actset_output": lambda r: r.choice(["1", "LOCAL", "unset"]),
    "in_port": lambda r: r.choice(["1", "65279", "LOCAL", "local", "controller", "ANY"]),
    "dl_src": lambda r: mac(r) + r.choice(["", "/" + mac(r)]),
    "eth_dst": lambda r: mac(r) + r.choice(["", "/01:00:00:00:00:00"]),
    "vlan_tci": lambda r: number(r, 16),
    "dl_vlan": lambda r: r.choice(["0xffff", str(r.randrange(4096))]),
    "dl_vlan_pcp": lambda r: str(r.randrange(8)),
    "vlan_vid": lambda r: number(r, 13),
    "vlan_pcp": lambda r: str(r.randrange(8)),
}
IP = {
    "nw_tos": lambda r: str(r.randrange(256)),
    "ip_dscp": lambda r: str(r.randrange(64)),
    "nw_ecn": lambda r: str(r.randrange(4)),
    "nw_ttl": lambda r: str(r.randrange(256)),
    "nw_frag": lambda r: r.choice(["no", "yes", "first", "later", "not_later"]),
}
IPV4 = {"nw_src": ipv4, "ip_dst": ipv4, **IP}
IPV6 = {
    "ipv6_src": ipv6,
    "ipv6_dst": ipv6,
    "ipv6_label": lambda r: number(r, 20),
    **IP,
}
PORTS = {"tp_src": lambda r: number(r, 16), "tp_dst": lambda r: number(r, 16)}
ICMP = {"icmp_type": lambda r: str(r.randrange(256)), "icmp_code": lambda r: "3"}
ND = {
    "nd_target": ipv6,
    "nd_sll": mac,
}
TCP_FLAGS = {"tcp_flags": lambda r: r.choice([flags(r, TCP), number(r, 12)])}
PROTOCOLS = [
    ("", {}),
    ("ip", IPV4),
    ("dl_type=0x800,ip_proto=47", IPV4),
    ("ipv6", IPV6),
    ("tcp", {**IPV4, **PORTS, **TCP_FLAGS}),
    ("tcp6", {**IPV6, **PORTS, **TCP_FLAGS}),
    ("udp", {**IPV4, **PORTS}),
    ("udp6", {**IPV6, **PORTS}),
    ("sctp", {**IPV4, **PORTS}),
    ("sctp6", {**IPV6, **PORTS}),
    ("icmp", {**IPV4, **ICMP}),
    ("icmp6", {**IPV6, **ICMP}),
    ("icmp6,icmp_type=135", {**IPV6, **ND}),
    (
        "arp",
        {
            "arp_op": lambda r: str(r.randrange(256)),
            "arp_spa": ipv4,
            "arp_tpa": ipv4,
            "arp_sha": mac,
            "arp_tha": mac,
        },
    ),
    ("rarp", {"arp_op": lambda r: "3"}),
    (
        "mpls",
        {
            "mpls_label": lambda r: number(r, 20, False),
            "mpls_tc": lambda r: str(r.randrange(8)),
            "mpls_bos": lambda r: str(r.randrange(2)),
            "mpls_ttl": lambda r: str(r.randrange(256)),
        },
    ),
    ("dl_type=0x88cc", {}),
]


def port(r):
    return r.choice(["1", "77", "LOCAL", "in_port", "65279"])


def subfield(r, bits=None):
    name = r.choice(["reg3", "NXM_NX_REG4", "reg15"])
    width = bits or r.randrange(1, 33)
    first = r.randrange(33 - width)
    return f"{name}[{first}..{first + width - 1}]" if width > 1 else f"{name}[{first}]"


def learned(r):
    return r.choice(
        [
            "NXM_OF_VLAN_TCI[0..11]",
            "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]",
            "eth_type=0x800",
            "reg2=" + number(r, 32, False),
            "reg2[3..9]=" + str(r.randrange(128)),
            "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]",
            "load:" + str(r.randrange(16)) + "->" + subfield(r, 8),
            "output:NXM_OF_IN_PORT[]",
            "idle_timeout=5",
            "priority=7",
            "cookie=0x9",
            "send_flow_rem",
            "delete_learned",
            "limit=3",
            "fin_idle_timeout=3",
        ]
    )


def action(r, depth=0):
    width = r.randrange(1, 33)
    choices = [
        port(r),
        "output:" + port(r),
        "output:" + subfield(r, 16),
        f"output(port={r.randrange(1, 99)},max_len={r.randrange(14, 2000)})",
        "normal",
        "FLOOD",
        "all",
        f"controller:{r.randrange(65536)}",
        "controller(reason=no_match,max_len=12,id=3,userdata=01.02.0304,pause)",
        f"enqueue:{port(r)}:{r.randrange(9)}",
        f"group:{r.randrange(9)}",
        f"set_queue:{r.randrange(9)}",
        "pop_queue",
        f"mod_vlan_vid:{r.randrange(4096)}",
        f"mod_vlan_pcp:{r.randrange(8)}",
        "mod_dl_src:" + mac(r),
        "mod_dl_dst:" + mac(r),
        f"set_tunnel:{r.randrange(1 << 34):#x}",
        "set_tunnel64:5",
        f"resubmit({r.choice(['', port(r)])},{r.randrange(255)})",
        f"resubmit:{r.randrange(1, 9)}",
        "push:" + subfield(r),
        "pop:" + subfield(r),
        f"load:{r.randrange(1 << width):#x}->{subfield(r, width)}",
        f"load:{r.randrange(1 << 90):#x}->xxreg2[0..99]",
        f"move:{subfield(r, width)}->{subfield(r, width)}",
        "move:eth_src->eth_dst",
        "set_field:" + written(r, 32) + "->reg1",
        "set_field:" + written(r, 64) + "->xreg2",
        "set_field:" + written(r, 128) + "->xxreg3",
        "set_field:" + written(r, 64) + "->metadata",
        f"set_field:{mac(r)}->eth_src",
        "set_field:1.2.3.4->tun_dst",
        "set_field:fe80::5->tun_ipv6_dst",
        "ct_clear",
        "exit",
        "note:00.11.22aabb",
        f"multipath(symmetric_l3l4+udp,{r.randrange(99)},hrw,4,0,reg1[0..7])",
        "bundle(eth_src,0,active_backup,ofport,members:1,LOCAL,3)",
        "bundle_load(nw_dst,5,hrw,ofport,NXM_NX_REG1[],members:7)",
        "sample(probability=5,collector_set_id=1,obs_domain_id=2,obs_point_id=3,egress)",
        f"check_pkt_larger({r.randrange(9999)})->{subfield(r, 1)}",
        "learn(table=3," + ",".join(learned(r) for _ in range(r.randrange(4))) + ")",
    ]
    if depth < 3:
        inner = ",".join(action(r, depth + 1) for _ in range(r.randrange(4)))
        choices.append(f"clone({inner})")
    return r.choice(choices)


def instructions(r, protocol):
    words = []
    if r.random() < 0.1:
        words.append("meter:3")
    words += [action(r) for _ in range(r.randrange(5))]
    if protocol in ("ip", "tcp", "udp"):
        words += r.sample(
            [
                "dec_ttl",
                "dec_ttl(1,2)",
                "mod_nw_src:1.2.3.4",
                "mod_nw_tos:16",
                "mod_nw_ttl:5",
                "set_field:1.2.3.0/24->nw_dst",
                "set_field:5->ip_dscp",
                "ct(commit,zone=5,nat(src=1.2.3.4-1.2.3.9:5-9,persistent))",
                "ct(table=4,zone=reg0[0..15],nat)",
                "ct(commit,force,exec(load:5->ct_mark,set_field:5/7->ct_label))",
                "resubmit(,7,ct)",
            ],
            r.randrange(4),
        )
    tail = ["clear_actions", "write_actions(2,set_field:5->reg1)", "write_metadata:5/7"]
    words += [word for word in tail if r.random() < 0.1]
    if r.random() < 0.1:
        words.append("goto_table:200")
    return ",".join(words) or "drop"


def rule(r):
    words = []
    if r.random() < 0.3:
        words.append(f"priority={r.choice([0, 5, 32768, 65535])}")
    for word in ("table=5", "idle_timeout=7", "hard_timeout=0x10", "importance=3", "send_flow_rem"):
        if r.random() < 0.1:
            words.append(word)
    protocol, fields = r.choice(PROTOCOLS)
    if protocol:
        words.append(protocol)
    for known in (METADATA, fields):
        for name in r.sample(list(known), min(len(known), r.randrange(4))):
            words.append(f"{name}={known[name](r)}")
    return ",".join(words + ["actions=" + instructions(r, protocol)])


def ovs_print(text, folder):
    """The rule as ovs-ofctl prints it; None if it refuses it."""
    (folder / "rule").write_text(text + "\n")
    (folder / "empty").write_text("")
    done = subprocess.run(
        ["ovs-ofctl", "diff-flows", folder / "rule", folder / "empty"],
        capture_output=True,
        text=True,
    )
    if done.returncode not in (0, 2) or not done.stdout:
        return None
    return done.stdout.splitlines()[0][1:]


def test_rules_print_as_ovs_ofctl_prints_them(tmp_path):
    r = random.Random(SEED)
    rules = [rule(r) for _ in range(RULES)]
    done = subprocess.run(
        [TOOL], input="\n".join(rules) + "\n", capture_output=True, text=True, check=True
    )
    differences, compared = [], 0
    for text, ours in zip(rules, done.stdout.splitlines()):
        theirs = ovs_print(text, tmp_path)
        if theirs is None:
            continue
        compared += 1
        if ours != "ok " + theirs:
            differences.append(f"{text}\n  ovs  {theirs}\n  weir {ours}")
    assert compared > RULES / 2
    assert not differences, f"{len(differences)} of {compared}:\n" + "\n".join(differences[:20])
