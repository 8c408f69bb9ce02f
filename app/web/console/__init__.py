"""The console: the pages on which people on call read the log and act, made on the server."""

from fastapi import APIRouter

from app.web.console import changes, health, pages, receipts, static, statistics

router = APIRouter()
for _part in (static, statistics, receipts, changes, health, pages):
    # The pages about incidents come last: they answer for every address that is none.
    router.include_router(_part.router)
