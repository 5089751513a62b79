"""Images of articles, for users who may see the article."""

from __future__ import annotations

import logging
import re

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from articles.authentication import user_of
from articles.models import Article

log = logging.getLogger(__name__)

# The article's id is part of the name. Only formats that browsers show as an image are served.
NAME = re.compile(r"covers/(?P<article>[0-9]{1,18})/[\w-]{1,100}\.(png|jpe?g|webp)", re.ASCII)


@require_safe
def media(request: HttpRequest, name: str) -> FileResponse | HttpResponse:
    """An image by its name in the media storage, for a session or an API key; 404 for everyone else.

    Its bytes pass through here also if they are in a bucket: 503 while that does not answer.

    Names are never reused, so browsers may cache without limit; proxies may not cache at all.
    """
    match, user = NAME.fullmatch(name), user_of(request)
    if not match or not user or not Article.objects.visible_to(user).filter(pk=match["article"]).exists():
        raise Http404("There is no such image.")
    try:
        file = default_storage.open(name)
    except FileNotFoundError as error:
        raise Http404("There is no such image.") from error
    except ConnectionError as error:
        log.warning("the image %s could not be read: %s", name, error)
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    return FileResponse(file, headers={"Cache-Control": "private, max-age=31536000, immutable"})
