"""Makes the OpenAPI document of the HTTP API as a file, as `seatpool web` serves it."""

import json

from seatpool.web.document import make_document
from seatpool.web.routes import router


def openapi_page() -> str:
    """Returns the document."""
    return json.dumps(make_document(router.routes), indent=2, ensure_ascii=False) + "\n"
