"""How long a recording lasts, as far as its own bytes tell: WAV, MP3, FLAC and Ogg Vorbis."""

from core.wire.audio.mp3 import looks_like_mp3


def recording_s(content: bytes) -> float | None:
    """Return how many seconds a whole recording lasts; None where that cannot be told."""
    import miniaudio  # noqa: PLC0415 - when something is first to be heard

    if content[:4] == b"RIFF":
        read = miniaudio.wav_get_info
    elif content[:4] == b"fLaC":
        read = miniaudio.flac_get_info
    elif content[:4] == b"OggS":
        read = miniaudio.vorbis_get_info
    elif looks_like_mp3(content):
        read = miniaudio.mp3_get_info
    else:
        return None
    try:
        seconds = float(read(content).duration)
    except miniaudio.MiniaudioError:
        return None
    return seconds if seconds > 0 else None
