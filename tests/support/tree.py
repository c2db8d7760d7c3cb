# tree.py - class trees as ovs-vsctl words, and rates from the counters that qos/show prints.


class QosClass:
    """One class of a tree: rates in Mbit/s, 'parent' the number of another one."""

    def __init__(self, number, floor=None, ceil=None, parent=None, **other_config):
        self.number = number
        self.floor = floor
        self.ceil = ceil
        self.parent = parent
        self.other_config = other_config

    def settings(self):
        """Its keys in Queue.other_config."""
        keys = {"min-rate": mbit(self.floor), "max-rate": mbit(self.ceil), "parent": self.parent,
                **self.other_config}
        return {key: value for key, value in keys.items() if value is not None}


def mbit(rate):
    return None if rate is None else int(rate * 1_000_000)


def create_words(port, link, classes, *qos_words, others=()):
    """Words for ovs-vsctl that give a port a tree; 'link' in Mbit/s. Rates are of frames as a receiver in Linux
    counts them, without what a wire adds to each. The ports 'others' name the same row."""
    words = []
    for other in others:
        words += ["set", "port", other, "qos=@qos", "--"]
    words += ["set", "port", port, "qos=@qos", "--", "--id=@qos", "create", "qos", "type=linux-htb",
              f"other_config:max-rate={mbit(link)}", "other_config:overhead=0", *qos_words]
    words += [f"queues:{one.number}=@c{one.number}" for one in classes]
    for one in classes:
        # ovs-vsctl makes no row without a column.
        settings = [f"other_config:{key}={value}" for key, value in one.settings().items()]
        words += ["--", f"--id=@c{one.number}", "create", "queue", *(settings or ["dscp=[]"])]
    return words


def queue_uuid(vsctl, port, number):
    """The row of a port's class; 'vsctl' runs one command and returns its output."""
    return vsctl("get", "qos", vsctl("get", "port", port, "qos"), f"queues:{number}").strip()


def remove(vsctl, port):
    """Takes the tree away again, rows included."""
    qos = vsctl("get", "port", port, "qos").strip()
    if qos == "[]":
        return
    queues = vsctl("--bare", "--columns=queues", "list", "qos", qos).split()
    uuids = [word.partition("=")[2] for word in queues]
    words = ["clear", "port", port, "qos", "--", "destroy", "qos", qos]
    for uuid in uuids:
        words += ["--", "destroy", "queue", uuid]
    vsctl(*words)


class Rates:
    """Rates in Mbit/s of every class between two readings (time_ns, {number: counters})."""

    FIELDS = ("offered", "sent", "dropped", "borrowed")

    def __init__(self, before, after):
        self.seconds = (after[0] - before[0]) / 1e9
        self.classes = {}
        for number, now in after[1].items():
            old = before[1].get(number, {})
            self.classes[number] = {
                field: (now[f"{field}_bytes"] - old.get(f"{field}_bytes", 0)) * 8 / self.seconds / 1e6
                for field in self.FIELDS}

    def sent(self, number):
        return self.classes[number]["sent"]
