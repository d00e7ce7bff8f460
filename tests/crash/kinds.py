"""What is asked for of each kind of picture: a request for n of them, and the pictures with it."""

from core.models.generations import GenerationRequest, ImageRequest, ReferenceImage
from core.models.pictures.expand import ExpandRequest
from core.models.pictures.multi import MultiRequest
from core.models.pictures.omni import OmniRequest
from core.providers.kling.endpoints import ENDPOINTS
from tests.crash.fake_pictures import make_png

PICTURE_KINDS = ("image", "omni", "series", "expand", "multi")  # a series is an omni picture, too
PATHS = {ENDPOINTS[kind].path for kind in PICTURE_KINDS if kind in ENDPOINTS}


def asked(kind: str, prompt: str, n: int) -> tuple[GenerationRequest, tuple[ReferenceImage, ...]]:
    """Return a request of a kind with the pictures that go with it."""
    two = tuple(
        ReferenceImage(make_png(f"{prompt} {place}", width=300, height=300), "image/png")
        for place in range(2)
    )
    if kind == "omni":
        return OmniRequest(f"{prompt} @image2", n=n, image_count=2), two
    if kind == "series":
        model, n = "kling-v3-omni", max(2, n)
        return OmniRequest(prompt, model_name=model, n=n, is_series=True), ()
    if kind == "expand":
        return ExpandRequest(prompt, n=n, up=0.5), two[:1]
    if kind == "multi":
        return MultiRequest(prompt, n=n, subject_count=1, has_style=True), two
    return ImageRequest(prompt, n=n), ()
