"""The sentences of `/enter` in both languages."""

from core.web.http_refusals import Language

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Let this device in",
        "intro": "Enter an access token to use the studio from this device. It stays let in until "
        "you leave, or the owner takes it back.",
        "cloud": "Streamlit Community Cloud passes no cookie on, so this page lets nobody in here: "
        "sign in on the pages instead ([auth] and users under [access]).",
        "token": "Access token",
        "submit": "Let this device in",
        "hint": "Tokens are those named in INKLING_TOKENS where the studio runs. Without one, ask "
        "the owner for a one-time link: Status → Let another device in.",
        "known": "This device is let in already, as {name}.",
        "go": "Open the studio",
        "link_title": "Let this device in?",
        "link": "This link lets one device in, once. Press the button on the device that you want "
        "to use the studio from.",
        "wrong_token": "This is none of the tokens in INKLING_TOKENS. Check it and try again.",
        "link_over": "This link has been used already, or has expired. Ask for a new one, or enter "
        "an access token.",
        "foreign_page": "This form was not sent from the studio's own page. Open /enter anew; if "
        "a proxy stands before the studio, it has to pass the Host header on, port included "
        "(nginx: $http_host).",
        "guesses": "Too many tries from this address. Wait {wait_s} s, then try again.",
        "store": "The studio cannot write this down at the moment. Try again shortly.",
        "nothing": "Enter an access token.",
        "opening_title": "The studio is still opening",
        "opening": "Load this page again in a moment.",
    },
    "zh": {
        "title": "让这台设备进入",
        "intro": "输入访问令牌，就能在这台设备上使用墨灵。之后一直有效，直到您退出，或主人收回。",
        "cloud": "Streamlit Community Cloud 不转交 cookie，所以这个页面在那里不能放行："
        "请改在页面上登录（[auth] 和 [access] 的 users）。",
        "token": "访问令牌",
        "submit": "让这台设备进入",
        "hint": "令牌就是运行墨灵的地方 INKLING_TOKENS 里的那些。没有令牌，请向主人要一次性链接："
        "“状态”页 → “让另一台设备进入”。",
        "known": "这台设备已经以 {name} 的名义进入。",
        "go": "打开墨灵",
        "link_title": "让这台设备进入？",
        "link": "这个链接只放行一台设备，只能用一次。请在您要使用墨灵的那台设备上按下按钮。",
        "wrong_token": "这不是 INKLING_TOKENS 里的令牌。请核对后再试。",
        "link_over": "这个链接已经用过或已经过期。请再要一个，或输入访问令牌。",
        "foreign_page": "这个表单不是从墨灵自己的页面发出的。请重新打开 /enter；"
        "如果墨灵前面有代理，代理必须把 Host 头连同端口原样转交（nginx：$http_host）。",
        "guesses": "这个地址试的次数太多。请等 {wait_s} 秒再试。",
        "store": "墨灵现在记不下来，请稍后再试。",
        "nothing": "请输入访问令牌。",
        "opening_title": "墨灵正在打开",
        "opening": "请稍后重新载入这个页面。",
    },
}
