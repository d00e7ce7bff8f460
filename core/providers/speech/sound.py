"""Decodes a speech reply as it comes, whatever it is: samples, WAV, or MP3 (which waits whole)."""

from core.wire.audio import (
    Mp3Error,
    Resampler,
    SampleJoiner,
    WavError,
    WavReader,
    looks_like_mp3,
    pcm_from_mp3,
    to_mono,
)

SOUND_MOST = 64 * 1024 * 1024  # of a file that has to be held whole
_HEAD = 12


class SoundError(ValueError):
    """What came is no sound that can be read here."""


class SoundReader:
    """Takes a reply in pieces of any size; gives out samples in the form of the house."""

    def __init__(self, content_type: str = "") -> None:
        self._type = content_type.partition(";")[0].strip().lower()
        self._head = b""
        self._kind = ""  # known once enough has come
        self._samples = SampleJoiner()
        self._wav = WavReader()
        self._resampler: Resampler | None = None
        self._whole = bytearray()

    def feed(self, piece: bytes) -> bytes:
        """Return the samples that have come; SoundError for what is none."""
        if not self._kind:
            self._head += piece
            if len(self._head) < _HEAD:
                return b""
            self._kind, piece, self._head = self._recognised(), self._head, b""
        return self._read(piece)

    def finish(self) -> bytes:
        """Return the last samples, the reply having ended."""
        last = b""
        if not self._kind and self._head:
            self._kind, head = self._recognised(), self._head
            last = self._read(head)
        if self._kind == "mp3":
            try:
                return pcm_from_mp3(bytes(self._whole))
            except Mp3Error as error:
                raise SoundError(str(error)) from error
        return last + (self._resampler.finish() if self._resampler is not None else b"")

    def _recognised(self) -> str:
        """Tell what it is: by its first bytes, and only then by what it is called."""
        if self._head[:4] == b"RIFF":
            return "wav"
        if self._head[:4] in (b"OggS", b"fLaC"):
            raise SoundError("a form of sound that is not read here")
        says_samples = self._type in ("", "audio/pcm", "audio/l16", "application/octet-stream")
        if looks_like_mp3(self._head) and not (says_samples and self._type):
            return "mp3"
        if self._type.startswith(("text/", "application/json")):
            raise SoundError("no sound")
        return "pcm"

    def _read(self, piece: bytes) -> bytes:
        if self._kind == "pcm":
            return self._samples.feed(piece)
        if self._kind == "mp3":
            self._whole += piece
            if len(self._whole) > SOUND_MOST:
                raise SoundError("too much sound at once")
            return b""
        try:
            frames = self._wav.feed(piece)
        except WavError as error:
            raise SoundError(str(error)) from error
        form = self._wav.format
        if form is None:
            return b""
        if self._resampler is None:
            self._resampler = Resampler(form.rate)
        return self._resampler.feed(to_mono(frames, form.channels))
