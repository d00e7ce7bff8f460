"""What an export says of the pictures that were drawn from a message: all but their files."""

from collections.abc import Iterable
from typing import get_args

from core.models.generations import AspectRatio, ImageRequest, Resolution
from core.models.lineage import PictureLink
from core.storage.lineage.links import told_request
from core.storage.transfer.checked_fields import CheckedFields

_RATIOS: tuple[AspectRatio, ...] = get_args(AspectRatio)
_RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)
LINKS_MOST = 100  # of a message in a file


def links_out(links: Iterable[PictureLink]) -> list[dict[str, object]]:
    """Return links as JSON values."""
    return [
        {
            "generation_id": link.generation_id,
            "created_at": link.created_at.isoformat(),
            "request": None if link.request is None else told_request(link.request),
        }
        for link in links
    ]


def links_in(fields: CheckedFields, message_id: str) -> tuple[PictureLink, ...]:
    """Return the links of a message in a file; InputError names what is wrong with them.

    Of more than LINKS_MOST the last, which an export tells as the newest.
    """
    links = []
    for one in fields.entries("pictures")[-LINKS_MOST:]:
        link = CheckedFields(one, f"{fields.where}, pictures")
        links.append(
            PictureLink(
                generation_id=link.identifier("generation_id"),
                message_id=message_id,
                created_at=link.moment("created_at"),
                request=_request_in(link.inner("request")),
            )
        )
    return tuple(links)


def _request_in(fields: CheckedFields | None) -> ImageRequest | None:
    if fields is None:
        return None
    ratio, resolution = fields.text("aspect_ratio", ""), fields.text("resolution", "")
    return ImageRequest(
        prompt=fields.text("prompt"),
        negative_prompt=fields.text("negative_prompt", ""),
        model_name=fields.text("model_name", ""),
        # A form offers what its model draws, whatever stands here.
        aspect_ratio=next((one for one in _RATIOS if one == ratio), "1:1"),
        resolution=next((one for one in _RESOLUTIONS if one == resolution), "1k"),
        n=fields.count("n") or 1,
    )
