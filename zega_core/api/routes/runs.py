"""What the worker does: look, stop, go on."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
