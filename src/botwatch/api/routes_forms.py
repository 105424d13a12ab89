"""What everything that can be made in the pages is asked for: one description, one form."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter
from pydantic import BaseModel, Field

from botwatch.api import forms_of_rules, forms_of_ways
from botwatch.api.auth import SignedIn
from botwatch.api.forms import FieldShape, KindShape

router = APIRouter(prefix="/api/forms", tags=["administration"])


class FormsShape(BaseModel):
    channels: list[KindShape]
    services: list[KindShape]
    rules: list[KindShape] = Field(description="what is given goes into the rule together with what is asked for")
    route: list[FieldShape]
    silence: list[FieldShape]


@router.get("", response_model_exclude_defaults=True)
async def read_forms(_: SignedIn) -> FormsShape:
    return _forms()


@lru_cache(maxsize=1)
def _forms() -> FormsShape:
    """It changes only with the version."""
    return FormsShape(
        channels=forms_of_ways.channels(),
        services=forms_of_ways.services(),
        rules=forms_of_rules.kinds(),
        route=forms_of_ways.route(),
        silence=forms_of_ways.silence(),
    )
