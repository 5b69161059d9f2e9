"""What an optimizer remembers, as PyTorch's nested dictionaries. The library has it as tensors and texts by name (optim/optimizer.cpp)."""

from .. import _C

_NONE = "none"


def _value(text):
    if text in ("true", "false"):
        return text == "true"
    if text == _NONE:
        return None
    try:
        return int(text)
    except ValueError:
        return float(text)


def _text(value):
    if value is None:
        return _NONE
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _folded(entries):
    """Lists, which the library has as "name.size", "name.0", ..."""
    sizes = {name[:-5]: size for name, size in entries.items() if name.endswith(".size")}
    lists = {name: [entries[f"{name}.{i}"] for i in range(size)] for name, size in sizes.items()}
    return {name: value for name, value in entries.items() if name.rpartition(".")[0] not in sizes} | lists


def state_dict(self) -> dict:
    """The hyperparameters of each group, and what is remembered of each parameter, by its number, in tensors of their own.

    >>> import wengert as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([x], lr=0.1)
    >>> x.sum().backward()
    >>> optimizer.step()
    >>> optimizer.state_dict()["state"]
    {0: {'sum': tensor([1., 1.]), 'step': 1}}
    """
    tensors, texts = self._saved()
    values = tensors | {name: _value(text) for name, text in texts.items()}
    state: dict = {}
    groups, first = [], 0
    for name, value in values.items():
        head, _, rest = name.partition(".")
        if head == "state":
            number, _, member = rest.partition(".")
            state.setdefault(int(number), {})[member] = value
    for i, group in enumerate(self.param_groups):
        options = dict(group)
        count = len(options.pop("params"))
        initial_lr = values.get(f"param_groups.{i}.initial_lr")
        if initial_lr is not None:
            options["initial_lr"] = initial_lr
        groups.append(options | {"params": list(range(first, first + count))})
        first += count
    return {"state": {number: _folded(state[number]) for number in sorted(state)}, "param_groups": groups}


def load_state_dict(self, state_dict: dict) -> None:
    """Goes on from there: all of it, or where something does not fit none. The groups and parameters are to be there, as many and in the
    same order."""
    groups = state_dict["param_groups"]
    if len(groups) != len(self.param_groups):
        raise ValueError("loaded state dict has a different number of parameter groups")
    if any(len(group["params"]) != len(own["params"]) for group, own in zip(groups, self.param_groups)):
        raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
    tensors, texts = {}, {name: text for name, text in self._saved()[1].items() if not name.startswith("state.")}

    def put(name, value):
        if isinstance(value, (list, tuple)):
            if isinstance(value, list):
                put(f"{name}.size", len(value))
            for i, item in enumerate(value):
                put(f"{name}.{i}", item)
        elif isinstance(value, _C.Tensor):
            tensors[name] = value
        else:
            texts[name] = _text(value)

    for i, group in enumerate(groups):
        known = {name.split(".")[2] for name in texts if name.startswith(f"param_groups.{i}.")} - {"params"}
        for name in known.intersection(group):
            put(f"param_groups.{i}.{name}", group[name])
    for number, entries in state_dict["state"].items():
        for name, value in entries.items():
            put(f"state.{number}.{name}", value)
    self._load(tensors, texts)
