"""Trade the token for a cookie, so that the page need not keep it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.deps import ServicesDep
from server.errors import TokenError
from server.guards import cookie_name, equal
from server.schemas import SessionCreate

router = APIRouter(prefix="/session", tags=["server"])


@router.post(
    "",
    summary="Log in with the server's token",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "A cookie is set; without a token set, there is no need."}},
)
async def create_session(
    wanted: SessionCreate, request: Request, services: ServicesDep
) -> Response:
    reply = Response(status_code=204)
    if services.settings.token is None:
        return reply
    token = services.settings.token.get_secret_value()
    if not equal(wanted.token, token):
        raise TokenError(
            "This is not the server's token.",
            expected="the token in the address that was printed when the server started",
        )
    reply.set_cookie(
        cookie_name(token),
        token,
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    return reply
