# neutron_agent.py - Neutron's openvswitch agent as Debian has it, with a stand-in for its server in the same process:
# transport_url=fake:// reaches no further. Words: a JSON file of ports, then the agent's own. Started by
# support/neutron.py.
#
# A port in the file: {"id", "network", "mac", "address", "vlan", "physical_network"}, and if it has a
# QoS policy also "policy", an id, and "rules", a list of pairs: a class of neutron.objects.qos.rule and its fields.
# Nothing else exists; a question that is not answered below is an error in the agent's log.
import json
import sys

from neutron.cmd import eventlet as _  # noqa: F401 - patches the standard library, must come first
import eventlet
import netaddr
import oslo_messaging
from neutron import objects
from neutron.cmd.eventlet.plugins import ovs_neutron_agent
from neutron_lib import constants, rpc
from neutron_lib.agent import topics
from neutron_lib.api.definitions import portbindings
from oslo_config import cfg

SEGMENT = "00000000-0000-4000-8000-%012d"
RULE = "00000000-0000-4000-a000-%012d"
SUBNET = "00000000-0000-4000-9000-000000000000"


def make_port(port):
    """The server's record of a bound port."""
    from neutron.objects import network, ports  # registered only once the agent is configured
    segment = network.NetworkSegment(id=SEGMENT % port["vlan"], network_id=port["network"], network_type="vlan",
                                     physical_network=port["physical_network"], segmentation_id=port["vlan"])
    return ports.Port(
        id=port["id"], project_id="", name="", network_id=port["network"], mac_address=netaddr.EUI(port["mac"]),
        admin_state_up=True, device_id="guest", device_owner="compute:nova", status="DOWN", allowed_address_pairs=[],
        security=None, security_group_ids=set(), qos_policy_id=port.get("policy"), revision_number=1,
        fixed_ips=[ports.IPAllocation(port_id=port["id"], subnet_id=SUBNET, network_id=port["network"],
                                      ip_address=netaddr.IPAddress(port["address"]))],
        bindings=[ports.PortBinding(port_id=port["id"], host=cfg.CONF.host, profile={}, vnic_type="normal",
                                    vif_type=portbindings.VIF_TYPE_OVS, vif_details={}, status=constants.ACTIVE)],
        binding_levels=[ports.PortBindingLevel(port_id=port["id"], host=cfg.CONF.host, level=0, driver="openvswitch",
                                               segment=segment)])


def make_network(identifier):
    from neutron.objects import network
    return network.Network(id=identifier, project_id="", name="", mtu=1500, qos_policy_id=None, segments=[],
                           revision_number=1)


def make_policy(port):
    from neutron.objects.qos import policy, rule
    rules = [getattr(rule, name)(id=RULE % number, qos_policy_id=port["policy"], **fields)
             for number, (name, fields) in enumerate(port["rules"])]
    return policy.QosPolicy(id=port["policy"], project_id="", name="", shared=False, is_default=False, rules=rules,
                            revision_number=1)


class Resources:
    """What the agent's cache asks for: whole records."""

    target = oslo_messaging.Target(version="1.1", namespace=constants.RPC_NAMESPACE_RESOURCES)

    def __init__(self, path):
        self.path = path

    def ports(self):
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def pull(self, context, resource_type, version, resource_id):
        for port in self.ports():
            if resource_type == "QosPolicy" and port.get("policy") == resource_id:
                return make_policy(port).obj_to_primitive(target_version=version)
        return None

    def bulk_pull(self, context, resource_type, version, filter_kwargs=None):
        ports = self.ports()
        wanted = (filter_kwargs or {}).get("id", ())
        if resource_type == "Port":
            found = [make_port(port) for port in ports if port["id"] in wanted]
        elif resource_type == "Network":
            found = [make_network(name) for name in wanted if name in {port["network"] for port in ports}]
        else:
            found = []
        return [one.obj_to_primitive(target_version=version) for one in found]


class State:
    """The agent's reports of itself."""

    target = oslo_messaging.Target(version="1.2", namespace=constants.RPC_NAMESPACE_STATE)

    def has_alive_neutron_server(self, context):
        return True

    def report_state(self, context, agent_state, time):
        return "alive"


class Plugin:
    """Its reports of ports and tunnels."""

    target = oslo_messaging.Target(version="1.9")

    def get_network_details(self, context, network, **_more):
        return {"id": network, "mtu": 1500}  # without provider:*, as a network of several segments

    def update_device_list(self, context, devices_up, devices_down, **_more):
        for device in devices_up:
            print("up", device, flush=True)
        for device in devices_down:
            print("down", device, flush=True)
        return {"devices_up": devices_up, "failed_devices_up": [],
                "devices_down": [{"device": name, "exists": True} for name in devices_down], "failed_devices_down": []}

    def update_device_down(self, context, **_more):
        return {"exists": True}

    def tunnel_sync(self, context, **_more):
        return {"tunnels": []}


def serve(path):
    """Waits until the agent has made its transport, then answers on it."""
    while rpc.TRANSPORT is None:
        eventlet.sleep(0.1)
    objects.register_objects()
    for topic, endpoints in ((topics.PLUGIN, [Resources(path), Plugin()]), (topics.REPORTS, [State()])):
        rpc.get_server(oslo_messaging.Target(topic=topic, server=cfg.CONF.host), endpoints).start()


if __name__ == "__main__":
    eventlet.spawn(serve, sys.argv.pop(1))
    sys.exit(ovs_neutron_agent.main())
