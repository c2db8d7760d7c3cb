# proc.py - run programs with deadlines and end exactly what was started. Used by everything in support.
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parents[2]


class CommandError(Exception):
    """A program ended with a status other than 0, or did not end in time."""

    def __init__(self, command, status, stdout, stderr):
        self.command = command
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        text = (stderr or stdout or "").strip()
        super().__init__(f"{' '.join(map(str, command))}: status {status}: {text[-2000:]}")


def run(command, timeout=30, check=True, env=None, stdin=None, cwd=None):
    """Runs to the end; returns CompletedProcess with text. A timeout is an error even with check=False."""
    command = [str(word) for word in command]
    full_env = dict(os.environ, **(env or {}))
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        env=full_env, cwd=cwd, start_new_session=True)
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        end_group(process)
        out, err = process.communicate()
        raise CommandError(command, f"none after {timeout} s", out, err) from None
    if check and process.returncode != 0:
        raise CommandError(command, process.returncode, out, err)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def spawn(command, log, env=None, cwd=None):
    """Starts a program in a session of its own, its output appended to the file 'log'."""
    with open(log, "ab") as sink:
        return subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            env=dict(os.environ, **(env or {})), cwd=cwd, start_new_session=True)


def lower_priority(pid):
    """Lets everything else go first: emulated guests would take the time of what they talk to.

    Between sessions, nice counts only through the kernel's automatic groups (sched(7)).
    """
    os.setpriority(os.PRIO_PROCESS, pid, 5)
    try:
        pathlib.Path(f"/proc/{pid}/autogroup").write_text("5")
    except OSError:
        pass


def end_group(process, grace=0):
    """Ends a process made by spawn() and all its children: SIGTERM, then SIGKILL after 'grace' seconds."""
    if grace and process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            pass
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def pid_alive(pid):
    """Whether any thread of a process runs: files and sockets go only with the last one."""
    for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            if stat.read_text().rpartition(")")[2].split()[0] not in "ZX":
                return True
        except OSError:
            pass  # it ended meanwhile
    return False


def end_pid(pid, grace=10):
    """Ends a daemon that is nobody's child: SIGTERM, SIGKILL after 'grace' seconds."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience
        while pid_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)


def wait_until(condition, timeout, what, interval=0.1):
    """Calls 'condition' until it returns something true, which is returned."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout} s still not: {what}")
        time.sleep(interval)


def tail(path, lines=30):
    """The last lines of a file, for messages about failures."""
    try:
        return "\n".join(pathlib.Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)


def private_directory(prefix="weir-test-"):
    """A new directory; the paths of Unix sockets in it stay below the limit of 108 bytes."""
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))


def remove_directory(path):
    shutil.rmtree(path, ignore_errors=True)


def build_directory():
    """Where weir's binaries are: $WEIR_BUILD, else build/, else the source tree itself."""
    named = os.environ.get("WEIR_BUILD")
    for candidate in ([pathlib.Path(named)] if named else [REPO / "build", REPO]):
        if (candidate / "vswitchd" / "weir-vswitchd").exists():
            return candidate
    raise FileNotFoundError(
        f"no vswitchd/weir-vswitchd in {named or REPO / 'build'}: build first, or set WEIR_BUILD")
