"""A working day in a real browser: live messages, claim, answer, resolve, with keyboard alone, in three languages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from sqlalchemy import delete, update

from feed.catalogue import Catalogue, catalogue
from routing.store import events
from routing.store.rows import CASE, SESSION
from tests.feed.house import House, now
from tests.feed.scene import PASSWORD, Scene, people

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCALES = {"en": "en-GB", "zh-Hans": "zh-CN", "zh-Hant": "zh-TW"}
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
PICTURES = os.environ.get("HEEDFUL_SCREENSHOTS")

if not CHROMIUM.exists() and not os.environ.get("CI"):
    pytest.skip(f"no browser at {CHROMIUM}", allow_module_level=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    at = now()
    found.write(lambda connection: people(connection, at))
    if PICTURES:
        found.write(lambda connection: Scene(connection, at).history())
    found.write(lambda connection: Scene(connection, at).morning())
    yield found
    found.stop()


class Visitor:
    """Somebody at a screen. Anything said on the console at warning or above is a complaint."""

    def __init__(self, context: BrowserContext, house: House, language: str) -> None:
        self.context, self.house, self.language = context, house, language
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.texts: Catalogue = catalogue(language)
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, name: str = "Lea Ortiz", to: str = "/") -> None:
        self.page.goto(f"{self.house.url}/signin?next={to}")
        self.page.get_by_label(self.texts.text("signin.name")).fill(name)
        self.page.get_by_label(self.texts.text("signin.password")).fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.live()

    def live(self) -> None:
        expect(self.page.locator("html[data-ready]")).to_have_count(1)
        expect(self.page.locator('#connection[data-state="online"]')).to_have_count(1)

    def picture(self, name: str) -> None:
        if PICTURES:
            folder = Path(PICTURES)
            folder.mkdir(parents=True, exist_ok=True)
            # Hiding the caret and stopping animations would add a style to the page, which its policy refuses.
            self.page.screenshot(path=folder / f"{name}.png", animations="allow", caret="initial")


Enter = Callable[..., Visitor]


@pytest.fixture
def enter(browser: Browser, house: House) -> Iterator[Enter]:
    visitors: list[Visitor] = []

    def one(language: str = "en", *, size: ViewportSize | None = None, **options: Any) -> Visitor:
        context = browser.new_context(
            locale=LOCALES[language], viewport=size or DESK, timezone_id="Asia/Shanghai", **options
        )
        visitors.append(Visitor(context, house, language))
        return visitors[-1]

    yield one
    for visitor in visitors:
        visitor.context.close()
    assert [visitor.complaints for visitor in visitors] == [[]] * len(visitors)


def line(page: Page, words: str) -> Any:
    return page.locator(".line", has_text=words)


@pytest.mark.parametrize("language", LOCALES)
def test_a_message_arrives_is_claimed_answered_and_resolved(enter: Enter, house: House, language: str) -> None:
    words = {"en": "the chair arrived broken", "zh-Hans": "椅子送来就是坏的", "zh-Hant": "椅子送來就是壞的"}[language]
    reply = {"en": "We send a new one today.", "zh-Hans": "我们今天就寄新的。", "zh-Hant": "我們今天就寄新的。"}[
        language
    ]
    visitor = enter(language)
    visitor.sign_in()
    page, texts = visitor.page, visitor.texts
    visitor.picture(f"queue-{language}")
    house.write(
        lambda connection: Scene(connection, now()).case(
            words, author="Kim", ago=0, priority="P2", due_in=45, language=language
        )
    )
    expect(line(page, words)).to_be_visible()
    line(page, words).locator(".line-link").click()
    expect(page.locator(".moment.customer", has_text=words)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/cases/\d+"))
    page.locator('[data-act="claim"]').click()
    expect(page.locator(".status-claimed")).to_have_text(texts.text("status.claimed"))
    page.locator("#composer-text").fill(reply)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".moment.answer", has_text=reply)).to_be_visible()
    expect(page.locator("#composer-text")).to_have_value("")
    page.locator('.actions [data-open="resolve"]').click()
    page.get_by_text(texts.text("resolution.answered"), exact=True).click()
    page.locator("#resolve .button.primary").click()
    expect(page.locator(".closed")).to_contain_text(texts.text("resolution.answered"))
    expect(line(page, words)).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "who", "marked"),
    [("en", "Priya", "stolen card"), ("zh-Hans", "林小雨", "行李"), ("zh-Hant", "阿晴", "兩個鐘頭")],
)
def test_a_case_says_why_it_is_here(enter: Enter, language: str, who: str, marked: str) -> None:
    visitor = enter(language)
    visitor.sign_in()
    line(visitor.page, who).locator(".line-link").click()
    expect(visitor.page.locator(".moment.customer mark").first).to_have_text(marked)
    expect(visitor.page.locator(".because mark").first).to_have_text(marked)
    visitor.page.mouse.move(700, 500)
    visitor.picture(f"case-{language}")


def test_who_signed_out_elsewhere_is_shown_the_door(enter: Enter, house: House) -> None:
    visitor = enter()
    visitor.sign_in()
    house.write(lambda connection: connection.execute(delete(SESSION)))
    house.write(lambda connection: Scene(connection, now()).case("for nobody's eyes", ago=0))
    expect(visitor.page).to_have_url(re.compile("/signin"))
    visitor.complaints[:] = [said for said in visitor.complaints if "401" not in said]


def test_with_the_keyboard_alone(enter: Enter, house: House) -> None:
    visitor = enter()
    visitor.sign_in("Lin Mei")
    page, press = visitor.page, visitor.page.keyboard.press
    press("?")
    expect(page.locator("#help")).to_be_visible()
    press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    press("/")
    page.keyboard.type("stolen")
    expect(page.locator(".line")).to_have_count(1)
    press("Escape")
    press("j")
    press("Enter")
    expect(page.locator(".case")).to_be_visible()
    press("c")
    expect(page.locator(".status-claimed")).to_be_visible()
    press("n")
    page.keyboard.type("rang the bank")
    press("Control+Enter")
    expect(page.locator(".moment.note")).to_contain_text("rang the bank")
    press("a")
    page.keyboard.type("Your card is blocked, you are safe.")
    press("Control+Enter")
    expect(page.locator(".moment.answer")).to_be_visible()
    press("r")
    press("2")
    press("Enter")
    expect(page.locator(".closed")).to_contain_text("Answered elsewhere")
    press("g")
    press("s")
    expect(page).to_have_url(re.compile("/stream$"))
    visitor.live()
    press("g")
    press("q")
    expect(page).to_have_url(re.compile("/$"))


def test_many_at_once(enter: Enter) -> None:
    visitor = enter()
    visitor.sign_in()
    page, press = visitor.page, visitor.page.keyboard.press
    for _ in range(3):
        press("j")
        press("x")
    expect(page.locator("#bulk-count")).to_have_text("3")
    visitor.picture("bulk-en")
    press("r")
    press("5")
    press("Enter")
    expect(page.locator("#bulk")).to_be_hidden()
    expect(page.locator(".line")).to_have_count(5)


def test_an_answer_is_stopped_when_the_customer_writes_meanwhile(enter: Enter, house: House) -> None:
    visitor = enter("zh-Hant")
    case = house.write(lambda connection: Scene(connection, now()).case("first words", ago=1, priority="P1"))
    visitor.sign_in(to=f"/cases/{case}")
    page = visitor.page
    page.locator("#composer-text").fill("答覆")

    def again(connection: Any) -> None:
        number = Scene(connection, now()).message(
            "second words", ago=0, case_id=case, outcome="routed", kept=None, team="care", event=False
        )
        connection.execute(update(CASE).where(CASE.c.id == case).values(last_message_id=number))
        events.append(
            connection, [{"at": now(), "kind": "case_changed", "team": "care", "case_id": case, "message_id": number}]
        )

    house.write(again)
    expect(page.locator(".moment.customer", has_text="second words")).to_be_visible()
    expect(page.locator("#composer-text")).to_have_value("答覆")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast.bad")).to_contain_text("客戶剛剛又傳來訊息")
    visitor.complaints[:] = [said for said in visitor.complaints if "409" not in said]
    expect(page.locator("#composer-text")).to_have_value("答覆")
    page.locator("#composer-text").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".moment.answer")).to_be_visible()


def test_the_kill_switch_asks_first_and_everybody_sees_it(enter: Enter) -> None:
    lead, agent = enter(), enter("zh-Hans")
    lead.sign_in()
    agent.sign_in("Lin Mei")
    expect(agent.page.locator(".kill")).to_be_disabled()
    lead.page.locator(".kill").click()
    lead.picture("pause-en")
    lead.page.locator("#pause input[name=reason]").fill("wrong wording")
    lead.page.locator("#pause .danger").click()
    expect(lead.page.locator(".kill-on")).to_be_visible()
    expect(agent.page.locator(".kill-on")).to_contain_text("自动消息已停发")
    lead.page.locator(".kill-on").click()
    lead.page.locator("#resume .primary").click()
    expect(lead.page.locator(".kill-on")).to_have_count(0)


def test_doubtful_texts_are_settled(enter: Enter) -> None:
    visitor = enter()
    visitor.sign_in(to="/acknowledgements")
    page = visitor.page
    visitor.picture("acknowledgements-en")
    page.get_by_role("button", name="It was not sent").click()
    expect(page.locator(".out")).to_have_count(1)
    page.get_by_role("button", name="Approve and send").click()
    expect(page.locator(".empty")).to_contain_text("Nothing here")
    page.locator("input[value=preview]").check()
    expect(page.locator(".out")).to_contain_text("已收到您的消息")


def test_the_stream_flows(enter: Enter, house: House) -> None:
    visitor = enter()
    visitor.sign_in(to="/stream")
    visitor.picture("stream-en")
    house.write(lambda connection: Scene(connection, now()).message("what a lovely sky 今天", author_name="Mo"))
    expect(visitor.page.locator(".drop").first).to_contain_text("what a lovely sky 今天")
    for path in ("channels", "ledger"):
        visitor.page.goto(f"{house.url}/{path}")
        visitor.live()
        visitor.picture(f"{path}-en")


@pytest.mark.parametrize("language", LOCALES)
def test_the_health_of_each_channel_is_seen(enter: Enter, house: House, language: str) -> None:
    visitor = enter(language)
    visitor.sign_in(to="/channels")
    page, texts = visitor.page, catalogue(language)
    visitor.picture(f"channels-{language}")
    silent, spent, rests = (
        page.locator(".chan", has_text=name) for name in ("telegram-care", "x-mentions", "x-search")
    )
    expect(silent).to_contain_text(texts.text("channels.silent"))
    expect(silent).to_contain_text(texts.text("channels.unknown", n=1))
    expect(spent).to_contain_text("$0.78")
    expect(spent).to_contain_text("<b>calls</b>")
    expect(spent.locator("meter")).to_have_count(3)
    expect(rests).to_contain_text(texts.name("channel_state", "paused"))
    expect(rests.locator(".mood-hot")).to_contain_text(texts.text("channels.token_left"))
    expect(page.locator(".chan time", has_text="UTC")).to_have_count(0)


@pytest.mark.parametrize("language", LOCALES)
def test_what_was_read_wrongly_is_marked_and_told(enter: Enter, language: str) -> None:
    visitor, colleague = enter(language), enter("zh-Hant")
    visitor.sign_in()
    colleague.sign_in("Lin Mei", to="/agreement")
    page, texts = visitor.page, visitor.texts
    line(page, "Tom Becker").locator(".line-link").click()
    first = page.locator(".moment.customer").first
    first.locator(".mark-open").click()
    visitor.picture(f"marks-{language}")
    first.get_by_role("button", name=re.compile(re.escape(texts.name("mark", "not_negative")))).click()
    expect(first.locator(".tag.marked")).to_have_text(texts.name("mark", "not_negative"))
    expect(colleague.page.locator(".otherwise")).to_contain_text("Charged twice")
    expect(colleague.page.locator(".otherwise .marked")).to_have_text("不是負面")
    page.keyboard.press("m")
    expect(first.locator(".mark-menu")).to_have_attribute("open", "")
    page.keyboard.press("4")
    expect(first.locator(".tag.marked")).to_have_count(2)
    expect(colleague.page.locator(".otherwise")).to_have_count(2)
    page.goto(f"{visitor.house.url}/agreement")
    visitor.live()
    visitor.picture(f"agreement-{language}")
    page.get_by_role("button", name=texts.text("agreement.take_back")).first.click()
    expect(page.locator(".otherwise")).to_have_count(1)


def test_the_stream_is_marked_with_the_keyboard(enter: Enter) -> None:
    visitor = enter()
    visitor.sign_in(to="/agreement")
    if not PICTURES:  # then there is a history to compare with
        expect(visitor.page.locator(".empty")).to_contain_text("Nothing to compare yet")
    visitor.page.keyboard.press("g")
    visitor.page.keyboard.press("s")
    expect(visitor.page).to_have_url(re.compile("/stream"))
    visitor.live()
    visitor.page.keyboard.press("m")
    visitor.page.keyboard.press("m")
    expect(visitor.page.locator(".mark-menu[open]")).to_have_count(1)
    visitor.picture("marks-stream-en")
    visitor.page.keyboard.press("3")
    expect(visitor.page.locator(".drop").nth(1).locator(".tag.marked")).to_have_text("Urgent")
    visitor.page.keyboard.press("m")
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator(".mark-menu[open]")).to_have_count(0)


def test_nothing_is_missed_while_the_line_is_cut(enter: Enter, house: House) -> None:
    visitor = enter()
    visitor.sign_in()
    page = visitor.page
    page.evaluate("document.querySelector('#live')._htmx.sse.reader.cancel()")
    house.write(lambda connection: Scene(connection, now()).case("while you were away", ago=0, priority="P1"))
    expect(line(page, "while you were away")).to_be_visible()
    expect(page.locator('#connection[data-state="online"]')).to_have_count(1)


def test_hostile_words_in_a_browser(enter: Enter, house: House) -> None:
    visitor = enter()
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202eabc"
    case = house.write(
        lambda connection: Scene(connection, now()).case(evil, author=evil, author_handle=evil, ago=0, priority="P1")
    )
    visitor.sign_in(to=f"/cases/{case}")
    expect(visitor.page.locator(".moment.customer")).to_contain_text("<img src=x onerror=")
    assert "owned" not in visitor.page.title()
    assert visitor.page.locator(".case img, .case script").count() == 0


def test_language_theme_and_signing_out(enter: Enter, house: House) -> None:
    visitor = enter()
    visitor.sign_in()
    page = visitor.page
    page.locator("#menu summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="繁體中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    visitor.live()
    line(page, "林小雨").locator(".line-link").click()
    expect(page.locator(".case")).to_be_visible()
    visitor.picture("dark-zh-Hant")
    page.locator("#menu summary").click()
    page.locator('form[action="/signout"] button').click()
    expect(page).to_have_url(re.compile("/signin"))


def test_on_a_phone(enter: Enter, house: House) -> None:
    visitor = enter("zh-Hans", size=PHONE, has_touch=True, is_mobile=True, device_scale_factor=1.5)
    visitor.sign_in()
    page = visitor.page
    visitor.picture("phone-zh-Hans")
    line(page, "林小雨").locator(".line-link").tap()
    expect(page.locator("#composer-text")).to_be_visible()
    expect(page.locator(".queue-pane")).to_be_hidden()
    visitor.picture("phone-case-zh-Hans")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".back").click()
    expect(page.locator(".queue-pane")).to_be_visible()
    for path in ("stream", "acknowledgements", "channels", "agreement", "ledger"):
        page.goto(f"{house.url}/{path}")
        visitor.live()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_every_control_has_a_name(enter: Enter) -> None:
    visitor = enter()
    visitor.sign_in("Ada Admin")
    line(visitor.page, "Tom Becker").locator(".line-link").click()
    expect(visitor.page.locator(".case")).to_be_visible()
    nameless = visitor.page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
          .filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || e.title || e.labels?.length))
          .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    assert visitor.page.locator('[aria-live], [role="alert"]').count() >= 3
