# test_openflow_compare_changes.py - groups, buckets, meters, ports, whole tables and the order of dumps: either tool
# does on either switch what Debian's ovs-ofctl does on Open vSwitch 3.1.
#
#   ovs-ofctl, weir-ofctl ---> Open vSwitch 3.1 (netdev datapath)   the same status, error and dumps,
#                         \--> weir-vswitchd (no hugepages)         four times
import re
import shutil

import pytest
from support.openflow import ofctl

pytestmark = pytest.mark.skipif(shutil.which("ovs-ofctl") is None or shutil.which("ovs-vswitchd") is None,
                                reason="needs Debian's openvswitch-switch")


@pytest.fixture(scope="module")
def pair():
    both = ofctl.Pair()
    yield both
    both.close()


def outcome(side, tool, words, stdin=None):
    """Status and error of the switch; each tool has its own words for what it refuses itself."""
    done = side.run(tool, *words, stdin=stdin, check=False)
    errors = re.findall(r"OFP[A-Z]+_[A-Z_]+", re.sub(r"OFPT_[A-Z_]+", "", done.stdout + done.stderr))
    return done.returncode, errors[:1]


def dumped(side, questions):
    texts = [ofctl.neutral(side.run("ovs-ofctl", *question.split()).stdout, side) for question in questions]
    return [ofctl.sorted_words(ofctl.without_counts(text)) for text in texts]


def compare(pair, clear, changes, questions):
    """'changes' one after the other from an empty state, by each tool on each switch."""
    found = {}
    for tool in ofctl.TOOLS:
        for side in pair.sides:
            for words in clear:
                side.run("ovs-ofctl", *words.split())
            told = found[tool, side.kind] = []
            for change in changes:
                words, _, lines = change.partition(" <<< ")
                told.append((change, outcome(side, tool, words.split(), lines.replace("|", "\n") + "\n" if lines else None),
                             *dumped(side, questions)))
    expected = found.pop(("ovs-ofctl", "ovs-plain"))
    wrong = []
    for (tool, kind), told in found.items():
        wrong += [f"{tool} on {kind}: {a}\n  {b}" for a, b in zip(expected, told) if a != b][:3]
    assert not wrong, "\n".join(wrong)


# Not here: insert-buckets without a bucket, over which Open vSwitch 3.1 hangs; groups that lead to themselves and a
# second bucket of an indirect group, which only weir refuses.
GROUPS = [
    "add-group @ group_id=1,type=all,bucket=output:1,bucket=output:2",
    "mod-group @ group_id=1,type=all,bucket=bucket_id=5,actions=output:1,bucket=bucket_id=6,output:2,set_field:5->reg1",
    "mod-group @ group_id=1,type=all,bucket=bucket_id:5,actions=output:1,bucket=bucket_id:5,actions=output:2",
    "--may-create mod-group @ group_id=2,type=select,selection_method=hash,selection_method_param=3,"
    "fields(ip_dst,nw_proto,tcp_src=0xff),bucket=bucket_id:1,weight:3,actions=output:1,bucket=bucket_id:2,actions=2",
    "--may-create mod-group @ group_id=3,type=select,selection_method=dp_hash,selection_method_param=7,"
    "bucket=weight:0,output:1,bucket=weight:65535,output:2",
    "--may-create mod-group @ group_id=4,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,watch_group:1,output:2",
    "--may-create mod-group @ group_id=5,type=indirect,bucket=actions=drop",
    *(f"--may-create mod-group @ {words}" for words in (
        "group_id=6,type=select,selection_method=hash,fields=ip_dst,bucket=1", "group_id=6,type=select,fields=ip_dst,bucket=1",
        "group_id=7,type=select,selection_method=bogus,bucket=1", "group_id=7,type=all,selection_method=hash,bucket=1",
        "group_id=7,type=bogus,bucket=1", "type=all,bucket=1", "group_id=0xffffff01,type=all,bucket=1", "group_id=7,type=all",
        "group_id=7,type=select,bucket=weight:70000,output:1", "group_id=7,type=all,bucket=weight:7,output:1",
        "group_id=8,type=all,bucket=group:99", "group_id=8,type=all,bucket=goto_table:9", "group_id=8,type=ff,bucket=output:1",
        "group_id=8,type=all,bucket=output:CONTROLLER,dec_ttl", "group_id=9,type=all,bucket=group:8",
        "group_id=8,type=all,command_bucket_id=3,bucket=output:1")),
    *(f"insert-buckets @ group_id={words}" for words in (
        "2,command_bucket_id=first,bucket=bucket_id:7,weight:9,actions=3",
        "2,command_bucket_id=2,bucket=bucket_id:17,weight:9,actions=3,bucket=bucket_id:18,actions=1",
        "2,command_bucket_id=2,bucket=bucket_id:1,actions=3", "2,command_bucket_id=99,bucket=bucket_id:51,actions=3",
        "2,command_bucket_id=all,bucket=bucket_id:51,actions=3", "2,bucket=bucket_id:51,actions=3",
        "77,command_bucket_id=last,bucket=bucket_id:51,actions=3")),
    *(f"remove-buckets @ group_id={words}" for words in (
        "2,command_bucket_id=first", "2,command_bucket_id=last", "2,command_bucket_id=99", "2,command_bucket_id=2",
        "2,command_bucket_id=all", "77,command_bucket_id=all")),
    "mod-group @ group_id=99,type=all,bucket=2", "mod-group @ - <<< group_id=1,type=all,bucket=2",
    "add-groups @ - <<< group_id=30,type=all,bucket=1|group_id=31,type=indirect,bucket=2",
    "--bundle add-groups @ - <<< group_id=32,type=all,bucket=1|group_id=30,type=indirect,bucket=2",
    "--bundle add-groups @ - <<< delete group_id=30|add group_id=33,type=indirect,bucket=2",
    "bundle @ - <<< group add group_id=40,type=all,bucket=1|flow add table=9,actions=group:40|group delete group_id=33",
    "del-groups @ group_id=31", "del-groups @ bogus", "del-groups @ group_id=99", "del-groups @",
]
# Not here: numbers above 262144, and a meter "slowpath", as weir has no slow path.
METERS = [
    *(f"add-meter @ meter={words}" for words in (
        "1,kbps,burst,stats,band=type=drop,rate=5,burst_size=7", "1,kbps,band=type=drop,rate=5",
        "2,pktps,bands=type=drop,rate=5", "4,kbps,pktps,bands=type=drop,rate=5", "5,bands=type=drop,rate=5", "6,kbps",
        "8,kbps,bands=type=bogus,rate=5", "9,kbps,bands=rate=5", "0,kbps,bands=type=drop,rate=10",
        "all,kbps,bands=type=drop,rate=10",
        "10,kbps,bogus,bands=type=drop,rate=10", "10,kbps,bands=type=drop,rate=10,bogus=3",
        "10,kbps,burst,bands=type=drop,rate=4294967295,burst_size=4294967295")),
    "add-meter @ kbps,bands=type=drop,rate=10", "mod-meter @ meter=1,pktps,bands=type=drop,rate=10",
    "mod-meter @ meter=99,pktps,bands=type=drop,rate=10", "del-meter @ meter=99", "del-meter @ meter=slowpath",
    *(f"{what} @ meter=controller,pktps,bands=type=drop,rate={rate}" for what, rate in (
        ("mod-meter", 10), ("add-meter", 20), ("add-meter", 30), ("mod-meter", 40))),
    "dump-meters @ meter=controller", "del-meters @ meter=1", "del-meter @ meter=controller",
    "add-meter @ meter=controller,kbps,bands=type=drop,rate=10", "del-meters @",
]
# Not here: no-stp, which weir, without a spanning tree, does not keep.
PORT_WORDS = ["down", "up", "receive", "no-receive", "receive", "forward", "no-forward", "forward", "flood", "no-flood",
              "flood", "packet-in", "no-packet-in", "packet-in", "receive-stp",
              "no-up", "no-down", "bogus"]


def test_groups_and_buckets_of_1_5(pair):
    compare(pair, ["-O OpenFlow15 del-groups @"], [f"-O OpenFlow15 {words}" for words in GROUPS],
            ["-O OpenFlow15 dump-groups @", "-O OpenFlow13 dump-groups @"])


def test_meters(pair):
    compare(pair, ["-O OpenFlow13 del-meters @"], [f"-O OpenFlow13 {words}" for words in METERS],
            ["-O OpenFlow13 dump-meters @", "-O OpenFlow15 dump-meters @"])


@pytest.mark.parametrize("version", ["1.0", "1.3", "1.5"])
def test_settings_of_ports(pair, version):
    """Only the settings are looked at: how fast a tap is, Open vSwitch makes up; its link, the kernel tells later."""
    found = {(tool, side.kind): [port_settings(side, tool, version, word) for word in PORT_WORDS]
             for tool in ofctl.TOOLS for side in pair.sides}
    expected = found.pop(("ovs-ofctl", "ovs-plain"))
    for who, told in found.items():
        assert told == expected, who


def port_settings(side, tool, version, word):
    done = side.run(tool, "-O", ofctl.option(version), "mod-port", "@", "p2", word, check=False)
    text = side.run("ovs-ofctl", "-O", ofctl.option(version), "dump-ports-desc", "@").stdout
    return word, done.returncode, sorted(re.findall(r"(?m)^ (\w+\(\w+\)).*\n +config: +(.*)", text))


# ---- whole tables

RULES = [
    ["priority=5,in_port=1,actions=2", "priority=5,in_port=2,actions=3", "table=3,priority=9,tcp,tp_dst=80,actions=drop",
     "priority=7,cookie=9,dl_vlan=5,actions=strip_vlan,1", "priority=0,actions=normal"],
    ["priority=5,in_port=1,actions=3", "priority=5,in_port=2,actions=3", "table=3,priority=9,tcp,tp_dst=81,actions=drop",
     "priority=7,cookie=8,dl_vlan=5,idle_timeout=60,actions=strip_vlan,1", "priority=0,actions=normal"],
    ["priority=5,in_port=2,hard_timeout=90,actions=3", "priority=5,ipv6,ipv6_src=fe80::/10,actions=resubmit(,3)"],
    [],
]


@pytest.mark.parametrize("options", [["-O", "OpenFlow13"], ["--bundle"], ["-O", "OpenFlow12", "--readd"],
                                     ["--readd", "--bundle"], ["-O", "OpenFlow15", "--bundle"]])
def test_flows_are_replaced(pair, tmp_path, options):
    """In 1.0, only weir-ofctl does it with tables."""
    files = [ofctl.write_lines(tmp_path, f"rules{i}", lines) for i, lines in enumerate(RULES)]
    compare(pair, ["del-flows @"], [" ".join([*options, "replace-flows", "@", path]) for path in files],
            ["--no-stats dump-flows @", "-O OpenFlow14 --no-stats dump-flows @"])


def test_flows_are_compared(pair, tmp_path):
    """Files, a switch and a file, two switches; what differs has no order within a table."""
    files = [ofctl.write_lines(tmp_path, f"rules{i}", lines) for i, lines in enumerate(RULES)]
    for side in pair.sides:
        side.run("ovs-ofctl", "-O", "OpenFlow13", "replace-flows", "@", files[0])
    pair.weir.run("ovs-ofctl", "add-flow", "@", "priority=77,arp,actions=flood")
    places = [*files, pair.ovs.socket, pair.weir.socket]
    for options in ([], ["-O", "OpenFlow13"]):
        for first in places:
            for second in places:
                answers = [pair.weir.run(tool, *options, "diff-flows", first, second, check=False) for tool in ofctl.TOOLS]
                expected, got = ((sorted(done.stdout.splitlines()), done.returncode) for done in answers)
                assert got == expected, f"{options} {first} {second}"


# ---- how rules are shown

SORTS = ["--sort=in_port", "--rsort=in_port", "--sort=priority --rsort=in_port", "--rsort=in_port --sort=priority",
         "--sort=dl_src", "--rsort=eth_src", "--sort=nw_src --sort=tp_dst", "--sort=bogus", "--sort=in_port --no-stats",
         "--rsort=in_port --names", "--sort=in_port --no-names", "--sort=in_port --stats --color=never",
         "--sort=in_port -m", "--sort=in_port --more --timestamp --strict", "--sort=in_port -t 9", "--sort=in_port --timeout=9",
         "--sort=in_port -t x", "--sort=in_port -F nxm", "--sort=in_port -F openflow10", "--sort=in_port -F bogus"]
SHOWN = [f"priority={9 - i},in_port={i % 3 + 1},dl_src=02:00:00:00:00:{i * 37 % 64:02x},tcp,nw_src=10.0.0.{i * 5 % 7},"
         f"tp_dst={i * 3 % 8},actions={i % 3 + 1}" for i in range(8)]


@pytest.mark.parametrize("options", SORTS)
def test_rules_are_shown_in_the_same_order(pair, options):
    """No two rules are equal in all that is sorted by, which ends with the priority."""
    for side in pair.sides:
        side.run("ovs-ofctl", "del-flows", "@")
        side.run("ovs-ofctl", "add-flows", "@", "-", stdin="\n".join(SHOWN))
    found = pair.differences(*options.split(), "dump-flows", "@",
                             normalise=lambda text: re.sub(r"ofctl: .*\n", "ofctl: refused\n", text))
    assert not found, "\n".join(found)
