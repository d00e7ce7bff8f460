"""`/kling/…`: kinds that are known as generations, everything else forwarded as it is."""

import asyncio
import re
from urllib.parse import quote

from core.access.owners import LOCAL_OWNER
from core.errors import AppError, InputError
from core.models.generations import UNREADABLE_TEXT_ID, Generation, GenerationStatus
from core.models.money.ledger import BudgetError, Spender
from core.providers.kling.endpoints import ENDPOINTS
from core.providers.kling.signed_calls import KlingReply
from core.web.http_call import BODY_BYTES, JSON_TYPE, HttpCall, HttpCallError
from core.web.http_errors import http_error_from
from core.web.kling import envelope, posted_pictures
from core.web.kling.create import PICTURE_BODY_BYTES, KlingCreate, refuse_budget
from core.web.kling.creates import CREATES, LOOKED_UP, SPEECH_PATH
from core.web.kling.shared_polls import KlingReplies
from core.web.kling.speech import KlingSpeech
from core.web.kling.target import NEW_PATHS, PREFIX, is_new, target_from
from core.web.studio_bridge import StudioBridge
from core.wire.masking.secrets import known_secrets

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# What Kling tells of the account and its tasks is everybody's at once.
_NOT_THEIRS = "http.not_theirs"
_PICTURE_PATHS = tuple(
    f"{PREFIX}{path}" for path in ("/v1/images/", "/v1/videos/", "/v1/general/", *NEW_PATHS)
)
# Seconds or a date, and a media type with at most a charset.
_RETRY_AFTER = re.compile(
    r"[0-9]{1,9}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"
)
_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}(?:; ?charset=[\w-]{1,20})?", re.IGNORECASE)
_HAS_NO_BODY = (204, 304)


class KlingRoutes:
    """The routes of the contract that are about Kling."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge
        self._create = KlingCreate(bridge)
        self._speech = KlingSpeech(bridge, self._create)
        loop = asyncio.get_running_loop()
        self._replies = KlingReplies(self._look, clock=loop.time)

    async def serve(self, call: HttpCall) -> None:
        """Serve any call under the prefix."""
        path = call.path.rstrip("/")
        target = target_from(call.raw_path, call.query_string)
        own = path.removeprefix(PREFIX)
        if call.method == "POST" and own == SPEECH_PATH:
            await self._speech.create(call)
            return
        if call.method == "POST" and own in CREATES:
            await self._create.create(call, CREATES[own])
            return
        try:
            kinds_path, _, task_id = own.rpartition("/")
            if call.method == "GET" and kinds_path in LOOKED_UP:
                await self._describe(call, kinds_path, task_id)
            elif call.owner != LOCAL_OWNER:
                raise HttpCallError(403, _NOT_THEIRS)
            else:
                await self._forward(call, target)
        except BudgetError as error:
            await refuse_budget(call, error)
        except AppError as error:
            http_error = http_error_from(error, call.language)
            status = http_error.status if http_error.upstream_status is None else 502
            await call.reply_json(status, envelope.error(envelope.FAULT_CODE, http_error.sentence))

    async def _describe(self, call: HttpCall, path: str, task_id: str) -> None:
        """Tell how a task is: from its record while it runs, from Kling once there are links."""
        generation = await asyncio.to_thread(self._find, call.owner, path, task_id)
        if generation is not None and _is_known(generation):
            await call.reply_json(200, envelope.described(generation, call.language))
            return
        if generation is None and call.owner != LOCAL_OWNER:
            raise HttpCallError(404, _NOT_THEIRS)
        known_id = generation.task_id if generation is not None else None
        name = quote(known_id or task_id, safe="")
        await _pass_on(call, await self._replies.get(f"{path}/{name}"))

    def _find(self, owner: str, path: str, task_id: str) -> Generation | None:
        generations = self._bridge.studio.store.generations
        found = generations.get_by_task_id(owner, task_id) or generations.get_by_external_id(
            owner, task_id
        )
        if found is None or found.kind not in ENDPOINTS or ENDPOINTS[found.kind].path != path:
            return None
        return found

    async def _look(self, target: str) -> KlingReply:
        forward = self._bridge.studio.generations.forward
        spender = Spender(LOCAL_OWNER, "local", "http")
        return await self._bridge.run(
            forward("GET", target, body=b"", content_type=None, spender=spender)
        )

    async def _forward(self, call: HttpCall, target: str) -> None:
        ours = self._bridge.studio.generations
        if is_new(target) and await asyncio.to_thread(lambda: ours.has_key_pair):
            raise HttpCallError(403, "http.kling_key_pair")
        may_hold_picture = call.path.startswith(_PICTURE_PATHS)
        body = await call.body(most_bytes=PICTURE_BODY_BYTES if may_hold_picture else BODY_BYTES)
        content_type = call.headers.get("content-type")
        if body and (content_type or "").partition(";")[0].strip().lower() != "application/json":
            # Kling takes nothing else, and foreign pages may post nothing else without asking.
            raise HttpCallError(415, "http.body_type")
        try:
            body = await posted_pictures.normalized(body)
        except InputError as error:
            refusal = envelope.error(envelope.PARAMETERS_CODE, error.sentence(call.language))
            await call.reply_json(400, refusal)
            return
        reply = await self._bridge.run(
            self._bridge.studio.generations.forward(
                call.method,
                target,
                body=body,
                content_type=content_type if body else None,
                spender=Spender(LOCAL_OWNER, call.caller, "http"),
            )
        )
        await _pass_on(call, reply)


def _is_known(generation: Generation) -> bool:
    """Tell whether the record can answer for Kling: its worker looks at the task all the time."""
    if generation.status in (GenerationStatus.SUBMITTED, GenerationStatus.PROCESSING):
        return True
    return generation.status is GenerationStatus.FAILED and generation.error_text_id in (
        "error.task_failed",
        UNREADABLE_TEXT_ID,
    )


async def _pass_on(call: HttpCall, reply: KlingReply) -> None:
    # Of Kling's headers only these: no cookies, nothing that belongs to its connection.
    headers = [("Cache-Control", "no-store")]
    if reply.retry_after is not None and _RETRY_AFTER.fullmatch(reply.retry_after):
        headers.append(("Retry-After", reply.retry_after))
    if reply.status_code in _HAS_NO_BODY:
        await call.reply(reply.status_code, b"", "", headers)
        return
    await call.reply(reply.status_code, reply.content, _content_type(reply), headers)


def _content_type(reply: KlingReply) -> str:
    """Return a type that is one; a page of Kling's is shown by no browser as ours."""
    body = reply.content_type or JSON_TYPE
    return body if _TYPE.fullmatch(body) and not known_secrets.is_in(body) else JSON_TYPE
