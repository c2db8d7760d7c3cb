# testpmd.py - DPDK's testpmd as a vhost-user frontend: two virtio-user ports that bounce frames through the switch,
# or flood each other.
import os
import re
import subprocess
import time

from support import proc


class Testpmd:
    """Two virtio-user ports; each is (socket path, this side listens).

    They bounce frames, or with flood_bytes send frames of that size to each other as fast as the rings take them.
    """

    def __init__(self, directory, ports, queues=1, cpu=0, flood_bytes=None):
        self.log = directory / "testpmd.log"
        words = ["stdbuf", "-oL", "dpdk-testpmd", "--lcores", f"0@{cpu},1@{cpu}", "--no-pci", "--in-memory",
                 "--single-file-segments", "-m", "192", f"--file-prefix={directory.name}-pmd-{os.getpid()}"]
        for index, (path, listens) in enumerate(ports):
            if listens:
                path.unlink(missing_ok=True)
            words += ["--vdev", f"net_virtio_user{index},path={path},queues={queues},queue_size=256,"
                                f"mac=52:54:00:00:01:{index:02x}" + (",server=1" if listens else "")]
        words += ["--", "--interactive", "--no-mlockall",
                  f"--rxq={queues}", f"--txq={queues}", "--total-num-mbufs=8192"]
        if flood_bytes:
            words += ["--forward-mode=flowgen", f"--txpkts={flood_bytes}", "--tx-offloads=0",
                      "--eth-peer=0,52:54:00:00:01:01", "--eth-peer=1,52:54:00:00:01:00"]
        else:
            words += ["--forward-mode=io"]
        self._floods = bool(flood_bytes)
        with open(self.log, "wb") as sink:
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=sink, stderr=sink, text=True,
                                             start_new_session=True)

    def command(self, text):
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def start(self):
        """Begins to flood, or to forward with one burst from each port; both links must be up."""
        self.command("start" if self._floods else "start tx_first")

    def received(self):
        """Frames received so far by each port: {0: N, 1: N}."""
        self.command("show port stats all")
        time.sleep(0.5)
        text = self.log.read_text(errors="replace")
        found = re.findall(r"NIC statistics for port (\d+) .*?RX-packets: (\d+)", text, re.S)
        return {int(port): int(count) for port, count in found}

    def alive(self):
        return self._process.poll() is None

    def kill(self):
        proc.end_group(self._process)
        self._process.stdin.close()
