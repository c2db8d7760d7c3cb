# terminal.py - a program on a pseudo-terminal of a given size, and what its screen shows: as much of a vt100
# and an xterm as curses programs use.
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

CONTROL = re.compile(r"\x1b\[([?>]?)([\d;]*)([@-~])|\x1b[()][0AB]|\x1b[=>78cDMEH]")


class Screen:
    """Characters by line and column; output is fed to it in pieces of any size."""

    def __init__(self, lines, columns):
        self.resize(lines, columns)
        self.rest = ""

    def resize(self, lines, columns):
        self.lines, self.columns = lines, columns
        self.cells = [[" "] * columns for _ in range(lines)]
        self.y = self.x = 0
        self.top, self.bottom = 0, lines - 1  # of the region that scrolls
        self.last = " "
        self.saved = (0, 0)

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def feed(self, text):
        text = self.rest + text
        self.rest = ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = CONTROL.match(text, at)
                if not match:
                    if len(text) - at < 16:
                        self.rest = text[at:]
                        return
                    at += 1
                    continue
                self.control(match)
                at = match.end()
                continue
            self.put(text[at])
            at += 1

    def put(self, char):
        if char == "\r":
            self.x = 0
        elif char == "\n":
            self.line_feed()
        elif char == "\b":
            self.x = max(self.x - 1, 0)
        elif char == "\t":
            self.x = min((self.x // 8 + 1) * 8, self.columns - 1)
        elif char >= " ":
            if self.x >= self.columns:
                self.x = 0
                self.line_feed()
            self.cells[self.y][self.x] = self.last = char
            self.x += 1

    def line_feed(self):
        if self.y == self.bottom:
            self.scroll(self.top, 1)
        else:
            self.y = min(self.y + 1, self.lines - 1)

    def scroll(self, top, count):
        """Moves the region from 'top' up by so many lines, or down if below 0."""
        for _ in range(min(abs(count), self.lines)):
            del self.cells[top if count > 0 else self.bottom]
            self.cells.insert(self.bottom if count > 0 else top, [" "] * self.columns)

    def control(self, match):
        final = match.group(3)
        if match.group() == "\x1b7":
            self.saved = (self.y, self.x)
        if match.group() == "\x1b8":
            self.y, self.x = self.saved
        if match.group() == "\x1bM":
            if self.y == self.top:
                self.scroll(self.top, -1)
            else:
                self.y = max(self.y - 1, 0)
        if not final or match.group(1):
            return
        numbers = [int(word or 0) for word in match.group(2).split(";")]
        count = max(numbers[0], 1)
        column = min(self.x, self.columns - 1)
        if final in "Hf":
            self.y = min(count, self.lines) - 1
            self.x = min(max(numbers[1], 1) if len(numbers) > 1 else 1, self.columns) - 1
        elif final == "J":
            if numbers[0] == 0:
                self.cells[self.y][column:] = [" "] * (self.columns - column)
            for y in range(self.y + 1 if numbers[0] == 0 else 0, self.lines):
                self.cells[y] = [" "] * self.columns
        elif final == "K":
            start, end = {0: (column, self.columns), 1: (0, column + 1)}.get(numbers[0], (0, self.columns))
            self.cells[self.y][start:end] = [" "] * (end - start)
        elif final == "A":
            self.y = max(self.y - count, 0)
        elif final == "B":
            self.y = min(self.y + count, self.lines - 1)
        elif final == "C":
            self.x = min(self.x + count, self.columns - 1)
        elif final == "D":
            self.x = max(self.x - count, 0)
        elif final == "d":
            self.y = min(count, self.lines) - 1
        elif final == "G":
            self.x = min(count, self.columns) - 1
        elif final == "r":
            self.top = count - 1
            self.bottom = (numbers[1] if len(numbers) > 1 and numbers[1] else self.lines) - 1
            self.y = self.x = 0
        elif final in "ST":
            self.scroll(self.top, count if final == "S" else -count)
        elif final in "LM":
            self.scroll(self.y, count if final == "M" else -count)
        else:
            self.control_line(final, count, column)

    def control_line(self, final, count, column):
        line = self.cells[self.y]
        if final == "X":
            line[column : column + count] = [" "] * min(count, self.columns - column)
        elif final == "P":
            self.cells[self.y] = (line[:column] + line[column + count :] + [" "] * self.columns)[: self.columns]
        elif final == "@":
            self.cells[self.y] = (line[:column] + [" "] * count + line[column:])[: self.columns]
        elif final == "b":
            for _ in range(count):
                self.put(self.last)


class Terminal:
    """A running program, its keyboard and its screen."""

    def __init__(self, command, lines=24, columns=100, env=()):
        self.master, slave = pty.openpty()
        self.screen = Screen(lines, columns)
        self.output = b""
        self.set_size(slave, lines, columns)
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "vt100", "LC_ALL": "C", **dict(env)},
        )
        os.close(slave)

    @staticmethod
    def set_size(fd, lines, columns):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, lines, columns):
        self.read(0.05)
        self.screen.resize(lines, columns)
        self.set_size(self.master, lines, columns)

    def press(self, keys):
        os.write(self.master, keys.encode())

    def read(self, seconds):
        """Takes what comes within this time; False at the end of the program."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data
        self.screen.feed(data.decode("latin-1"))
        return bool(data)

    def wait(self, pattern, seconds=20, absent=False):
        """Until the screen matches the pattern (or does not) and nothing more is drawn; gives the screen."""
        end = time.monotonic() + seconds
        while True:
            while select.select([self.master], [], [], 0.05)[0] and time.monotonic() < end:
                assert self.read(0), f"the program ended:\n{self.screen.text()}"
            if bool(re.search(pattern, self.screen.text(), re.M)) != absent:
                return self.screen.text()
            assert time.monotonic() < end, f"{'still' if absent else 'no'} {pattern!r} on:\n{self.screen.text()}"
            self.read(0.1)

    def wait_end(self, seconds=20):
        end = time.monotonic() + seconds
        while self.read(0.1) and self.process.poll() is None and time.monotonic() < end:
            pass
        return self.process.wait(max(end - time.monotonic(), 0.1))

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)
