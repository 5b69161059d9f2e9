"""Gradients kept within bounds; parameters as one vector."""

from .._C.nn_utils import *  # noqa: F401,F403
