"""The optimizers."""

from .._C.optim import *  # noqa: F401,F403
from . import lr_scheduler  # noqa: F401
