"""The evaluation of the reading: what it may look at, what it counts, and what it writes into the page."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.reading import __main__ as program
from benchmarks.reading.contenders import BATCH, FACTORIES, Contender, Opinion, Package, Readings, available
from benchmarks.reading.evaluation import Report, evaluate
from benchmarks.reading.figures import care, confused, figures, misses
from benchmarks.reading.moods import moods, probes, style
from benchmarks.reading.page import BLOCK, rewritten
from benchmarks.reading.sets import OWN, Row, Sample, own, public
from benchmarks.reading.speed import hostile, slowest, speed
from benchmarks.reading.tables import Table, markdown, tables
from config.folding import Folded, fold
from sentiment.api import Circumstances, Kind, Label, Reader, Reading
from sentiment.training.corpus import Example, development, training
from sentiment.training.data import smsa_apart

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"


def reading(
    label: Label = "neutral",
    *,
    negative: float = 0.1,
    urgent: float = 0.0,
    kind: Kind = "chatter",
    ironic: bool = False,
    unread: bool = False,
) -> Reading:
    return Reading(
        language="en", compound=0.0, negative=negative, urgent=urgent, needs_answer=0.0, label=label, harm=(),
        kind=kind, addressed="to_us", scorer="test", ironic=ironic, unread=unread,
    )  # fmt: skip


def told(label: Label = "neutral", **more: object) -> Opinion:
    found = reading(label, **more)  # type: ignore[arg-type]
    return Opinion(found.negative, found.label, found)


def shouting(name: str = "shouting", languages: frozenset[str] = frozenset({"en"})) -> Package:
    """Takes exclamation marks for displeasure; an empty text is too much for it."""
    return Package(name, languages, lambda text: text.count("!") + 0 / len(text) - 0.5, low=-0.6, high=0.0)


@dataclass
class OneByOne:
    """Reads what the texts say of themselves, and remembers how it was asked."""

    sizes: list[int] = field(default_factory=list)

    def read(self, folded: Folded, _: Circumstances) -> Reading:
        self.sizes.append(1)
        return reading("negative" if "bad" in folded.text else "positive", negative=float("bad" in folded.text))


class Echo(OneByOne):
    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]]) -> list[Reading]:
        self.sizes.append(len(messages))
        return [super(Echo, self).read(folded, circumstances) for folded, circumstances in messages]


def sample(*rows: tuple[str, Label], name: str = "a set", language: str = "en") -> Sample:
    return Sample(name=name, language=language, rows=tuple(Row(*row) for row in rows), whole=len(rows))


# What is measured


def test_a_package_that_fails_on_a_text_has_no_opinion_on_it() -> None:
    assert [one.label for one in shouting().judge(["", "no!", "fine"])] == ["neutral", "negative", "neutral"]


def test_readers_are_asked_in_batches_where_they_read_batches() -> None:
    texts = ["bad day", "good"] * BATCH
    many, single = Echo(), OneByOne()
    opinions = Readings("many", frozenset({"*"}), many).judge(texts)
    assert [one.label for one in opinions] == ["negative", "positive"] * BATCH
    assert Readings("one", frozenset({"*"}), cast("Reader", single)).judge(texts) == opinions
    assert [size for size in many.sizes if size > 1] == [BATCH, BATCH]
    assert single.sizes == [1] * len(texts)


@pytest.mark.parametrize("error", [ModuleNotFoundError, Exception])
def test_what_cannot_start_is_named(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def absent() -> Contender:
        raise error("No module named 'elsewhere'")

    monkeypatch.setitem(FACTORIES, "elsewhere", absent)
    ready, skipped = available(only=["VADER", "elsewhere"])
    assert [one.name for one in ready] == ["VADER"]
    assert skipped == {"elsewhere": "No module named 'elsewhere'"}


def test_an_unknown_contender_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no such contender: vador; there are heedful, VADER"):
        available(only=["vador"])


def test_vader_is_cut_where_its_authors_cut_it() -> None:
    (vader,), _ = available(only=["VADER"])
    labels = [one.label for one in vader.judge(["This is awful", "This is a table", "This is great"])]
    assert labels == ["negative", "neutral", "positive"]


# The sets


def packed(path: Path, *lines: str) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def texts(samples: Sequence[Sample]) -> dict[tuple[str, str], list[str]]:
    return {(one.name, one.language): [row.text for row in one.rows] for one in samples}


def test_only_what_training_leaves_alone_is_read(tmp_path: Path) -> None:
    packed(tmp_path / "goemotions_en.tsv.gz", "a\tneg\ttrain\ten", "b\tneu\tdev\ten", "c\tpos\ttest\ten")
    packed(tmp_path / "umsab_8langs.tsv.gz", "d\tneg\ttrain\ten", "e\tneg\ttrain\tfr", "f\tpos\tval\tfr")
    packed(tmp_path / "smsa_id.tsv.gz", *(f"{n}\tneg\ttrain\tid" for n in range(60)))
    found, missing = public([tmp_path], 100)
    assert texts(found) == {
        ("GoEmotions test", "en"): ["c"],
        ("general English posts (UMSAB)", "en"): ["d"],
        ("UMSAB val", "fr"): ["f"],
        ("SmSA, kept apart", "id"): [str(n) for n in range(60) if n in smsa_apart()],
    }
    assert "nsmc_ko.tsv.gz" in missing
    assert "umsab_8langs.tsv.gz" not in missing


def test_reviews_by_smile_and_by_star(tmp_path: Path) -> None:
    (tmp_path / "openrice_test.tsv").write_text("label\ttext_a\ncry\t唔好食\nok\t麻麻\nsmile\t好食\t正\n", "utf-8")
    (tmp_path / "asap_dev.csv").write_text("\ufeffindex,reviewbody,star\n1,差,2.0\n2,一般,3.0\n3,“好”,4.0\n", "utf-8")
    found, _ = public([tmp_path], 100)
    assert [[row.mood for row in one.rows] for one in found] == [["negative", "neutral", "positive"]] * 2


def test_a_sample_is_the_same_every_time_and_says_of_how_many(tmp_path: Path) -> None:
    packed(tmp_path / "nsmc_ko.tsv.gz", *(f"text {n}\tneu\ttest\tko" for n in range(50)))
    (first,), _ = public([tmp_path], 7)
    (again,), _ = public([tmp_path], 7)
    assert first == again
    assert (len(first.rows), first.whole) == (7, 50)


@pytest.mark.parametrize("line", ["only text", "a\tbad\ttest\ten", "a\tneg\ttest", "a\tneg\ttest\ten\tmore"])
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: str) -> None:
    packed(tmp_path / "goemotions_en.tsv.gz", "a\tneg\ttest\ten", line)
    with pytest.raises(ValueError, match=r"goemotions_en\.tsv\.gz:2: not text, neg\|neu\|pos, split and language"):
        public([tmp_path], 10)


def test_our_own_split_is_all_there() -> None:
    assert sum(len(one.rows) for one in own()) == len(development())
    assert {"en", "zh-Hans", "zh-Hant", "zh-Hant-HK"} <= {one.language for one in own()}


# The probes of mood


def test_there_are_probes_of_both_kinds_in_each_language() -> None:
    found = probes()
    assert len(found) >= 150
    assert {(probe.language, probe.truth) for probe in found} == {
        (language, truth)
        for language in ("en", "zh-Hans", "zh-Hant", "zh-Hant-HK")
        for truth in ("complaint", "praise")
    }


def pieces(text: str) -> set[str]:
    plain = "".join(letter for letter in fold(text).text if letter.isalnum())
    return {plain[at : at + 4] for at in range(len(plain) - 3)} or {plain}


def test_no_probe_is_trained_on_nor_nearly() -> None:
    known = [(example.text, pieces(example.text)) for example in (*training(), *development())]
    having: dict[str, list[int]] = {}
    for number, (_, theirs) in enumerate(known):
        for piece in theirs:
            having.setdefault(piece, []).append(number)
    for probe in probes():
        own_pieces = pieces(probe.text)
        shared = Counter(number for piece in own_pieces for number in having.get(piece, ()))
        near = [known[at][0] for at, n in shared.items() if 2 * n > len(own_pieces | known[at][1])]
        assert not near, f"{probe.text} resembles {near[0]}"


def test_a_probe_that_is_not_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "moods.tsv"
    path.write_text('text\tlanguage\ttruth\n"quoted\ten\tpraise\nfine\ten\tgood\n', "utf-8")
    with pytest.raises(ValueError, match=r"moods\.tsv:3: not text, language and complaint\|praise"):
        probes(path)


@pytest.mark.parametrize(
    ("opinion", "expected"),
    [
        (told(kind="praise", negative=0.05), "thanks"),
        (told(kind="praise", negative=0.06), "neutral"),
        (told(kind="chatter", negative=0.0), "neutral"),
        (told(kind="complaint", negative=0.95), "apology"),
        (told(kind="complaint", negative=0.94), "neutral"),
        (told(kind="praise", negative=0.0, ironic=True), "neutral"),
        (told(kind="complaint", negative=1.0, unread=True), "neutral"),
        (Opinion(3.0, "negative"), "apology"),
        (Opinion(-3.0, "positive"), "thanks"),
        (Opinion(0.0, "neutral"), "neutral"),
    ],
)
def test_a_style_is_taken_only_when_sure(opinion: Opinion, expected: str) -> None:
    assert style(opinion) == expected


def test_who_always_thanks_is_wrong_with_every_complaint() -> None:
    glad = Package("glad", frozenset({"*"}), lambda _: -1.0)
    found = moods(glad, probes(), "en")
    assert (found.thanked_complaints, found.thanked_praise) == (1.0, 1.0)
    assert (found.apologised_praise, found.apologised_complaints) == (0.0, 0.0)
    assert found.complaints + found.praise == sum(probe.language == "en" for probe in probes())


# The figures


def test_figures_of_one_sample() -> None:
    rows = sample(("bad!!", "negative"), ("bad", "negative"), ("well!", "positive"), ("so", "neutral"))
    found = figures(rows, shouting(), shouting().judge([row.text for row in rows.rows]))
    assert (found.messages, found.negatives, found.claimed) == (4, 2, True)
    assert found.auc == 0.625  # of 4 pairs: 2 in order, 1 tied, 1 reversed
    assert found.calibration_error is None
    assert found.unread is None


def test_a_contender_claims_its_languages_and_no_other() -> None:
    french = sample(("ah", "negative"), ("oh", "neutral"), language="fr")
    assert not figures(french, shouting(), shouting().judge(["ah", "oh"])).claimed
    assert figures(french, shouting(languages=frozenset({"*"})), shouting().judge(["ah", "oh"])).claimed


def test_unsure_counts_as_neutral() -> None:
    rows = [Row("a", "neutral"), Row("b", "negative")]
    assert confused(rows, [told("unsure"), told("unsure")]) == {("neutral", "neutral"): 1, ("negative", "neutral"): 1}


def test_care_counts_who_is_called_and_calm_questions() -> None:
    examples = [
        Example(text="a", language="en", mood="neg", kind="complaint", urgent=True, harms=frozenset({"fraud"})),
        Example(text="b", language="en", mood="neg", kind="complaint"),
        Example(text="c", language="en", mood="neu", kind="question"),
        Example(text="d", language="en", mood="neu", kind="question"),
    ]
    rows = tuple(Row(one.text, "negative" if one.negative else "neutral", one) for one in examples)
    opinions = [
        told("neutral", urgent=0.5, kind="complaint"),
        told("neutral", urgent=0.4),
        told("negative", kind="question"),
        told("unsure", kind="question"),
    ]
    reader = Readings("echo", frozenset({"*"}), Echo())
    found = care(Sample(name=OWN, language="en", rows=rows, whole=4), reader, opinions)
    assert (found.called_negatives, found.called_rest) == (0.5, 0.5)
    assert (found.calm, found.calm_called) == (2, 0.5)
    assert (found.urgent_auc, found.kind) == (1.0, 0.75)
    assert found.harm == (None, 0.0)


def test_the_surest_mistakes_come_first() -> None:
    rows = sample(("sure and wrong", "negative"), ("a little wrong", "neutral"), ("right", "negative"))
    opinions = [told("positive", negative=0.1), told("negative", negative=0.6), told("negative", negative=0.9)]
    assert [(miss.text, round(miss.by, 2)) for miss in misses(rows, opinions, 5)] == [
        ("sure and wrong", 0.9),
        ("a little wrong", 0.6),
    ]
    assert len(misses(rows, opinions, 1)) == 1


# Speed


def test_every_contender_is_timed_and_the_slowest_text_named() -> None:
    found = speed([shouting(), shouting("again")], ["one", "two!"] * 5)
    assert set(found) == {"shouting", "again"}
    assert all(rate > 0 for rate in found.values())
    milliseconds, name = slowest(Readings("echo", frozenset({"*"}), Echo()), {"short": "a", "long": "bad " * 90_000})
    assert name == "long"
    assert milliseconds > 0


def test_hostile_texts_are_long_and_each_is_another() -> None:
    found = hostile()
    assert len(set(found.values())) == len(found)
    assert all(len(text) >= 2_000 for text in found.values())


# The page


def whole(contenders: Sequence[Contender]) -> Report:
    rows = [("bad", "negative"), ("good!", "positive"), ("a | b\n<c>", "negative")]
    samples = [
        sample(*rows, name=OWN, language="en"),  # type: ignore[arg-type]
        sample(*rows, name=OWN, language="fr"),  # type: ignore[arg-type]
        sample(*rows, name="elsewhere", language="fr"),  # type: ignore[arg-type]
    ]
    steps: list[str] = []
    report = evaluate(contenders, samples, steps.append)
    assert len(steps) == len(contenders) * (len(samples) + 2)
    return report


def test_another_contender_is_one_more_column_and_its_language_is_told() -> None:
    contenders: list[Contender] = [
        Readings("heedful", frozenset({"*"}), Echo()),
        shouting(),
        shouting("crier", frozenset({"fr"})),
    ]
    found = {table.name: table for table in tables(whole(contenders), contenders)}
    own_table = found["development"]
    assert list(own_table.columns) == ["language", "messages", "negative", "heedful", "shouting", "of that language"]
    rows = {row[0]: row for row in own_table.rows}
    assert list(rows) == ["en", "fr", "all"]
    assert rows["fr"][4].startswith("(")
    assert rows["fr"][5].startswith("crier: ")
    assert not rows["en"][4].startswith("(")
    assert [row[0] for row in found["sets"].rows] == ["elsewhere, fr"]
    assert all(len(row) == len(table.columns) for table in found.values() for row in table.rows)


def test_the_figures_are_json() -> None:
    report = whole([Readings("heedful", frozenset({"*"}), Echo())]).as_json()
    assert json.loads(json.dumps(report))["figures"][0]["contender"] == "heedful"
    assert {one["told"] for one in report["confused"]["en"]} == {"negative", "positive"}


def test_every_table_has_its_place_in_the_page_and_no_place_is_without_a_table() -> None:
    contenders = [Readings("heedful", frozenset({"*"}), Echo())]
    names = {table.name for table in tables(whole(contenders), contenders)}
    assert sorted(BLOCK.findall(PAGE.read_text("utf-8"))) == sorted({*names, "run"})


def test_a_page_is_rewritten_between_its_marks_only() -> None:
    end = "<!-- /benchmark -->"
    page = f"before\n<!-- benchmark: one -->\nold\n{end}\nafter\n<!-- benchmark: two -->\nkept\n{end}\n"
    one, two = Table("one", "", ["a", "b"], [["1", "x|y\n\\1"]]), Table("two", "", ["a"], [])
    made = rewritten(page, [one, two], {})
    assert made.startswith("before\n<!-- benchmark: one -->\n| a | b |\n| --- | --- |\n| 1 | x\\|y ↵ \\1 |\n<!-- /")
    assert "\nkept\n" in made
    assert rewritten(made, [one, two], {}) == made
    with pytest.raises(ValueError, match="no table `two`; there are one"):
        rewritten(page, [one], {})


@given(st.text())
def test_a_cell_never_breaks_its_line_nor_its_column(text: str) -> None:
    line = markdown(Table("t", "", ["a"], [[text]])).split("\n")[2:]
    assert len(line) == 1
    assert line[0].replace("\\|", "").count("|") == 2
    assert "<!--" not in line[0]


def test_the_program_writes_figures_and_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, figures_file = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text(PAGE.read_text("utf-8"), "utf-8")
    monkeypatch.delenv(program.VARIABLE, raising=False)
    monkeypatch.setattr("sys.argv", ["reading", "--only", "VADER", "--docs", str(page), "--json", str(figures_file)])
    assert program.main() == 0
    assert json.loads(figures_file.read_text("utf-8"))["skipped"] == {}
    assert "| en | " in page.read_text("utf-8")
    assert "VADER 3" in page.read_text("utf-8")


def test_brackets_are_shown_as_they_are() -> None:
    console = Console(width=120, file=StringIO())
    table = Table("t", "", ["heedful[deep]"], [["[red]裂开[/] [微笑]"]])
    program.show(console, [table], {"heedful[deep]": "not [here]"}, ["a.tsv"])
    text = cast("StringIO", console.file).getvalue()
    assert all(
        part in text for part in ("heedful[deep]", "[red]裂开[/] [微笑]", "skipped: heedful[deep]: not [here]", "a.tsv")
    )


def test_a_folder_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        program.arguments(["--data", "/nowhere/at/all"])
    assert "--data /nowhere/at/all: no such folder" in capsys.readouterr().err


def test_folders_come_from_the_environment_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(program.VARIABLE, f"{tmp_path}:{tmp_path.parent}")
    assert program.arguments([]).data == [tmp_path, tmp_path.parent]
