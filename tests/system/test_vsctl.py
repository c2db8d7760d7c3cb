"""weir-vsctl side by side with ovs-vsctl.

        ovs-vsctl ----> ovsdb-server (left)
        weir-vsctl ---> ovsdb-server (right)

Commands that change something run on both sides, each tool on its own database; output
(UUIDs aside), exit status and the contents of the two databases must agree. Commands that
only look run both on the left database and must agree byte for byte.

Needs Open vSwitch's tools, of the release whose behaviour is the measure (3.1).
"""

import os
import shutil
import signal
import subprocess
import time

import pytest

from support.ctl_sides import SCHEMA, Server, Sides, tool

pytestmark = pytest.mark.skipif(
    not (shutil.which("ovs-vsctl") and shutil.which("ovsdb-server")),
    reason="Open vSwitch's tools are not installed",
)


@pytest.fixture
def sides(tmp_path):
    both = Sides(tmp_path)
    yield both
    both.stop()


def populate(sides):
    for words in (
        "add-br br0",
        "add-br br1 -- set bridge br1 datapath_type=netdev fail_mode=secure",
        "add-port br0 p0 tag=9 -- set interface p0 type=internal options:a=b",
        "add-port br0 p1 trunks=1,2,3 -- set interface p1 type=patch options:peer=p2",
        "add-port br1 p2 -- set interface p2 type=patch options:peer=p1",
        "add-bond br1 bond0 e1 e2 lacp=active bond_mode=balance-tcp",
        "add-br vlan10 br0 10",
        "add-port vlan10 p10",
        "set-controller br0 tcp:127.0.0.1:6653 ptcp:6634",
        "set-manager ptcp:6640:127.0.0.1",
        "set interface p0 error=boo bfd_status:state=up",
        "set open . ovs_version=3.1.0 external_ids:system-id=abc",
        "--id=@q0 create queue other_config:min-rate=1000 -- "
        "--id=@qos create qos type=linux-htb other_config:max-rate=9000 queues:0=@q0 -- "
        "set port p0 qos=@qos",
        "add-aa-mapping br0 100 10 -- add-aa-mapping br0 20 30",
        "--id=@d create Datapath datapath_version=0 capabilities=a=b,c=d -- "
        "set open . datapaths:system=@d -- --id=@e create Datapath datapath_version=0 -- "
        "set open . datapaths:empty=@e",
        "add-zone-tp system zone=7 icmp_first=30 icmp_reply=60",
    ):
        assert sides.change(*words.split()) == 0
    sides.change("set", "port", "p1", 'other_config:"a b"=c d', 'other_config:n="5"')
    sides.change("set", "port", "p1", 'external_ids:x="line\\nbreak,\\"q"')


CHANGES = """
add-br br0
add-br p0
--may-exist add-br br0
--may-exist add-br br0 br1 5
--may-exist add-br vlan10
--may-exist add-br vlan10 br0 10
--may-exist add-br vlan10 br0 11
--may-exist add-br vlan10 br1 10
add-br vlan11 br0 11
add-br again br0 10
add-br deep vlan10 12
add-br far br0 4096
add-br far nosuch 12
add-br one two
add-br br2 -- add-port br2 a -- add-port br2 b -- del-port a
add-br c1 -- add-br c1
del-br br9
--if-exists del-br br9
del-br vlan10
del-br br0
del-br br1 -- add-br br1 -- get bridge br1 name
add-port br0 p0
--may-exist add-port br0 p0
--may-exist add-port br1 p0
--may-exist add-port br1 bond0
add-port br9 new
add-port br0 br1
add-port br0 vlan10
add-port br0 e1
add-port br0 new tag=5 other_config:k=v -- set interface new type=internal mtu_request=9000
add-port br0 new tag=5000
add-port br0 new tag=
add-port br0 new nonsense
add-port vlan10 new
add-port vlan10 new tag=7
add-port br0 new name=x
del-port p0
del-port br0 p0
del-port br1 p0
del-port vlan10 p10
del-port br0 p10
del-port p9
--if-exists del-port p9
--if-exists del-port br9 p9
del-port br0
del-port vlan10
del-port e1
--with-iface del-port e1
--with-iface del-port nosuch
--if-exists --with-iface del-port nosuch
add-bond br0 bond1 x1 x2
add-bond br0 bond1 x1 x2 x3 tag=4 lacp=off
--fake-iface add-bond br0 bond1 x1 x2
add-bond br0 bond1 x1
add-bond br0 bond1 x1 tag=3
add-bond br0 bond1 e1 x2
add-bond br0 bond1 x1 x1
add-bond br1 bond0 e1 e2
--may-exist add-bond br1 bond0 e2 e1
--may-exist add-bond br1 bond0 e1 e3
add-bond-iface bond0 e3
add-bond-iface bond0 e1
--may-exist add-bond-iface bond0 e1
--may-exist add-bond-iface bond0 p0
add-bond-iface nosuch e3
add-bond-iface p0 e3
del-bond-iface e1
del-bond-iface bond0 e1
del-bond-iface p0 e1
del-bond-iface p0
del-bond-iface nosuch
--if-exists del-bond-iface nosuch
br-set-external-id br0 a b
br-set-external-id br0 a b -- br-set-external-id br0 a -- br-set-external-id br0 c d
br-set-external-id vlan10 a b
br-set-external-id br9 a b
set-controller br0
set-controller br0 tcp:1.2.3.4 odd
--inactivity-probe=3000 set-controller br1 tcp:1.2.3.4:6633
set-controller vlan10 tcp:1.2.3.4
set-controller br9 tcp:1.2.3.4
del-controller br0
del-controller br1
del-controller vlan10
set-fail-mode br0 secure
set-fail-mode br0 standalone
set-fail-mode br0 other
set-fail-mode vlan10 secure
del-fail-mode br1
del-fail-mode br0
set-manager
set-manager ptcp:6641 tcp:1.1.1.1
--inactivity-probe=1 set-manager ptcp:6640:127.0.0.1
set-manager ptcp:1 ptcp:1
del-manager
add-aa-mapping br0 100 11
add-aa-mapping br0 101 11
add-aa-mapping br1 1 2 -- get-aa-mapping br1
add-aa-mapping vlan10 1 2
add-aa-mapping br9 1 2
add-aa-mapping br0 x 2
add-aa-mapping br0 16777216 2
add-aa-mapping br0 1 4097
del-aa-mapping br0 100 10
del-aa-mapping br0 100 11
del-aa-mapping br1 100 10
del-aa-mapping br0 x 10
add-zone-tp system zone=1 icmp_first=30 icmp_reply=60
add-zone-tp system zone=1 udp_first=3
add-zone-tp system zone=7 icmp_first=3
--may-exist add-zone-tp system zone=7 icmp_first=3
add-zone-tp system zone=8 nonsense=3
add-zone-tp system zone=65536 icmp_first=3
add-zone-tp system zone=8
add-zone-tp nosuch zone=8 icmp_first=3
del-zone-tp system zone=7
del-zone-tp system zone=8
--if-exists del-zone-tp system zone=8
--if-exists del-zone-tp nosuch zone=8
set-ssl a b c
--bootstrap set-ssl a b c -- get-ssl
set-ssl a b c -- del-ssl
del-ssl
emer-reset
init
comment some words
set port p0 tag=1,2
set port p0 tag=x
set port p0 tag
set port p0 nosuch=1
set port p0 trunks=1,2,1
set port p0 trunks=[1,2,7-9]
set port p0 trunks=9-7
set port p0 tag=[]
set port p0 other_config=a=b,c=d
set port p0 other-config:a=b Other_Config:c=d
set port p1 other_config={}
set port p1 other_config:n=6
set port p0 vlan_mode=native-tagged
set port p0 vlan_mode=odd
set port p0 name=other
set port p0 trunks:1=2
set port p0 other_config=a
set port p0 other_config:a
set port nosuch tag=1
--if-exists set port nosuch tag=1
set nosuch p0 tag=1
set in p0 mtu_r=1400
set p p0 tag=1
set interface p0 o=1
set interface p0 ofport_request=0x10
set interface p0 mtu_request=-5
set interface p0 type=""
set interface p0 options:x=y=z options:u=1:2:3
set bridge br0 protocols=OpenFlow10,OpenFlow13
set bridge br0 protocols=[OpenFlow10, OpenFlow99]
set bridge br0 datapath_id=0000000000000001
set bridge br0 flood_vlans=4095,0
set bridge br0 stp_enable=true
set bridge br0 stp_enable=maybe
set bridge br0 _uuid=5
set open . other_config:dpdk-init=true other_config:pmd-cpu-mask=0x6
set open_vswitch . nosuch:x=y
set controller br0 max_backoff=9000
set controller br1 max_backoff=9000
set qos p0 other_config:max-rate=5
set qos p1 other_config:max-rate=5
set manager ptcp:6640:127.0.0.1 inactivity_probe=0
add port p1 trunks 7 8
add port p1 trunks 7,8 9
add port p0 tag 5
add port p0 trunks x
add port p1 other_config n=1 q=2
add port p0 other_config x
add port nosuch trunks 1
--if-exists add port nosuch trunks 1
add port p0 name x
remove port p1 trunks 1 9
remove port p1 trunks 1,2
remove port p0 tag 9
remove port p0 tag 8
remove port p1 other_config n
remove port p1 other_config n=5
remove port p1 other_config n=6
remove port p1 interfaces 00000000-0000-0000-0000-000000000000
--if-exists remove port nosuch trunks 1
clear port p1 trunks other_config
clear port p1 interfaces
clear port p1 name
clear port p0 qos
clear bridge br0 controller
clear port nosuch trunks
--if-exists clear port nosuch trunks
create queue other_config:a=b
create queue
create queue dscp=64
create nosuch a=b
create bridge name=x
--id=@x create bridge name=x
--id=@x create queue other_config:a=b -- --id=@x create queue other_config:a=b
--id=x create queue other_config:a=b
--id=11111111-2222-3333-4444-555555555555 create queue other_config:a=b
set port p1 qos=@nosuch
--id=@p get port p0 -- --id=@m create mirror name=m select-src-port=@p output-port=@p -- set bridge br0 mirrors=@m
set bridge br0 mirrors=@m -- --id=@m create mirror name=m select_all=true
--id=@p get port nosuch
--if-exists --id=@p get port p0
--id=@m create mirror name=m1 select_all=true -- add bridge br0 mirrors @m -- get mirror m1 select_all
set port p1 qos=@q -- --id=@q create qos type=linux-htb queues=0=@a,1=@b -- --id=@a create queue other_config:min-rate=1 -- --id=@b create queue other_config:min-rate=2
destroy queue nosuch
--if-exists destroy queue nosuch
--all destroy queue
--all destroy queue x
--all destroy qos
--all destroy qos -- --all destroy queue
clear port p0 qos -- --all destroy qos -- --all destroy queue
destroy qos p0
destroy bridge br0
--dry-run add-br br7
--dry-run add-br br0
--dry-run set bridge br0 stp_enable=true
wait-until port p0 tag=9 -- set port p0 tag=10
br-exists br9 -- add-br br9
add-br br9 -- br-exists br9
set bridge br0 other_config:a=b -- get bridge br0 other_config:a
"""


@pytest.fixture(scope="module")
def populated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("populated")
    both = Sides(folder)
    try:
        populate(both)
    finally:
        both.stop()
    return folder


@pytest.mark.parametrize("line", [c for c in CHANGES.splitlines() if c])
def test_change(populated, tmp_path, line):
    both = Sides(tmp_path, copy_of=populated)
    try:
        both.change(*line.split(" "))
    finally:
        both.stop()


LOOKS = """
show
list-br
--real list-br
--fake list-br
--real --fake list-br
list-br x
br-exists br0
br-exists vlan10
br-exists nosuch
br-to-vlan br0
br-to-vlan vlan10
br-to-vlan nosuch
br-to-parent br0
br-to-parent vlan10
br-get-external-id br0
br-get-external-id br0 x
br-get-external-id nosuch
list-ports br0
list-ports br1
list-ports vlan10
list-ports nosuch
list-ifaces br0
list-ifaces br1
list-ifaces vlan10
port-to-br p0
port-to-br p10
port-to-br bond0
port-to-br br0
port-to-br e1
port-to-br vlan10
iface-to-br p0
iface-to-br e1
iface-to-br br0
iface-to-br bond0
get-controller br0
get-controller br1
get-controller vlan10
get-controller nosuch
get-fail-mode br0
get-fail-mode br1
get-manager
get-ssl
get-aa-mapping br0
get-aa-mapping br1
get-aa-mapping vlan10
get-aa-mapping nosuch
list-zone-tp system
list-zone-tp empty
list-zone-tp nosuch
list-dp-cap system
list-dp-cap empty
list-dp-cap nosuch
get port p0 tag
get port p0 name tag trunks
get port p1 trunks other_config external_ids
get port p1 other_config:n
get port p1 other_config:"a b"
get port p1 other_config:nosuch
--if-exists get port p1 other_config:nosuch
--if-exists get port nosuch tag
get port nosuch tag
get port p0 nosuch
get port p0
get port
get interface p0 options:a type error
get interface p0 o
get interface p0 _version
get Bridge br0 ports
get bridge br0 ports:x
get open . external_ids:system-id ovs_version
get open . _uuid
get port p0 tag:x
get port p1 other_config:n:y
get controller br1 target
get qos p0 type other_config
get manager ptcp:6640:127.0.0.1 target
list port p0
list port p0 p1
list bridge br1
list port nosuch
list port p0 nosuch
--if-exists list port p0 nosuch
--if-exists list port nosuch
list nosuch
list mirror
list manager
list open_vswitch
list OPEN-V
list open .
list
--columns=name,tag list port p0 p1 bond0
--columns=tag,name list port p1
--columns=name,name list port p1
--columns=name,nosuch list port p1
--columns= list port p1
-f table --columns=name,tag,trunks,other_config list port p0 p1 bond0
-f table --columns=name,_uuid list port p0 p1
-f table list mirror
-f table --no-headings --columns=name,trunks list port p0 p1
-f table --max-column-width=5 --columns=name,trunks list port p0 p1
-f table -d bare --columns=name,trunks list port p0 p1
-f table -d json --columns=name,trunks,other_config list port p0 p1
-f list -d bare --columns=name,trunks,other_config list port p0 p1
-f list -d json --columns=name,trunks,other_config list port p0 p1
-f list --no-headings --columns=name,trunks list port p0 p1
--bare --columns=name,trunks,external_ids list port p0 p1
-f csv --columns=name,trunks,other_config,external_ids list port p0 p1
-f csv -d bare --columns=name,trunks,external_ids list port p0 p1
-f csv -d json --columns=name,trunks,external_ids list port p0 p1
-f csv --no-headings --columns=name list port p0 p1
-f json --columns=name,trunks,other_config,external_ids,tag list port p0 p1
-f json --pretty --columns=name,trunks,other_config list port p0 p1
-f json --columns=name list port p0 -- --columns=name list bridge br0
-f html --columns=name,trunks,other_config list port p0 p1
-f html --columns=_uuid,interfaces list port p0 p1
-f html -d bare --columns=_uuid,interfaces list port p0 bond0
-f html -d json --columns=name,interfaces list port p0 p1
-f csv --columns=name list bridge br0 -- --columns=name list port p0 -- list-br
-f nosuch list port
-d nosuch list port
list manager -- --columns=name list port p0 -- list mirror
--oneline list-br -- list-ports br0 -- br-get-external-id br0
--oneline get port p1 external_ids:x -- list-br
--oneline --columns=name list port p0 -- list-br
--oneline show
--columns=name find port name=p0
--columns=name find port name=p0 tag=9
--columns=name find port name=p0 tag=8
--columns=name find port tag=[] name=bond0
--columns=name find port n=p0
--columns=name find interface type=internal name=p0
--columns=name find interface options:peer=p2
--columns=name find interface options:peer!=p2
--columns=name find interface options:peer{!=}p2 name=p2
--columns=name find interface options:peer{in}p2,p1 name=p2
--columns=name find interface options:peer{not-in}p1,p3 name=p1
--columns=name find port trunks{>=}1,2
--columns=name find port trunks{<}1,2,3,4 name=p1
--columns=name find port trunks{<=}1,2 name=p1
--columns=name find port trunks{>}1,2,3
--columns=name find port trunks{=}1,2,3
--columns=name find port trunks{!=}[] tag=[]
--columns=name find port trunks>1,2
--columns=name find port trunks<1,2,3,4 name=p1
--columns=name find port trunks>=1,2,4
--columns=name find port tag>8
--columns=name find port tag<=9 tag!=[]
--columns=name find port tag{in}9
--columns=name find port tag{in}8,9
--columns=name find port other_config:n=5
--columns=name find port other_config:n>4
--columns=name find port other_config:n{in}4,5
--columns=name find port other_config{in}n=5
--columns=name find port other_config:n=4,5
--columns=name find port other_config=n=5
--columns=name find port tag=
--columns=name find port tag
--columns=name find port name~p0
--columns=name find port tag:x=5
--columns=name find port nosuch=5
find mirror
find nosuch
find queue other_config:min-rate=1000
wait-until port p0
wait-until port p0 tag=9
wait-until port p0 tag=x
nosuch
--nosuch list-br
--may-exist list-br
--may-exist -- list-br
--if-exists -- get port nosuch tag
-- --if-exists get port nosuch tag
-- --if-exists=1 get port p0 tag
-- --columns list port
-- --nosuch list-br
--if-exists
--
list-br --
-- -- list-br
list-br -- -- list-br
-- list-br -- list-ports br0
--if-exists get port nosuch tag -- get port nosuch tag
-v list-br
-vconsole:off list-br
-v nosuch
--verbose=nosuch:dbg list-br
--no-syslog list-br
--no-leader-only list-br
--retry list-br
--db list-br
--timeout=x list-br
-t 5 list-br
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    both = Sides(tmp_path_factory.mktemp("looks"))
    try:
        populate(both)
        yield both
    finally:
        both.stop()


@pytest.mark.parametrize("line", [c for c in LOOKS.splitlines() if c])
def test_look(filled, line):
    # The order of rows is nobody's promise, unless they were asked for by name.
    filled.look(*line.split(" "), sort="\n" if " find " in line else None)


@pytest.mark.parametrize("table", ["port", "interface", "bridge", "queue", "controller"])
def test_list_all(filled, table):
    filled.look("-f", "csv", "list", table, sort="\n")
    filled.look("-f", "csv", "--no-headings", "find", table, sort="\n")


def test_look_with_blanks(filled):
    filled.look("--columns=name tag", "list", "port", "p0")
    filled.look("get", "port", "p1", 'other_config:"a b"')
    filled.look("--columns=name", "find", "port", 'other_config:"a b"=c d')
    filled.look("--columns=name", "find", "port", 'other_config:"a b"="c d"')


def test_uuid_prefix(filled):
    uuid = filled.look("get", "port", "p0", "_uuid").strip()
    filled.look("get", "port", uuid, "name")
    filled.look("get", "port", uuid[:3], "name")
    filled.look("get", "port", uuid[:13], "name")
    filled.look("get", "bridge", uuid, "name")
    filled.look("list", "port", uuid.upper())


def test_empty_database(sides):
    assert sides.change("list-br") == 0
    assert sides.change("show") == 0
    assert sides.change("--if-exists", "get", "bridge", "br0", "name") == 0


def test_no_server(tmp_path):
    for program in ("ovs-vsctl", tool("weir-vsctl")):
        got = subprocess.run(
            [program, f"--db=unix:{tmp_path}/none.sock", "list-br"],
            capture_output=True,
            text=True,
        )
        assert (got.returncode, got.stdout) == (1, "")
        assert str(tmp_path) in got.stderr


def test_tcp(sides):
    sides.change(*"set-manager ptcp:0:127.0.0.1 -- add-br br1 -- add-port br1 p2".split())
    control = f"{sides.left.folder}/server.ctl"
    remote = "db:Open_vSwitch,Open_vSwitch,manager_options"
    subprocess.run(["ovs-appctl", "-t", control, "ovsdb-server/add-remote", remote], check=True)
    port = ""
    deadline = time.monotonic() + 10
    while not port.isdigit():
        assert time.monotonic() < deadline, "no TCP port"
        got = sides.run(
            "ovs-vsctl", sides.left, ["--bare", "--columns=status", "list", "manager"]
        )
        port = dict(w.split("=") for w in got.stdout.split()).get("bound_port", "")
    for program in ("ovs-vsctl", sides.weir):
        got = subprocess.run(
            [program, f"--db=tcp:127.0.0.1:{port}", "-t10", "list-ports", "br1"],
            capture_output=True,
            text=True,
        )
        assert (got.returncode, got.stdout) == (0, "p2\n")


def test_timeout_is_sigalrm(filled):
    for program in ("ovs-vsctl", filled.weir):
        got = subprocess.run(
            [program, f"--db=unix:{filled.left.socket}", "-t1", "wait-until", "port", "p0", "tag=99"],
            capture_output=True,
        )
        assert got.returncode == -signal.SIGALRM


def test_retry_waits_for_server(tmp_path):
    socket = tmp_path / "late" / "db.sock"
    waiting = subprocess.Popen(
        [tool("weir-vsctl"), f"--db=unix:{socket}", "--retry", "--no-wait", "-t20", "add-br", "br0"]
    )
    time.sleep(0.5)
    assert waiting.poll() is None
    server = Server(tmp_path / "late")
    try:
        assert waiting.wait(timeout=10) == 0
        assert any('"br0"' in row for row in server.dump()["Bridge"])
    finally:
        server.stop()


def test_wait_until_sees_change(filled):
    waiting = subprocess.Popen(
        [
            filled.weir,
            f"--db=unix:{filled.left.socket}",
            "-t20",
            *"wait-until interface p1 ofport=17 -- get interface p1 ofport".split(),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)
    assert waiting.poll() is None
    filled.run("ovs-vsctl", filled.left, ["set", "interface", "p1", "ofport=17"])
    out, _ = waiting.communicate(timeout=10)
    assert (waiting.returncode, out) == (0, "17\n")


def test_created_uuid_is_the_stored_one(sides):
    got = sides.run(sides.weir, sides.right, "create queue other_config:a=b".split())
    listed = sides.run("ovs-vsctl", sides.right, ["--bare", "--columns=_uuid", "list", "queue"])
    assert got.stdout == listed.stdout != ""


def test_waits_for_the_switch_and_reports_errors(sides):
    """Plays weir-vswitchd: sets ofport and error, then cur_cfg."""
    db = f"--db=unix:{sides.right.socket}"
    command = [sides.weir, db, "-t20", "add-br", "br0", "--", "add-port", "br0", "bad"]
    waiting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    sides.run(
        "ovs-vsctl",
        sides.right,
        ["wait-until", "interface", "bad", "--", "set", "interface", "bad", "ofport=-1", "error=boo"],
    )
    time.sleep(0.3)
    assert waiting.poll() is None
    next_cfg = sides.run("ovs-vsctl", sides.right, ["get", "open", ".", "next_cfg"]).stdout.strip()
    sides.run("ovs-vsctl", sides.right, ["set", "open", ".", f"cur_cfg={next_cfg}"])
    _, errors = waiting.communicate(timeout=10)
    assert waiting.returncode == 0
    assert "bad" in errors and "boo" in errors


def test_nothing_changed_does_not_wait(sides):
    sides.change("add-br", "br0")
    got = subprocess.run(
        [sides.weir, f"--db=unix:{sides.right.socket}", "-t5", "--may-exist", "add-br", "br0"]
    )
    assert got.returncode == 0


def test_concurrent_writers_lose_nothing(sides):
    assert sides.run(sides.weir, sides.right, ["add-br", "br0"]).returncode == 0
    writers = [
        subprocess.Popen(
            [
                sides.weir,
                f"--db=unix:{sides.right.socket}",
                "--no-wait",
                "-t60",
                *f"add-port br0 p{i} -- set bridge br0 other_config:k{i}=v".split(),
            ]
        )
        for i in range(16)
    ]
    assert [w.wait(timeout=60) for w in writers] == [0] * 16
    ports = sides.run(sides.weir, sides.right, ["list-ports", "br0"]).stdout.split()
    assert sorted(ports) == sorted(f"p{i}" for i in range(16))
    config = sides.run(sides.weir, sides.right, ["get", "bridge", "br0", "other_config"]).stdout
    assert config.count("=v") == 16


@pytest.mark.parametrize("name", ["weir-vsctl", "weir-appctl"])
def test_help_and_version(name):
    for option in ("--help", "-h"):
        got = subprocess.run([tool(name), option], capture_output=True, text=True)
        assert got.returncode == 0 and "usage: " + name in got.stdout
    for option in ("--version", "-V"):
        got = subprocess.run([tool(name), option], capture_output=True, text=True)
        assert got.returncode == 0 and got.stdout.startswith(name)


def test_appctl_beside_ovs_appctl(filled):
    socket = str(filled.left.folder / "server.ctl")
    for words in (["version"], ["list-commands"], ["vlog/list"], ["ovsdb-server/list-dbs"]):
        ovs = subprocess.run(["ovs-appctl", "-t", socket, *words], capture_output=True, text=True)
        weir = subprocess.run(
            [tool("weir-appctl"), "-t", socket, *words], capture_output=True, text=True
        )
        assert (weir.returncode, weir.stdout) == (ovs.returncode, ovs.stdout)
    for words in (["nosuch"], ["vlog/set", "nosuch"]):
        ovs = subprocess.run(["ovs-appctl", "-t", socket, *words], capture_output=True, text=True)
        weir = subprocess.run(
            [tool("weir-appctl"), "-t", socket, *words], capture_output=True, text=True
        )
        assert weir.returncode == ovs.returncode
        assert weir.stderr.splitlines()[0] == ovs.stderr.splitlines()[0]
        assert "server returned an error" in weir.stderr


def test_appctl_finds_daemon_by_pidfile(tmp_path):
    """The real daemon writes and locks its pidfile; a stale one must not be believed."""
    environment = dict(os.environ, OVS_RUNDIR=str(tmp_path), WEIR_RUNDIR=str(tmp_path))
    subprocess.run(["ovsdb-tool", "create", tmp_path / "conf.db", SCHEMA], check=True)
    server = subprocess.Popen(
        ["ovsdb-server", "--pidfile", "-vconsole:off", tmp_path / "conf.db"], env=environment
    )
    try:
        pidfile = tmp_path / "ovsdb-server.pid"
        deadline = time.monotonic() + 10
        while not list(tmp_path.glob("ovsdb-server.*.ctl")) or not pidfile.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        appctl = [tool("weir-appctl"), "-t", "ovsdb-server", "-T", "10"]
        got = subprocess.run([*appctl, "version"], env=environment, capture_output=True, text=True)
        assert got.returncode == 0 and "ovsdb-server" in got.stdout
        got = subprocess.run([*appctl, "exit"], env=environment)
        assert got.returncode == 0
        assert server.wait(timeout=10) == 0
    finally:
        if server.poll() is None:
            server.kill()
    pidfile.write_text(f"{os.getpid()}\n")
    got = subprocess.run([*appctl, "version"], env=environment, capture_output=True, text=True)
    assert got.returncode == 1 and "not running" in got.stderr
