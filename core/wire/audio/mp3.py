"""MP3 in and out, by two small libraries that are imported when something is first to be heard."""

from core.wire.audio.pcm import RATE

KBPS = 64  # of one channel: more than speech needs
_QUALITY = 5
_SYNC = 0xE0


class Mp3Error(ValueError):
    """What came is no MP3 that can be decoded."""


class Mp3Encoder:
    """Encodes samples as they come; frames come out as they are full."""

    def __init__(self, rate: int = RATE) -> None:
        import lameenc  # noqa: PLC0415 - when something is first to be heard

        self._encoder = lameenc.Encoder()
        self._encoder.set_bit_rate(KBPS)
        self._encoder.set_in_sample_rate(rate)
        self._encoder.set_channels(1)
        self._encoder.set_quality(_QUALITY)
        self._encoder.silence()
        self._has_begun = False

    def feed(self, pcm: bytes) -> bytes:
        """Return the frames that are full."""
        if not pcm:
            return b""
        self._has_begun = True
        return bytes(self._encoder.encode(pcm))

    def finish(self) -> bytes:
        """Return the last frames."""
        return bytes(self._encoder.flush()) if self._has_begun else b""


def mp3_from(pcm: bytes, rate: int = RATE) -> bytes:
    """Return samples as one MP3 file."""
    encoder = Mp3Encoder(rate)
    return encoder.feed(pcm) + encoder.finish()


def pcm_from_mp3(data: bytes) -> bytes:
    """Return a whole MP3's samples in the form of the house; Mp3Error where it is none."""
    import miniaudio  # noqa: PLC0415 - when something is first to be heard

    if not looks_like_mp3(data):  # the decoder would look for a frame in anything
        raise Mp3Error("no MP3")
    try:
        decoded = miniaudio.decode(
            data,
            output_format=miniaudio.SampleFormat.SIGNED16,
            nchannels=1,
            sample_rate=RATE,
        )
    except miniaudio.DecodeError as error:
        raise Mp3Error("not to be decoded") from error
    pcm: bytes = decoded.samples.tobytes()
    if not pcm:
        raise Mp3Error("without sound")
    return pcm


def looks_like_mp3(data: bytes) -> bool:
    """Tell whether data begins like an MP3: with its tags, or with a frame."""
    is_frame = len(data) > 1 and data[0] == 0xFF and data[1] & _SYNC == _SYNC
    return data[:3] == b"ID3" or (is_frame and data[1] & 0x06 == 0x02)
