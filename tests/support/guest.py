# guest.py - QEMU guests with vhost-user ports, and commands in them. The other end of the console is guest/agent.
import base64
import itertools
import os
import pathlib
import random
import shlex
import socket
import threading
import time

from support import image as guest_image
from support import proc

LINE_LIMIT = 3500  # a tty holds 4096 bytes of input that nobody has read yet


class GuestError(Exception):
    """A guest did not boot, died, or a command in it failed."""


class Nic:
    """One vhost-user port as the guest sees it.

    qemu_listens=True belongs to a dpdkvhostuserclient port (the switch dials), False to dpdkvhostuser (the
    switch listens). 'address' is IPv4 with prefix length, set by the guest's own start.
    """

    def __init__(self, socket_path, mac, address=None, queues=2, qemu_listens=True, mtu=None, options=""):
        self.socket_path = pathlib.Path(socket_path)
        self.mac = mac
        self.address = address
        self.queues = queues
        self.qemu_listens = qemu_listens
        self.mtu = mtu
        self.options = options  # more words for virtio-net-pci, e.g. "csum=off"

    def prepare(self):
        """Before QEMU starts."""
        if self.qemu_listens:
            self.socket_path.unlink(missing_ok=True)

    def backend(self, index):
        """QEMU's words for what is behind the device, net<index>."""
        mode = "server=on" if self.qemu_listens else "reconnect=1"
        return ["-chardev", f"socket,id=port{index},path={self.socket_path},{mode}",
                "-netdev", f"vhost-user,id=net{index},chardev=port{index},queues={self.queues}"]


class TapNic(Nic):
    """One port on a tap of the kernel, made by QEMU in the root namespace: what weir is compared with."""

    def __init__(self, tap, mac, address=None, options=""):
        super().__init__("/none", mac, address, queues=1, qemu_listens=False, options=options)
        self.tap = tap

    def backend(self, index):
        return ["-netdev", f"tap,id=net{index},ifname={self.tap},script=no,downscript=no,vhost=off"]


class Result:
    """How a command in a guest ended. 'text' is stdout and stderr together."""

    def __init__(self, status, text):
        self.status = status
        self.text = text


class Command:
    """A command that runs in a guest."""

    def __init__(self, guest, number, text):
        self._guest = guest
        self._number = number
        self._event = threading.Event()
        self._result = None
        self.text = text

    def done(self):
        return self._event.is_set()

    def wait(self, timeout=60, check=True):
        """Returns its Result. A timeout is always an error; a status other than 0 only with 'check'."""
        deadline = time.monotonic() + timeout
        while not self._event.wait(0.2):
            if not self._guest.alive():
                raise GuestError(f"{self._guest.name}: died during: {self.text}\n{self._guest.boot_log()}")
            if time.monotonic() > deadline:
                raise GuestError(f"{self._guest.name}: no end after {timeout} s: {self.text}")
        if check and self._result.status != 0:
            raise GuestError(
                f"{self._guest.name}: status {self._result.status}: {self.text}\n{self._result.text[-2000:]}")
        return self._result

    def kill(self):
        """Ends it and its children; wait() then returns a status above 128."""
        self._guest.send(f"kill {self._number}")

    def finish(self, status, text):
        self._result = Result(status, text)
        self._event.set()


class Guest:
    """One QEMU process. start() returns at once; wait_ready() when the guest's shell answers."""

    def __init__(self, name, directory, nics, cpus=2, memory_mb=192, image=None):
        self.name = name
        self.directory = pathlib.Path(directory)
        self.nics = nics
        self.cpus = cpus
        self.memory_mb = memory_mb
        self.image = image
        self.ready_time = None
        self._process = None
        self._foreign_pid = None
        self._stream = None
        self._lock = threading.Lock()
        # More than one program may talk to a guest in its life: their numbers should differ.
        self._numbers = itertools.count(random.randrange(1 << 40))
        self._commands = {}

    # -- life

    def start(self):
        self.image = self.image or guest_image.get_image()
        self._console_path().unlink(missing_ok=True)
        for nic in self.nics:
            nic.prepare()
        self._process = proc.spawn(self._command_line(), self.directory / f"{self.name}.qemu.log")
        return self

    def wait_ready(self, timeout=120):
        """Waits until the guest runs commands, which is after its addresses are set up."""
        deadline = time.monotonic() + timeout
        while self._stream is None:
            self._check_boot(deadline, timeout)
            self._try_connect()
        while True:
            self._check_boot(deadline, timeout)
            self.send("")  # ends a line that a dying predecessor may have begun
            try:
                self.run("true", timeout=3)
                break
            except GuestError:
                pass
        self.ready_time = time.monotonic()
        return self

    def _check_boot(self, deadline, timeout):
        if not self.alive():
            raise GuestError(f"{self.name}: QEMU ended: {self.boot_log()}")
        if time.monotonic() > deadline:
            raise GuestError(f"{self.name}: not ready after {timeout} s: {self.boot_log()}")

    def _try_connect(self):
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.connect(str(self._console_path()))
        except OSError:
            stream.close()
            time.sleep(0.1)
            return
        self._stream = stream
        threading.Thread(target=self._read_answers, args=(stream,), daemon=True).start()

    def attach(self, pid):
        """Takes over a guest that an earlier program started in the same directory and left running."""
        self._foreign_pid = pid
        return self

    def alive(self):
        if self._process is None:
            return self._foreign_pid is not None and proc.pid_alive(self._foreign_pid)
        return self._process.poll() is None

    @property
    def pid(self):
        return self._process.pid if self._process else self._foreign_pid

    def kill(self):
        """Ends QEMU at once, as a crash would. May be started again."""
        if self._process is not None:
            proc.end_group(self._process)
            self._process = None
        if self._foreign_pid is not None:
            proc.end_pid(self._foreign_pid, 0)
            self._foreign_pid = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._commands.clear()

    def stand_back(self):
        """Lets the switch and the test go first from now on; an emulated guest takes all the time it gets."""
        proc.lower_priority(self.pid)

    def boot_log(self):
        return (proc.tail(self.directory / f"{self.name}.qemu.log", 10) + "\n" +
                proc.tail(self.directory / f"{self.name}.kernel.log", 15))

    # -- commands

    def run(self, command, timeout=60, check=True):
        """Runs a shell command to its end and returns its Result."""
        return self.spawn(command).wait(timeout, check)

    def spawn(self, command):
        """Starts a shell command and returns a Command."""
        text = base64.b64encode(command.encode()).decode()
        with self._lock:
            number = next(self._numbers)
            handle = self._commands[number] = Command(self, number, command)
        if len(text) > LINE_LIMIT:
            raise GuestError(f"{self.name}: command too long ({len(command)} bytes)")
        self.send(f"run {number} {text}")
        return handle

    def send(self, line):
        stream = self._stream
        if stream is None:
            raise GuestError(f"{self.name}: not connected")
        try:
            with self._lock:
                stream.sendall(line.encode() + b"\n")
        except OSError as error:
            raise GuestError(f"{self.name}: console: {error}\n{self.boot_log()}") from None

    def _read_answers(self, stream):
        buffered = b""
        while True:
            try:
                data = stream.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffered += data
            *lines, buffered = buffered.split(b"\n")
            for line in lines:
                self._take_answer(line)

    def _take_answer(self, line):
        words = line.split()
        if len(words) not in (3, 4) or not words[0].startswith(b"@") or words[-1] != b".":
            return
        try:
            number, status = int(words[0][1:]), int(words[1])
            text = base64.b64decode(words[2], validate=True) if len(words) == 4 else b""
        except ValueError:
            return
        handle = self._commands.pop(number, None)
        if handle is not None:
            handle.finish(status, text.decode(errors="replace"))

    # -- command line

    def _console_path(self):
        return self.directory / f"{self.name}.console"

    def _command_line(self):
        log = self.directory / f"{self.name}.kernel.log"
        words = [*_pin(), "qemu-system-x86_64", "-name", self.name, "-accel", accelerator(), "-cpu", "max",
                 "-smp", str(self.cpus), "-m", str(self.memory_mb),
                 "-object", f"memory-backend-memfd,id=mem,size={self.memory_mb}M,share=on",
                 "-numa", "node,memdev=mem", "-nodefaults", "-display", "none", "-no-reboot",
                 "-chardev", f"file,id=log,path={log}", "-serial", "chardev:log",
                 "-chardev", f"socket,id=console,path={self._console_path()},server=on,wait=off",
                 "-serial", "chardev:console",
                 "-kernel", str(self.image.kernel), "-initrd", str(self.image.initrd),
                 "-append", self._kernel_words()]
        for index, nic in enumerate(self.nics):
            device = f"virtio-net-pci,netdev=net{index},mac={nic.mac},romfile="
            device += _interrupt_options(nic.queues)
            if nic.queues > 1:
                device += ",mq=on"
            if nic.options:
                device += "," + nic.options
            words += [*nic.backend(index), "-device", device]
        return words

    def _kernel_words(self):
        # The timer check fails where the host is busy.
        words = ["console=ttyS0", "quiet", "panic=-1", "no_timer_check", "mitigations=off", "net.ifnames=0"]
        for index, nic in enumerate(self.nics):
            if nic.mtu:
                words.append(f"weir.mtu{index}={nic.mtu}")
            if nic.address:
                words.append(f"weir.ip{index}={nic.address}")
        return " ".join(words)


def accelerator():
    """Emulation unless $WEIR_TEST_ACCEL says kvm: /dev/kvm may exist and yet not run Debian's kernels."""
    name = os.environ.get("WEIR_TEST_ACCEL", "tcg")
    return "tcg,thread=multi" if name == "tcg" else name


def _interrupt_options(queues):
    """QEMU 7.2 crashes with vhost-user, emulation and MSI-X together; multiqueue works without MSI-X as well."""
    if accelerator().startswith("tcg"):
        return ",vectors=0"
    return f",vectors={2 * queues + 2}"


def _pin():
    """Keeps QEMU off the switch's core: $WEIR_TEST_QEMU_CPUS, or all cores but the second where there are two."""
    cpus = os.environ.get("WEIR_TEST_QEMU_CPUS")
    if cpus is None and (os.cpu_count() or 1) >= 2:
        cpus = ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0)) if cpu != 1)
    return ["taskset", "-c", cpus] if cpus else []


def start_all(guests, timeout=180):
    """Boots guests side by side and returns when all are ready."""
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.wait_ready(timeout)


def quote(text):
    return shlex.quote(str(text))
