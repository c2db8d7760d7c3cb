# test_virtio_user.py - testpmd as the frontend of both kinds of vhost-user ports.
"""
              dpdk-testpmd (io: what comes in on one port goes out on the other)
               | virtio-user, dials        | virtio-user, listens
         pu0 dpdkvhostuser            pu1 dpdkvhostuserclient
               +------------ br0 ------------+
"""
import contextlib

import pytest

from support import proc, testpmd


@contextlib.contextmanager
def ports(lab):
    """The two ports; yields their socket paths."""
    paths = lab.switch.add_vhost_server("br0", "pu0"), lab.directory / "pu1"
    lab.switch.add_vhost_client("br0", "pu1", paths[1])
    try:
        yield paths
    finally:
        for port in ("pu0", "pu1"):
            lab.switch.vsctl("del-port", port)


@contextlib.contextmanager
def peer(lab, paths, queues):
    """A testpmd that has begun to forward."""
    frontend = testpmd.Testpmd(lab.directory, [(paths[0], False), (paths[1], True)], queues)
    try:
        for port in ("pu0", "pu1"):
            lab.switch.wait_link(port, 30)
        # The switch reports the link as soon as the rings are there; testpmd takes commands a little later.
        proc.wait_until(lambda: "testpmd>" in frontend.log.read_text(), 30, "testpmd's prompt")
        frontend.start()
        yield frontend
        assert frontend.alive(), proc.tail(frontend.log)
    finally:
        frontend.kill()


def assert_bouncing(frontend):
    before = frontend.received()
    assert set(before) == {0, 1}, proc.tail(frontend.log)
    proc.wait_until(lambda: all(now > before[port] + 1000 for port, now in frontend.received().items()), 30,
                    f"1000 frames more on both ports than {before}")


@pytest.mark.parametrize("queues", [1, 2])
def test_frames_bounce_between_both_kinds(lab, queues):
    with ports(lab) as paths, peer(lab, paths, queues) as frontend:
        assert_bouncing(frontend)
        assert_bouncing(frontend)


def test_peer_returns_many_times(lab):
    with ports(lab) as paths:
        for _ in range(3):
            with peer(lab, paths, 1) as frontend:
                assert_bouncing(frontend)
            proc.wait_until(lambda: not lab.switch.link_up("pu0") and not lab.switch.link_up("pu1"), 20, "links down")
