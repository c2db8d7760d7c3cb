# test_openflow_differential.py - random tables, groups and frames through weir and through Open vSwitch 3.1: what comes
# out of every port is the same, byte by byte.
#
#   p1 .. p4 --- 1..4 [ Open vSwitch ] (netdev datapath)    each frame into the same port of both
#   p1 .. p4 --- 1..4 [     weir     ] (no hugepages)
#
# WEIR_TEST_SEED chooses other tables and frames; WEIR_TEST_ROUNDS how many tables, of FRAMES frames each.
#
# Not asked, because the two differ on purpose (random_frames.py and random_pipelines.py leave it out):
#   - more than two tags or three labels; tags and labels pushed on others keep nothing of these in Open vSwitch
#   - a third tag that pop_vlan lays bare, and what is behind it: weir reads it, as what any other pop lays bare
#   - ports of first fragments: weir looks at them with set-frags normal too, as OpenFlow 1.3 wants
#   - a tag's DEI bit, which Open vSwitch clears when it sets the VLAN
#   - a TTL that ends behind pop_mpls, or in a select group with a hash of its own: in weir that ends one list of
#     actions, as anywhere else, in Open vSwitch all that is left
#   - exit with an action set: weir carries it out, as ovs-actions(7) says; Open vSwitch does not
#   - exit in a clone: Open vSwitch ends all of the packet; likewise a select group in a clone whose hash is its own
#   - fields set in an IP header that pop_mpls did not lay bare, as there is something else: Open vSwitch remembers what
#     was set, weir reads that there is no such field
#   - atomic IPv6 fragments: Open vSwitch does not mend checksums behind their header
#   - its flow cache's masks are off: with them it sets TC and TTL of a label whose number alone is to be set
#   - action sets that clones inherit: Open vSwitch carries them out at the clone's end too, weir once, at the packet's
#   - output(max_len) and pop in one list: Open vSwitch cuts first and pops then, so that less than max_len is left
#   - check_pkt_larger with an action set or behind a resubmit: Open vSwitch does what follows more than once
#   - link-layer options of the same kind twice: neither switch matches them, Open vSwitch sets the first, weir the last
#   - labels pushed on frames with a length (SNAP): weir does not, Open vSwitch leaves a length that is wrong
#   - push_mpls and pop_mpls to another type at once, which Open vSwitch takes for nothing
#   - addresses of later TCP and UDP fragments: Open vSwitch changes payload, where a checksum would be
#   - the checksum of a first fragment of SCTP, which depends on what is in the others: weir leaves it as it is
#   - IPv6 routing headers that are not at their end, IP headers of another version than their EtherType says, IPv6 whose
#     length is 0 or ends in an extension header, ARP operations above 255
#   - ARP of other hardware or protocols: Open vSwitch reads none of its fields, and sets them
#   - fields set in labels and ARP that are cut off: Open vSwitch adds what is not there. Some seeds ask for that
#   - hashes: select groups have one bucket, multipath one link
#   - resubmits that go in circles: weir drops all of the packet
#   - two conjunctions of the same priority that both match
import os
import shutil

import pytest

from support.openflow import differential

SEED = int(os.environ.get("WEIR_TEST_SEED", "3"))
ROUNDS = int(os.environ.get("WEIR_TEST_ROUNDS", "40"))
FRAMES = 60
SHOWN = 3

pytestmark = pytest.mark.skipif(shutil.which("ovs-ofctl") is None or shutil.which("ovs-vswitchd") is None,
                                reason="needs Debian's openvswitch-switch")


@pytest.fixture(scope="module")
def pair():
    print(f"WEIR_TEST_SEED={SEED}")
    both = differential.Pair()
    yield both
    both.close()


def test_what_comes_out_is_the_same(pair, record_testsuite_property):
    asked, sent, wrong = 0, 0, []
    for seed in range(SEED * 1000, SEED * 1000 + ROUNDS):
        for port, frame, expected, got in pair.round(seed, n_frames=FRAMES):
            asked += 1
            sent += sum(map(len, expected.values()))
            if expected != got:
                wrong.append(f"tables {seed}: " + differential.explain(port, frame, expected, got))
                if len(wrong) <= SHOWN:
                    wrong[-1] += "".join(f"\n{side.kind}:\n{side.trace(port, frame)}" for side in pair.sides)
    record_testsuite_property("frames", f"{asked}, {sent} came out, {len(wrong)} differ")
    assert not wrong, f"{len(wrong)} of {asked}\n" + "\n".join(wrong[:SHOWN])
    lost = pair.ovs.lost + pair.weir.lost
    assert len(lost) <= asked // 1000, "\n".join(lost)
    assert asked == ROUNDS * FRAMES and sent > asked
