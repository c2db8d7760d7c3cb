# test_bad_input.py - what cannot be done gives one clear line that names the object; everything else goes on.
"""
    namespace A                guest g1
    veth 10.0.0.101            10.0.0.1      a ping runs between them during every case
         | (system)                |
         +---------- br0 -------- vh1
"""
import os
import time
import types

import pytest

from support import guest as guests
from support import netns, proc, switch, traffic, tree

pytestmark = pytest.mark.weir_only("the texts are weir's")


@pytest.fixture(scope="module")
def site(lab):
    space = lab.namespace()
    veth = space.veth("p0", "10.0.0.101/24")
    lab.switch.add_system("br0", veth)
    guest = lab.vhost_guest(1)
    guests.start_all([guest])
    traffic.wait_ping(space, guest.address, 20)
    return types.SimpleNamespace(lab=lab, switch=lab.switch, space=space, veth=veth, guest=guest)


@pytest.fixture(autouse=True)
def nothing_lost(site):
    """A ping that no case may disturb."""
    running = traffic.RunningPing(site.space, site.guest.address, 0.05)
    time.sleep(0.3)
    yield
    count = running.stop()
    assert count.received > 5 and count.lost == 0, count.text[-2000:]


def assert_one_line(text, *parts):
    assert text.strip(), "no error at all"
    assert "\n" not in text.strip(), text
    assert len(text) < 400, text
    for part in parts:
        assert part.lower() in text.lower(), f"'{part}' is not in: {text}"


def logged_since(site, mark, *parts):
    """Waits for one line of the log, written after 'mark', that holds all parts."""
    def found():
        lines = site.switch.log_text()[mark:].splitlines()
        return [line for line in lines if all(part.lower() in line.lower() for part in parts)]
    return proc.wait_until(found, 10, f"a line of the log with {parts}")


@pytest.fixture
def log_mark(site):
    return len(site.switch.log_text())


LONG_PATH = "/tmp/" + "x" * 120
PORTS = {
    "unknown type": (["type=nonesuch"], ["nonesuch"]),
    "no socket path": (["type=dpdkvhostuserclient"], ["vhost-server-path"]),
    "socket in no directory": (["type=dpdkvhostuserclient", "options:vhost-server-path=/nonexistent/dir/sock"],
                               ["/nonexistent/dir", "No such file or directory"]),
    "socket path is a file": (["type=dpdkvhostuserclient", "options:vhost-server-path=/etc/passwd"],
                              ["/etc/passwd", "not a socket"]),
    "socket path too long": (["type=dpdkvhostuserclient", f"options:vhost-server-path={LONG_PATH}"], ["longer"]),
    "socket path relative": (["type=dpdkvhostuserclient", "options:vhost-server-path=some/sock"],
                             ["some/sock", "absolute"]),
    "no such interface": (["type=system"], ["no such"]),
    "no such device": (["type=dpdk", "options:dpdk-devargs=net_nonesuch0"], ["net_nonesuch0"]),
    "no device named": (["type=dpdk"], ["dpdk-devargs"]),
}


@pytest.mark.parametrize("words, parts", PORTS.values(), ids=PORTS.keys())
def test_port(site, log_mark, words, parts):
    name = netns.unique_name("bad")
    result = site.switch.vsctl_result("add-port", "br0", name, "--", "set", "interface", name, *words)
    try:
        assert result.returncode == 0
        error = site.switch.interface_error(name)
        assert_one_line(error, *parts)
        assert site.switch.vsctl("get", "interface", name, "ofport") == "-1"
        # ovs-vsctl tells its user at once, and the log names the port.
        assert name in result.stderr, result.stderr
        logged_since(site, log_mark, name, parts[0])
    finally:
        site.switch.vsctl("del-port", name)


def test_same_socket_twice(site):
    path = site.guest.nics[0].socket_path
    site.switch.add_vhost_client("br0", "twice", path)
    try:
        assert_one_line(site.switch.interface_error("twice"), str(path), "vh1")
        assert site.switch.interface_error("vh1") == ""
    finally:
        site.switch.vsctl("del-port", "twice")


def test_port_mends_itself_when_corrected(site):
    site.switch.vsctl("add-port", "br0", "mend", "--", "set", "interface", "mend", "type=nonesuch")
    try:
        assert site.switch.interface_error("mend")
        site.switch.vsctl("set", "interface", "mend", "type=dpdkvhostuser")
        assert site.switch.interface_error("mend") == ""
        assert int(site.switch.vsctl("get", "interface", "mend", "ofport")) > 0
    finally:
        site.switch.vsctl("del-port", "mend")


TREES = {
    "cycle": ([tree.QosClass(1, floor=1, parent=2), tree.QosClass(2, floor=1, parent=1)], ["queue", "cycle"]),
    "own parent": ([tree.QosClass(3, floor=1, parent=3)], ["queue 3"]),
    "missing parent": ([tree.QosClass(1, floor=1, parent=77)], ["queue 1", "77"]),
    "floor above own ceiling": ([tree.QosClass(5, floor=8, ceil=4)], ["queue 5", "8000000", "4000000"]),
    "floors above the ceiling above them":
        ([tree.QosClass(9, ceil=5), tree.QosClass(1, floor=3, parent=9), tree.QosClass(2, floor=3, parent=9)],
         ["queue 9", "5000000"]),
    "floors above the link": ([tree.QosClass(1, floor=6), tree.QosClass(2, floor=6)], ["10000000"]),
}


@pytest.mark.parametrize("classes, parts", TREES.values(), ids=TREES.keys())
def test_tree(site, log_mark, classes, parts):
    """The impossible tree is refused; the one that ran before goes on."""
    good = [tree.QosClass(1, floor=1), tree.QosClass(2, floor=2)]
    site.switch.vsctl(*tree.create_words("vh1", 10, good))
    old = site.switch.vsctl("get", "port", "vh1", "qos")
    try:
        site.switch.vsctl(*tree.create_words("vh1", 10, classes))
        error = site.switch.vsctl("get", "port", "vh1", "status:qos_error").strip('"')
        assert_one_line(error, *parts)
        logged_since(site, log_mark, "vh1", parts[0])
        _, running = site.switch.qos_classes("vh1")
        assert running[2]["floor_bps"] == 2_000_000, running
    finally:
        tree.remove(site.switch.vsctl, "vh1")
        queues = site.switch.vsctl("--bare", "--columns=queues", "list", "qos", old).split()
        site.switch.vsctl("destroy", "qos", old, *[word for queue in queues for word in
                                                   ("--", "destroy", "queue", queue.partition("=")[2])])
    assert site.switch.vsctl("--columns=status", "--bare", "list", "port", "vh1") == ""


def test_cpu_mask_without_a_usable_core(site, log_mark):
    mask = "0x" + "1" + "0" * ((os.cpu_count() + 3) // 4 + 4)
    before = site.switch.appctl("dpif-netdev/pmd-rxq-show")
    site.switch.vsctl("set", "open", ".", f"other_config:pmd-cpu-mask={mask}")
    try:
        line, *_ = logged_since(site, log_mark, "pmd-cpu-mask", "no core")
        assert_one_line(line)
        assert line.count("pmd-cpu-mask") == 1, line
        assert "core_id 1" in before or os.cpu_count() == 1
        assert site.switch.appctl("dpif-netdev/pmd-rxq-show").split("\n")[1] == before.split("\n")[1]
    finally:
        site.switch.vsctl("set", "open", ".", f"other_config:pmd-cpu-mask={site.switch.pmd_mask}")


def test_second_daemon_on_the_same_directory(site):
    pid = site.switch.pid
    result = site.switch.start_result(check=False)
    assert result.returncode != 0
    assert_one_line(result.stderr, str(site.switch.rundir))
    assert site.switch.pid == pid


def test_no_hugepages(site):
    """A second switch, on a machine that seems to have no hugepages: a warning, and it works on ordinary memory."""
    directory = proc.private_directory()
    other = switch.Weir(directory, pmd_mask="0x1")
    hide = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/kernel/mm/hugepages && exec "$@"', "sh"]
    try:
        other.start_result(prefix=hide)
        other.vsctl("--no-wait", "set", "open", ".", "other_config:dpdk-init=true", "other_config:pmd-cpu-mask=0x1",
                    f'other_config:dpdk-extra="--no-pci --file-prefix={directory.name}"')
        proc.wait_until(lambda: other.vsctl("get", "open", ".", "dpdk_initialized") == "true", 30, "DPDK up")
        lines = [line for line in other.log_text().splitlines() if "hugepages" in line.lower() and "WARN" in line]
        assert lines, other.log_text()[-2000:]
        assert_one_line(lines[0])
        other.add_bridge("br0")
        other.add_vhost_server("br0", "vx")
        assert other.interface_error("vx") == ""
    finally:
        other.stop()
        proc.remove_directory(directory)
