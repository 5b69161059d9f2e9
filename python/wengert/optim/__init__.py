# mypy: ignore-errors
"""The optimizers."""

from .._C.optim import *  # noqa: F401,F403
from . import lr_scheduler  # noqa: F401
from ._state import load_state_dict, state_dict

Optimizer.state_dict = state_dict  # noqa: F405
Optimizer.load_state_dict = load_state_dict  # noqa: F405
del load_state_dict, state_dict
