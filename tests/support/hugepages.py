# hugepages.py - has 2 MiB pages ready for a switch and gives back those it added, with other runs in mind.
import fcntl
import json
import os
import pathlib

from support import proc

DIRECTORY = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
# Who added how many pages: {"pid": pages}. Shared by all runs on the machine.
LEDGER = pathlib.Path("/run/weir-test-hugepages.json")


class Hugepages:
    """Context manager: 'mb' of free 2 MiB pages on entry. WEIR_TEST_KEEP_HUGEPAGES=1 leaves added ones behind."""

    def __init__(self, mb):
        self.pages = (mb + 1) // 2

    def __enter__(self):
        with _Ledger() as ledger:
            free = _read("free_hugepages") - _read("resv_hugepages")
            missing = self.pages - free
            if missing > 0:
                before = _read("nr_hugepages")
                _write("nr_hugepages", before + missing)
                added = _read("nr_hugepages") - before
                ledger.add(added)
                if added < missing:
                    raise MemoryError(f"the kernel has no {self.pages} free 2 MiB pages: got {free + added}")
        return self

    def __exit__(self, *_):
        give_back()


def give_back():
    """Returns the pages this process added and those of processes that died, as far as they are free."""
    if os.environ.get("WEIR_TEST_KEEP_HUGEPAGES"):
        return
    with _Ledger() as ledger:
        mine = ledger.take()
        spare = min(mine, _read("free_hugepages") - _read("resv_hugepages"))
        if spare > 0:
            _write("nr_hugepages", _read("nr_hugepages") - spare)


class _Ledger:
    def __enter__(self):
        self._file = open(LEDGER, "a+")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._file.seek(0)
        try:
            self._entries = json.loads(self._file.read() or "{}")
        except ValueError:
            self._entries = {}
        return self

    def __exit__(self, *_):
        self._file.seek(0)
        self._file.truncate()
        json.dump(self._entries, self._file)
        self._file.close()

    def add(self, pages):
        pid = str(os.getpid())
        self._entries[pid] = self._entries.get(pid, 0) + pages

    def take(self):
        ended = [pid for pid in self._entries if pid == str(os.getpid()) or not proc.pid_alive(int(pid))]
        return sum(self._entries.pop(pid) for pid in ended)


def _read(name):
    return int((DIRECTORY / name).read_text())


def _write(name, value):
    (DIRECTORY / name).write_text(str(value))
