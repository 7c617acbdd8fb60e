from __future__ import annotations

import gzip
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sentiment import model as models
from sentiment.answers import Judge
from sentiment.api import ADDRESSED, HARMS, KINDS, Addressed, Harm, Kind
from sentiment.features import TURNS, WORDS
from sentiment.model import OUTPUTS, Floats, Model
from sentiment.signals import WIDTH as SIGNALS
from sentiment.training import data, pool, targets
from sentiment.training.__main__ import main
from sentiment.training.calibration import platt
from sentiment.training.corpus import Example, calibrates, development, parse, training
from sentiment.training.data import Row, lines, smsa_apart
from sentiment.training.export import auc, calibrated, odds, quantised, rounded, write
from sentiment.training.inputs import Rows, seen
from sentiment.training.labels import labelled
from sentiment.training.pool import Item, clauses, spans, stretches, words
from sentiment.training.syllabus import syllabus

TEXTS = st.text(max_size=120)
WORDY = st.lists(st.text("abcß你", min_size=1, max_size=5), max_size=30).map(" ".join)


def one(text: str, mood: str = "neg", language: str = "en", **more: object) -> Example:
    return Example(text=text, mood=mood, language=language, kind="complaint", **more)  # type: ignore[arg-type]


def held(language: str) -> list[Example]:
    return [one(f"{word} {language}", mood, language) for word in ("late", "kind") for mood in ("neg", "pos")]


def small(**about: object) -> Model:
    """A model of the right shape that learnt nothing."""
    chance = np.random.default_rng(0)
    widths = {"words": (WORDS, 2), "turns": (TURNS, 1), "hidden": (3 + SIGNALS, 4), "hidden_bias": (4,)}
    widths |= {"out": (4, targets.WIDTH), "skip": (3 + SIGNALS, targets.WIDTH), "out_bias": (targets.WIDTH,)}
    return rounded({name: chance.normal(size=size).astype(np.float32) for name, size in widths.items()}, about)


# The corpus


@given(
    mood=st.sampled_from(data.MOODS),
    kind=st.sampled_from(KINDS),
    addressed=st.sampled_from(ADDRESSED),
    harms=st.frozensets(st.sampled_from(HARMS)),
    urgent=st.booleans(),
    text=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1).filter(lambda text: text[0] not in "=#"),
)
def test_a_block_labels_its_messages(
    mood: str, kind: Kind, addressed: Addressed, harms: frozenset[Harm], urgent: bool, text: str
) -> None:
    head = ["=", "zh-Hant-HK", mood, kind, addressed, *harms, *(["urgent"] if urgent else [])]
    assert list(parse(["", "## why", " ".join(head), text], "a.txt")) == [
        Example(
            text=text.replace("\\n", "\n"), language="zh-Hant-HK", mood=mood, kind=kind, addressed=addressed,
            harms=harms, urgent=urgent,
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given_lines", "error"),
    [
        (["late again"], r"a\.txt:1: a message stands before the first block"),
        (["= neg complaint", "late"], r"a\.txt:1: not one language"),
        (["", "= en de neg complaint"], r"a\.txt:2: not one language"),
        (["= en neg complant"], r"a\.txt:1: not one language but \['en', 'complant'\]; a word may be misspelt"),
        (["= en complaint"], r"a\.txt:1: one mood and one kind"),
        (["= en neg pos complaint"], r"a\.txt:1: one mood and one kind"),
        (["= en neg complaint", "fine", "= en neg"], r"a\.txt:3: one mood and one kind"),
        (["= en neg complaint about_us unknown"], r"a\.txt:1: .* at most one address"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(given_lines: list[str], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        list(parse(given_lines, "a.txt"))


@given(st.lists(TEXTS))
def test_any_lines_are_read_or_refused_with_their_place(given_lines: list[str]) -> None:
    try:
        places = {"a.txt" for _ in parse(given_lines, "a.txt")}
    except ValueError as error:
        places = {str(error).partition(":")[0]}
    assert places <= {"a.txt"}


def test_there_are_six_thousand_messages_half_of_them_chinese_and_a_third_of_these_traditional() -> None:
    every = {each.text: each.language for each in (*training(), *development())}
    chinese = [language for language in every.values() if language.startswith("zh")]
    assert len(every) >= 6_000
    assert len(chinese) >= max(3_000, len(every) / 2)
    traditional = sum(language.startswith("zh-Hant") for language in chinese)
    assert traditional >= 1_000
    assert round(traditional / len(chinese), 2) >= 0.33
    assert sum(language == "en" for language in every.values()) >= 2_000


def test_what_judges_is_not_trained_on() -> None:
    assert not {each.text for each in training()} & {each.text for each in development()}


def test_a_share_of_the_corpus_calibrates_in_every_family() -> None:
    kept = [each for each in training() if calibrates(each.text)]
    assert 1 / 15 < len(kept) / len(training()) < 1 / 10
    for prefix in ("en", "zh"):
        some = [each.negative for each in kept if each.language.startswith(prefix)]
        assert any(some)
        assert not all(some)


# The public sets


def packed(folder: Path, name: str, rows: list[str]) -> None:
    with gzip.open(folder / name, "wt", encoding="utf-8") as file:
        file.write("\n".join(rows))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with each set, of a row or two that may be read and one that may not."""
    packed(tmp_path, "goemotions_en.tsv.gz", ["g1\tneg\ttrain\ten", "g2\tneg\ttest\ten", "g3\tneg\tdev\ten"])
    for part in ("tweets", "amazon", "movie", "nyt"):
        packed(tmp_path, f"vadergt_{part}_en.tsv.gz", [f"v {part}\tpos\tall\ten"])
    umsab = [
        f"u {language} {split}\tneu\t{split}\t{language}"
        for language in ("en", "es", "hi")
        for split in ("train", "val")
    ]
    packed(tmp_path, "umsab_8langs.tsv.gz", [*umsab, "a\\u00e9\tneg\ttrain\tfr"])
    packed(tmp_path, "nsmc_ko.tsv.gz", ["n1\tpos\ttrain\tko", "n2\tpos\ttest\tko"])
    packed(tmp_path, "smsa_id.tsv.gz", [f"s {number}\tneg\ttrain\tid" for number in range(60)])
    packed(tmp_path, "openrice_zh_hant.tsv.gz", ["難食！超慢。\tneg\tvalid\tzh-Hant"])
    for name in ("banking77_en", "clinc150_en"):
        packed(tmp_path, f"{name}.tsv.gz", [f"{name}\tlost_card\ttrain\ten"])
    packed(tmp_path, "crisislext26_mul.tsv.gz", ["c1\tCaution\ttrain\tmul", "c2\tCaution\ttest\tmul"])
    (tmp_path / "asap_train.csv").write_text("\ufeffreviewbody,star\n好吃,5.0\n一般,3.0\n差,2.0\n", "utf-8")
    return tmp_path


def test_only_what_may_be_trained_on_is_read(folder: Path) -> None:
    sets = data.trained([folder.parent / "elsewhere", folder])
    assert sets["goemotions"] == [Row("g1", 0)]
    assert sets["umsab_es"] == [Row("u es train", 1)]
    assert sets["umsab_fr"] == [Row("aé", 0)]
    assert "umsab_en" not in sets
    assert sets["nsmc"] == [Row("n1", 2)]
    assert sets["banking77"] == [Row("banking77_en", 1)]
    assert sets["crisislext26"] == [Row("c1", None)]
    assert sets["asap"] == [Row("好吃", 2), Row("一般", 1), Row("差", 0)]
    assert [row.text for row in sets["smsa"]] == [f"s {number}" for number in range(60) if number not in smsa_apart()]
    assert len(smsa_apart()) == 1_000


def test_a_missing_or_broken_file_is_named(folder: Path) -> None:
    packed(folder, "nsmc_ko.tsv.gz", ["fine\tpos\ttrain\tko", "three\tpos\ttrain"])
    with pytest.raises(ValueError, match=r"nsmc_ko\.tsv\.gz:2: not text, label, split and language"):
        data.trained([folder])
    packed(folder, "nsmc_ko.tsv.gz", ["fine\tgood\ttrain\tko"])
    with pytest.raises(ValueError, match=r"nsmc_ko\.tsv\.gz:1: the label is neither .* 'good'"):
        data.trained([folder])
    (folder / "nsmc_ko.tsv.gz").unlink()
    with pytest.raises(ValueError, match=r"nsmc_ko\.tsv\.gz is in none of .*README"):
        data.trained([folder])


@given(st.lists(TEXTS))
def test_any_rows_are_read_or_refused_with_their_place(rows: list[str]) -> None:
    try:
        places = [f"a.tsv.gz:{line.place + 1}" for line in lines(rows, "a.tsv.gz")]
    except ValueError as error:
        bad = next(place for place, row in enumerate(rows, 1) if row.rstrip("\n").count("\t") != 3)
        assert str(error).startswith(f"a.tsv.gz:{bad}: ")  # noqa: PT017  only where a row is bad
    else:
        assert places == [f"a.tsv.gz:{number}" for number in range(1, len(rows) + 1)]


# The texts to be labelled


@given(WORDY, st.integers(0, 5), st.integers(0, 9))
def test_a_span_is_two_to_eight_neighbouring_words_and_not_the_whole(text: str, times: int, seed: int) -> None:
    found = list(spans(text, times, random.Random(seed)))
    assert len(found) <= times
    for span in found:
        assert f" {span} " in f" {text} "
        assert 2 <= len(span.split()) <= 8
        assert len(span.split()) < len(text.split())


@given(TEXTS)
@example("好吃。服务差！\n下次不来")
def test_clauses_and_stretches_lose_no_letter(text: str) -> None:
    letters = "".join(text.split())
    assert "".join("".join(clauses(text)).split()) == letters
    assert "".join("".join(stretches(text)).split()) == letters


def test_words_of_a_vocabulary_are_told_by_script() -> None:
    pieces = ["▁late", "ate", "▁no", "▁x1", "很好", "好", "▁плохо", "나쁘", "<s>", "▁", ""]
    assert list(words(pieces)) == [
        Item("words of LATIN", "late"),
        Item("words of CJK", "很好"),
        Item("words of CYRILLIC", "плохо"),
        Item("words of HANGUL", "나쁘"),
    ]


def test_the_pool_is_the_same_each_time_holds_each_text_once_and_nothing_kept_apart(folder: Path) -> None:
    sets = {**data.trained([folder]), "vgt_tweets": [Row("one two three four five six seven eight nine ten", 0)]}
    examples = [one("g1"), one("The parcel is late, and wet too."), one("包裹湿了，人也没来", language="zh-Hans")]
    single = [Item("words of CJK", "湿了"), Item("words of CJK", "n1")]
    found = pool.pool(sets, examples, ["n1"], single)
    assert found == pool.pool(sets, examples, ["n1"], single)
    texts = [item.text for item in found]
    assert len(texts) == len(set(texts))
    assert not {"g1", "n1", *(each.text for each in examples)} & set(texts)
    assert {"c1", "湿了", "難食！超慢。"} < set(texts)
    assert "包裹湿了，" not in texts


def test_a_pool_is_read_as_it_was_written(tmp_path: Path) -> None:
    items = [Item("a", "two\nlines \u2028 \u0085"), Item("b", '"quoted"')]
    pool.write(tmp_path / "pool.jsonl", items)
    assert pool.read(tmp_path / "pool.jsonl") == items


def test_labels_of_another_pool_are_refused(tmp_path: Path) -> None:
    assert labelled(tmp_path / "labels.npy", 3).shape == (3, targets.WIDTH)
    np.save(tmp_path / "labels.npy", np.zeros((2, targets.WIDTH), np.float16))
    with pytest.raises(ValueError, match="2 labels for a pool of 3 texts"):
        labelled(tmp_path / "labels.npy", 3)


# What the student is to say


def test_an_example_is_one_row_of_the_models_outputs() -> None:
    row = targets.of_example(
        one("x", urgent=True, harms=frozenset({"fraud"}), addressed="unknown", flags=frozenset({"mixed"}))
    )
    assert row[OUTPUTS["mood"]].tolist() == [1, 0, 0]
    assert row[OUTPUTS["urgent"]].tolist() == [1]
    assert [harm for harm, there in zip(HARMS, row[OUTPUTS["harm"]], strict=True) if there] == ["fraud"]
    assert row.sum() == 1 + 1 + 1 + 1 + 1 + 1


@given(st.lists(st.floats(-60_000, 60_000), min_size=targets.WIDTH, max_size=targets.WIDTH))
def test_probabilities_are_such_and_exclusive_answers_add_up(logits: list[float]) -> None:
    found = targets.probabilities(np.asarray([logits], np.float16))
    assert ((found >= 0) & (found <= 1)).all()
    for name in ("mood", "kind", "addressed"):
        assert found[0, OUTPUTS[name]].sum() == pytest.approx(1, abs=1e-4)


def test_the_student_learns_from_labels_reviews_and_the_corpus_but_not_from_what_calibrates() -> None:
    items = [Item("nsmc", "n1"), Item("words of CJK", "湿了"), Item("nsmc", "unlabelled")]
    labels = np.ones((3, targets.WIDTH), np.float16)
    labels[2] = 0
    examples = [one(f"message {number}") for number in range(60)]
    apart = {each.text for each in examples if calibrates(each.text)}
    found = syllabus(items, labels, {"nsmc": [Row("n1", 2)], "openrice": [Row("review", 0)]}, examples)
    assert apart
    assert found.texts[:3] == ["n1", "湿了", "review"]
    assert set(found.texts[3:]) == {each.text for each in examples} - apart
    assert found.weights[:4].tolist() == [1.0, 0.5, 3.0, 4.0]
    assert found.targets[0, OUTPUTS["mood"]] == pytest.approx([0.7 / 3, 0.7 / 3, 0.7 / 3 + 0.3])
    assert found.targets[2, OUTPUTS["urgent"]].tolist() == [targets.UNKNOWN]
    assert found.own.tolist() == [False] * 3 + [True] * (len(found.texts) - 3)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.data())
def test_the_rows_of_some_texts_are_those_of_each(counts: list[int], draw: st.DataObject) -> None:
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows = Rows(np.arange(starts[-1], dtype=np.int32), starts)
    some = draw.draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, max_size=5))
    found, many = rows.of(np.asarray(some))
    assert found.tolist() == [row for text in some for row in range(starts[text], starts[text + 1])]
    assert many.tolist() == [counts[text] for text in some]


def test_what_the_student_sees_is_what_the_reader_gives_the_model() -> None:
    texts = ["The parcel is late!", "包裹湿了"] * 200
    found = seen(texts)
    assert found.signals.shape == (len(texts), SIGNALS)
    assert (found.signals[0] == found.signals[398]).all()
    first, counts = found.words.of(np.asarray([0, 398]))
    assert first[: counts[0]].tolist() == first[counts[0] :].tolist()


# The file


@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3), min_size=1, max_size=20))
@example([[0.0, 0.0, 0.0]])
def test_no_number_moves_by_more_than_half_a_step(rows: list[list[float]]) -> None:
    table = np.asarray(rows, np.float32)
    numbers, scale = quantised(table)
    lost = np.abs(numbers * scale.astype(np.float64) - table)
    assert (lost <= 0.5001 * scale + 1e-30).all()
    assert numbers.min() >= -127


def test_the_file_is_what_the_reader_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = calibrated(small(), "test", [*held("en"), *held("zh-Hans"), *held("es")])
    write(model, tmp_path / "model.npz")
    monkeypatch.setattr(models, "files", lambda _: tmp_path)
    again = models._loaded("model.npz")
    examples = held("en")
    assert Judge(again).version == "test"
    for name, values in odds(model, examples).items():
        assert values.tolist() == odds(again, examples)[name].tolist()


@given(st.lists(st.tuples(st.floats(-60, 60, width=32), st.booleans()), min_size=2, max_size=60))
@example([(-50.0, True), (-40.0, False), (45.0, True), (50.0, False)] * 10)
def test_calibration_never_makes_probabilities_come_less_true(rows: list[tuple[float, bool]]) -> None:
    given_odds, truth = np.asarray([row[0] for row in rows], np.float32), np.asarray([row[1] for row in rows])
    slope, shift = platt(given_odds, truth)

    def lost(found: Floats) -> float:
        return float(np.logaddexp(0, np.where(truth, -found, found).astype(np.float64)).sum())

    assert lost(slope * given_odds + shift) <= lost(given_odds) + 0.1
    assert max(abs(slope), abs(shift)) < 1_000


def test_calibration_finds_the_slope_that_odds_were_drawn_by() -> None:
    chance = np.random.default_rng(0)
    given_odds = chance.normal(0, 20, 20_000).astype(np.float32)
    truth = chance.random(20_000) < 1 / (1 + np.exp(-(0.3 * given_odds - 0.5)))
    assert platt(given_odds, truth) == pytest.approx([0.3, -0.5], abs=0.05)


def test_auc_is_the_share_of_pairs_in_order() -> None:
    assert auc([True, False, False], np.asarray([0.5, 0.5, 0.1], np.float32)) == pytest.approx(0.75)


def test_a_step_without_its_input_names_the_step_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--data", str(tmp_path), "--work", str(tmp_path / "work")]) == 1
    assert "first run `python -m sentiment.training student`" in capsys.readouterr().err


def test_a_step_that_is_done_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pool.jsonl").write_text("", "utf-8")
    assert main(["pool", "--data", str(tmp_path), "--work", str(tmp_path)]) == 0
    assert "remove it to make it anew" in capsys.readouterr().out
