"""Gradients: of whole graphs, and of operations of one's own."""

from typing import Any

from .. import _C
from .._C import gradcheck, gradgradcheck  # noqa: F401
from .._modes import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: F401
from . import functional  # noqa: F401


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None):
    """Computes the gradients of tensors by the leaves that they depend on, and adds them to the leaves' grad."""
    _C._backward(tensors, grad_tensors, retain_graph, create_graph, inputs)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, allow_unused=False):
    """Returns the gradients of the sum of outputs by inputs, a tuple; nothing is accumulated.

    >>> import wengert as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.grad(x ** 2, x)
    (tensor(6.),)
    """
    return _C._grad(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused)


def _to_be_written(name):
    def missing(ctx, *args):
        raise NotImplementedError(f"You must implement the {name} function for custom autograd.Function.")

    return staticmethod(missing)


class Function:
    """An operation with a gradient of one's own: forward(ctx, ...) and backward(ctx, *grads), called as apply(...).

    >>> import wengert as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         x, = ctx.saved_tensors
    ...         return 3 * x ** 2 * grad
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y.backward()
    >>> x.grad
    tensor(12.)
    """

    forward: Any = _to_be_written("forward")
    backward: Any = _to_be_written("backward")

    @classmethod
    def apply(cls, *args):
        return _C._apply(cls, *args)


class detect_anomaly:
    """Backward throws at the first operation whose gradient holds a NaN, and says where it was called."""

    def __init__(self, check_nan=True):
        self._check_nan = check_nan

    def __enter__(self):
        self._before = _C.is_anomaly_enabled()
        _C._set_anomaly(True, self._check_nan)

    def __exit__(self, *exception):
        _C._set_anomaly(self._before, True)
