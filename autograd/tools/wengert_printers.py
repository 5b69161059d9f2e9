"""Shows Wengert's tensors, sizes and Nodes in gdb and lldb; nothing of the program is called, so cores are read, too.

gdb:   source wengert_printers.py            (an installed library has it loaded by itself)
lldb:  command script import wengert_printers.py

    (gdb) print x
    $1 = tensor float32 [2, 3], requires grad {1, 2, 3, 4, 5, 6}
    (gdb) print y.impl_.object_.grad_fn
    $2 = MmBackward0, level 1, 2 edges
"""
import itertools
import struct

SHOWN = 20  # elements of a tensor
DTYPES = {0: ("bool", "?", 1), 1: ("int64", "q", 8), 2: ("float32", "f", 4), 3: ("float64", "d", 8)}


# What a printer asks of a value, whichever debugger has it: member(name), number(), address(), element(i) of an array or
# pointer, read(address, bytes), symbol(address), size() in bytes.
def sizes_of(vector):
    count, inline_count = vector.member("size_").number(), vector.inline_count()
    if vector.member("capacity_").number() == inline_count:
        address = vector.member("inline_").address()
    else:
        address = vector.member("block_").number()
    return list(struct.unpack(f"<{count}q", vector.read(address, 8 * count))) if count else []


def elements_of(impl, dtype, sizes):
    _, letter, bytes_each = DTYPES[dtype]
    strides, offset = sizes_of(impl.member("strides")), impl.member("offset").number()
    data = impl.member("storage").member("object_").member("data_").number()
    for position in itertools.islice(itertools.product(*map(range, sizes)), SHOWN + 1):
        at = offset + sum(i * stride for i, stride in zip(position, strides))
        yield struct.unpack(f"<{letter}", impl.read(data + at * bytes_each, bytes_each))[0]


def show_tensor(tensor):
    if tensor.member("impl_").member("object_").number() == 0:
        return "tensor, undefined"
    impl = tensor.member("impl_").member("object_")
    dtype, sizes = impl.member("dtype").number(), sizes_of(impl.member("sizes"))
    text = f"tensor {DTYPES[dtype][0]} {sizes}"
    grad_fn = impl.member("grad_fn").member("object_")
    if grad_fn.number() != 0:
        text += f", grad_fn {name_of_node(grad_fn)}"
    elif impl.member("requires_grad").number():
        text += ", requires grad"
    if impl.member("base").member("impl_").member("object_").number() != 0:
        text += ", a view"
    if impl.member("sparse").pointer_of_shared() != 0:
        return text + ", sparse"
    shown = [f"{x:g}" if isinstance(x, float) else str(x).lower() for x in elements_of(impl, dtype, sizes)]
    return f"{text} {{{', '.join(shown[:SHOWN])}{', ...' if len(shown) > SHOWN else ''}}}"


def name_of_node(node):
    """A Node says its name by a function that is not to be called; but the Node of a formula has it first behind its base."""
    address = node.number()
    symbol = node.symbol(struct.unpack("<Q", node.read(address, 8))[0])
    if "FormulaBackward" in symbol:
        at = struct.unpack("<Q", node.read(address + node.layout()[0], 8))[0]
        name = b""
        while not name.endswith(b"\0"):
            name += node.read(at + len(name), 1)
        return name[:-1].decode()
    for own in ("AccumulateGrad", "CopySlices", "CheckpointBackward"):
        if own in symbol:
            return own
    return symbol.split("vtable for ")[-1].split(" ")[0] if "vtable" in symbol else "Node"


def show_node(node):
    if node.number() == 0:
        return "no Node"
    _, level, edges = node.layout()
    level = struct.unpack("<I", node.read(node.number() + level, 4))[0]
    edges = struct.unpack("<I", node.read(node.number() + edges, 4))[0]  # the first of a list's members is its size
    return f"{name_of_node(node)}, level {level}, {edges} edge{'' if edges == 1 else 's'}"


try:
    import gdb
except ImportError:
    gdb = None
if gdb is not None:

    class GdbValue:
        def __init__(self, value):
            self.value = value

        def _object(self):
            return self.value.dereference() if self.value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR else self.value

        def member(self, name):
            return GdbValue(self._object()[name])

        def number(self):
            kind = self.value.type.strip_typedefs().code
            if kind == gdb.TYPE_CODE_REF:
                return int(self.value.referenced_value().address)
            return int(self.value.address if kind == gdb.TYPE_CODE_STRUCT else self.value)

        def address(self):
            return int(self.value.address)

        def inline_count(self):
            return int(self.value.type.strip_typedefs().template_argument(1))

        def read(self, address, count):
            return gdb.selected_inferior().read_memory(address, count).tobytes()

        def symbol(self, address):
            return gdb.execute(f"info symbol {address}", to_string=True)

        def layout(self):
            table = int(gdb.parse_and_eval("(long)&wengert_debugger_layout"))
            return struct.unpack("<3Q", self.read(table, 24))

        def pointer_of_shared(self):
            return int(self.value["_M_ptr"])

    class GdbPrinter:
        def __init__(self, value, show):
            self.value, self.show = value, show

        def to_string(self):
            return self.show(GdbValue(self.value))

    def find_printer(value):
        kind = value.type.strip_typedefs()
        target = kind.target() if kind.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_PTR) else kind
        if str(target.unqualified()) == "wengert::autograd::Node":
            return GdbPrinter(value, show_node)
        name = str(kind.unqualified().strip_typedefs())
        if name == "wengert::Tensor":
            return GdbPrinter(value, show_tensor)
        if name.startswith("wengert::InlineVector<long, 5"):
            return GdbPrinter(value, lambda v: str(sizes_of(v)))
        if name == "wengert::IntrusivePtr<wengert::autograd::Node>":
            return GdbPrinter(value["object_"], show_node)
        return None

    gdb.pretty_printers.append(find_printer)


try:
    import lldb
except ImportError:
    lldb = None


def __lldb_init_module(debugger, _):
    module = __name__
    for kind, function in (("wengert::Tensor", "lldb_tensor"), ("wengert::autograd::Node", "lldb_node")):
        debugger.HandleCommand(f'type summary add -w wengert -F {module}.{function} "{kind}"')
    debugger.HandleCommand(f'type summary add -w wengert -x -F {module}.lldb_sizes "^wengert::InlineVector<long, 5"')
    debugger.HandleCommand(f'type summary add -w wengert -F {module}.lldb_sizes "wengert::Dims"')
    debugger.HandleCommand("type category enable wengert")


class LldbValue:
    def __init__(self, value):
        self.value = value.GetNonSyntheticValue()

    def member(self, name):
        found = self.value.GetChildMemberWithName(name)
        if not found.IsValid():  # of an unnamed union
            for i in range(self.value.GetNumChildren()):
                found = self.value.GetChildAtIndex(i).GetChildMemberWithName(name)
                if found.IsValid():
                    break
        return LldbValue(found)

    def number(self):
        kind = self.value.GetType().GetCanonicalType()
        return self.address() if kind.GetTypeClass() & (lldb.eTypeClassClass | lldb.eTypeClassStruct) else self.value.GetValueAsUnsigned()

    def address(self):
        return self.value.GetLoadAddress()

    def inline_count(self):
        return self.member("inline_").value.GetType().GetByteSize() // 8

    def read(self, address, count):
        return self.value.GetProcess().ReadMemory(address, count, lldb.SBError())

    def symbol(self, address):
        # Not by ResolveLoadAddress(), which in lldb 14 does not see the data of a library that is read-only once it is linked.
        target = self.value.GetTarget()
        starts = [(module.GetObjectFileHeaderAddress().GetLoadAddress(target), module) for module in target.module_iter()]
        start, module = max((pair for pair in starts if pair[0] <= address), key=lambda pair: pair[0])
        return str(module.ResolveFileAddress(address - start).GetSymbol().GetName())

    def layout(self):
        target = self.value.GetTarget()
        table = target.FindSymbols("wengert_debugger_layout")[0].symbol.GetStartAddress().GetLoadAddress(target)
        return struct.unpack("<3Q", self.read(table, 24))

    def pointer_of_shared(self):
        return self.member("_M_ptr").number()


def lldb_tensor(value, _):
    return show_tensor(LldbValue(value))


def lldb_sizes(value, _):
    return str(sizes_of(LldbValue(value)))


def lldb_node(value, _):
    return show_node(LldbValue(value))
