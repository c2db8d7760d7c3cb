# test_flow_tables.py - Bridge.flow_tables: names, limits and eviction of OpenFlow tables are what they are in Open
# vSwitch 3.1.
#
#   ovs-vsctl, ovs-ofctl ---> Open vSwitch 3.1 (netdev datapath)   the same answers
#                        \--> weir-vswitchd (no hugepages)
import re
import shutil

import pytest
from support import proc
from support.openflow import ofctl

pytestmark = pytest.mark.skipif(shutil.which("ovs-ofctl") is None or shutil.which("ovs-vswitchd") is None,
                                reason="needs Debian's openvswitch-switch")
VERSIONS = ("OpenFlow10", "OpenFlow13", "OpenFlow15")


@pytest.fixture(scope="module")
def pair():
    both = ofctl.Pair()
    yield both
    both.close()


@pytest.fixture(autouse=True)
def no_tables(pair):
    for side in pair.sides:
        side.switch.vsctl("clear", "bridge", ofctl.BRIDGE, "flow_tables")
        side.run("ovs-ofctl", "del-flows", "@")


def configure(pair, number, *columns):
    """A row of Flow_Table for a table, instead of the one that it has."""
    for side in pair.sides:
        side.switch.vsctl("remove", "bridge", ofctl.BRIDGE, "flow_tables", str(number), "--", "set", "bridge",
                          ofctl.BRIDGE, f"flow_tables:{number}=@ft", "--", "--id=@ft", "create", "flow_table", *columns)


def rules(side, *words):
    text = side.run("ovs-ofctl", *words, "--no-stats", "dump-flows", "@").stdout
    return sorted(line.strip() for line in text.splitlines() if "actions=" in line)


def change(pair, *words, tool="ovs-ofctl"):
    """What both say to a change: the error, or nothing. They agree on it, and on the rules that are there then."""
    said = []
    for side in pair.sides:
        done = side.run(tool, *words, check=False)
        said.append((re.findall(r"OFP(?!T_)[A-Z]+_[A-Z_]+", done.stderr)[:1], rules(side)))
    assert said[0] == said[1], words
    return said[0][0]


def ports(pair):
    """Of which ports there are rules, likewise."""
    there = [[int(re.search(r"in_port=p?(\d+)", rule)[1]) for rule in rules(side)] for side in pair.sides]
    assert sorted(there[0]) == sorted(there[1])
    return sorted(there[1])


def told(text):
    """Of the tables' descriptions: names, and how many rules they take."""
    return "\n".join(re.findall(r"^ +tables? .*|^ +max_entries.*|^ +active=\d+", text, re.MULTILINE))


@pytest.mark.parametrize("version", VERSIONS)
def test_names_are_told_and_understood(pair, version):
    configure(pair, 0, "name=in", "flow_limit=30")
    configure(pair, 5, "name=acl")
    configure(pair, 6, "name=0123456789012345678901234567890123456789")
    found = pair.differences("-O", version, "dump-tables", "@", normalise=told)
    if version != "OpenFlow10":
        found += pair.differences("-O", version, "dump-table-features", "@", normalise=told)
    assert not found, "\n".join(found)
    answer = pair.weir.run("ovs-ofctl", "dump-tables", "@").stdout
    assert re.search(r'table 0 \("in"\):\n.*\n +max_entries=30\n', answer)
    assert 'table 5 ("acl")' in answer and 'table 6 ("0123456789012345678901234567890")' in answer
    for tool, port in (("ovs-ofctl", 1), ("weir-ofctl", 2)):
        for side in pair.sides:
            side.run(tool, "-O", version, "add-flow", "@", f"table=acl,in_port={port},actions=resubmit(,acl)")
    found = pair.differences("--names", "-O", version, "--no-stats", "dump-flows", "@", normalise=ofctl.sorted_lines)
    assert not found, "\n".join(found)
    assert [rule for rule in rules(pair.weir, "--names", "-O", version) if rule.startswith("table=acl,")]
    assert [line for line in rules(pair.weir, "--no-names") if line.startswith("table=5,")]


@pytest.mark.parametrize("tool", ofctl.TOOLS)
@pytest.mark.parametrize("version", ("OpenFlow13", "OpenFlow14", "OpenFlow15"))
def test_controllers_give_names_where_there_are_none(pair, version, tool):
    configure(pair, 0, "name=in")
    named = []
    for words in (("0", "name:other"), ("0", "name:in"), ("0", "name:"), ("1", "name:one"), ("2", "name:two"),
                  ("one", "name:"), ("two", "name:three"), ("no-such-table", "name:x")):
        named.append(change(pair, "-O", version, "mod-table", "@", *words, tool=tool))
        found = pair.differences("dump-tables", "@", normalise=told)
        assert not found, "\n".join(found)
    assert named == [["OFPTFFC_EPERM"]] + [[]] * 7
    answer = pair.weir.run("ovs-ofctl", "dump-tables", "@").stdout
    assert [name in answer for name in ("in", "other", "one", "two", "three")] == [True, False, False, False, True]
    # The configuration's comes first, and leaves none.
    configure(pair, 2, "name=configured")
    assert 'table 2 ("configured")' in pair.weir.run("ovs-ofctl", "dump-tables", "@").stdout
    for side in pair.sides:
        side.switch.vsctl("clear", "bridge", ofctl.BRIDGE, "flow_tables")
    found = pair.differences("dump-tables", "@", normalise=told)
    assert not found, "\n".join(found)


def test_a_full_table_refuses(pair):
    configure(pair, 0, "flow_limit=2", "overflow_policy=refuse")
    assert change(pair, "add-flow", "@", "in_port=1,idle_timeout=60,actions=drop") == []
    assert change(pair, "add-flow", "@", "in_port=2,actions=drop") == []
    assert change(pair, "add-flow", "@", "in_port=3,actions=drop") == ["OFPFMFC_TABLE_FULL"]
    assert change(pair, "-O", "OpenFlow14", "add-flow", "@", "in_port=3,actions=drop") == ["OFPFMFC_TABLE_FULL"]
    assert change(pair, "add-flow", "@", "in_port=2,actions=normal") == []
    assert change(pair, "add-flow", "@", "table=1,in_port=3,actions=drop") == []
    # A bundle is refused as a whole.
    assert change(pair, "-O", "OpenFlow14", "--bundle", "add-flow", "@",
                  "table=0,in_port=4,actions=drop") == ["OFPFMFC_TABLE_FULL"]
    # What is there stays under a lower limit; without a limit there is room again.
    configure(pair, 0, "flow_limit=0")
    assert ports(pair) == [1, 2, 3]
    assert change(pair, "add-flow", "@", "in_port=5,actions=drop") == ["OFPFMFC_TABLE_FULL"]
    configure(pair, 0, "name=unbounded")
    assert change(pair, "add-flow", "@", "in_port=5,actions=drop") == []


def test_a_full_table_evicts_what_ends_first(pair):
    configure(pair, 0, "flow_limit=3", "overflow_policy=evict")
    for rule in ("in_port=1", "in_port=2,hard_timeout=600", "in_port=3,idle_timeout=300", "in_port=4"):
        assert change(pair, "add-flow", "@", f"{rule},actions=drop") == []
    assert ports(pair) == [1, 2, 4]
    assert change(pair, "-O", "OpenFlow14", "add-flow", "@", "in_port=5,importance=7,hard_timeout=9,actions=drop") == []
    assert ports(pair) == [1, 4, 5]
    assert change(pair, "add-flow", "@", "in_port=6,actions=drop") == []
    # None of these has a timeout.
    assert change(pair, "add-flow", "@", "in_port=7,hard_timeout=5,actions=drop") == ["OFPFMFC_TABLE_FULL"]
    configure(pair, 0, "flow_limit=6", "overflow_policy=evict")
    for importance, port in ((2, 1), (1, 2), (3, 3)):
        change(pair, "-O", "OpenFlow14", "add-flow", "@",
               f"table=0,tcp,in_port={port},importance={importance},hard_timeout={port}00,actions=drop")
    change(pair, "add-flow", "@", "in_port=8,actions=drop")
    assert ports(pair) == [1, 1, 3, 4, 6, 8]
    # A lower limit evicts at once, but nothing that does not end.
    configure(pair, 0, "flow_limit=2", "overflow_policy=evict")
    assert ports(pair) == [1, 4, 6, 8]


def test_the_largest_group_gives_one_up(pair):
    configure(pair, 0, "flow_limit=5", "overflow_policy=evict", 'groups="NXM_OF_IN_PORT[]","NXM_OF_VLAN_TCI[0..11]"')
    for rule in ("in_port=1,tcp,hard_timeout=800", "in_port=1,udp,hard_timeout=700", "in_port=1,icmp,hard_timeout=900",
                 "in_port=2,tcp,hard_timeout=100", "in_port=2,dl_vlan=5,hard_timeout=50", "in_port=3"):
        assert change(pair, "add-flow", "@", f"{rule},actions=drop") == []
    assert ports(pair) == [1, 1, 2, 2, 3]
    assert "nw_proto=17" not in str(rules(pair.weir)) and "udp" not in str(rules(pair.weir))
    # All in one group again.
    configure(pair, 0, "flow_limit=5", "overflow_policy=evict")
    assert change(pair, "add-flow", "@", "in_port=4,actions=drop") == []
    assert ports(pair) == [1, 1, 2, 3, 4]


def test_controllers_may_let_a_table_evict(pair):
    configure(pair, 0, "flow_limit=1")
    for words in (("evict",), ("noevict",)):
        assert change(pair, "-O", "OpenFlow14", "mod-table", "@", "0", *words) == []
        found = pair.differences("-O", "OpenFlow14", "dump-table-desc", "@")
        assert not found, "\n".join(found)
        refused = [] if words == ("evict",) else ["OFPFMFC_TABLE_FULL"]
        change(pair, "add-flow", "@", "in_port=1,hard_timeout=100,actions=drop")
        assert change(pair, "add-flow", "@", "in_port=2,hard_timeout=100,actions=drop") == refused
        pair.do("del-flows", "@")


def test_what_is_not_known_is_told_once(pair):
    def logged(words):
        return [line for line in pair.weir.switch.log_text().splitlines() if words in line]

    configure(pair, 3, "name=x", "prefixes=ip_dst,ip_src", "groups=reg0,reg1")
    assert not logged("table 3")
    configure(pair, 3, "name=x", "prefixes=ip_dst,no-such-field")
    proc.wait_until(lambda: logged("br0: table 3: prefixes: no-such-field"), 5, "the warning", 0.05)
    configure(pair, 4, "name=y", "groups=bogus")
    assert len(logged("table 3: prefixes")) == 1


def test_a_restart_keeps_them(pair):
    configure(pair, 7, "name=kept", "flow_limit=1")
    for side in pair.sides:
        side.switch.stop()
        side.switch.start()
    assert change(pair, "add-flow", "@", "table=kept,in_port=1,actions=drop") == []
    assert change(pair, "add-flow", "@", "table=kept,in_port=2,actions=drop") == ["OFPFMFC_TABLE_FULL"]
