"""Streams and what the WHATWG text makes of them; the names say which of its rules is at stake.

An expected event is written (event, data, id). Several streams are the text's own examples, others
repeat what the web-platform-tests in `eventsource/` ask of browsers.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One whole stream, the events it dispatches, and what the stream knows at its end."""

    name: str
    stream: bytes
    events: tuple[tuple[str, str, str], ...] = ()
    last_event_id: str = ""
    retry_ms: int | None = None


def message(data: str, id: str = "") -> tuple[str, str, str]:
    """Return an expected event without a name of its own."""
    return ("message", data, id)


BOM = b"\xef\xbb\xbf"
X = message("x")
AB = message("a\nb")

CASES = (
    # the text's own examples
    Case(
        "the example of three messages",
        b"data: This is the first message.\n\ndata: This is the second message, it\n"
        b"data: has two lines.\n\ndata: This is the third message.\n\n",
        (
            message("This is the first message."),
            message("This is the second message, it\nhas two lines."),
            message("This is the third message."),
        ),
    ),
    Case(
        "the example of named events",
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
        (("add", "73857293", ""), ("remove", "2153", ""), ("add", "113411", "")),
    ),
    Case(
        "the example of a stock quote",
        b"data: YHOO\ndata: +2\ndata: 10\n\n",
        (message("YHOO\n+2\n10"),),
    ),
    Case(
        "the example of four blocks",
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
        b"data:  third event\n",
        (message("first event", "1"), message("second event")),
    ),
    Case(
        "the example of four blocks, with its last blank line",
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
        b"data:  third event\n\n",
        (message("first event", "1"), message("second event"), message(" third event")),
    ),
    Case(
        "the example of empty data, its last block unfinished",
        b"data\n\ndata\ndata\n\ndata:",
        (message(""), message("\n")),
    ),
    Case(
        "the example of an optional space", b"data:test\n\ndata: test\n\n", (message("test"),) * 2
    ),
    # nothing to dispatch
    Case("an empty stream", b""),
    Case("blank lines alone", b"\n\r\n\r\n\n"),
    Case("a line without its end", b"data: x"),
    Case("an event without its blank line", b"data: x\n"),
    Case("an unfinished event after a finished one", b"data: x\n\ndata: y\n", (X,)),
    Case("a name without data", b"event: ping\n\n"),
    Case("an id without data", b"id: 7\n\n", last_event_id="7"),
    Case("a retry without data", b"retry: 10\n\n", retry_ms=10),
    Case("further blank lines", b"data: x\n\n\n\n\n", (X,)),
    Case("blank lines ahead", b"\n\n\ndata: x\n\n", (X,)),
    Case("spaces are not a blank line", b"data: x\n \n\n", (X,)),
    # line ends
    Case("LF", b"data: a\ndata: b\n\n", (AB,)),
    Case("CR", b"data: a\rdata: b\r\r", (AB,)),
    Case("CR LF", b"data: a\r\ndata: b\r\n\r\n", (AB,)),
    Case(
        "all three line ends in one event",
        b"data: a\rdata: b\ndata: c\r\n\n",
        (message("a\nb\nc"),),
    ),
    Case("CR then CR LF are two line ends", b"data: x\r\r\ndata: y\n\n", (X, message("y"))),
    Case("LF then CR are two line ends", b"data: x\n\rdata: y\n\n", (X, message("y"))),
    Case("CR LF then CR", b"data: x\r\n\rdata: y\r\n\r\n", (X, message("y"))),
    Case("CR LF then LF", b"data: x\r\n\ndata: y\n\n", (X, message("y"))),
    Case("CR CR LF LF", b"data: x\r\r\n\n", (X,)),
    Case("one CR LF is one line end, so nothing is dispatched", b"data: x\r\n"),
    Case("the last CR may stand alone", b"data: x\r\n\r", (X,)),
    Case("CR inside what LF LF ends", b"data: x\n\ndata: a\rdata: b\n\n", (X, AB)),
    Case("CR LF ahead of everything", b"\r\ndata: x\n\n", (X,)),
    # what only looks like a line end
    Case("U+2028 and U+2029", "data: a\u2028b\u2029c\n\n".encode(), (message("a\u2028b\u2029c"),)),
    Case("U+0085", "data: a\u0085b\n\n".encode(), (message("a\u0085b"),)),
    Case("VT and FF", b"data: a\x0bb\x0cc\n\n", (message("a\x0bb\x0cc"),)),
    Case("FS, GS, RS, US", b"data: a\x1cb\x1dc\x1ed\x1fe\n\n", (message("a\x1cb\x1dc\x1ed\x1fe"),)),
    Case("an escaped line end in JSON", b'data: {"a":"\\n\\r"}\n\n', (message('{"a":"\\n\\r"}'),)),
    Case(
        "U+2028 in an id",
        "id: a\u2028b\ndata: x\n\n".encode(),
        (message("x", "a\u2028b"),),
        "a\u2028b",
    ),
    Case("FF in a name", b"event: a\x0cb\ndata: x\n\n", (("a\x0cb", "x", ""),)),
    Case("a line of U+0085 is not blank", "data: x\n\u0085\n\n".encode(), (X,)),
    # byte order mark
    Case("a BOM ahead", BOM + b"data: x\n\n", (X,)),
    Case("a BOM ahead of a comment", BOM + b": hi\ndata: x\n\n", (X,)),
    Case("a BOM ahead of a blank line", BOM + b"\ndata: x\n\n", (X,)),
    Case("a BOM ahead of CR LF", BOM + b"\r\ndata: x\r\n\r\n", (X,)),
    Case("a BOM alone", BOM),
    Case(
        "two BOMs: the second is part of a name",
        BOM + BOM + b"data: 1\n\ndata: 2\n\n",
        (message("2"),),
    ),
    Case(
        "a BOM later on is part of a name",
        BOM + b"data: 1\n\n" + BOM + b"data: 2\n\ndata: 3\n\n",
        (message("1"), message("3")),
    ),
    Case("a BOM on the second line", b"\n" + BOM + b"data: x\n\n"),
    Case("a BOM within a value stays", b"data: " + BOM + b"x\n\n", (message("\ufeffx"),)),
    Case("half a BOM is broken UTF-8 in a name", b"\xef\xbbdata: 1\n\ndata: x\n\n", (X,)),
    Case("half a BOM, then a line end", b"\xef\xbb\ndata: x\n\n", (X,)),
    Case("the other byte order's mark", b"\xff\xfedata: 1\n\ndata: x\n\n", (X,)),
    # comments
    Case("a comment", b": keep-alive\n\n"),
    Case("an empty comment", b":\n\ndata: x\n\n", (X,)),
    Case("a comment within an event", b"data: a\n: hi\ndata: b\n\n", (AB,)),
    Case("a comment that looks like a field", b":data: y\ndata: x\n\n", (X,)),
    Case("a comment of colons", b"::::\ndata: x\n\n", (X,)),
    Case("a comment with NUL", b":\x00\ndata: x\n\n", (X,)),
    Case("DeepSeek's keep-alives", b": keep-alive\n\n: keep-alive\n\ndata: x\n\n", (X,)),
    Case("a long comment", b":" + b"-" * 300 + b"\ndata: x\n\n", (X,)),
    # names of fields
    Case("an unknown field", b"dada: y\ndata: x\n\n", (X,)),
    Case("an unknown field without colon", b"hello\ndata: x\n\n", (X,)),
    Case("names are case-sensitive", b"Data: a\nDATA: b\nEvent: c\nID: d\nRetry: 1\n\n"),
    Case("a space ahead of a name", b" data: y\ndata: x\n\n", (X,)),
    Case("a space after a name", b"data : y\ndata: x\n\n", (X,)),
    Case("a tab ahead of a name", b"\tdata: y\ndata: x\n\n", (X,)),
    Case("a name that begins like data", b"data2: y\ndatax\ndata: x\n\n", (X,)),
    Case("a name cut short", b"dat: y\ndata: x\n\n", (X,)),
    Case("a name with NUL", b"data\x00: y\ndata: x\n\n", (X,)),
    Case("a name in full-width letters", "\uff44ata: y\ndata: x\n\n".encode(), (X,)),
    # data
    Case("no space", b"data:x\n\n", (X,)),
    Case("only one space goes", b"data:  x \n\n", (message(" x "),)),
    Case("a tab stays", b"data:\tx\n\n", (message("\tx"),)),
    Case("a no-break space stays", "data:\u00a0x\n\n".encode(), (message("\u00a0x"),)),
    Case("the first colon counts", b"data::x:y\n\n", (message(":x:y"),)),
    Case("the space after the first colon only", b"data: : x\n\n", (message(": x"),)),
    Case("data without colon", b"data\n\n", (message(""),)),
    Case("data with empty value", b"data:\n\n", (message(""),)),
    Case("data of the one space", b"data: \n\n", (message(""),)),
    Case("data of two spaces", b"data:  \n\n", (message(" "),)),
    Case("three empty lines of data", b"data\ndata:\ndata: \n\n", (message("\n\n"),)),
    Case("empty data ahead", b"data:\ndata: x\n\n", (message("\nx"),)),
    Case("empty data behind", b"data: x\ndata\n\n", (message("x\n"),)),
    Case("NUL in data", b"data: \x00\n\n", (message("\x00"),)),
    Case("data begins anew", b"data: a\n\ndata: b\n\n", (message("a"), message("b"))),
    Case(
        "fields between lines of data", b"data: a\nid: 1\ndata: b\n\n", (message("a\nb", "1"),), "1"
    ),
    Case("Chinese and emoji", "data: 墨灵🖌️\n\n".encode(), (message("墨灵🖌️"),)),
    Case(
        "the end mark of DeepSeek",
        b"data: {}\n\ndata: [DONE]\n\n",
        (message("{}"), message("[DONE]")),
    ),
    # event
    Case("a name of an event", b"event: add\ndata: x\n\n", (("add", "x", ""),)),
    Case("a name after its data", b"data: x\nevent: add\n\n", (("add", "x", ""),)),
    Case("the last name counts", b"event: a\nevent: b\ndata: x\n\n", (("b", "x", ""),)),
    Case("a name is forgotten", b"event: a\ndata: x\n\ndata: x\n\n", (("a", "x", ""), X)),
    Case("a name is forgotten also without data", b"event: a\n\ndata: x\n\n", (X,)),
    Case("an empty name", b"event: \ndata: x\n\n", (X,)),
    Case("an empty name undoes one", b"event: a\nevent\ndata: x\n\n", (X,)),
    Case("a name keeps its inner spaces", b"event:  a b \ndata: x\n\n", ((" a b ", "x", ""),)),
    Case("a name with NUL is kept", b"event: a\x00\ndata: x\n\n", (("a\x00", "x", ""),)),
    Case("the default name spelt out", b"event: message\ndata: x\n\n", (X,)),
    Case("a Chinese name", "event: 画\ndata: x\n\n".encode(), (("画", "x", ""),)),
    # id
    Case("an id stays in force", b"id: 1\ndata: x\n\ndata: x\n\n", (message("x", "1"),) * 2, "1"),
    Case("an id after its data", b"data: x\nid: 1\n\n", (message("x", "1"),), "1"),
    Case("an id from a block without data", b"id: 1\n\ndata: x\n\n", (message("x", "1"),), "1"),
    Case("an empty id resets", b"id: 1\ndata: x\n\nid\ndata: x\n\n", (message("x", "1"), X)),
    Case("an empty id resets also without data", b"id: 1\n\nid:\n\n"),
    Case("the last id counts", b"id: 1\nid: 2\ndata: x\n\n", (message("x", "2"),), "2"),
    Case("an id with NUL", b"id: 1\nid: 2\x003\ndata: x\n\n", (message("x", "1"),), "1"),
    Case("an id of NUL alone", b"id: \x00\ndata: x\n\n", (X,)),
    Case(
        "an id without its blank line is not in force",
        b"id: 1\ndata: x\n\nid: 2\n",
        (message("x", "1"),),
        "1",
    ),
    Case("an id with spaces", b"id:  1 \ndata: x\n\n", (message("x", " 1 "),), " 1 "),
    Case("an id that is not a number", "id: …é\ndata: x\n\n".encode(), (message("x", "…é"),), "…é"),
    # retry
    Case("retry", b"retry: 1500\ndata: x\n\n", (X,), retry_ms=1500),
    Case("retry counts at the end of its line", b"retry: 1500\n", retry_ms=1500),
    Case("retry without its line end", b"retry: 1500"),
    Case("retry zero", b"retry: 0\n", retry_ms=0),
    Case("retry with leading zeros", b"retry:000040\n", retry_ms=40),
    Case("the last retry counts", b"retry: 1\nretry: 2\n", retry_ms=2),
    Case("a bad retry leaves the good one", b"retry: 1\nretry: 2s\n", retry_ms=1),
    Case("retry with a sign", b"retry: -5\nretry: +5\n"),
    Case("retry with a point", b"retry: 1.5\nretry: 1e3\n"),
    Case("retry with underscores", b"retry: 1_000\n"),
    Case("retry with more spaces", b"retry:  5\nretry: 5 \n"),
    Case("retry in hexadecimal", b"retry: 0x10\n"),
    Case("retry in Arabic digits", "retry: \u0665\n".encode()),
    Case("retry in full-width digits", "retry: \uff15\nretry: \u00b2\n".encode()),
    Case("retry without value", b"retry\nretry:\nretry: \n"),
    Case("a retry past 64 bits", b"retry: 99999999999999999999\n", retry_ms=99999999999999999999),
    Case("a retry int() refuses", b"retry: " + b"1" * 5000 + b"\n", retry_ms=10**300 - 1),
    Case("many leading zeros", b"retry: " + b"0" * 5000 + b"7\n", retry_ms=7),
    # broken UTF-8
    Case("a stray continuation byte", b"data: a\x80b\n\n", (message("a\ufffdb"),)),
    Case("a character cut by the line end", b"data: \xe5\xa2\n\n", (message("\ufffd"),)),
    Case("a character cut by CR", b"data: \xf0\x9f\x96\rdata: b\r\r", (message("\ufffd\nb"),)),
    Case(
        "a character cut by the end of an event",
        b"data: \xe5\n\n\xa8: y\ndata: x\n\n",
        (message("\ufffd"), X),
    ),
    Case("a character cut by the next", b"data: \xe5\xa2\xe5\xa2\xa8\n\n", (message("\ufffd墨"),)),
    Case("an overlong slash", b"data: \xc0\xaf\n\n", (message("\ufffd\ufffd"),)),
    Case(
        "an overlong line end does not end a line",
        b"data: a\xc0\x8ab\n\n",
        (message("a\ufffd\ufffdb"),),
    ),
    Case(
        "an overlong NUL",
        b"id: \xc0\x80\ndata: x\n\n",
        (message("x", "\ufffd\ufffd"),),
        "\ufffd\ufffd",
    ),
    Case("a surrogate", b"data: \xed\xa0\x80\n\n", (message("\ufffd\ufffd\ufffd"),)),
    Case("past the last code point", b"data: \xf4\x90\x80\x80\n\n", (message("\ufffd" * 4),)),
    Case("bytes that never occur", b"data: \xfe\xff\n\n", (message("\ufffd\ufffd"),)),
    Case("a broken name of an event", b"event: \xe5\ndata: x\n\n", (("\ufffd", "x", ""),)),
    Case("broken UTF-8 in a comment", b": \xff\xe5\ndata: x\n\n", (X,)),
    Case("a colon within a broken character", b"data\xe5: y\ndata: x\n\n", (X,)),
    Case(
        "a character broken by the joint of two lines",
        b"data: \xe5\ndata: \xa2\xa8\n\n",
        (message("\ufffd\n\ufffd\ufffd"),),
    ),
)
