"""What the page about Slack channels says, in Markdown."""

from __future__ import annotations

__all__ = ["CANNOT", "SETUP"]

SETUP = """\
Make an app of your own at <https://api.slack.com/apps> ("From scratch"), for your workspace only.

1. **OAuth & Permissions**, bot token scopes: `channels:history`, `groups:history`, `im:history`, `mpim:history`,
   `channels:read`, `groups:read`, `im:read`, `mpim:read`, `chat:write`, `reactions:write`,
   `users:read`. Leave out the kinds of conversation that you do not want read, and then name `channels`.
2. **Install to Workspace**; the *Bot User OAuth Token* (`xoxb-…`) is `bot_token`.
3. `mode: events` (Slack calls us): **Basic Information**, *Signing Secret* is `signing_secret`. **Event
   Subscriptions**: the Request URL is `https://…/hooks/NAME-OF-THE-CHANNEL`, confirmed at once while heedful runs.
   `mode: socket` (no address needed): **Basic Information**, *App-Level Tokens*, one with `connections:write`
   (`xapp-…`) is `app_token`; switch **Socket Mode** on.
4. **Event Subscriptions**, bot events: `message.channels`, `message.groups`, `message.im`, `message.mpim`,
   `tokens_revoked`, `app_uninstalled`.
5. For direct messages: **App Home**, *Allow users to send Slash commands and messages*.
6. Invite the app into each channel: `/invite @name`.
"""

CANNOT = """\
- See channels that it was not invited to, or messages that were deleted while heedful was away. Edits from that
  time are found of messages no older than `threads_back` (3 days) before; replies below such messages, and below
  the 100 older ones where it last saw anything said. It looks below those once after each start and, with
  `mode: socket`, each new connection. Any other reply to an older message, said in that time, is lost untold.
- Tell a person who posts through another app, or fills in a workflow, from a program: both count as bots.
- Know people's names without the scope `users:read`; those who write for the first time through `mode: events`
  stay nameless until the history is next read (`poll_every`).
- Post more than about one message a second in a channel.
- Read fast with an app that is sold to others without being in the Slack Marketplace: such an app may read a
  history once a minute, 15 messages each. An app that you made for your own workspace is exempt.
"""
