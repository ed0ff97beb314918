"""Fields of a form as a browser sends them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

LONGEST_BODY = 64_000  # bytes
FORM = "application/x-www-form-urlencoded"
Form = Mapping[str, Sequence[str]]


def field(form: Form, name: str) -> str:
    """What was given for a field, "" for nothing."""
    return form.get(name, [""])[0]


async def read_form(request: Request) -> Form:
    """The fields of a form. Raises HTTPException for anything else, and for what is too long for one."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise HTTPException(413)
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=200)
    except ValueError as error:
        raise HTTPException(400) from error
