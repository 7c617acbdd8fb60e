"""What the page about X tells: how to get the keys, and what such a channel cannot do."""

from __future__ import annotations

__all__ = ["CANNOT", "TOKEN"]

TOKEN = """\
1. Sign in at <https://console.x.com> **as the account that is to speak**, make an app, and buy credits: X has no
   free tier for new apps.
2. Under *User authentication settings* give the app *Read and write*; then, under *Keys and tokens*, make:
   - the **bearer token**: `bearer_token`. It reads; `mode: stream` needs it.
   - the **API key and secret**: `consumer_key`, `consumer_secret`;
   - the **access token and secret**: `access_token`, `access_token_secret`. Made before *Read and write* was given,
     they can only read: make them again.
3. Mark the account as automated (*Settings → Your account → Automation*): X asks for it of every account that
   answers by a program, with the name of who runs it.
4. Where the app belongs to this very account say `own_app: true`: X then charges a mention $0.001, not $0.005.

Instead of the four keys `user_token` takes an OAuth 2.0 user token (scopes `tweet.read`, `tweet.write`,
`users.read`). X lets it expire after two hours, and heedful does not renew it: for a daemon take the four keys.

`daily_budget` (US dollars, default 5) bounds what reading may cost a day, in UTC: before a call that could overdraw
it, reading pauses until midnight UTC with an alarm; what is missed is read then, oldest first. An answer may hold
100 posts, so less than $0.51 ($0.11 for mentions with `own_app`) is not taken. Prices are those of
<https://docs.x.com/x-api/getting-started/pricing> of 22 August 2026; the console rules.
"""  # noqa: S105 — a text about tokens

CANNOT = """\
- **Answer who did not ask.** Since February 2026 X lets an app of the usual tiers reply only to posts that mention or
  quote the account that speaks, and once per post. A `search` or a `stream` reads more than may be answered: the
  rest goes to people. A mention of @brand does not allow @brandcare to answer.
- **Read or write direct messages**, set likes, quote, or take a reply back.
- **Learn of deletions.** X tells them to Enterprise customers only. A post is known to be gone when X refuses to have
  it answered; its text then goes at once. An edit is seen where X lists it (within the hour in which X allows it).
- **Look back for ever.** A search reaches back 7 days; of mentions X shows the latest 800. What lies beyond is
  recorded as a gap.
- **See who is a bot.** X's API does not tell the *automated* label of an account.
- **Find reposts by `search`**: since May 2026 X's search leaves them out. The stream has them.
- **Put a link into an acknowledgement cheaply**: a post with a URL costs $0.200, thirteen times one without.
- **Know what X really charged.** Counted are the posts in an answer and the posts we make; whether X charges authors
  that come along, and what it forgives as a repetition, only the console tells.
- **Share an app's stream.** X allows one connection an app: a second `stream` channel needs an app of its own. A
  channel takes away the stream rules that its account made here for another query (tag `heedful:<account>:…`), and
  no other rules.
"""
