"""How long a test lets something take that must have an end."""

BUSY = 4.0
"""Seconds that a busy machine may add. They take nothing from what is tested: without its limit, or without Stop, what
is waited for would have no end, or another one."""
