"""Files in the format safetensors: tensors, and objects that hold some."""

import base64
import json
from typing import Any

from . import _C

# In such a file an object is a JSON text of this name, in which {"tensor": name} stands for a tensor. JSON has neither tuples nor
# bytes, and keys that are texts alone: these are {"tuple": [...]}, {"bytes": base 64} and {"dict": [[key, value], ...]}.
_OBJECT = "__object__"
_LIST = "__list__"


def _described(obj, name, tensors):
    if isinstance(obj, _C.Tensor):
        name = name or "0"
        while name in tensors:
            name += "_"
        tensors[name] = obj
        return {"tensor": name}
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, bytes):
        return {"bytes": base64.b64encode(obj).decode()}

    def part(key, value):
        return _described(value, f"{name}.{key}" if name else str(key), tensors)

    if isinstance(obj, (list, tuple)):
        items = [part(i, item) for i, item in enumerate(obj)]
        return {"tuple": items} if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return {"dict": [[_described(key, "", tensors), part(key, value)] for key, value in obj.items()]}
    raise TypeError(f"save: expected tensors, numbers, texts, None, and lists, tuples and dictionaries of such; got {type(obj).__name__}")


def _made(described, tensors):
    if isinstance(described, list):
        return [_made(item, tensors) for item in described]
    if not isinstance(described, dict):
        return described
    (kind, value), = described.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "tuple":
        return tuple(_made(item, tensors) for item in value)
    return {_made(key, tensors): _made(item, tensors) for key, item in value}


def save(obj: Any, f: Any) -> None:
    """Writes a tensor, or numbers, texts, lists, tuples and dictionaries that hold tensors, in the format safetensors.

    f is a path, or an object with write(). Of a dictionary of names and tensors the file is one that other programs read by these
    names, too.

    >>> import io, wengert as torch
    >>> f = io.BytesIO()
    >>> torch.save({"epoch": 3, "weights": [torch.ones(2)]}, f)
    >>> _ = f.seek(0)
    >>> torch.load(f)
    {'epoch': 3, 'weights': [tensor([1., 1.])]}
    """

    def are_tensors(values):
        return all(isinstance(value, _C.Tensor) for value in values)

    if isinstance(obj, _C.Tensor):
        _C._save({"0": obj}, {}, f)
    elif isinstance(obj, list) and are_tensors(obj):
        _C._save({str(i): tensor for i, tensor in enumerate(obj)}, {_LIST: "true"}, f)
    elif isinstance(obj, dict) and obj and are_tensors(obj.values()) and all(isinstance(key, str) for key in obj) and list(obj) != ["0"]:
        _C._save(obj, {}, f)
    else:
        tensors: dict = {}
        described = _described(obj, "", tensors)
        _C._save(tensors, {_OBJECT: json.dumps(described)}, f)


def load(f: Any) -> Any:
    """Reads what save() wrote, or any file in the format safetensors, as a dictionary of names and tensors. Nothing in it is run."""
    tensors, texts = _C._load(f)
    if _OBJECT in texts:
        return _made(json.loads(texts[_OBJECT]), tensors)
    if _LIST in texts:
        return [tensors[str(i)] for i in range(len(tensors))]
    return tensors["0"] if list(tensors) == ["0"] else tensors
