"""The part of `/openapi.json` about Kling's create paths; most list and query, too."""

from core.web.kling.creates import CREATES
from core.web.kling.envelope import Envelope
from core.web.openapi.openai_paths import KEY, NO_MONEY
from core.web.openapi.shapes import Json, guarded, json_of, operation, parameter, posted, reply

_PAGING = [parameter(name, "query", int) for name in ("pageNum", "pageSize")]
_TASK = {"200": reply("The task", json_of(Envelope))}
_BOUGHT = {
    **_TASK,
    "400": reply("Refused; nothing was bought", json_of(Envelope)),
    "402": reply(NO_MONEY, json_of(Envelope)),
}


def create_paths() -> Json:
    """Return the paths; a look is forwarded, and brings Kling's own words under other statuses."""
    paths: Json = {}
    for path, create in CREATES.items():
        body = {"allOf": [create.body], "required": list(create.required)}
        paths[f"/kling{path}"] = {
            "post": operation(create.title, posted(_BOUGHT, Envelope), KEY, body=body)
        }
        if not create.is_looked_up:
            continue
        listed = guarded({"200": reply("The list", json_of(Envelope))}, dict)
        paths[f"/kling{path}"] |= {
            "get": operation("Kling's list of tasks, forwarded", listed, *_PAGING)
        }
        paths[f"/kling{path}/{{task_id}}"] = {
            "get": operation(
                "How a task is; with links once it has succeeded",
                guarded(_TASK, dict),
                parameter("task_id", "path"),
            )
        }
    return paths
