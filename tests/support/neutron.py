# neutron.py - runs Neutron's openvswitch agent, unmodified, against a switch; its server is a stand-in in the same
# process (apps/neutron_agent.py). What it writes is in a directory of its own.
import importlib.util
import json
import pathlib
import socket

from support import proc

PACKAGE = "neutron-openvswitch-agent"
LAUNCHER = pathlib.Path(__file__).resolve().parent / "apps" / "neutron_agent.py"

CONFIG = """\
[DEFAULT]
transport_url = fake://
state_path = {directory}
log_file = {directory}/agent.log
host = {host}
debug = {debug}

[oslo_concurrency]
lock_path = {directory}

[ovs]
ovsdb_connection = {ovsdb}
of_listen_address = 127.0.0.1
of_listen_port = {of_port}
of_request_timeout = 10
integration_bridge = {integration_bridge}
tunnel_bridge = {tunnel_bridge}
bridge_mappings = {bridge_mappings}
datapath_type = netdev
local_ip = 127.0.0.1

[agent]
polling_interval = 1
quitting_rpc_timeout = 1
root_helper = env
tunnel_types = {tunnel_types}
extensions = {extensions}
explicitly_egress_direct = {direct}

[securitygroup]
firewall_driver = {firewall}
"""


def is_installed():
    return importlib.util.find_spec("neutron") is not None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Agent:
    """The agent of one switch; its bridges' names are the test's, so that runs do not meet."""

    def __init__(self, switch, directory, integration_bridge, bridge_mappings, **more):
        self.switch = switch
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.of_port = free_port()
        self.process = None
        self.ports_file = self.directory / "ports.json"
        self.set_ports([])
        self.settings = dict(directory=self.directory, host="weir-test", debug=False, of_port=self.of_port,
                             ovsdb=f"unix:{switch.rundir}/db.sock", integration_bridge=integration_bridge,
                             tunnel_bridge="br-tun", bridge_mappings=bridge_mappings, tunnel_types="", extensions="",
                             direct=False, firewall="noop")
        self.config = self.directory / "agent.ini"
        self.configure(**more)

    def configure(self, **changes):
        """For the next start: words of CONFIG."""
        self.settings.update(changes)
        self.config.write_text(CONFIG.format(**self.settings))

    def set_ports(self, ports):
        """What its server knows: see apps/neutron_agent.py."""
        self.ports_file.write_text(json.dumps(ports))

    def start(self):
        self.process = proc.spawn(["/usr/bin/python3", LAUNCHER, self.ports_file, "--config-file", self.config],
                                  self.directory / "agent.out", self.switch.environment())

    def stop(self):
        if self.process:
            proc.end_group(self.process, 10)
            self.process = None

    def log_text(self):
        path = self.directory / "agent.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def output(self):
        """What its server was told ("up DEVICE", "down DEVICE"), and what it said before it had a log."""
        path = self.directory / "agent.out"
        return path.read_text(errors="replace") if path.exists() else ""
