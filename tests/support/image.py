# image.py - the kernel and initramfs that guest.py boots: Debian's cloud kernel, busybox and a few real tools.
# Cached per user; the second call costs nothing. Also a program: prints the two paths.
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import stat
import sys

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import proc

META_PACKAGE = "linux-image-cloud-amd64"
# Nothing else is loaded: 8021q is for guests that speak tagged frames.
MODULES = ("virtio_pci", "virtio_net", "8021q")
# Dynamically linked programs of the host that go in with their libraries.
TOOLS = ("ethtool", "iperf3")
FILES = pathlib.Path(__file__).resolve().parent / "guest"


class Image:
    """A bootable pair of files."""

    def __init__(self, kernel, initrd):
        self.kernel = pathlib.Path(kernel)
        self.initrd = pathlib.Path(initrd)


def cache_directory():
    named = os.environ.get("WEIR_TEST_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(named) if named else pathlib.Path(base) / "weir"


def get_image():
    """Returns the Image, building what is missing. Safe when two test runs call it at once."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = _kernel_tree(cache)
        kernel = next((tree / "boot").glob("vmlinuz-*"))
        initrd = cache / f"initrd-{_recipe_hash(tree)}.cpio"
        if not initrd.exists():
            _build_initrd(tree, cache, initrd)
        return Image(kernel, initrd)


def _kernel_tree(cache):
    """Unpacks the kernel package behind the meta package once. A cached one is good for ever."""
    named = os.environ.get("WEIR_TEST_KERNEL_DEB")
    known = sorted(cache.glob("kernel-*/boot/vmlinuz-*"))
    if known and not named:
        return known[-1].parents[1]
    package = None if named else _kernel_package()
    tree = cache / ("kernel-" + (pathlib.Path(named).stem if named else package))
    if tree.exists():
        return tree
    work = cache / f"unpack-{os.getpid()}"
    proc.remove_directory(work)
    work.mkdir()
    try:
        deb = named or _download(package, work)
        proc.run(["dpkg", "-x", deb, work / "tree"], timeout=300)
        release = next((work / "tree" / "lib/modules").iterdir()).name
        proc.run(["depmod", "-b", work / "tree", release], timeout=120)
        (work / "tree").rename(tree)
    finally:
        proc.remove_directory(work)
    return tree


def _kernel_package():
    text = proc.run(["apt-cache", "depends", META_PACKAGE], timeout=60).stdout
    match = re.search(r"Depends: (linux-image-\S+)", text)
    if not match:
        raise RuntimeError(f"apt knows no kernel behind {META_PACKAGE}: run apt-get update")
    return match.group(1)


def _download(package, directory):
    proc.run(["apt-get", "-o", "APT::Sandbox::User=root", "download", package],
             timeout=600, cwd=directory)
    return next(directory.glob("*.deb"))


def _recipe_hash(tree):
    """Changes whenever the contents of the initramfs would."""
    digest = hashlib.sha256()
    for path in [pathlib.Path(__file__), *sorted(FILES.iterdir())]:
        digest.update(path.read_bytes())
    digest.update(tree.name.encode())
    for tool in ("busybox", *TOOLS):
        info = os.stat(_which(tool))
        digest.update(f"{tool} {info.st_size} {info.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def _which(tool):
    path = shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise FileNotFoundError(f"{tool} is not installed")
    return path


def _build_initrd(tree, cache, target):
    root = cache / f"initrd-{os.getpid()}.d"
    proc.remove_directory(root)
    try:
        for name in ("bin", "dev", "proc", "sys", "run", "tmp", "etc", "root"):
            (root / name).mkdir(parents=True)
        shutil.copy(_which("busybox"), root / "bin" / "busybox")
        for applet in proc.run([_which("busybox"), "--list"]).stdout.split():
            if applet != "busybox":
                (root / "bin" / applet).symlink_to("busybox")
        for tool in TOOLS:
            _copy_with_libraries(_which(tool), root)
        _copy_modules(tree, root)
        for path in FILES.iterdir():
            place = root / ("etc" if path.name == "inittab" else "") / path.name
            shutil.copy(path, place)
            place.chmod(place.stat().st_mode | stat.S_IXUSR)
        names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
        part = target.with_suffix(".part")
        proc.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0", "-F", part],
                 stdin="\n".join([".", *names]) + "\n", cwd=root, timeout=120)
        part.rename(target)
    finally:
        proc.remove_directory(root)


def _copy_with_libraries(program, root):
    name = pathlib.Path(program).name
    link = root / "bin" / name
    link.unlink(missing_ok=True)
    shutil.copy(program, link)
    for library in re.findall(r"(/\S+) \(0x", proc.run(["ldd", program]).stdout):
        place = root / library.lstrip("/")
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)


def _copy_modules(tree, root):
    modules = next((tree / "lib/modules").iterdir())
    dependencies = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        name = pathlib.Path(path).name.split(".")[0].replace("-", "_")
        dependencies[name] = [path, *rest.split()]
    builtin = (modules / "modules.builtin").read_text()
    for module in MODULES:
        if module not in dependencies:
            if f"/{module}.ko" in builtin:
                continue
            raise RuntimeError(f"the kernel has no module {module}")
        for path in dependencies[module]:
            place = root / "lib/modules" / modules.name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(modules / path, place)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        if (modules / name).exists():
            shutil.copy(modules / name, root / "lib/modules" / modules.name / name)
    proc.run(["depmod", "-b", root, modules.name], timeout=60)


if __name__ == "__main__":
    image = get_image()
    print(image.kernel)
    print(image.initrd)
