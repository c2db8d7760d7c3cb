# test_qos_config.py - QoS as clients configure it: ten thousand classes at once, trials of changes, the very
# commands of libvirt and Neutron.
"""
    weir: br0 with dummy, tap and vhost-user ports that nobody sends through: only what the database asks for, what
    the switch made of it (qos/show) and what it says of the rest (Port.status) is looked at.
"""
import contextlib
import re
import time

import pytest

from support import proc, tree

pytestmark = pytest.mark.weir_only("OVS-DPDK has no shaper")

N_CLASSES = 10000
LIBVIRT_IDS = ("vm-id=c1f2a9a0-1111-4222-8333-444455556666", "ifname=vnet0")
NEUTRON_MAX = "34359738367"


@pytest.fixture
def port(lab, request):
    """A port of its own for each test; its type is the test's parameter, dummy by default."""
    kind = getattr(request, "param", "dummy")
    name = f"q{abs(hash(request.node.name)) % 10 ** 8}"
    words = [f"options:vhost-server-path={lab.directory}/{name}.sock"] if kind.startswith("dpdkvhost") else []
    lab.switch.vsctl("add-port", "br0", name, "--", "set", "interface", name, f"type={kind}", *words)
    yield name
    lab.switch.vsctl("--if-exists", "del-port", name)


def status(switch, port, key="qos_error"):
    return switch.vsctl("--if-exists", "get", "port", port, f"status:{key}").strip('"')


def wrong(switch, port):
    """What the switch says is wrong with the port's QoS; empty if nothing is."""
    return "" if "qos_error" not in switch.vsctl("get", "port", port, "status") else status(switch, port)


def make_tree(switch, port, link, classes):
    switch.vsctl(*tree.create_words(port, link, classes))
    return lambda number: tree.queue_uuid(switch.vsctl, port, number)


def dry_run(switch, *words):
    return proc.run([switch.build / "utilities" / "weir-vsctl", "--dry-run", *words], 20, False,
                    switch.environment())


@contextlib.contextmanager
def told(text):
    begin = time.monotonic()
    yield
    print(f"{text}: {1000 * (time.monotonic() - begin):.0f} ms")


def test_ten_thousand_classes_in_one_transaction(lab, port):
    switch = lab.switch
    words = ["set", "port", port, "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-htb",
             "other_config:max-rate=10000000000", *(f"queues:{n}=@c{n}" for n in range(1, N_CLASSES + 1))]
    for number in range(1, N_CLASSES + 1):
        words += ["--", f"--id=@c{number}", "create", "queue", f"other_config:min-rate={500000 + number}",
                  "other_config:max-rate=9000000",
                  f"other_config:macs=52:54:00:00:{number >> 8:02x}:{number & 255:02x}"]
    with told(f"{N_CLASSES} classes, from command to answer"):
        switch.weir_vsctl(*words, timeout=60)
    assert wrong(switch, port) == ""
    _, classes = switch.qos_classes(port)
    assert {number for number in classes if number is not None} == set(range(N_CLASSES + 1))
    assert all(classes[n]["floor_bps"] == 500000 + n and classes[n]["ceil_bps"] == 9000000
               for n in range(1, N_CLASSES + 1))

    # What shows all of them at once does so at this size too.
    with told("weir-top, two pictures"):
        text = proc.run([switch.build / "utilities" / "weir-top", "--batch", "-n", "2", "-d", "1s"], 30, True,
                        switch.environment()).stdout
    assert len(re.findall(r"^ *class \d+ ", text.split("\n\n")[-1], re.M)) == N_CLASSES + 1
    assert f"class {N_CLASSES}, floor 510 kbit/s" in switch.weir_appctl("qos/explain", port, str(N_CLASSES))

    uuid = tree.queue_uuid(switch.weir_vsctl, port, 7777)
    with told("one class changed"):
        switch.weir_vsctl("set", "queue", uuid, "other_config:min-rate=600000")
    _, classes = switch.qos_classes(port)
    assert classes[7777]["floor_bps"] == 600000 and classes[7778]["floor_bps"] == 507778

    # 10,000 floors hold about 5 Gbit/s; one more cannot have all of the link.
    refused = dry_run(switch, "set", "queue", uuid, "other_config:min-rate=8999999",
                      "other_config:max-rate=10000000000")
    assert refused.returncode == 0, refused.stderr
    refused = dry_run(switch, "set", "queue", uuid, "other_config:min-rate=6000000000",
                      "other_config:max-rate=10000000000")
    assert refused.returncode == 1 and "and 9996 others" in refused.stderr, refused.stderr

    with told("all classes removed"):
        switch.weir_vsctl("clear", "port", port, "qos", "--", "--all", "destroy", "qos", "--", "--all", "destroy",
                          "queue", timeout=60)
    _, classes = switch.qos_classes(port)
    assert not classes


def test_a_trial_says_why_and_changes_nothing(lab, port):
    switch = lab.switch
    uuid = make_tree(switch, port, 10, [tree.QosClass(1, floor=6), tree.QosClass(2, floor=3)])
    _, before = switch.qos_classes(port)

    fits = dry_run(switch, "set", "queue", uuid(2), "other_config:min-rate=4000000")
    assert fits.returncode == 0 and "would accept" in fits.stderr, fits
    refused = dry_run(switch, "set", "queue", uuid(2), "other_config:min-rate=4000001")
    assert refused.returncode == 1
    assert "queue 2, whose floor was raised, can have at most 4000000 bit/s" in refused.stderr, refused.stderr
    orphan = dry_run(switch, "set", "queue", uuid(2), "other_config:parent=9")
    assert orphan.returncode == 1 and "queue 9" in orphan.stderr, orphan.stderr
    typo = dry_run(switch, "set", "queue", uuid(2), "other_config:codel=yes")
    assert typo.returncode == 1 and "codel=yes is not true or false" in typo.stderr, typo.stderr
    dangling = dry_run(switch, "destroy", "queue", uuid(2))
    assert dangling.returncode == 1 and "referential integrity" in dangling.stderr, dangling.stderr

    _, after = switch.qos_classes(port)
    assert {n: (c["floor_bps"], c["parent"]) for n, c in before.items()} == \
        {n: (c["floor_bps"], c["parent"]) for n, c in after.items()}
    assert "4000000" not in switch.vsctl("get", "queue", uuid(2), "other_config")
    # A trial of something else is not blamed for what is wrong already.
    switch.vsctl("set", "queue", uuid(2), "other_config:min-rate=9000000")
    assert "the largest floor that fits" in wrong(switch, port)
    assert dry_run(switch, "set", "port", port, "tag=5").returncode == 0


def test_bad_values_leave_what_runs(lab, port):
    switch = lab.switch
    uuid = make_tree(switch, port, 10, [tree.QosClass(1, floor=6)])
    switch.vsctl("set", "queue", uuid(1), "other_config:limit-time=never", "other_config:min-rate=1000000")
    error = wrong(switch, port)
    assert "queue 1: other_config: limit-time=never is not a whole number from 1 to 3600000" in error, error
    _, classes = switch.qos_classes(port)
    assert classes[1]["floor_bps"] == 6_000_000
    switch.vsctl("remove", "queue", uuid(1), "other_config", "limit-time")
    assert wrong(switch, port) == ""
    _, classes = switch.qos_classes(port)
    assert classes[1]["floor_bps"] == 1_000_000


def test_dscp_without_classes_is_not_silently_ignored(lab, port):
    switch = lab.switch
    switch.vsctl("set", "port", port, "qos=@qos", "--", "--id=@qos", "create", "qos", "type=egress-policer",
                 "other_config:cir=1000000", "other_config:cbs=100000", "queues:3=@q", "--", "--id=@q", "create", "queue",
                 "dscp=46")
    assert "dscp of queue 3 has no effect" in status(switch, port, "qos_warning")
    assert wrong(switch, port) == ""
    # With classes it is what they mark their packets with (test_openflow_queues.py).
    tree.remove(switch.vsctl, port)
    uuid = make_tree(switch, port, 10, [tree.QosClass(3, floor=6)])
    switch.vsctl("set", "queue", uuid(3), "dscp=46")
    assert status(switch, port, "qos_warning") == ""
    assert "dscp: 46" in switch.weir_appctl("qos/show", port)


def libvirt_set(average, peak, burst):
    """libvirt 9's words for <inbound>: kbyte/s and kbyte; 'average' is min-rate, 'peak' max-rate."""
    keys = [f"other_config:min-rate={average * 8000}", f"other_config:burst={burst * 8192}",
            f"other_config:max-rate={peak * 8000}"]
    ids = [f'external-ids:{word.replace("=", "=" + chr(34))}"' for word in LIBVIRT_IDS]
    return keys, ids


@pytest.mark.parametrize("port", ["tap"], indirect=True)
def test_libvirt_bandwidth_of_a_tap(lab, port):
    switch = lab.switch
    keys, ids = libvirt_set(1000, 2000, 128)
    assert switch.vsctl("--no-headings", "--columns=_uuid", "find", "queue", *ids) == ""
    switch.vsctl("set", "port", port, "qos=@qos1", *ids, "--", "--id=@qos1", "create", "qos", "type=linux-htb", *keys,
                 "queues:0=@queue0", *ids, "--", "--id=@queue0", "create", "queue", *keys, *ids)
    assert wrong(switch, port) == ""
    shown = switch.weir_appctl("qos/show", port)
    assert "QoS: " + port + " linux-htb" in shown and "max-rate: 16000000" in shown and "min-rate: 8000000" in shown

    queue = switch.vsctl("--no-headings", "--columns=_uuid", "find", "queue", *ids)
    qos = switch.vsctl("--no-headings", "--columns=_uuid", "find", "qos", *ids)
    keys, _ = libvirt_set(3000, 3000, 128)
    switch.vsctl("set", "queue", queue, *keys)
    assert "largest floor that fits" in wrong(switch, port) or "above the rate" in wrong(switch, port)
    switch.vsctl("set", "qos", qos, *keys)
    assert wrong(switch, port) == ""
    _, classes = switch.qos_classes(port)
    assert classes[0]["floor_bps"] == classes[0]["ceil_bps"] == classes[None]["ceil_bps"] == 24_000_000

    # average alone is no cap, whatever a tap says of its speed.
    switch.vsctl("remove", "qos", qos, "other_config", "max-rate", "--", "remove", "queue", queue, "other_config",
                 "max-rate")
    assert wrong(switch, port) == ""
    _, classes = switch.qos_classes(port)
    assert classes[0]["ceil_bps"] == 0 and classes[None]["ceil_bps"] >= 1_000_000_000

    switch.vsctl("list", "port", port)
    switch.vsctl("remove", "port", port, "qos", qos)
    switch.vsctl("destroy", "qos", qos)
    switch.vsctl("destroy", "queue", queue)
    assert "QoS not configured" in switch.weir_appctl("qos/show", port)

    switch.vsctl("set", "interface", port, "ingress_policing_rate=8000", "ingress_policing_burst=1024")
    assert switch.interface_error(port) == ""
    switch.vsctl("set", "interface", port, "ingress_policing_rate=0", "ingress_policing_burst=0")


@pytest.mark.parametrize("port", ["dpdkvhostuserclient"], indirect=True)
def test_neutron_limit_of_a_vhost_user_port(lab, port):
    switch = lab.switch
    switch.vsctl("--id=@qos", "create", "qos", "type=egress-policer", "other_config:cir=125000",
                 "other_config:cbs=12500", f"external_ids:id={port}", "--", "set", "port", port, "qos=@qos")
    assert wrong(switch, port) == ""
    shown = switch.weir_appctl("qos/show", port)
    assert "egress-policer" in shown and "cir: 125000" in shown and "cbs: 12500" in shown
    # The row is left over when the port goes; nothing minds.
    switch.vsctl("clear", "port", port, "qos")
    assert "QoS not configured" in switch.weir_appctl("qos/show", port)
    assert switch.vsctl("--bare", "--columns=type", "find", "qos", f"external_ids:id={port}") == "egress-policer"


@pytest.mark.parametrize("port", ["tap"], indirect=True)
def test_neutron_limit_of_a_tap(lab, port):
    switch = lab.switch
    switch.vsctl("--id=@qos", "create", "qos", "type=linux-htb", f"other_config:max-rate={NEUTRON_MAX}",
                 f"external_ids:id={port}", "external_ids:_type=bandwidth_limit", "--", "set", "port", port, "qos=@qos")
    qos = switch.vsctl("get", "port", port, "qos")
    queue = switch.vsctl("create", "queue", "other_config:max-rate=1000000", "other_config:burst=800000",
                         f"external_ids:port={port}", "external_ids:type=0", "external_ids:queue-num=0")
    switch.vsctl("clear", "qos", qos, "queues")
    switch.vsctl("set", "qos", qos, f"queues:0={queue}")
    assert wrong(switch, port) == ""
    _, classes = switch.qos_classes(port)
    assert classes[0]["ceil_bps"] == 1_000_000 and classes[None]["ceil_bps"] == int(NEUTRON_MAX)


def test_neutron_minimum_shares_a_row_between_ports(lab, port):
    switch = lab.switch
    second = f"{port}b"
    switch.vsctl("add-port", "br0", second, "--", "set", "interface", second, "type=dummy")
    try:
        queue = switch.vsctl("create", "queue", "other_config:min-rate=40000000",
                             f"other_config:max-rate={NEUTRON_MAX}", "external_ids:queue-num=5")
        switch.vsctl("--id=@qos", "create", "qos", "type=linux-htb", f"queues:5={queue}", "--", "set", "port", port,
                     "qos=@qos", "--", "set", "port", second, "qos=@qos")
        for name in (port, second):
            assert wrong(switch, name) == ""
            _, classes = switch.qos_classes(name)
            assert set(classes) == {None, 0, 5} and classes[5]["floor_bps"] == 40_000_000
        switch.vsctl("set", "queue", queue, "other_config:min-rate=50000000")
        for name in (port, second):
            assert switch.qos_classes(name)[1][5]["floor_bps"] == 50_000_000
    finally:
        switch.vsctl("del-port", second)


def test_types(lab, port):
    switch = lab.switch
    shown = switch.weir_appctl("qos/show-types", port).split()
    for name in ("linux-htb", "linux-hfsc", "linux-noop", "egress-policer", "trtcm-policer"):
        assert name in shown
    switch.vsctl("set", "port", port, "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-noop")
    assert wrong(switch, port) == ""
    switch.vsctl("set", "port", port, "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-hfsc",
                 "other_config:max-rate=5000000", "queues:1=@c", "--", "--id=@c", "create", "queue",
                 "other_config:min-rate=1000000", "other_config:max-rate=2000000")
    assert wrong(switch, port) == ""
    assert switch.qos_classes(port)[1][1]["floor_bps"] == 1_000_000
    switch.vsctl("set", "port", port, "qos=@q", "--", "--id=@q", "create", "qos", "type=trtcm-policer",
                 "other_config:cir=1250000", "other_config:cbs=20000", "other_config:eir=250000",
                 "other_config:ebs=20000", "queues:1=@c", "--", "--id=@c", "create", "queue",
                 "other_config:cir=125000", "other_config:cbs=2000", "other_config:eir=0", "other_config:ebs=0")
    assert wrong(switch, port) == ""
    switch.vsctl("set", "port", port, "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-sfq")
    assert "linux-sfq" in wrong(switch, port)


def test_floors_of_what_guests_send_share_the_bridge(lab):
    switch = lab.switch
    names = ["in1", "in2"]
    for name in names:
        switch.vsctl("add-port", "br0", name, "--", "set", "interface", name, "type=dpdkvhostuserclient",
                     f"options:vhost-server-path={lab.directory}/{name}.sock")
    try:
        switch.vsctl("set", "interface", "in1", "options:on-excess=gate", "options:ingress-min-rate=600000000")
        assert "needs other_config:ingress-max-rate of bridge br0" in switch.interface_error("in1")
        switch.vsctl("set", "bridge", "br0", "other_config:ingress-max-rate=1000000000")
        assert switch.interface_error("in1") == ""

        asked = ["set", "interface", "in2", "options:ingress-shaping=true", "options:ingress-min-rate=500000000"]
        refused = dry_run(switch, *asked)
        assert refused.returncode == 1 and "the largest that fits is 400000000" in refused.stderr, refused.stderr
        switch.vsctl(*asked)
        assert "in1 has 600000000" in switch.interface_error("in2")
        switch.vsctl("set", "interface", "in2", "options:ingress-min-rate=400000000")
        assert switch.interface_error("in2") == ""
        # The bridge cannot take away what it has promised.
        switch.vsctl("set", "bridge", "br0", "other_config:ingress-max-rate=999999999")
        assert "below the floors" in switch.vsctl("get", "bridge", "br0", "status:config_error")
        switch.vsctl("set", "interface", "in1", "options:on-excess=nonsense")
        assert "police, gate or mark" in switch.interface_error("in1")
    finally:
        switch.vsctl("remove", "bridge", "br0", "other_config", "ingress-max-rate")
        for name in names:
            switch.vsctl("del-port", name)
