"""What tests ask of sound: whether anybody would hear it."""

from array import array

QUIET = 200  # of 32768: below it nobody hears anything


def louder_than_silence(pcm: bytes) -> bool:
    """Tell whether anything is to be heard in samples of 16 bits."""
    return any(abs(sample) > QUIET for sample in array("h", pcm))
