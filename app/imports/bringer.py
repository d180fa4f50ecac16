"""Who brings a file, checked before its bytes come: receiving takes long, and no session may stay open meanwhile."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from app.dependencies import InHouse, access, signed_in, touch
from models.membership import Role


@dataclass(frozen=True)
class Bringer:
    """An administrator of the project."""

    user_id: int
    project_id: int


def bringer(request: Request, house: InHouse, project_id: int) -> Bringer:
    """The signed-in administrator of the project in the path."""
    with house.database.reading() as session:
        user = signed_in(request, session)
        access(session, user, project_id, Role.admin)
    touch(request, house)
    return Bringer(user.id, project_id)


ProjectBringer = Annotated[Bringer, Depends(bringer)]
