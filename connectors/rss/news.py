"""What of a document is new: which entries were told before, and as what; pure.

A guid stands for one entry, a link does where there is no guid, else its words and author. Sites do not
keep to it: where several entries of a document share an identity, each has one of its own from then on, made
of it and of what the entry says, never of its date. In Atom they are versions of one entry where their dates differ
(https://www.rfc-editor.org/rfc/rfc4287#section-4.1.1).
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from connectors.rss.feed import Entry, Feed
from connectors.rss.marker import REPEATS, Marker, Trace, key, repeats, trace, words

__all__ = ["News", "Told", "identity", "news_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry to tell. `edit` is 0 for an original, else which edit of it this is within the document."""

    entry: Entry
    id: str
    edit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """`told` begins with the oldest, `traces` with the newest. `rolled_over`: several stood before, and all is new."""

    told: tuple[Told, ...]
    traces: tuple[Trace, ...]
    rolled_over: bool


@dataclass(frozen=True, slots=True)
class _Mark:
    """An entry, what it is known as, and how it is remembered."""

    entry: Entry
    id: str
    trace: Trace

    def told(self, edit: int = 0) -> Told:
        return Told(entry=self.entry, id=self.id, edit=edit)


@dataclass(frozen=True, slots=True)
class _Group:
    """Entries that share an identity, the oldest first. `whole` is remembered of them together."""

    whole: Trace | None
    marks: Sequence[_Mark]

    def traces(self) -> Iterator[Trace]:
        if self.whole is not None:
            yield self.whole
        yield from (mark.trace for mark in reversed(self.marks))


_Verdict = tuple[Told | None, bool]
"""What to tell of an entry, and whether it was known."""


def identity(entry: Entry) -> str:
    """Its guid, else its link, else its words and author."""
    return entry.guid or entry.link or f"sha256:{words(entry)[:32]}"


def news_of(feed: Feed, marker: Marker) -> News:
    """Each entry is told once; in doubt it is told."""
    ordered = _oldest_first(_distinct(feed.entries))
    sharing: dict[bytes, list[Entry]] = defaultdict(list)
    for entry in ordered:
        sharing[key(identity(entry))].append(entry)
    groups = {of: _group(of, entries, feed, marker) for of, entries in sharing.items()}
    traces = tuple(one for of in reversed(groups) for one in groups[of].traces())
    here = {one.key for one in traces}
    left = Counter(one.place for one in marker.last() if one.key not in here)
    verdicts = {of: deque(_verdicts(of, group, marker, left)) for of, group in groups.items()}
    found = [verdicts[key(identity(entry))].popleft() for entry in ordered]
    # After a single entry, that nothing is left of it says nothing: some feeds hold only their latest.
    several = sum(any(one.place) for one in marker.last()) > 1
    return News(
        told=tuple(told for told, _ in found if told is not None),
        traces=traces,
        rolled_over=several and bool(found) and not any(known for _, known in found),
    )


def _distinct(entries: Sequence[Entry]) -> list[Entry]:
    """A guid that stands twice with the very same entry stands for one; without a guid nobody knows."""
    seen: set[Entry] = set()
    kept: list[Entry] = []
    for entry in entries:
        if not (entry.guid and entry in seen):
            kept.append(entry)
            seen.add(entry)
    return kept


def _oldest_first(entries: Sequence[Entry]) -> list[Entry]:
    """By date where all are dated, else the document upside down: feeds begin with the newest."""
    upwards = list(reversed(entries))
    if all(entry.at is not None for entry in entries):
        upwards.sort(key=lambda entry: entry.at or 0.0)
    return upwards


def _group(of: bytes, entries: list[Entry], feed: Feed, marker: Marker) -> _Group:
    remembered = marker.seen.get(of)
    shared = remembered is not None and remembered.content == REPEATS
    if len(entries) == 1 and not shared:
        return _Group(None, [_Mark(entries[0], identity(entries[0]), trace(identity(entries[0]), entries[0]))])
    if not shared and _are_versions(entries, feed):
        entries = sorted(entries, key=lambda entry: entry.updated or 0.0)
        marks = [replace(mark, id=identity(mark.entry)) for mark in _apart(entries)]
        return _Group(trace(identity(entries[-1]), entries[-1]), marks)
    return _Group(repeats(of), list(_apart(entries)))


def _are_versions(entries: list[Entry], feed: Feed) -> bool:
    dates = {entry.updated for entry in entries}
    return (
        feed.version.startswith("atom")
        and None not in dates
        and len(dates) == len(entries)
        and len({(entry.guid, entry.author) for entry in entries}) == 1
        and bool(entries[0].guid)
    )


def _apart(entries: list[Entry]) -> Iterator[_Mark]:
    """Each with an identity of its own; those that are alike but for their dates are counted."""
    alike: Counter[str] = Counter()
    for entry in entries:
        says = words(entry)[:12]
        number = f".{alike[says]}" if alike[says] else ""
        alike[says] += 1
        own = f"{identity(entry)}#{says}{number}"
        yield _Mark(entry, own, trace(own, entry))


def _verdicts(of: bytes, group: _Group, marker: Marker, left: Counter[bytes]) -> Iterator[_Verdict]:
    before = marker.seen.get(of)
    if group.whole is None:
        return iter([_verdict_alone(group.marks[0], before, left)])
    if group.whole.content == REPEATS:
        return _verdicts_sharing(group.marks, before, marker, left)
    return _verdicts_versions(group.marks, before, marker)


def _verdict_alone(mark: _Mark, before: Trace | None, left: Counter[bytes]) -> _Verdict:
    if before is None:
        return (None, True) if _is_renamed(mark, left) else (mark.told(), False)
    return (None if before.content == mark.trace.content else mark.told(edit=1)), True


def _verdicts_sharing(
    marks: Sequence[_Mark], before: Trace | None, marker: Marker, left: Counter[bytes]
) -> Iterator[_Verdict]:
    """The one that was told when it had the identity for itself is not told again."""
    alike = [mark for mark in marks if before is not None and before.content == mark.trace.content]
    heir = next((mark for mark in alike if before is not None and before.place == mark.trace.place), None)
    heir = heir or next(iter(alike), None)
    for mark in marks:
        known = mark is heir or mark.trace.key in marker.seen or _is_renamed(mark, left)
        yield (None, True) if known else (mark.told(), False)


def _verdicts_versions(marks: Sequence[_Mark], before: Trace | None, marker: Marker) -> Iterator[_Verdict]:
    """What came after the version that is known; the newest is told at last."""
    if before is None:
        yield from ((mark.told(edit=edit), False) for edit, mark in enumerate(marks))
        return
    contents = [mark.trace.content for mark in marks]
    last = max((at for at, content in enumerate(contents) if content == before.content), default=-1)
    edit = 0
    for at, mark in enumerate(marks):
        if at > last and (mark.trace.key not in marker.seen or mark is marks[-1]):
            edit += 1
            yield mark.told(edit=edit), True
        else:
            yield None, True


def _is_renamed(mark: _Mark, left: Counter[bytes]) -> bool:
    """Whether an entry of the last document stands here under another guid: same link, words, author and date."""
    if mark.entry.at is None or not mark.entry.link or not left[mark.trace.place]:
        return False
    left[mark.trace.place] -= 1
    return True
