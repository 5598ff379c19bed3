"""The OpenAPI document as published: what FastAPI knows of the routes, and who may call them."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

PUBLIC = ("/healthz", "/readyz", "/media/", "/api/shared/", "/signin/", "/signout")
BACKENDS = "/api/webhooks/"


def secure_document(app: FastAPI, add: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Publish what `add` makes of the document, saying which routes want a bearer token or the cookie of our page."""
    plain = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = add(plain())
            schema["components"]["securitySchemes"] = {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the identity provider (RS256), or an API key (sk_sorami_…).",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "sorami_session",
                    "description": "The cookie of our page; over https its name begins with __Host-.",
                },
            }
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    open_to_all = path.startswith(PUBLIC) or path.startswith(BACKENDS)
                    operation["security"] = [] if open_to_all else [{"bearer": []}, {"session": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
