# test_openflow_compare.py - Debian's ovs-ofctl gives on weir what it gives on Open vSwitch 3.1, and weir-ofctl
# prints what ovs-ofctl prints: random rules, groups and meters, and every command.
#
#   random rules ---> ovs-ofctl  ---> Open vSwitch 3.1 (netdev datapath)   the same text,
#                \--> weir-ofctl ---> weir-vswitchd (no hugepages)         four times
#
# WEIR_TEST_SEED chooses other rules, WEIR_TEST_RULES how many.
import os
import re
import shutil

import pytest

from support import proc
from support.openflow import flow_texts, ofctl

SEED = int(os.environ.get("WEIR_TEST_SEED", "1"))
RULES = int(os.environ.get("WEIR_TEST_RULES", "10000"))
# Which version says how much of all rules: 1.0 (with NXM) and 1.5 have most to say.
SHARES = {"1.0": 0.25, "1.1": 0.05, "1.2": 0.1, "1.3": 0.2, "1.4": 0.1, "1.5": 0.3}

pytestmark = pytest.mark.skipif(shutil.which("ovs-ofctl") is None or shutil.which("ovs-vswitchd") is None,
                                reason="needs Debian's openvswitch-switch")


@pytest.fixture(scope="module")
def pair():
    print(f"WEIR_TEST_SEED={SEED}")
    both = ofctl.Pair()
    yield both
    both.close()


def add_groups_and_meters(pair):
    texts = flow_texts.Texts(SEED, "1.5")
    pair.do("-O", "OpenFlow15", "add-groups", "@", "-",
            stdin="\n".join(texts.group(n) for n in range(1, flow_texts.GROUPS + 1)) + "\n")
    for number in range(1, flow_texts.METERS + 1):
        pair.do("-O", "OpenFlow13", "add-meter", "@", texts.meter(number))


@pytest.fixture(scope="module")
def tables(pair):
    """Both switches with the same random tables, groups and meters."""
    add_groups_and_meters(pair)
    for version, share in SHARES.items():
        texts = flow_texts.Texts(SEED, version)
        rules = [texts.rule() for _ in range(int(RULES * share))]
        pair.do("-O", ofctl.option(version), "add-flows", "@", "-", stdin="\n".join(rules) + "\n")
    return pair


def same_rules(version):
    """Rules have no order of their own. What matches no tag, OpenFlow 1.1 says in one of its own fields, all of
    vlan_tci; Open vSwitch says it in OXM, of fewer bits, even there."""

    def normalise(text):
        if version == "1.1":
            text = text.replace("vlan_tci=0x0000/0x1fff", "vlan_tci=0x0000")
        return ofctl.sorted_lines(text)

    return normalise


def dump(pair, side, version):
    text = side.run("ovs-ofctl", "-O", ofctl.option(version), "dump-flows", "@").stdout
    return same_rules(version)(ofctl.neutral(text, side))


@pytest.mark.parametrize("version", SHARES)
def test_rules_are_dumped_alike(tables, version):
    found = tables.differences("-O", ofctl.option(version), "dump-flows", "@", normalise=same_rules(version))
    assert not found, "\n".join(found)
    assert len(dump(tables, tables.weir, version).splitlines()) > RULES * 0.7


@pytest.mark.parametrize("tool", ofctl.TOOLS)
def test_there_is_no_difference_between_the_tables(tables, tool):
    done = tables.weir.run(tool, "diff-flows", tables.ovs.socket, tables.weir.socket, check=False)
    assert (done.returncode, done.stdout) == (0, "")


# Whatever is asked, in every version; "@" is the bridge.
QUESTIONS = [
    "show @", "dump-desc @", "dump-tables @", "dump-ports @", "dump-ports @ 2", "dump-ports @ LOCAL", "dump-ports @ p1",
    "dump-ports-desc @", "dump-ports-desc @ 3", "queue-get-config @", "queue-get-config @ 1", "queue-stats @",
    "queue-stats @ 1", "queue-stats @ 1 5", "queue-stats @ 1 6", "dump-group-features @", "meter-features @",
    "dump-groups @", "dump-groups @ 3", "dump-group-stats @", "dump-meters @", "meter-stats @",
    "dump-meters @ meter=2", "get-frags @", "dump-aggregate @", "dump-aggregate @ table=1",
    "dump-aggregate @ table=0,ip", "dump-tlv-map @", "probe @", "dump-table-desc @", "dump-flows @ table=1", "dump-flows @ tcp", "dump-flows @ out_port=LOCAL",
    "dump-flows @ cookie=0/1", "--names dump-flows @ table=1", "--no-stats dump-flows @ udp", "bogus-command @",
    "--no-stats --rsort=priority dump-flows @ table=253,in_port=1", "--no-stats --sort=in_port dump-flows @ table=253,in_port=1",
    "dump-flows no-such-bridge",
]
# Open vSwitch's netdev datapath knows nothing of these; weir tells what is so.
TRUER = [
    (r" min_rate:[0-9.]+%| max_rate:[0-9.]+%", ""),  # the classes' floors and ceilings
    (r"max_groups=0x[0-9a-f]+", "max_groups=N"), (r"band_types: drop dscp_remark", "band_types: drop"),
    (r" copy_ttl_out copy_ttl_in( push_pbb pop_pbb)?", ""),
    (r"max option space=256 max fields=64", "max option space=0 max fields=0"),
    (r"     current:    10GB-FD COPPER\n", ""), (r"speed: [0-9]+ Mbps now", "speed: N Mbps now"),  # of a tap
]


def comparable(text):
    for pattern, instead in TRUER:
        text = re.sub(pattern, instead, text)
    text = ofctl.without_counts(text)
    # What is refused is refused by both, each in its own words; an answer that is an error ends only weir-ofctl so.
    text = re.sub(r"ofctl: .*\n", "ofctl: refused\n", text)
    return ofctl.sorted_blocks(text.replace("status 1\n", ""))


@pytest.mark.parametrize("version", SHARES)
def test_questions_are_answered_alike(queues, version):
    found = []
    for question in QUESTIONS:
        normalise = same_rules(version) if "dump-flows @" in question else comparable
        found += queues.differences("-O", ofctl.option(version), *question.split(), normalise=normalise)
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def queues(tables):
    for side in tables.sides:
        side.switch.vsctl("set", "port", "p1", "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-htb",
                          "other_config:max-rate=100000000", "queues:0=@a", "queues:5=@b",
                          "--", "--id=@a", "create", "queue", "other_config:min-rate=10000000",
                          "--", "--id=@b", "create", "queue", "other_config:min-rate=20000000")
    return tables


@pytest.mark.parametrize("version", ["1.3", "1.4", "1.5"])
@pytest.mark.parametrize("command", ["dump-groups", "dump-group-stats", "dump-meters"])
def test_groups_and_meters_are_dumped_alike(tables, version, command):
    found = tables.differences("-O", ofctl.option(version), command, "@", normalise=ofctl.sorted_words)
    assert not found, "\n".join(found)


def add_what_is_dumped(pair):
    """As 1.5 shows it, by weir-ofctl, to both; returns what they have then, which is the same."""
    lines = pair.weir.run("weir-ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", "@").stdout.splitlines()
    dumps = []
    for side in pair.sides:
        side.run("weir-ofctl", "del-flows", "@")
        side.run("weir-ofctl", "-O", "OpenFlow15", "--bundle", "add-flows", "@", "-", stdin="\n".join(lines) + "\n")
        dumps.append(dump(pair, side, "1.5"))
    assert dumps[0] == dumps[1], ofctl.difference("weir", *dumps)
    return dumps[0]


def test_what_is_dumped_can_be_added_again(tables):
    """Nothing changes but that 1.5 has one word for two of 1.0's matches of no tag: some rules become one."""
    before = dump(tables, tables.ovs, "1.5").splitlines()
    once = add_what_is_dumped(tables)
    assert set(once.splitlines()) <= set(before)
    assert len(once.splitlines()) > len(before) * 0.99
    assert add_what_is_dumped(tables) == once


# Changes one after the other, and what is asked then.
CHANGES = [
    "del-flows @", "-O OpenFlow15 del-groups @", "-O OpenFlow13 del-meters @",
    "add-flow @ priority=5,in_port=1,cookie=7,actions=2", "add-flow @ priority=5,in_port=2,actions=1,3",
    "add-flow @ table=3,priority=9,tcp,tp_dst=80,idle_timeout=500,actions=mod_dl_dst:02:00:00:00:00:01,normal",
    "add-flow @ check_overlap,priority=5,dl_src=02:00:00:00:00:01,actions=drop", "add-flow @ table=255,actions=drop",
    "add-flow @ actions=bogus", "add-flow @ in_port=p2,actions=p3", "add-flow @ tcp,tp_dst=80,nw_src=1.2.3.4/33,actions=1",
    "mod-flows @ in_port=1,actions=3", "--strict mod-flows @ priority=4,in_port=1,actions=LOCAL",
    "--strict mod-flows @ priority=5,in_port=1,actions=LOCAL", "mod-flows @ cookie=7/-1,actions=drop",
    "del-flows @ table=3,udp", "--strict del-flows @ priority=6,in_port=2", "del-flows @ out_port=3",
    "-O OpenFlow13 add-flow @ table=1,in_port=1,actions=2,goto_table:9",
    "-O OpenFlow13 add-flow @ table=9,in_port=1,actions=goto_table:1", "-O OpenFlow13 add-flow @ actions=group:77",
    "-O OpenFlow13 add-flow @ in_port=3,actions=meter:9,output:1", "-O OpenFlow13 add-meter @ meter=9,kbps,band=type=drop,rate=5",
    "-O OpenFlow13 add-meter @ meter=9,kbps,band=type=drop,rate=5", "-O OpenFlow13 add-flow @ in_port=3,actions=meter:9,output:1",
    "-O OpenFlow13 mod-meter @ meter=9,pktps,burst,band=type=drop,rate=9,burst_size=4",
    "-O OpenFlow13 mod-meter @ meter=10,kbps,band=type=drop,rate=9", "-O OpenFlow13 del-meter @ meter=9",
    "-O OpenFlow13 add-group @ group_id=1,type=all,bucket=output:1,bucket=output:2",
    "-O OpenFlow13 add-group @ group_id=1,type=all,bucket=output:1", "-O OpenFlow13 mod-group @ group_id=2,type=all",
    "-O OpenFlow13 --may-create mod-group @ group_id=2,type=indirect,bucket=output:3",
    "-O OpenFlow13 add-group @ group_id=3,type=indirect,bucket=output:1,bucket=output:2",
    "-O OpenFlow13 add-group @ group_id=4,type=select,bucket=weight:3,output:1,bucket=weight:4,output:2",
    "-O OpenFlow13 add-group @ group_id=5,type=ff,bucket=output:1", "-O OpenFlow15 insert-buckets @ group_id=4,command_bucket_id=first,bucket=bucket_id:9,weight:7,actions=output:3",
    "-O OpenFlow15 insert-buckets @ group_id=4,command_bucket_id=last,bucket=bucket_id:9,actions=output:3",
    "-O OpenFlow15 remove-buckets @ group_id=4,command_bucket_id=1", "-O OpenFlow15 remove-buckets @ group_id=4,command_bucket_id=77",
    "-O OpenFlow13 add-flow @ table=2,actions=group:1", "-O OpenFlow13 del-groups @ group_id=1",
    "add-flow @ table=4,actions=learn(table=1,limit=3,result_dst=reg0[31],dl_dst=dl_src),learn(result_dst=pkt_mark[0])",
    "add-flow @ table=5,actions=learn(table=1,limit=3,result_dst=NXM_OF_TCP_DST[0],dl_dst=dl_src)",
    "add-flow @ table=6,actions=learn(table=1,result_dst=NXM_NX_IP_FRAG[0])", "add-flow @ actions=learn(result_dst=reg0[0..1])",
    "-O OpenFlow15 add-flow @ table=7,actions=learn(table=1,result_dst=xxreg1[127]),clone(learn(result_dst=metadata[63]))",
    "-O OpenFlow14 mod-table @ 4 evict", "-O OpenFlow14 mod-table @ 5 vacancy:20,80", "-O OpenFlow14 mod-table @ 5 novacancy",
    "-O OpenFlow11 mod-table @ 6 drop", "-O OpenFlow14 mod-table @ bogus evict", "-O OpenFlow14 mod-table @ 4 noevict",
    "mod-port @ p1 no-flood", "mod-port @ 1 flood", "mod-port @ p2 down", "mod-port @ p2 up", "mod-port @ bogus up",
    "mod-port @ p3 bogus", "packet-out @ in_port=1,packet=02000000000102000000000288b5,actions=2", "packet-out @ LOCAL drop 02000000000102000000000288b5",
    "packet-out @ in_port=1,packet=02000000000102000000000288b5,actions=bogus", "packet-out @ in_port=1,actions=2",
    "set-frags @ drop", "get-frags @", "set-frags @ nx-match", "get-frags @", "set-frags @ reassemble", "get-frags @",
    "set-frags @ normal", "set-frags @ bogus",
    "--bundle add-flow @ table=7,tcp,actions=1", "--bundle add-flow @ table=7,udp,actions=group:99",
    "ping @ 12", "parse-actions-not-a-command", "del-flows @",
]
AFTER = ["dump-flows @", "-O OpenFlow13 dump-flows @", "-O OpenFlow15 dump-groups @", "-O OpenFlow13 dump-meters @",
         "-O OpenFlow14 dump-table-desc @", "dump-ports-desc @"]


@pytest.mark.parametrize("tool", ofctl.TOOLS)
def test_changes_are_made_alike(tables, tool):
    found = []
    for words in CHANGES:
        done = {side.kind: change(side, tool, words) for side in tables.sides}
        if done["weir"] != done["ovs-plain"]:
            found.append(f"{tool} {words}:\n  ovs  {done['ovs-plain']}\n  weir {done['weir']}")
        for question in AFTER if "flow" in words or "group" in words or "meter" in words or "mod-" in words else ():
            found += [f"after {words}: {text}" for text in tables.differences(
                *question.split(), normalise=comparable, tools=("ovs-ofctl",))]
        if len(found) > 8:
            break
    assert not found, "\n".join(found)


def change(side, tool, words):
    """Whether it was done, or the error of the switch; each tool has its own words for what it refuses itself."""
    done = side.run(tool, *words.split(), check=False)
    errors = re.findall(r"OFP[A-Z]+_[A-Z_]+", re.sub(r"OFPT_[A-Z_]+", "", done.stdout + done.stderr))
    return done.returncode, errors[:1]


# What only one of the tools can name, each on the switch that has it.
NAMED_BY_OVS = re.compile(r"nsh_|tun_(erspan|gbp|gtpu|metadata)|ct_(ipv6_|nw_|tp_)|dp_hash$|in_port$")
NAMED_BY_WEIR = re.compile(r"pbb_|(push|pop)_pbb$|copy_ttl_|ipv6_exthdr$")


def words_of(text):
    """The words of a line, those with braces written out: a_{b,c_{d,e}} is a_b, a_c_d and a_c_e."""
    while match := re.search(r"([^\s{},]*)\{([^{}]*)\}", text):
        inside = text.count("{", 0, match.start()) > text.count("}", 0, match.start())
        each = [match[1] + one for one in match[2].split(",")]
        text = text[:match.start()] + ("," if inside else " ").join(each) + text[match.end():]
    return set(text.split())


@pytest.mark.parametrize("version", ["OpenFlow13", "OpenFlow14", "OpenFlow15"])
def test_table_features_are_shown_alike(pair, version):
    for side in pair.sides:
        by_ovs, by_weir = (side.run(tool, "-O", version, "dump-table-features", "@").stdout.splitlines()
                           for tool in ofctl.TOOLS)
        assert len(by_ovs) == len(by_weir) > 20
        for theirs, ours in zip(by_ovs, by_weir):
            difference = words_of(theirs) ^ words_of(ours)
            unknown = NAMED_BY_WEIR if side.kind == "weir" else NAMED_BY_OVS
            assert all(unknown.match(word) for word in difference), (side.kind, theirs, ours)


# 1.0's numbers of ports, of 16 bits, become those of 32: LOCAL is 0xfffe in one.
LEARNING = ("ip,actions=learn(table=1,NXM_OF_IN_PORT[],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
            "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],load:NXM_OF_IN_PORT[]->NXM_OF_IN_PORT[],output:NXM_OF_IN_PORT[]),"
            "learn(table=3,load:7->reg1[4..7],eth_type=0x800,NXM_OF_IP_SRC[],in_port=1,reg2=7,idle_timeout=900),"
            "learn(table=4,OXM_OF_IN_PORT[],priority=5,cookie=9)")
PACKET = "02000000000102000000000{}08004500001c0000000040111a2f0a0000010a0000020035003500080000"


def test_packets_teach_the_same_rules(pair):
    for side in pair.sides:
        side.run("ovs-ofctl", "del-flows", "@")
        side.run("ovs-ofctl", "add-flow", "@", LEARNING)
        for port in ("LOCAL", "2"):
            for number in range(3):
                side.run("ovs-ofctl", "packet-out", "@",
                         f"in_port={port},packet={PACKET.format(number)},actions=table")
        proc.wait_until(lambda side=side: len(dump(pair, side, "1.0").splitlines()) == 10, 5, "rules are learned")
    found = pair.differences("--no-stats", "dump-flows", "@", normalise=ofctl.sorted_lines)
    assert not found, "\n".join(found)


def test_a_port_of_16_bits_in_a_register_is_one_of_1_0(pair):
    sent = {}
    for side in pair.sides:
        side.run("ovs-ofctl", "del-flows", "@")
        side.run("ovs-ofctl", "add-flow", "@", "actions=load:0xfffe->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15]")
        before = transmitted(side)
        side.run("ovs-ofctl", "packet-out", "@", f"in_port=2,packet={PACKET.format(1)},actions=table")
        proc.wait_until(lambda side=side, before=before: transmitted(side) > before, 5, "the packet leaves by LOCAL")
        sent[side.kind] = transmitted(side) - before
    assert sent == {"ovs-plain": 1, "weir": 1}


def transmitted(side):
    text = side.run("ovs-ofctl", "dump-ports", "@", "LOCAL").stdout
    return int(re.search(r"tx pkts=([0-9]+)", text)[1])
