"""Losses, activations and layers, as functions."""

from . import functional, utils  # noqa: F401


def Parameter(data, requires_grad=True):
    """A leaf that requires grad, on the same memory."""
    return data.detach().requires_grad_(requires_grad)
