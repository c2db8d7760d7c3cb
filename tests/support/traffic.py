# traffic.py - pings, bulk transfers and rates: how tests send traffic and what they read from the answers.
import json
import math
import re
import signal
import subprocess
import time

from support import guest as guests
from support import proc

PING_SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) (?:packets )?received")


class PingCount:
    """What ping reports at its end."""

    def __init__(self, text):
        match = PING_SUMMARY.search(text)
        if not match:
            raise AssertionError(f"no summary of ping in: {text[-500:]}")
        self.sent = int(match.group(1))
        self.received = int(match.group(2))
        self.text = text

    @property
    def lost(self):
        return self.sent - self.received


def ping(sender, address, count=10, interval=0.2, more=""):
    """Pings from a Guest or Namespace; returns PingCount of the first count requests, whatever came back.

    It sends on for a second: ping itself waits two round trips for the last answer, less than a busy machine takes.
    """
    command = f"ping -c {count + math.ceil(1 / interval)} -i {interval} -W 3 {more} {address}"
    timeout = 30 + count * (interval + 1)
    if isinstance(sender, guests.Guest):
        result = PingCount(sender.run(command, timeout, check=False).text)
    else:
        result = PingCount(sender.run(*command.split(), timeout=timeout, check=False).stdout)
    result.sent = count
    result.received = len({number for number in _answered(result) if number < count})
    return result


def wait_ping(sender, address, timeout=30):
    """Waits for the first answer; returns how many seconds that took, to about 0.3 s."""
    started = time.monotonic()

    def answered():
        command = f"ping -c 1 -W 1 {address}"
        if isinstance(sender, guests.Guest):
            return sender.run(command, 10, check=False).status == 0
        return sender.run(*command.split(), check=False).returncode == 0

    proc.wait_until(answered, timeout, f"ping {address} answered", 0.05)
    return time.monotonic() - started


class RunningPing:
    """A ping that runs in a guest or namespace beside a test's other doings."""

    def __init__(self, sender, address, interval=0.1, timestamps=False):
        self._sender = sender
        self._interval = interval
        # -c bounds it should the test die; stop() interrupts it, upon which ping prints its summary.
        command = f"ping -c 36000 -i {interval} -W 3 {address}"
        if not isinstance(sender, guests.Guest):
            command = f"ip netns exec {sender.name} {command}" + (" -D" if timestamps else "")
            self._process = subprocess.Popen(
                command.split(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, start_new_session=True)
        else:
            self._file = f"/run/ping.{id(self)}"
            self._command = sender.spawn(f"echo $$ >{self._file}; exec {command}")

    def stop(self):
        """Lets it run a second longer, so that what was just done is judged too; ends it; returns its PingCount.

        Lost is what misses below the last answer. What was sent in the last second may still be under way.
        """
        time.sleep(1)
        if isinstance(self._sender, guests.Guest):
            self._sender.run(f"kill -INT $(cat {self._file})")
            count = PingCount(self._command.wait(30, check=False).text)
        else:
            self._process.send_signal(signal.SIGINT)
            text, _ = self._process.communicate(timeout=30)
            count = PingCount(text)
        under_way = _sent_after_last_answer(count)
        if under_way * self._interval <= 1:
            count.sent -= under_way
        return count


def _answered(count):
    """The numbers of the requests that ping has an answer to, from 0."""
    first = 1 if "icmp_seq" in count.text else 0
    return [int(number) - first for number in re.findall(r"bytes from .*seq=(\d+)", count.text)]


def _sent_after_last_answer(count):
    """How many requests at the end of a ping have no answer."""
    return count.sent - (max(_answered(count), default=-1) + 1)


def timestamps(text):
    """When each answer came, in seconds since 1970, from a RunningPing with timestamps."""
    return [float(stamp) for stamp in re.findall(r"^\[(\d+\.\d+)\] \d+ bytes from", text, re.M)]


def checked_stream(sender, receiver, address, port, megabytes):
    """Starts a TCP transfer of numbered random blocks between guests; the returned function waits for its end
    and compares checksums: a repeated, missing, swapped or damaged byte shows.

    Programs read and write the socket themselves (nc -e): pipes between two emulated CPUs are ten times slower.
    """
    base = f"/tmp/stream{port}"
    receiver.run(f"printf '#!/bin/sh\\nmd5sum >{base}.md5\\n' >{base}.recv; chmod +x {base}.recv")
    sender.run(f"head -c 1048576 /dev/urandom >{base}.blk; printf '#!/bin/sh\\ni=0; while [ $i -lt {megabytes} ]; "
               f"do echo block $i; cat {base}.blk; i=$((i+1)); done\\n' >{base}.send; chmod +x {base}.send")
    receiving = receiver.spawn(f"nc -l -p {port} -e {base}.recv")
    receiver.run(f"for i in $(seq 100); do netstat -ltn | grep -q :{port} && exit 0; usleep 100000; done; exit 1")
    sending = sender.spawn(f"nc {address} {port} -e {base}.send")

    def finish(timeout):
        sending.wait(timeout)
        receiving.wait(60)
        received = receiver.run(f"cat {base}.md5; rm -f {base}.*").text.split()
        sent = sender.run(f"{base}.send | md5sum; rm -f {base}.*", timeout).text.split()
        assert sent and received and len(sent[0]) == 32, (sent, received)
        assert sent[0] == received[0], f"{megabytes} MB to {address}: sent {sent[0]}, received {received[0]}"

    return finish


def iperf_json(text):
    """The 'end' part of iperf3 -J."""
    answer = json.loads(text[text.index("{"):])
    if "error" in answer:
        raise AssertionError(f"iperf3: {answer['error']}")
    return answer["end"]


def _stolen_share(before, after):
    """What the host of this machine took of its processors' time between two readings of _processor_times()."""
    return (after[7] - before[7]) / max(1, sum(after) - sum(before))


def _processor_times():
    with open("/proc/stat", encoding="ascii") as stat:
        return [int(field) for field in stat.readline().split()[1:9]]


_stolen = {"windows": 60}  # how many more may not count, in all tests together: some minutes


def steady(measure, at_least, at_most=None, windows=5):
    """Measures until what at_least() asserts of a window holds; what at_most() asserts must hold in every window.
    A window in which the machine kept senders or switch from running is no proof of less, and one whose processors
    were elsewhere for more than a hundredth of it does not count. Returns the last window."""
    while True:
        before = _processor_times()
        window = measure()
        if at_most:
            at_most(window)
        try:
            at_least(window)
            return window
        except AssertionError:
            if _stolen_share(before, _processor_times()) > 0.01 and _stolen["windows"]:
                _stolen["windows"] -= 1
            else:
                windows -= 1
            if not windows:
                raise
