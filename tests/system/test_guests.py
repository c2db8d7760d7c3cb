# test_guests.py - real guests on vhost-user ports with two queue pairs each.
"""
        guest g1 (10.0.0.1)        guest g2 (10.0.0.2)       guest g3 (10.0.0.3)
             | 2 queue pairs            | 2 queue pairs           | 2 queue pairs
      vh1 dpdkvhostuserclient    vh2 dpdkvhostuserclient    vh3 dpdkvhostuser
             |                          |                         |
             +------------------------ br0 ----------------------+
"""
import os

import pytest

from support import guest as guests
from support import traffic

TCP_MB = int(os.environ.get("WEIR_TEST_TCP_MB", "64"))


@pytest.fixture(scope="module")
def trio(lab):
    g1, g2 = lab.vhost_guest(1), lab.vhost_guest(2)
    g3 = lab.vhost_guest(3, qemu_listens=False)
    guests.start_all([g1, g2, g3])
    for guest in (g1, g2, g3):
        lab.switch.wait_link(guest.port)
    return g1, g2, g3


def test_ping_without_loss(trio):
    g1, g2, g3 = trio
    for sender, receiver in ((g1, g2), (g2, g3), (g3, g1)):
        count = traffic.ping(sender, receiver.address, 20)
        assert count.lost == 0, count.text


def test_two_queue_pairs_in_use(lab, trio):
    g1, g2, _ = trio
    text = g1.run("ethtool -l eth0").text
    assert text.count("Combined:\t2") == 2, text
    shown = lab.switch.appctl("dpif-netdev/pmd-rxq-show")
    for port in ("vh1", "vh2", "vh3"):
        queues = [line for line in shown.splitlines() if f"port: {port} " in line and "(enabled)" in line]
        assert len(queues) == 2, shown


def transfer_both_ways(g1, g2, megabytes):
    finishers = [traffic.checked_stream(g1, g2, g2.address, 5001, megabytes),
                 traffic.checked_stream(g2, g1, g1.address, 5002, megabytes)]
    for finish in finishers:
        finish(120 + megabytes * 2)


def test_tcp_intact_both_ways(trio):
    transfer_both_ways(trio[0], trio[1], TCP_MB)


@pytest.mark.full
def test_tcp_intact_both_ways_1_gb(trio):
    transfer_both_ways(trio[0], trio[1], 1024)


def test_queues_change_under_traffic(trio):
    g1, g2, _ = trio
    finish = traffic.checked_stream(g1, g2, g2.address, 5003, max(TCP_MB // 2, 8))
    running = traffic.RunningPing(g1, g2.address, 0.2)
    for count in (1, 2, 1, 2):
        for guest in (g1, g2):
            guest.run(f"ethtool -L eth0 combined {count}")
            assert f"Combined:\t{count}" in guest.run("ethtool -l eth0").text.split("Current")[1]
    finish(120 + TCP_MB * 2)
    # A queue that is being disabled may lose what stands in it; the transfer above must not notice.
    count = running.stop()
    assert count.received > 0.9 * count.sent, count.text
    assert traffic.ping(g1, g2.address, 10).lost == 0


def test_guest_killed_and_restarted(lab, trio):
    g1, g2, g3 = trio
    running = traffic.RunningPing(g1, g2.address, 0.1)
    for _ in range(2):
        g3.kill()
        g3.start()
        g3.wait_ready()
        back = traffic.wait_ping(g3, g1.address, 30)
        assert back <= 2.0, f"traffic back {back:.1f} s after the guest was ready"
    count = running.stop()
    assert count.lost == 0, count.text[-3000:]
    assert traffic.ping(g2, g3.address, 10).lost == 0


def test_client_port_guest_restarted(lab, trio):
    g1, g2, g3 = trio
    running = traffic.RunningPing(g1, g3.address, 0.1)
    g2.kill()
    g2.start()
    g2.wait_ready()
    back = traffic.wait_ping(g2, g1.address, 30)
    assert back <= 2.0, f"traffic back {back:.1f} s after the guest was ready"
    count = running.stop()
    assert count.lost == 0, count.text[-3000:]
