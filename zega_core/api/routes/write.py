"""Writing with the writer's own model."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
