"""From a picture back to a form: ask for the same again, for variations, or talk about it."""

from core.models.generations import Generation, GenerationRequest, ImageRequest, Picture
from core.models.pictures.expand import ExpandRequest
from core.models.pictures.omni import OmniRequest
from core.models.pictures.rules import REFERENCES_MOST
from core.ui import chat_box, opened, session
from core.ui.buttons import keeping_errors
from core.ui.generations import form as image_form
from core.ui.generations.kinds import pictures, table
from core.ui.generations.thumbnails import file_name
from core.ui.session import text
from core.work.generations.references import prepare_reference


def use_again(generation: Generation) -> None:
    """Fill the form with what was asked for here, and go there."""
    if generation.kind in table.FORMS:
        _fill_again(generation.id, generation.request)
        session.go_to("pages/images.py")


def vary(picture: Picture, generation: Generation) -> None:
    """Fill the form with this picture as the reference, and go there."""
    _fill_variations(picture, generation)
    session.go_to("pages/images.py")


def refer_to(picture: Picture) -> None:
    """Put this picture behind the references of the form that takes several, and go there."""
    _fill_references(picture)
    session.go_to("pages/images.py")


def expand(picture: Picture) -> None:
    """Open the form that continues this picture beyond its edges, and go there."""
    _fill_expansion(picture)
    session.go_to("pages/images.py")


def send_to_chat(generation: Generation) -> None:
    """Begin a conversation with the prompt as a quotation in its box; nothing is sent."""
    quoted = "\n".join(f"> {line}" for line in generation.request.prompt.splitlines())
    opened.open_conversation(None)
    chat_box.fill(f"{quoted}\n\n")
    session.go_to("pages/chat.py")


def describe(picture: Picture, generation: Generation) -> None:
    """Begin a conversation that has this picture and a question about it; nothing is sent."""
    if _attach(picture, generation):
        opened.open_conversation(None)
        chat_box.fill(text("gallery.describe_question"))
        session.go_to("pages/chat.py")


@keeping_errors()
def _attach(picture: Picture, generation: Generation) -> bool:
    content = session.studio().archive.original_bytes(picture.name)
    session.state().to_attach = file_name(generation, picture), content
    return True


@keeping_errors("image_error")
def _fill_again(generation_id: str, request: GenerationRequest) -> None:
    kept = session.studio().store.generations.references(generation_id)
    # An earlier version kept it as it came.
    image_form.fill(request, references=[prepare_reference(one.content) for one in kept])


@keeping_errors("image_error")
def _fill_variations(picture: Picture, generation: Generation) -> None:
    reference = prepare_reference(session.studio().archive.original_bytes(picture.name))
    request = generation.request
    asked = request if isinstance(request, ImageRequest) else ImageRequest(request.prompt)
    image_form.fill(asked, references=[reference])


@keeping_errors("image_error")
def _fill_expansion(picture: Picture) -> None:
    content = session.studio().archive.original_bytes(picture.name)
    # Words that stood there for another picture would be drawn around this one.
    held = (pictures.prepared(content),)
    image_form.open_for(ExpandRequest.kind, held, keeps_words=False)


@keeping_errors("image_error")
def _fill_references(picture: Picture) -> None:
    content = session.studio().archive.original_bytes(picture.name)
    pictures.add(pictures.prepared(content), REFERENCES_MOST)
    image_form.open_for(OmniRequest.kind, session.state().pictures)
