"""The OpenAPI description: FastAPI's own, and the schema of the problems it knows nothing of."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from server.schemas import ProblemPublic


def add_problems(app: FastAPI) -> None:
    """Put ProblemPublic where the responses in ``responses.PROBLEM_RESPONSES`` point to."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        description = describe()
        schema = ProblemPublic.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = schema.pop("$defs", {})
        description["components"]["schemas"].update(parts, ProblemPublic=schema)
        return description

    app.openapi = openapi  # type: ignore[method-assign]
