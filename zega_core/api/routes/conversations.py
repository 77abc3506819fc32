"""Conversations in which ZEGA asks and the writer answers."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
