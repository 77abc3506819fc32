"""Health, genres, Auto-Train, statistics and fine-tuning."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
