"""Sound on the wire: samples, headers and base64 of streams, and the sentences that are spoken.

Pure, all of it: what arrives is cut anywhere, and what goes out is the same however it was cut.
"""

from core.wire.audio.lengths import recording_s
from core.wire.audio.mp3 import Mp3Encoder, Mp3Error, looks_like_mp3, mp3_from, pcm_from_mp3
from core.wire.audio.pcm import (
    RATE,
    Base64Joiner,
    Resampler,
    SampleJoiner,
    seconds_of,
    to_mono,
)
from core.wire.audio.sentences import SentenceCutter, cut_sentences, portions
from core.wire.audio.spoken import spoken
from core.wire.audio.wav import WavError, WavFormat, WavReader, wav_header

__all__ = [
    "RATE",
    "Base64Joiner",
    "Mp3Encoder",
    "Mp3Error",
    "Resampler",
    "SampleJoiner",
    "SentenceCutter",
    "WavError",
    "WavFormat",
    "WavReader",
    "cut_sentences",
    "looks_like_mp3",
    "mp3_from",
    "pcm_from_mp3",
    "portions",
    "recording_s",
    "seconds_of",
    "spoken",
    "to_mono",
    "wav_header",
]
