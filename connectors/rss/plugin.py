"""RSS, Atom and RDF feeds: news, blogs, reviews, status pages."""

from __future__ import annotations

from datetime import timedelta

from connectors.api import Limits, Plugin
from connectors.rss.connector import connect
from connectors.rss.settings import Settings

__all__ = ["plugin"]

ADDRESS = """\
No token is needed: give the address of the feed as `url`. Most sites name it in the head of their pages
(`<link rel="alternate" type="application/rss+xml" …>`).

Where the address itself holds a key, write `url: "${NAME}"` and keep it in the environment or in `.env`:
errors and logs show no more of it than its host.

`https://` may lead anywhere, also into your own network; plain `http://` to public addresses and to this
machine only. What an address redirects to must be public.
"""

CANNOT = """\
- **Answer.** A feed has no way back; what deserves an answer is opened by its link.
- **See what came and went between two polls, or while heedful stood still.** A feed holds its latest entries only.
  Where nothing of what it held before is left, heedful records a gap (not where it held a single entry); an entry
  that stays for good, such as one pinned to the top, hides this. Ask oftener (`poll_every`) where it happens.
- **Tell apart what the site does not.** Where entries share a guid, or have none and share a link, heedful tells them
  apart by link, words and author, and where these are alike by how many there are: what changes there is told as new,
  not as an edit, and one that says just what an older one said, after that has left, is not told.
- **See what was taken back.** An entry that leaves the feed is simply too old, or deleted: nobody can tell.
- **Tell who wrote**, beyond the name that the feed gives; without one, the feed itself is the author.
- **Read without end.** A document may have 16 MB, of which the first 5,000 entries are read; a text is cut at
  10,000 characters.
- **Show the history of an entry.** A changed title or text is an edit, as of the poll that found it; a new date is not.
"""

plugin: Plugin[Settings] = Plugin(
    kind="rss",
    summary="RSS, Atom and RDF feeds, by polling; cannot be answered",
    settings=Settings,
    open=connect,
    abilities=frozenset({"polls"}),
    recovers=None,  # whatever the feed still holds; once it holds nothing that we knew, this is told as a gap
    limits=Limits(poll_every=timedelta(minutes=5)),
    token=ADDRESS,
    cannot=CANNOT,
)
