# ovsdb_random.py - random transactions for the schema beside it, valid and not, with rows named so that two servers,
# whose UUIDs differ, can be given the same ones. Used by test_ovsdb_differential.py.
import json

COLUMNS = {
    "Root": ["name", "fixed", "int", "oint", "ints", "real", "reals", "flag", "oflag", "color", "words", "smap", "imap",
             "kids", "kid", "kidmap", "friends", "friendmap"],
    "Kid": ["name", "kids", "best", "n"],
    "One": ["x", "e"],
}
IMMUTABLE = {("Root", "fixed"), ("Kid", "name")}
SCALARS = {"name", "int", "real", "flag", "fixed", "n", "x", "e"}
OPTIONALS = {"oint", "oflag", "color", "kid"}
WORDS = ["", "a", "b", "ab", "abc", "abcd", "é", "éèà", "x y"]
INTEGERS = [-11, -10, -1, 0, 1, 2, 3, 5, 50, 100, 101, 7.0, 9007199254740993]
REALS = [0, 1, -1, 0.5, 2.25, 1e300, -3, 99.5, 101]
NONSENSE = [None, [], {}, "zz", 1, True, ["set"], ["set", [1, "a"]], ["map", [[1]]], ["uuid", "x"], ["named-uuid", "5"], 1.5]
OPERATIONS = ["insert"] * 5 + ["update"] * 3 + ["mutate"] * 4 + ["delete"] * 2 + ["select"] * 2 + [
    "wait", "comment", "abort", "assert", "commit"]


class Row:
    """Stands for a row's UUID, whatever it is on each server."""

    def __init__(self, number):
        self.number = number

    def __repr__(self):
        return f"#{self.number}"


def distinct(values, key=lambda value: value):
    seen = {}
    for value in values:
        seen.setdefault(json.dumps(key(value), default=repr), value)
    return list(seen.values())


class Generator:
    def __init__(self, rng):
        self.rng = rng
        self.rows = {table: [] for table in COLUMNS}  # numbers of rows that were inserted, perhaps gone since
        self.names = {}  # of this transaction's rows, by table

    def chance(self, probability):
        return self.rng.random() < probability

    def reference(self, table):
        if self.names.get(table) and self.chance(0.4):
            return ["named-uuid", self.rng.choice(self.names[table])]
        if self.rows[table] and self.chance(0.93):
            return Row(self.rng.choice(self.rows[table][-12:]))
        return Row(10**6 + self.rng.randrange(3))  # never existed

    def atom(self, column):
        if column in ("flag", "oflag"):
            return self.chance(0.5)
        if column in ("kids", "kid", "best", "friends"):
            return self.reference("Kid")
        if column == "name":
            return f"n{self.rng.randrange(40)}"
        if column == "color":
            return self.rng.choice(["red", "green", "blue", "pink"])
        return self.rng.choice(WORDS if column == "words" else REALS if column in ("real", "reals") else INTEGERS)

    def pair(self, column):
        if column == "smap":
            return [self.rng.choice(WORDS), self.rng.choice(WORDS)]
        if column == "imap":
            return [self.rng.choice(WORDS), self.rng.randrange(5)]
        if column == "kidmap":
            return [self.rng.randrange(4), self.reference("Kid")]
        return [self.reference("Root"), self.rng.choice(WORDS)]

    def value(self, column):
        if self.chance(0.02):
            return self.rng.choice(NONSENSE)
        if column in SCALARS:
            return self.atom(column)
        if column in OPTIONALS:
            return ["set", []] if self.chance(0.3) else self.atom(column)
        if column.endswith("map"):
            pairs = [self.pair(column) for _ in range(self.rng.choice([0, 1, 1, 2, 3, 4]))]
            return ["map", distinct(pairs, lambda pair: pair[0])]
        n = self.rng.choice([1, 1, 1, 2, 3] if column == "best" else [0, 1, 1, 2, 2, 3, 5])
        if n == 1 and self.chance(0.7):
            return self.atom(column)
        return ["set", distinct(self.atom(column) for _ in range(n))]

    def new_row(self, table):
        row = {column: self.value(column) for column in COLUMNS[table] if self.chance(0.3)}
        if table == "Root":  # so that indexes do not refuse most of them
            row.update(name=f"n{self.rng.randrange(200)}", int=self.rng.randrange(-10, 101))
        if table == "Kid":
            row.update(name=f"k{self.rng.randrange(200)}", best=self.reference("Kid"))
        return row

    def changes(self, table):
        columns = [c for c in COLUMNS[table] if (table, c) not in IMMUTABLE or self.chance(0.05)]
        chosen = self.rng.sample(columns, min(len(columns), self.rng.choice([1, 1, 2, 3])))
        return {column: self.value(column) for column in chosen}

    def clause(self, table):
        kind = self.rng.random()
        if kind < 0.5:
            return ["_uuid", self.rng.choice(["==", "==", "==", "!="]), self.reference(table)]
        if kind < 0.53:
            return self.rng.choice([True, False, 5, ["name"], ["bogus", "==", 1], ["name", "~", 1], ["name", "==", 5]])
        column = self.rng.choice(COLUMNS[table])
        function = self.rng.choice(["==", "!=", "<", "<=", ">", ">=", "includes", "excludes"])
        return [column, function, self.value(column)]

    def where(self, table, operation):
        clauses = [self.clause(table) for _ in range(self.rng.choice([0, 1, 1, 1, 1, 2]))]
        if operation == "delete" and self.chance(0.9):  # or the tables would always be empty
            clauses.append(["_uuid", "==", self.reference(table)])
        return clauses

    def operand(self, column, mutator):
        if column.startswith("real"):
            # The reference prints 15 digits of a real: what needs more would differ by that alone.
            return self.rng.choice([0, 0.5, 2] if mutator == "/=" else [0, 1, 2, -1, 0.5, 4])
        # The reference ends by SIGFPE when it multiplies a negative integer by 0, divides by an operand that it rounds
        # to 0, or divides the least integer by -1.
        operands = [1, 2, 3, 1000, 2**62]
        if mutator not in ("/=", "%="):
            operands += [-1, 0.5]
        return self.rng.choice(operands + ([] if mutator == "*=" else [0]))

    def mutation(self, table):
        column = self.rng.choice(COLUMNS[table])
        mutator = self.rng.choice(["+=", "-=", "*=", "/=", "%=", "insert", "delete", "insert", "delete"])
        if mutator == "delete" and column in ("smap", "imap") and self.chance(0.5):
            value = self.rng.choice(WORDS)
            value = ["set", [value]] if self.chance(0.5) else value
        elif mutator in ("insert", "delete"):
            value = self.value(column)
        else:
            value = self.operand(column, mutator)
        return [column, "bogus" if self.chance(0.02) else mutator, value]

    def operation(self, name, table, label):
        op = {"op": name}
        if name in ("insert", "update", "mutate", "delete", "select", "wait"):
            op["table"] = "Nope" if self.chance(0.01) else table
        if name in ("update", "mutate", "delete", "select", "wait"):
            op["where"] = self.where(table, name)
        if name == "insert":
            op["row"] = self.new_row(table)
            if label:
                op["uuid-name"] = label
        elif name == "update":
            op["row"] = self.changes(table)
        elif name == "mutate":
            op["mutations"] = [self.mutation(table) for _ in range(self.rng.choice([1, 1, 2]))]
        elif name == "select" and self.chance(0.5):
            op["columns"] = [self.rng.choice(COLUMNS[table] + ["_uuid"])]
        elif name == "wait":
            column = self.rng.choice(COLUMNS[table])
            rows = [{column: self.value(column)}] if self.chance(0.5) else []
            op.update(columns=[column], until=self.rng.choice(["==", "!="]), timeout=0, rows=rows)
        op.update({"comment": {"comment": "c"}, "commit": {"durable": False}, "assert": {"lock": "l"}}.get(name, {}))
        if self.chance(0.005):
            op["extra"] = 1
        if self.chance(0.005):  # a wait without its timeout would wait
            del op[self.rng.choice([member for member in op if member != "timeout"])]
        return op

    def transaction(self):
        plan = []
        self.names = {}
        for i in range(self.rng.choice([1, 1, 2, 3, 5])):
            name = "bogus" if self.chance(0.02) else self.rng.choice(OPERATIONS)
            table = self.rng.choice(["Root"] * 5 + ["Kid"] * 4 + ["One"])
            label = f"r{i}" if name == "insert" and self.chance(0.7) else None
            if label:  # known to all operations, those before it too
                self.names.setdefault(table, []).append(label)
            plan.append((name, table, label))
        if self.chance(0.03):
            self.names.setdefault("Kid", []).append("never")
        return [self.operation(*step) for step in plan]
