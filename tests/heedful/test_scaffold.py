"""`heedful new-connector`: what it writes is short and passes its exam as it is; what it refuses has a way out."""

from __future__ import annotations

import asyncio
import json
import keyword
import re
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from connectors import registry
from connectors.api import Cursor, Http, Message, Page, Unreachable, Unreadable
from connectors.testing import ConnectorContract, FakeChannel, JsonChannel
from heedful.cli import app
from heedful.scaffold import listens, listens_exam, polls, polls_exam, streams, streams_exam
from heedful.scaffold.draft import Ear, distribution, draft, objection

EARS: tuple[Ear, ...] = get_args(Ear)
EVERY = pytest.mark.parametrize(("ear", "replies"), list(product(EARS, (False, True))))


class TestPolls(polls_exam.TestSample):
    pass


class TestStreams(streams_exam.TestSample):
    pass


class TestListens(listens_exam.TestSample):
    pass


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
ROW = JsonChannel().row(FakeChannel().post("hello"))


@given(ANY | st.builds(lambda key, value: ROW | {key: value}, st.sampled_from(sorted(ROW)), ANY))
def test_a_post_of_any_shape_is_a_message_or_unreadable(post: object) -> None:
    for item in (polls._read(post), listens._read(post)):
        assert isinstance(item, Message | Unreadable)
        if isinstance(item, Message):
            assert {type(text) for text in (item.id, item.text, item.thread, item.author.id, item.author.name)} == {str}
    page = streams._page(json.dumps(post).encode())
    assert len(page.messages) + len(page.unreadable) == 1
    assert page.cursor is not None or page.unreadable


class Halting(polls.Connector):
    """Takes its place from the last post, whatever that is."""

    async def poll(self, after: Cursor | None, /) -> Page:
        try:
            return await super().poll(after)
        finally:
            _ = (await self._http.json("GET", self._posts, params={"after": after or 0, "limit": 100}))[-1]["number"]


class Garbled(streams.Connector):
    """Gives the stream up at a line that it cannot read."""

    async def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]:
        async for page in super().stream(after):
            if page.unreadable and page.cursor is None:
                raise Unreachable("the stream is garbled")
            yield page


@pytest.mark.parametrize(
    ("exam", "faulty"), [(polls_exam.TestSample, Halting), (streams_exam.TestSample, Garbled)], ids=["polls", "streams"]
)
def test_the_exam_finds_who_is_held_up_by_one_damaged_post(exam: type[ConnectorContract], faulty: Any) -> None:
    made = replace(exam.plugin, open=lambda settings, http: nullcontext(faulty(settings, http)))
    with pytest.raises((AssertionError, TypeError, Unreachable)):
        type("Examined", (exam,), {"plugin": made})().test_an_item_of_which_nothing_can_be_read_holds_nobody_up()


@given(st.lists(ANY | st.just(ROW), max_size=5))
def test_a_page_of_anything_moves_the_place_only_forwards(posts: list[object]) -> None:
    class Told:
        async def json(self, *_: object, **__: object) -> list[object]:
            return posts

    settings = polls.Settings.model_validate({"token": "t"})
    page = asyncio.run(polls.Connector(settings, cast("Http", Told())).poll(Cursor("0")))
    assert len(page.messages) + len(page.unreadable) == len(posts)
    assert isinstance(page.cursor, str)
    assert re.fullmatch("-?[0-9]+", page.cursor)


def written(folder: Path, name: str, *options: str) -> Path:
    result = CliRunner().invoke(app, ["new-connector", name, *options, "--dir", str(folder)])
    assert result.exit_code == 0, result.output
    return folder / distribution(name)


def options(ear: Ear, *, replies: bool) -> list[str]:
    return [f"--{ear}", *(["--replies"] if replies else [])]


@EVERY
def test_its_exam_passes_as_it_is(ear: Ear, replies: bool, tmp_path: Path) -> None:
    home = written(tmp_path, "my_forum", *options(ear, replies=replies))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"],
        cwd=home, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed, (\d+) skipped", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 15
    assert not (replies and "does not declare replies" in done.stdout)


@EVERY
def test_it_is_short_and_lints(ear: Ear, replies: bool, tmp_path: Path) -> None:
    home = written(tmp_path, "my_forum", *options(ear, replies=replies))
    assert len((home / "heedful_my_forum.py").read_text("utf-8").splitlines()) < 60
    assert len((home / "tests/test_my_forum.py").read_text("utf-8").splitlines()) < 20
    for check in (["check"], ["format", "--check"]):
        ruff = Path(sys.executable).with_name("ruff")
        done = subprocess.run([ruff, *check, "--no-cache", "."], cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@EVERY
def test_nothing_of_the_sample_is_left(ear: Ear, replies: bool) -> None:
    texts = draft("shop_reviews", ear, replies=replies)
    assert list(texts) == ["pyproject.toml", "README.md", "heedful_shop_reviews.py", "tests/test_shop_reviews.py"]
    for text in texts.values():
        assert not re.search(r"[Ss]ample|replies>|scaffold|VERSION|\n{4}", text)
    assert ("replies" in texts["heedful_shop_reviews.py"]) == replies
    for change in (1, 2, 3):
        assert texts["heedful_shop_reviews.py"].count(f"CHANGE {change} of 3") == 1
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["name"] == "heedful-shop-reviews"
    assert project["entry-points"][registry.GROUP] == {"shop_reviews": "heedful_shop_reviews:plugin"}


NAMES = st.text(st.sampled_from("abz019_-. /ÄéÇ盗\n\0"), max_size=40) | st.sampled_from(keyword.kwlist) | st.text()


@given(NAMES)
def test_a_name_is_one_for_everything_or_is_refused_with_a_way_out(name: str) -> None:
    reason = objection(name, registry.kinds())
    if reason is not None:
        assert " → " in reason
        return
    assert name.isidentifier()
    assert not keyword.iskeyword(name)
    assert re.fullmatch("[a-z][a-z0-9_-]{0,31}", name), "as the exam wants a kind"
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", distribution(name)), "as PEP 503 wants a distribution"
    compile(draft(name, "polls", replies=True)[f"heedful_{name}.py"], name, "exec")


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("My Forum", "try `my_forum`"),
        ("my-forum", "try `my_forum`"),
        ("forum_", "try `forum`"),
        ("2forums", "try `forums`"),
        ("../forum", "try `forum`"),
        ("class", "try a word such as `forum`"),
        ("論壇", "try a word such as `forum`"),
        ("", "try a word such as `forum`"),
        ("Telegram", "try a word such as `forum`"),
        ("f" * 33, f"try `{'f' * 32}`"),
        ("telegram", "is taken → `heedful connectors` lists them all"),
    ],
)
def test_a_bad_name_is_wrong_use(name: str, way_out: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["new-connector", name, "--polls", "--dir", str(tmp_path)])
    assert result.exit_code == 2
    assert way_out in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given_options", [[], ["--replies"], ["--polls", "--listens"], ["--polls", "--streams"]])
def test_news_comes_in_by_exactly_one_way(given_options: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["new-connector", "forum", *given_options, "--dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "one of --polls, --streams, --listens" in result.output
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    home = tmp_path / "heedful-forum"
    home.mkdir()
    (home / "README.md").write_text("mine")
    result = CliRunner().invoke(app, ["new-connector", "forum", "--polls", "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "exists already → move it away" in result.output
    assert [path.read_text() for path in home.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["new-connector", "forum", "--polls", "--dir", str(tmp_path / "file")])
    assert result.exit_code == 1
    assert "cannot be written" in result.output
    assert "choose another folder" in result.output
