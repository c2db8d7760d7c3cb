#!/usr/bin/env python3
# results.py - counts what test suites report, for boot.sh and .ci/run. A suite that died counts as one failure,
# and so does one that ran nothing.
#
#   results.py make DIR NAME BUILD STATUS     automake's .trs and .log files below BUILD/tests
#   results.py junit DIR NAME XML STATUS      a report of pytest
#   results.py exit DIR NAME STATUS           one check, by its exit status
#   results.py total DIR...                   prints "N passed, N failed"; exit status 1 if any failed
import pathlib
import re
import sys
import xml.etree.ElementTree

PASSED = re.compile(r"^\[  PASSED  \] (\d+) test", re.M)
FAILED = re.compile(r"^\[  FAILED  \] (?:[\w:]*: )?(\d+) test", re.M)


def count_make(build, status):
    """Each cmocka program counts with its test cases, any other program as one test."""
    passed = failed = 0
    names = []
    for trs in sorted(pathlib.Path(build).glob("tests/**/*.trs")):
        match = re.search(r"^:test-result: (\w+)", trs.read_text(), re.M)
        result = match.group(1) if match else "ERROR"
        if result == "SKIP":
            continue
        log = trs.with_suffix(".log")
        text = log.read_text(errors="replace") if log.exists() else ""
        good, bad = sum(map(int, PASSED.findall(text))), sum(map(int, FAILED.findall(text)))
        if result == "PASS":
            good, bad = max(good, 1), bad
        elif not bad:
            bad = 1
        if bad:
            names.append(trs.stem)
        passed, failed = passed + good, failed + bad
    return finish(passed, failed, status), names


def count_junit(report, status):
    passed = failed = 0
    names = []
    try:
        root = xml.etree.ElementTree.parse(report).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return (0, 1), ["no report"]
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            names.append(case.get("name"))
        elif case.find("skipped") is None:
            passed += 1
    return finish(passed, failed, status), names


def finish(passed, failed, status):
    """A bad exit status with no failed test, or no test at all, is a failure of the suite itself."""
    if not failed and (status != 0 or not passed):
        failed = 1
    return passed, failed


def record(directory, name, counts, names):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    passed, failed = counts
    (directory / f"{name}.count").write_text(f"{passed} {failed}\n")
    detail = f" ({', '.join(names)})" if names else ""
    print(f"-- {name}: {passed} passed, {failed} failed{detail}", flush=True)


def total(directories):
    passed = failed = 0
    for directory in directories:
        for path in sorted(pathlib.Path(directory).glob("*.count")):
            good, bad = map(int, path.read_text().split())
            passed, failed = passed + good, failed + bad
    if not passed + failed:
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def main(verb, *words):
    if verb == "total":
        return total(words)
    directory, name, *rest = words
    status = int(rest[-1])
    if verb == "make":
        counts, names = count_make(rest[0], status)
    elif verb == "junit":
        counts, names = count_junit(rest[0], status)
    elif verb == "exit":
        counts, names = ((1, 0) if status == 0 else (0, 1)), []
    else:
        raise SystemExit(f"results.py: unknown verb {verb}")
    record(directory, name, counts, names)
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
