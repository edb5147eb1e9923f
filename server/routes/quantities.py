"""The vocabulary, for the legend."""

from __future__ import annotations

from fastapi import APIRouter

from lstm_core.quantities import QUANTITIES
from server.schemas import QuantityPublic

router = APIRouter(tags=["quantities"])


@router.get("/quantities", summary="Every recorded value: name, formula, range")
async def list_quantities() -> list[QuantityPublic]:
    return [QuantityPublic.of(quantity, n) for n, quantity in enumerate(QUANTITIES.values())]
