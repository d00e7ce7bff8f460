"""core/wire/json_text: what programs post can be written down, sent on and told again."""

import json

import pytest

from core.wire.json_text import read_json, write_json


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("half", ["\ud800", "\\ud800", "\\uDFFF"])
def test_half_a_character_is_a_sign_that_can_be_written(half: str, encoding: str) -> None:
    body = f'{{"a{half}": ["{half}b \\ud83d\\ude00 \\u58a8"]}}'
    value = read_json(body.encode(encoding, "surrogatepass"))
    assert value == {"a\ufffd": ["\ufffdb 😀 墨"]}
    assert json.loads(write_json(value)) == value


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_json_lacks_is_told_as_null(number: str) -> None:
    value = read_json(b'{"metadata": {"x": [%b, 1.5]}}' % number.encode())
    assert write_json(value) == b'{"metadata":{"x":[null,1.5]}}'
