"""Stories, memory and style."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
