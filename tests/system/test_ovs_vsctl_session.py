# test_ovs_vsctl_session.py - the session of a user of Open vSwitch, with Debian's unmodified ovs-vsctl. No guests.
"""
     ovs-vsctl, ovs-appctl -> <rundir>/db.sock, pid and ctl files -> the switch
                                  br0: vh0 dpdkvhostuserclient
"""
import pytest


def test_whole_session(fresh_lab):
    switch = fresh_lab.switch
    path = fresh_lab.directory / "vh0.sock"
    vsctl = switch.vsctl  # every call has a deadline
    vsctl("add-br", "br1", "--", "set", "bridge", "br1", "datapath_type=netdev")
    assert vsctl("list-br").split() == ["br0", "br1"]
    vsctl("add-port", "br1", "vh0", "--", "set", "interface", "vh0", "type=dpdkvhostuserclient",
          f"options:vhost-server-path={path}")
    assert vsctl("list-ports", "br1") == "vh0"
    assert vsctl("port-to-br", "vh0") == "br1"
    shown = vsctl("show")
    for part in ("Bridge br1", "datapath_type: netdev", "Port vh0", "type: dpdkvhostuserclient", str(path)):
        assert part in shown, shown
    listed = vsctl("list", "interface")
    assert "vh0" in listed and str(path) in listed, listed
    assert int(vsctl("get", "interface", "vh0", "ofport")) > 0
    assert vsctl("wait-until", "interface", "vh0", "ofport>0") == ""

    vsctl("set", "port", "vh0", "tag=7")
    assert vsctl("get", "port", "vh0", "tag") == "7"
    vsctl("del-port", "vh0")
    assert vsctl("list-ports", "br1") == ""
    vsctl("del-br", "br1")
    assert vsctl("list-br") == "br0"
    assert vsctl("--may-exist", "add-br", "br0") == ""
    assert vsctl("--if-exists", "del-port", "vh0") == ""


def test_qos_in_one_command(fresh_lab):
    switch = fresh_lab.switch
    vsctl = switch.vsctl
    switch.add_vhost_client("br0", "vh0", fresh_lab.directory / "vh0.sock")
    created = vsctl("set", "port", "vh0", "qos=@q", "--", "--id=@q", "create", "qos", "type=linux-htb",
                    "other_config:max-rate=100000000", "queues:1=@c1", "--", "--id=@c1", "create", "queue",
                    "other_config:min-rate=20000000")
    qos, queue = created.split()
    assert vsctl("get", "port", "vh0", "qos") == qos
    assert vsctl("get", "qos", qos, "queues") == f"{{1={queue}}}"
    assert vsctl("get", "queue", queue, "other_config:min-rate") == '"20000000"'
    vsctl("clear", "port", "vh0", "qos")
    vsctl("destroy", "qos", qos, "--", "destroy", "queue", queue)
    assert vsctl("list", "qos") == "" and vsctl("list", "queue") == ""


def test_wrong_commands_fail_at_once(fresh_lab):
    for words, text in ((["add-port", "br9", "vh0"], "no bridge named br9"),
                        (["get", "interface", "vh9", "ofport"], "no row"),
                        (["del-br", "br9"], "no bridge named br9"),
                        (["set", "port", "br0", "nonesuch=1"], "nonesuch")):
        result = fresh_lab.switch.vsctl_result(*words, check=False)
        assert result.returncode != 0
        assert text in result.stderr, result.stderr


@pytest.mark.weir_only("OVS-DPDK's program name differs from its pidfile's")
def test_ovs_appctl_finds_the_daemon(fresh_lab):
    switch = fresh_lab.switch
    assert "dpif-netdev/pmd-rxq-show" in switch.appctl("list-commands")
    assert switch.appctl("version").strip()
    assert "br0" in switch.vsctl("list-br")
    assert switch.appctl("-t", "ovsdb-server", "version").strip()
