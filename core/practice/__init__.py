"""An embedded DeepSeek and Kling on loopback, for people without keys and for the tests.

`PracticeServer` speaks both wire formats over real HTTP; `python -m core.practice`
starts one by itself. `/practice NAME [NUMBER]` in a question or a picture's prompt makes it go
wrong on purpose (the reader's table is built from the same rows, in `faults`):

    chat      400 401 402 422 429 500 503 [TIMES]   that HTTP status (the first TIMES times)
              retry-after [SECONDS]  429 the first time, with Retry-After: SECONDS (2 unless told)
              html [STATUS]          a web page instead of JSON, 200 unless told
              cut                    the connection is dropped in mid-answer
              half-json              the body ends inside a line of JSON
              no-done                a finish_reason, but no [DONE]
              error-in-stream        200, then an error object
              silent [SECONDS]       nothing at all in mid-answer, socket open
              comments [SECONDS]     only keep-alives, then the answer
              garbage-line           one data line that is not JSON, then on
              half-pairs             an emoji whose halves come in two events
              content-parts          the text as a list of parts
              think-tags late-close  the reasoning in the text: in tags, or only its closing one
              versions told-again    all text so far in each event, or once more at the end
              leaked-call            markers of a tool call leak into the text
              flat-error             200, then {code, msg}
              blanks                 nothing but blanks
              length content_filter insufficient_system_resource aborted
                                     the answer ends halfway with that finish_reason
              tool_calls two-calls   asks for a tool call; for two
              bad-arguments unknown-tool
                                     a call whose arguments are no JSON; of a tool nobody offered
              unknown-finish         a finish_reason nobody knows
              tool-search tool-fetch tool-calculator tool-time tool-draw
                                     calls these of the studio's tools, one after the other
              tools-together         calls them all at once
              tools-say              says something before it calls
              tools-same tools-many tools-endless
                                     the same call again and again; calls without end
              tools-obey             does what pages and files command
              then-429 then-500 [TIMES] then-cut then-no-usage then-slow [MS]
                                     the same as without `then-`, once tools have returned
              no-usage usage-twice usage-chunk
                                     none; two, the latter counts; old style, empty choices
              empty reasoning-only   stop with nothing said; with reasoning only
              no-delta               the finish chunk has no delta
              slow [MS] burst        pause between deltas; everything in one write
              long [CHARACTERS]      a text of that length
    pictures  1000 … 5002 [TIMES]    that service code (kling.md, section 8)
              fail                   the task ends as failed
              slow SECONDS           the task takes that long
              lost                   accepted, but the reply never comes
              dropped [TIMES]        not accepted, the connection is dropped
              hidden                 not found under one's own id, only in the list
              html [STATUS]          a web page instead of JSON, 502 unless told
              missing-picture        the last picture answers 404 twice, then works
              broken-picture         the first picture's first fetch is cut short
              unreadable-picture [TIMES]
                                     the first picture's file is whole and no picture, the first
                                     TIMES fetches (8 unless told)
              cash                   paid from the balance, in cash, not from the package
              billing                the charge is told as `billing[]`, as newer endpoints do

    search    web-400 web-402 web-429 web-500 web-503 [TIMES]   that HTTP status
              web-empty web-html     nothing is found; a web page instead of JSON
              web-lost               searched and charged, but the reply never comes
              web-slow [SECONDS]     the search takes that long, 3 unless told
              web-odd                results that lack fields, or hold other types
              web-hostile            results that try to command the model
              page-400 … page-503 page-empty page-lost page-long page-hostile
                                     the same of the pages that are found, when they are read

    speech    400 401 402 429 500 503 html   that HTTP status; a web page
              cut                    the voice breaks off in the middle

Beside these, a prompt with 血腥, 暴力, gore or violence is refused with 1301, and one with 敏感
or sensitive ends as failed.

Both providers keep books, by the tables of `models/money`: `/user/balance` falls, packages and cash
fall, Kling's billing rows tell of each task, and `GET /practice/book` tells all that was charged.
"""
