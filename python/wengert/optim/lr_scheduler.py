"""Schedules of learning rates."""

from .._C.optim.lr_scheduler import *  # noqa: F401,F403
