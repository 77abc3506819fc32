"""Versions of a writer's model, their proofs and exports."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
