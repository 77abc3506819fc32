"""What a writer's model learns from."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
