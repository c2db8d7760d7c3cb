# conftest.py - fixtures of the system tests: every test module gets a switch and guests of its own, ended in any case.
import contextlib
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import guest as guests  # noqa: E402
from support import hugepages, netns, proc, switch  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--switch", default=os.environ.get("WEIR_TEST_SWITCH", "weir"),
                     help="the switch under test: weir, ovs (Debian's OVS-DPDK), or both")


def pytest_configure(config):
    config.addinivalue_line("markers", "weir_only(reason): OVS-DPDK has no such feature")
    config.addinivalue_line("markers", "full: long version of another test; runs only when asked for (-m full)")


def pytest_generate_tests(metafunc):
    if "switch_kind" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--switch")
        kinds = ["weir", "ovs"] if asked == "both" else asked.split(",")
        metafunc.parametrize("switch_kind", kinds, scope="module")


def pytest_collection_modifyitems(config, items):
    chosen = []
    for item in items:
        if "full" in item.keywords and "full" not in config.getoption("-m"):
            continue
        kind = getattr(item, "callspec", None) and item.callspec.params.get("switch_kind")
        if kind == "ovs" and item.get_closest_marker("weir_only"):
            item.add_marker(pytest.mark.skip(reason="weir only"))
        chosen.append(item)
    items[:] = chosen


@pytest.fixture(scope="session", autouse=True)
def root_only():
    if os.geteuid() != 0:
        pytest.exit("the system tests need root: namespaces, taps and hugepages", returncode=3)


@pytest.fixture(scope="session")
def packet_memory():
    """Hugepages for one switch and for the peers beside it."""
    with hugepages.Hugepages(switch.MEMORY_MB + 256):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Keeps the outcome for fixtures, and adds the switch's log to a failure."""
    report = (yield).get_result()
    if report.failed:
        lab = getattr(item, "funcargs", {}).get("lab")
        if lab is not None:
            lab.failed = True
            report.sections.append((f"log of {lab.switch.kind}", lab.log_tail()))


class Lab:
    """A private directory with one switch, and what a test adds to it. Everything is ended by close()."""

    def __init__(self, kind, bridge="br0"):
        self.directory = proc.private_directory()
        self.stack = contextlib.ExitStack()
        self.switch = switch.KINDS[kind](self.directory)
        self.bridge = bridge
        self.guests = []
        self.failed = False

    def start(self):
        self.stack.callback(self.switch.stop)
        self.switch.start()
        if self.bridge:
            self.switch.add_bridge(self.bridge)
        return self

    def vhost_guest(self, number, *port_words, qemu_listens=True, queues=2, address=True, mtu=None, options=""):
        """Makes a vhost port vhN and an unstarted guest on it, 10.0.0.N/24. 'port_words' go to ovs-vsctl."""
        port = f"vh{number}"
        if qemu_listens:
            path = self.directory / port
            self.switch.add_vhost_client(self.bridge, port, path, *port_words)
        else:
            path = self.switch.add_vhost_server(self.bridge, port, *port_words)
        nic = guests.Nic(path, f"52:54:00:00:00:{number:02x}", f"10.0.0.{number}/24" if address else None,
                         queues, qemu_listens, mtu, options)
        guest = guests.Guest(f"g{number}", self.directory, [nic])
        guest.port = port
        guest.address = f"10.0.0.{number}"
        self.stack.callback(guest.kill)
        self.guests.append(guest)
        return guest

    def namespace(self):
        return self.stack.enter_context(netns.Namespace())

    def tap(self, space, name, address, *port_words):
        """A tap port of the switch, inside a namespace."""
        self.switch.add_tap(self.bridge, name, *port_words)
        space.take(name, address)

    def log_tail(self, lines=15):
        try:
            kept = [line for line in self.switch.log_text().splitlines()
                    if not any(word in line for word in ("|coverage|", "VHOST_CONFIG", "|dpif_netdev|"))]
            return "\n".join(kept[-lines:])
        except OSError as error:
            return str(error)

    def close(self):
        self.stack.close()
        keep = os.environ.get("WEIR_TEST_KEEP_LOGS")
        if self.failed and keep:
            target = pathlib.Path(keep) / self.directory.name
            shutil.copytree(self.directory, target, dirs_exist_ok=True,
                            ignore=lambda _, names: [n for n in names if n.startswith(("vh", "db.sock"))],
                            ignore_dangling_symlinks=True)
        proc.remove_directory(self.directory)


@pytest.fixture(scope="module")
def lab(switch_kind, packet_memory):
    """One switch with bridge br0 for all tests of a module."""
    laboratory = Lab(switch_kind)
    try:
        yield laboratory.start()
    finally:
        laboratory.close()


@pytest.fixture
def fresh_lab(switch_kind, packet_memory, request):
    """As lab, but for one test only."""
    laboratory = Lab(switch_kind)
    request.node.funcargs["lab"] = laboratory
    try:
        yield laboratory.start()
    finally:
        laboratory.close()
