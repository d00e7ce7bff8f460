"""The part of `/openapi.json` about Kling's create paths; most list and query, too."""

from collections.abc import Mapping

from core.web.kling.creates import CREATES
from core.web.openapi.shapes import Json, guarded, json_of, operation, parameter, posted, reply


def create_paths(
    bodies: Mapping[str, Json], envelope: Json, bought: Json, task: Json, also: tuple[Json, Json]
) -> Json:
    """Return the paths; `also`: the parameter of a key, and what a body is besides described."""
    key, anything = also
    paging = [parameter(name, "query", type="integer") for name in ("pageNum", "pageSize")]
    paths: Json = {}
    for path, create in CREATES.items():
        paths[f"/kling{path}"] = {
            "post": operation(
                create.title,
                posted(bought, anything),
                key,
                body={**bodies[path], "required": list(create.required)},
            )
        }
        if not create.is_looked_up:
            continue
        paths[f"/kling{path}"] |= {
            "get": operation(
                "Kling's list of tasks, forwarded",
                guarded({"200": reply("The list", json_of(envelope))}, anything),
                *paging,
            )
        }
        paths[f"/kling{path}/{{task_id}}"] = {
            "get": operation(
                "How a task is; with links once it has succeeded",
                guarded(task, anything),
                parameter("task_id", "path"),
            )
        }
    return paths
