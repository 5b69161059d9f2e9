"""Losses, activations and layers, as functions."""

from .._C.functional import *  # noqa: F401,F403
