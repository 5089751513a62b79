"""Pictures of articles, for those who may see the article."""

from __future__ import annotations

import re

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from articles.authentication import user_of
from articles.models import Article

# The article's number is part of the name. Kinds a browser shows as nothing but a picture are served, and no others.
NAME = re.compile(r"covers/(?P<article>[0-9]{1,18})/[\w-]{1,100}\.(png|jpe?g|webp)", re.ASCII)


@require_safe
def media(request: HttpRequest, name: str) -> FileResponse:
    """A picture by its name in the media storage, to the session's user or an API key's; 404 to everybody else.

    A name is never given twice, so browsers may keep what they have, and proxies may not.
    """
    match, user = NAME.fullmatch(name), user_of(request)
    if not match or not user or not Article.objects.visible_to(user).filter(pk=match["article"]).exists():
        raise Http404("There is no such picture.")
    try:
        file = default_storage.open(name)
    except FileNotFoundError as error:
        raise Http404("There is no such picture.") from error
    return FileResponse(file, headers={"Cache-Control": "private, max-age=31536000, immutable"})
