# test_openflow_apps.py - applications as controllers run them, on Debian's os-ken, over TCP and TLS.
#
#   h1 10.0.0.1 --- 1 [        ]
#   h2 10.0.0.2 --- 2 [ switch ] --- tcp or ssl --- osken-manager with an app of tests/support/apps
#   h3 10.0.0.3 --- 3 [        ]
import pathlib
import socket
import time

import pytest
from support import certificates, proc

APPS = pathlib.Path(__file__).resolve().parents[1] / "support" / "apps"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Network:
    """Three hosts on a bridge that is to have a controller."""

    def __init__(self, lab):
        self.lab, self.switch, self.bridge = lab, lab.switch, lab.bridge
        self.hosts = []
        for number in (1, 2, 3):
            space = lab.namespace()
            outside = space.veth(f"h{number}", f"10.0.0.{number}/24")
            self.switch.add_system(self.bridge, outside, f"ofport_request={number}")
            self.hosts.append(space)
        self.ports = self.switch.vsctl("list-ports", self.bridge).split()
        self.app = None

    def start(self, app, transport="tcp", host="127.0.0.1"):
        """Starts the app and returns once the switch is connected to it."""
        port = free_port()
        words = ["--ofp-listen-host", "127.0.0.1", "--ofp-tcp-listen-port", str(port)]
        directory = self.lab.directory
        if transport == "ssl":
            certificates.make(directory, "switch", "controller")
            self.switch.vsctl("set-ssl", str(directory / "switch.key"), str(directory / "switch.pem"),
                              str(directory / "ca.pem"))
            words = ["--ofp-listen-host", "127.0.0.1", "--ofp-tcp-listen-port", str(free_port()),
                     "--ofp-ssl-listen-port", str(port), "--ctl-privkey", directory / "controller.key",
                     "--ctl-cert", directory / "controller.pem", "--ca-certs", directory / "ca.pem"]
        self.app = proc.spawn(["/usr/bin/osken-manager", *map(str, words), str(APPS / f"{app}.py")],
                              directory / f"{app}.log")
        self.lab.stack.callback(proc.end_group, self.app)
        self.switch.vsctl("set", "bridge", self.bridge, "fail_mode=secure", "protocols=OpenFlow13")
        self.switch.vsctl("set-controller", self.bridge, f"{transport}:{host}:{port}")
        proc.wait_until(self.is_connected, 20, "connection to the controller", 0.1)
        time.sleep(1)

    def is_connected(self):
        return self.switch.vsctl("--bare", "--columns=is_connected", "list", "controller") == "true"

    def stop(self):
        self.switch.vsctl("del-controller", self.bridge)
        self.switch.vsctl("del-ssl")
        proc.end_group(self.app)

    def rules(self):
        """All rules and groups, and what the app said."""
        environment = self.switch.environment()
        return "".join(proc.run(["ovs-ofctl", "-O", "OpenFlow13", command, self.bridge], 20, False, environment).stdout
                       for command in ("dump-flows", "dump-groups", "dump-meters")) + "".join(
            path.read_text(errors="replace") for path in self.lab.directory.glob("*.log"))

    def ping(self, host, other, count=3):
        return self.hosts[host - 1].run("ping", "-c", str(count), "-i", "0.2", "-W", "2", f"10.0.0.{other}",
                                        check=False)


@pytest.fixture(scope="module")
def network(lab):
    return Network(lab)


@pytest.mark.parametrize("transport", ["tcp", "ssl"])
def test_a_learning_app_connects_all_hosts(network, transport):
    network.start("learning", transport, "localhost")  # a name, as in /etc/hosts
    try:
        for host, other in ((1, 2), (2, 3), (3, 1)):
            result = network.ping(host, other)
            assert result.returncode == 0, result.stdout
        flows = proc.run(["ovs-ofctl", "-O", "OpenFlow13", "dump-flows", network.bridge], 20, True,
                         network.switch.environment()).stdout
        assert flows.count("priority=1,") >= 6
    finally:
        network.stop()


def test_an_app_with_queues_gives_each_host_its_share(network):
    switch = network.switch
    switch.vsctl("set", "port", network.ports[2], "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-htb",
                 "other_config:max-rate=20000000", "queues:1=@a", "queues:2=@b", "--",
                 "--id=@a", "create", "queue", "other_config:min-rate=15000000", "--",
                 "--id=@b", "create", "queue", "other_config:max-rate=2000000")
    network.start("queues")
    try:
        # Until then those of an app before it may still do.
        proc.wait_until(lambda: "set_queue:2" in network.rules(), 20, "the app's rules", 0.1)
        before = queue_packets(network)
        assert network.ping(1, 3, 10).returncode == 0
        assert network.ping(2, 3, 20).returncode == 0
        after = queue_packets(network)
        # With what resolves addresses.
        assert 10 <= after[1] - before[1] < 20
        assert 20 <= after[2] - before[2] < 30
    finally:
        network.stop()
        switch.vsctl("clear", "port", network.ports[2], "qos")


def queue_packets(network):
    """Packets sent by queue of port 3, as OpenFlow counts them."""
    text = proc.run(["ovs-ofctl", "-O", "OpenFlow13", "queue-stats", network.bridge, "3"], 20, True,
                    network.switch.environment()).stdout
    found = {0: 0, 1: 0, 2: 0}
    for line in text.splitlines():
        words = line.replace(",", " ").replace(":", " ").replace("=", " ").split()
        if "queue" in words and "pkts" in words:
            found[int(words[words.index("queue") + 1])] = int(words[words.index("pkts") + 1])
    return found


def test_a_pipeline_of_ten_tables_with_vlans_groups_and_a_meter(network):
    network.start("campus")
    try:
        for host, other in ((1, 2), (2, 3), (3, 1)):
            result = network.ping(host, other)
            assert result.returncode == 0, result.stdout + network.rules()
        server = network.hosts[1].spawn("socat", "TCP-LISTEN:23,fork", "/dev/null")
        other = network.hosts[1].spawn("socat", "TCP-LISTEN:24,fork", "/dev/null")
        time.sleep(0.5)
        refused = network.hosts[0].run("timeout", "2", "socat", "-u", "/dev/null", "TCP:10.0.0.2:23", check=False)
        allowed = network.hosts[0].run("timeout", "5", "socat", "-u", "/dev/null", "TCP:10.0.0.2:24", check=False)
        proc.end_group(server)
        proc.end_group(other)
        assert refused.returncode != 0
        assert allowed.returncode == 0
    finally:
        network.stop()


def test_without_its_controller_a_secure_bridge_keeps_its_rules(network):
    network.start("learning")
    try:
        assert network.ping(1, 2).returncode == 0
        proc.end_group(network.app)
        proc.wait_until(lambda: not network.is_connected(), 30, "end of the connection", 0.2)
        assert network.ping(1, 2).returncode == 0  # by the rules that there are
        network.switch.vsctl("set", "bridge", network.bridge, "fail_mode=standalone")
        proc.wait_until(lambda: network.ping(2, 3, 1).returncode == 0, 60, "forwarding without a controller", 1)
    finally:
        network.stop()


def test_connections_are_dialed_anew_when_somebody_asks(network):
    """Each has one more; what they installed stays."""
    switch, bridge = network.switch, network.bridge
    switch.vsctl("set", "bridge", bridge, "fail_mode=secure")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        switch.vsctl("set-controller", bridge, f"tcp:127.0.0.1:{server.getsockname()[1]}")
        try:
            first, _ = server.accept()
            proc.run(["ovs-ofctl", "-O", "OpenFlow13", "add-flow", bridge, "cookie=0x99,arp,actions=normal"], 20, True,
                     switch.environment())
            switch.appctl("bridge/reconnect", bridge)
            second, _ = server.accept()
            with first, second:
                first.settimeout(10)
                while first.recv(4096):
                    pass
                assert second.recv(2)[1] == 0  # a HELLO
            assert "cookie=0x99" in network.rules()
            result = proc.run(["ovs-appctl", "bridge/reconnect", "nobr"], 20, False, switch.environment())
            assert result.returncode == 2 and "nobr: no such bridge" in result.stderr
        finally:
            switch.vsctl("del-controller", bridge)
