# mypy: ignore-errors
"""Tensors and reverse-mode automatic differentiation, with PyTorch's names: `import wengert as torch`.

>>> import wengert as torch
>>> x = torch.tensor([1.0, 2.0], requires_grad=True)
>>> (x ** 3).sum().backward()
>>> x.grad
tensor([ 3., 12.])
"""

from . import _C, _types, return_types
from ._files import load, save  # noqa: F401
from ._C import *  # noqa: F401,F403
from ._C import Tensor, __version__, linalg  # noqa: F401

del optim  # noqa: F821  (of _C; the package of that name, which stands on it, comes below)
from ._modes import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: F401
from ._types import Size  # noqa: F401

from math import e, inf, nan, pi  # noqa: E402,F401

newaxis = None
strided, sparse_coo = "strided", "sparse_coo"

# Second names, as NumPy has them.
absolute = _C.abs
arccos, arcsin, arctan, arctan2 = _C.acos, _C.asin, _C.atan, _C.atan2
clip = _C.clamp
concatenate = _C.cat
div = divide = true_divide = _C.div
fix = _C.trunc
greater, greater_equal, less, less_equal, not_equal = _C.gt, _C.ge, _C.lt, _C.le, _C.ne
multiply, negative, subtract = _C.mul, _C.neg, _C.sub
for _name, _other in {
    "absolute": "abs", "arccos": "acos", "arcsin": "asin", "arctan": "atan", "arctan2": "atan2", "clip": "clamp", "divide": "div",
    "true_divide": "div", "fix": "trunc", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "not_equal": "ne",
    "multiply": "mul", "negative": "neg", "subtract": "sub",
}.items():
    for _end in ("", "_"):
        if hasattr(Tensor, _other + _end):
            setattr(Tensor, _name + _end, getattr(Tensor, _other + _end))

del _name, _other, _end

from . import autograd, nn, optim, utils  # noqa: E402,F401


def is_tensor(obj):
    """Whether an object is a tensor."""
    return isinstance(obj, Tensor)


def numel(input):
    """The number of a tensor's elements."""
    return input.numel()


def is_floating_point(input):
    """Whether a tensor's elements are floating-point numbers."""
    return input.is_floating_point()


def seed():
    """Starts the generator anew from what is nowhere written down."""
    import secrets

    value = secrets.randbits(62)
    _C.manual_seed(value)
    return value


class _Cuda:
    """There is none; programs that ask take their other branch."""

    @staticmethod
    def is_available():
        return False

    @staticmethod
    def device_count():
        return 0

    @staticmethod
    def manual_seed_all(seed):
        pass


cuda = _Cuda()


class device:
    """A tensor's device, which is the CPU."""

    type, index = "cpu", None

    def __init__(self, type="cpu", index=None):
        if not str(type).startswith("cpu"):
            raise RuntimeError(f"tensors live on the CPU alone, not on {type}")

    def __repr__(self):
        return "device(type='cpu')"

    def __str__(self):
        return "cpu"

    def __eq__(self, other):
        return isinstance(other, device)

    def __hash__(self):
        return hash("cpu")


Tensor.device = property(lambda self: device("cpu"), doc="The CPU.")
Tensor.is_cpu = True
Tensor.layout = property(lambda self: sparse_coo if self.is_sparse else strided, doc="strided, or sparse_coo.")


class RemovableHandle:
    """Takes a hook away again: by remove(), or at the end of a with statement."""

    def __init__(self, tensor, number):
        self._tensor, self._number = tensor, number

    def remove(self):
        if self._tensor is not None:
            self._tensor._remove_hook(self._number)
            self._tensor = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def _register_hook(self, hook):
    """Calls hook with this tensor's gradient when backward() has it; what it returns takes its place."""
    return RemovableHandle(self, self._register_hook(hook))


Tensor.register_hook = _register_hook


def _deepcopy(self, memo):
    if not self.is_leaf:
        raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment")
    copy = self.detach().clone().requires_grad_(self.requires_grad)
    memo[id(self)] = copy
    return copy


def _rebuild(array, requires_grad):
    return _C.tensor(array, requires_grad=requires_grad)


Tensor.__deepcopy__ = _deepcopy
Tensor.__reduce__ = lambda self: (_rebuild, (self.detach().numpy(), self.requires_grad))
Tensor.__format__ = lambda self, spec: format(self.item(), spec) if self.dim() == 0 and spec else format(str(self), spec)
Tensor.__module__ = __name__


def __getattr__(name):
    if name == "MatrixFactorization":  # which loads scikit-learn, and so is loaded when it is asked for
        from .factorization import MatrixFactorization

        return MatrixFactorization
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
