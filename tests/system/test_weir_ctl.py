"""weir-ctl: the service script, around a stand-in for weir-vswitchd.

The stand-in is a real daemon with a real database, locked pidfile and control socket: an
ovsdb-server, started in weir-vswitchd's name and by its options.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"

pytestmark = pytest.mark.skipif(not shutil.which("ovsdb-server"), reason="needs ovsdb-server")

STAND_IN = """#!/bin/sh
# Takes --detach --pidfile --log-file --rundir=D --dbdir=D --logdir=D [--fail].
echo "$@" >>"{record}"
for word; do
	case $word in
	--version) echo "weir-vswitchd (stand-in) 0"; exit 0 ;;
	--rundir=*) rundir=${{word#*=}} ;;
	--dbdir=*) dbdir=${{word#*=}} ;;
	--logdir=*) logdir=${{word#*=}} ;;
	--fail) echo "weir-vswitchd: told to fail" >&2; exit 1 ;;
	esac
done
[ -e "$dbdir/conf.db" ] || ovsdb-tool create "$dbdir/conf.db" {schema}
ovsdb-server "$dbdir/conf.db" --remote=punix:"$rundir/db.sock" --detach --no-chdir \\
	--pidfile="$rundir/weir-vswitchd.pid" --unixctl="$rundir/stand-in.ctl" \\
	--log-file="$logdir/weir-vswitchd.log" -vconsole:off || exit 1
ln -sf stand-in.ctl "$rundir/weir-vswitchd.$(cat "$rundir/weir-vswitchd.pid").ctl"
"""


def build_folder():
    build = os.environ.get("WEIR_BUILD")
    for folder in [pathlib.Path(build)] if build else [TREE / "build", TREE]:
        if (folder / "utilities" / "weir-vsctl").exists():
            return folder / "utilities"
    pytest.skip("weir-vsctl is not built")


class Service:
    def __init__(self, folder):
        self.folder = folder
        self.rundir = folder / "run"
        self.dbdir = folder / "db"
        self.record = folder / "record"
        # One folder for the script and what it starts, as after an installation.
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copy(TREE / "utilities" / "weir-ctl", self.bin)
        for name in ("weir-vsctl", "weir-appctl"):
            (self.bin / name).symlink_to(build_folder() / name)
        daemon = self.bin / "weir-vswitchd"
        daemon.write_text(STAND_IN.format(record=self.record, schema=SCHEMA))
        daemon.chmod(0o755)

    def ctl(self, *words, env=(), cwd=None):
        return subprocess.run(
            [self.bin / "weir-ctl", *words],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=cwd,
            env=dict(
                os.environ,
                WEIR_RUNDIR=str(self.rundir),
                WEIR_DBDIR=str(self.dbdir),
                WEIR_LOGDIR=str(self.folder / "log"),
                **dict(env),
            ),
        )

    def get(self, *columns):
        got = subprocess.run(
            ["ovs-vsctl", f"--db=unix:{self.rundir}/db.sock", "--no-wait", "-t10"]
            + ["get", "open", ".", *columns],
            check=True,
            capture_output=True,
            text=True,
        )
        return got.stdout.splitlines()

    def pid(self):
        path = self.rundir / "weir-vswitchd.pid"
        return int(path.read_text()) if path.exists() else None

    def end(self):
        pid = self.pid()
        command = pathlib.Path(f"/proc/{pid}/cmdline")
        if pid and command.exists() and str(self.folder) in command.read_text():
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def service(tmp_path):
    one = Service(tmp_path)
    yield one
    one.end()


def test_start_status_stop(service):
    assert service.ctl("status").returncode == 3
    got = service.ctl("start")
    assert got.returncode == 0, got.stderr
    assert f"pid {service.pid()}" in got.stdout
    words = service.record.read_text().split()
    assert {"--detach", "--pidfile", "--log-file", f"--rundir={service.rundir}"} <= set(words)
    assert service.ctl("status").returncode == 0
    assert service.ctl("stop").returncode == 0
    assert service.pid() is None
    assert service.ctl("status").returncode == 3
    assert service.ctl("stop").returncode == 0


def test_describes_the_system(service):
    got = service.ctl(
        "--system-type=a type", "--system-version", '4"2\\', "--external-id=k y=v=1", "start"
    )
    assert got.returncode == 0, got.stderr
    assert service.get("system_type", "system_version") == ['"a type"', '"4\\"2\\\\"']
    assert service.get('external_ids:"k y"') == ['"v=1"']
    assert service.get("external_ids:rundir") == [f'"{service.rundir}"']
    assert re.fullmatch(r'"?\d+\.\d+\.\d+"?', service.get("ovs_version")[0])
    assert service.get("db_version") == ['"8.3.1"']
    assert service.get("external_ids:hostname")[0]
    assert re.fullmatch(r'"[0-9a-f-]{36}"', service.get("external_ids:system-id")[0])


def test_names_of_the_operating_system(service):
    assert service.ctl("start").returncode == 0
    ids = dict(
        line.rstrip("\n").split("=", 1) for line in open("/etc/os-release") if "=" in line
    )
    assert [v.strip('"') for v in service.get("system_type", "system_version")] == [
        ids["ID"].strip('"'),
        ids.get("VERSION_ID", "unknown").strip('"'),
    ]


def test_system_id_and_hostname_stay(service):
    assert service.ctl("--hostname=first", "start").returncode == 0
    before = service.get("external_ids:system-id", "external_ids:hostname")
    assert before[1] == "first"
    assert service.ctl("--hostname=second", "restart").returncode == 0
    assert service.get("external_ids:system-id", "external_ids:hostname") == before
    assert service.ctl("stop").returncode == 0
    (service.dbdir / "conf.db").unlink()
    assert service.ctl("start").returncode == 0
    assert service.get("external_ids:system-id")[0] == before[0]
    assert service.ctl("--system-id=mine", "restart").returncode == 0
    assert service.get("external_ids:system-id") == ["mine"]


def test_relative_directories(service):
    got = service.ctl("--rundir=run", "--dbdir=db", "--logdir", "log", "start", cwd=service.folder)
    assert got.returncode == 0, got.stderr
    assert service.get("external_ids:rundir") == [f'"{service.rundir}"']
    assert (service.folder / "log" / "weir-vswitchd.log").exists()


def test_start_twice(service):
    assert service.ctl("start").returncode == 0
    pid = service.pid()
    got = service.ctl("start")
    assert got.returncode == 0 and "already running" in got.stdout
    assert service.pid() == pid


def test_restart_and_force_reload(service):
    pids = []
    for command in ("start", "restart", "force-reload"):
        assert service.ctl(command).returncode == 0
        pids.append(service.pid())
    assert len(set(pids)) == 3


def test_hung_daemon_is_killed(service):
    assert service.ctl("start").returncode == 0
    pid = service.pid()
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    assert service.ctl("status").returncode == 4
    got = service.ctl("--stop-timeout=1", "stop")
    assert got.returncode == 0, got.stderr
    assert "SIGTERM" in got.stderr and "SIGKILL" in got.stderr
    assert time.monotonic() - started < 30
    deadline = time.monotonic() + 5
    while pathlib.Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < deadline:
        if not pathlib.Path(f"/proc/{pid}/cmdline").read_text():
            break  # a zombie of whoever reaps here
        time.sleep(0.05)
    got = service.ctl("status")
    assert got.returncode == 1 and "pidfile" in got.stdout


def test_stale_pidfile_kills_nobody(service):
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        service.rundir.mkdir()
        (service.rundir / "weir-vswitchd.pid").write_text(f"{bystander.pid}\n")
        assert service.ctl("status").returncode == 1
        assert service.ctl("stop").returncode == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_failure_is_reported(service):
    got = service.ctl("--daemon-options=--fail", "start")
    assert got.returncode == 1
    assert "told to fail" in got.stderr and "did not start" in got.stderr
    got = service.ctl("start", env={"WEIR_VSWITCHD_OPTIONS": "--fail"})
    assert got.returncode == 1


def test_version_and_help(service):
    got = service.ctl("version")
    assert got.returncode == 0
    for name in ("weir-ctl", "weir-vswitchd", "weir-vsctl", "weir-appctl"):
        assert name in got.stdout
    for words in (["--help"], ["-h"], ["help"]):
        assert "usage: weir-ctl" in service.ctl(*words).stdout
    for words in (["--version"], ["-V"]):
        assert service.ctl(*words).stdout.startswith("weir-ctl (weir) ")


@pytest.mark.parametrize(
    "words",
    ["", "nosuch", "start stop", "--nosuch=1 start", "--rundir", "-x start"]
    + ["--stop-timeout=x stop", "--external-id=x start", "--rundir= start"],
)
def test_bad_command_line(service, words):
    got = service.ctl(*words.split())
    assert got.returncode == 1
    assert got.stderr.startswith("weir-ctl: ") and len(got.stderr.splitlines()) == 1
    assert not service.record.exists()


# ---- qos-simulate and qos-record


def simulate(service, *words, loads="class 10 backlogged\n"):
    (service.folder / "tree").write_text("link 1G\nclass 10 min-rate 100M\nclass 11 max-rate 50M\n")
    (service.folder / "loads").write_text(loads)
    return service.ctl("qos-simulate", *words, cwd=service.folder)


def test_simulate_runs_the_installed_program(service):
    (service.bin / "weir-qos-simulate").symlink_to(build_folder() / "weir-qos-simulate")
    got = simulate(service, "--seconds=0.1", "--json", "tree", "loads")
    assert got.returncode == 0, got.stderr
    classes = {one["number"]: one for one in json.loads(got.stdout)["classes"]}
    assert abs(classes[10]["sent_bps"] - 1e9) < 2e7
    assert classes[10]["floor"] == "met" and classes[11]["sent_bps"] == 0


def test_simulate_says_who_loses(service):
    (service.bin / "weir-qos-simulate").symlink_to(build_folder() / "weir-qos-simulate")
    got = simulate(service, "--change", "class 30 min-rate 900M", "tree", "loads")
    assert got.returncode == 0, got.stderr
    lines = {line.split()[1]: line for line in got.stdout.splitlines() if line.startswith("  class")}
    assert re.search(r"1\.00G +100M +- +900M", lines["10"]), got.stdout
    assert "30" in lines and "11" not in lines
    got = simulate(service, "--change", "class 30 min-rate 901M", "tree", "loads")
    assert got.returncode == 1
    assert "would refuse" in got.stderr and "class 30 has 901000000, class 10 has 100000000" in got.stderr


def test_simulate_refuses_bad_input(service):
    (service.bin / "weir-qos-simulate").symlink_to(build_folder() / "weir-qos-simulate")
    for words, loads, reason in [
        (("tree", "loads"), "class 12 backlogged", "no such class"),
        (("tree", "loads"), "nonsense", "loads: line 1"),
        (("tree", "missing"), "", "missing: No such file"),
        (("tree",), "", "needs TREE and LOADS"),
        (("--live=p0", "loads"), "", "is not running"),
    ]:
        got = simulate(service, *words, loads=loads)
        assert got.returncode == 1 and reason in got.stderr, (words, got)
        assert len(got.stderr.splitlines()) == 1


def test_missing_program_is_named(service):
    got = service.ctl("qos-record", "p0", "1")
    if got.returncode == 0 or "not installed" not in got.stderr:
        pytest.skip("weir is installed on this machine")
    assert got.stderr == "weir-ctl: weir-qos-record is not installed\n"
