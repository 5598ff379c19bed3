"""The pages behind the `type` of every problem document: each code, what it means and what to do."""

from collections.abc import Iterable, Mapping
from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from contracts.problems import PROBLEMS, KnownProblem, find_problem
from services.runtime.problems import Problem

_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="dark light" />
    <title>{title}</title>
    <link rel="icon" href="/static/img/mark.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/static/css/tokens.css" />
    <link rel="stylesheet" href="/static/css/base.css" />
    <link rel="stylesheet" href="/static/css/problems.css" />
  </head>
  <body>
    <main class="problems">
      <h1>{title}</h1>
      <p>Every error is an <a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a> problem document with one of
      these codes in <code>code</code>. {more}</p>
      <dl>{items}</dl>
    </main>
  </body>
</html>
"""


def _item(problem: KnownProblem) -> str:
    statuses = ", ".join(str(status) for status in problem.statuses)
    return (
        f'<dt id="{escape(problem.code)}"><code>{escape(problem.code)}</code> <span>{statuses}</span></dt>'
        f"<dd>{_prose(problem.meaning)} {_prose(problem.remedy)}</dd>"
    )


def _prose(text: str) -> str:
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))


def _page(title: str, problems: Iterable[KnownProblem], more: str) -> str:
    return _PAGE.format(title=escape(title), items="".join(map(_item, problems)), more=more)


def problem_router(headers: Mapping[str, str]) -> APIRouter:
    """Make /problems and /problems/<code>; `headers` are those of every page."""
    router = APIRouter(prefix="/problems", include_in_schema=False)
    whole = _page("Problems", PROBLEMS, "<code>&lt;field&gt;</code> stands for a field's name.")

    @router.get("")
    async def problems() -> HTMLResponse:
        return HTMLResponse(whole, headers=headers)

    @router.get("/{code}")
    async def problem(code: str) -> HTMLResponse:
        found = find_problem(code)
        if found is None:
            raise Problem(404, "not_found", "there is no problem of this code; /problems lists all")
        return HTMLResponse(_page(code, [found], '<a href="/problems">All codes</a>'), headers=headers)

    return router
