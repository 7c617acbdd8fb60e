"""The calls of X's API v2 that we make, by tweepy; what comes back is X's JSON as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oauthlib.oauth1 import Client as Signer
from pydantic import SecretStr
from tweepy import StreamRule
from tweepy.asynchronous import AsyncClient, AsyncStreamingClient

from connectors.api import Http, Quota
from connectors.errors import Denied, Unreachable
from connectors.x.quotas import Quotas
from connectors.x.session import Session, hush
from connectors.x.settings import KEYS, Settings
from connectors.x.wire import ASKED, PAGE

__all__ = ["Api", "Listing"]

# Published without types, and what can be guessed from their defaults is wrong.
_CLIENT: Any = AsyncClient
_STREAM: Any = AsyncStreamingClient
_SIGNER: Any = Signer
_UNKNOWN_USER = "Could not find user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One answer of a listing, newest first. `older` leads to the next one; None at the end."""

    posts: Sequence[object]
    includes: object
    older: str | None

    @property
    def more(self) -> bool:
        return self.older is not None


class Api:
    """One app, and the account that it acts for."""

    def __init__(self, http: Http, settings: Settings, clock: Callable[[], datetime]) -> None:
        hush()
        self._settings = settings
        self._quotas = Quotas()
        keys = [_secret(getattr(settings, key)) for key in KEYS]
        signer = _SIGNER(*keys) if settings.signs else None
        session = Session(http, settings.base_url, clock, self._quotas, signer)
        bearer = _secret(settings.bearer_token)
        self._app = _CLIENT(bearer, *keys, return_type=dict)
        self._user = _CLIENT(_secret(settings.user_token) or bearer, *keys, return_type=dict)
        self._rules = _STREAM(bearer, return_type=dict)
        for client in (self._app, self._user, self._rules):
            client.session = session

    @property
    def quotas(self) -> tuple[Quota, ...]:
        return self._quotas.known

    async def me(self) -> object:
        """The account that answers where there is one, else the one named in the settings."""
        fields = {"user_fields": ASKED["user_fields"]}
        if self._settings.speaks:
            answer = await self._user.get_me(user_auth=self._settings.signs, **fields)
        else:
            answer = await self._app.get_user(username=self._settings.account, **fields)
        return _object(answer).get("data") or _nobody(answer)

    async def mentions(self, of: str, **place: object) -> Listing:
        """As the account itself where we can: only then may X charge an Owned Read."""
        client, signed = (self._user, self._settings.signs) if self._settings.speaks else (self._app, False)
        return _listing(await client.get_users_mentions(of, user_auth=signed, max_results=PAGE, **place, **ASKED))

    async def search(self, query: str, **place: object) -> Listing:
        """Never signed: what is in a query (a colon) X and the libraries below do not encode alike."""
        client = self._app if self._settings.bearer_token else self._user
        return _listing(await client.search_recent_tweets(query, max_results=PAGE, **place, **ASKED))

    async def own_posts(self, of: str, since: str, older: str | None) -> Listing:
        """What the account has posted after an id."""
        fields = {"tweet_fields": ["id", "text", "referenced_tweets", "entities", "note_tweet"]}
        signed = self._settings.signs
        client = self._user if self._settings.speaks else self._app
        return _listing(
            await client.get_users_tweets(
                of, user_auth=signed, max_results=PAGE, since_id=since, pagination_token=older, **fields
            )
        )

    async def post(self, text: str, to: str) -> Mapping[str, Any]:
        """Post a reply. Raises Unreachable, in doubt, where the answer does not tell what was posted."""
        answer = await self._user.create_tweet(text=text, in_reply_to_tweet_id=to, user_auth=self._settings.signs)
        posted = _object(answer).get("data")
        if not isinstance(posted, Mapping) or not isinstance(posted.get("id"), str):
            raise Unreachable("X's answer does not say what was posted")
        return posted

    async def rules(self) -> Sequence[Mapping[str, Any]]:
        """All rules of the app's stream, others' too."""
        found = _object(await self._rules.get_rules()).get("data") or []
        return [rule for rule in found if isinstance(rule, Mapping)] if isinstance(found, list) else []

    async def add_rule(self, query: str, tag: str) -> None:
        """Raises Denied where X does not take the query."""
        answer = _object(await self._rules.add_rules(StreamRule(value=query, tag=tag)))
        problems = [_words(error) for error in answer.get("errors") or () if isinstance(error, Mapping)]
        if problems and not answer.get("data"):
            raise Denied(f"X does not take the query: {'; '.join(problems)[:300]}")

    async def delete_rules(self, ids: Sequence[str]) -> None:
        await self._rules.delete_rules(list(ids))


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def _object(answer: object) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        raise Unreachable("X's answer is not an object")
    return answer


def _listing(answer: object) -> Listing:
    """An answer with errors alone is no empty page: something was not looked up."""
    body = _object(answer)
    posts, meta = body.get("data"), body.get("meta")
    if posts is None and body.get("errors"):
        _nobody(body)
    if not isinstance(posts, (list, type(None))) or not isinstance(meta, Mapping):
        raise Unreachable("X's answer is not a list of posts")
    older = meta.get("next_token")
    return Listing(
        posts=posts or [], includes=body.get("includes"), older=older if isinstance(older, str) and older else None
    )


def _nobody(answer: object) -> object:
    """Raises Denied for an account that X does not know, Unreachable for any other answer without data."""
    errors = _object(answer).get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    words = _words(first)
    if first.get("resource_type") == "user" or _UNKNOWN_USER in words:
        raise Denied(f"X does not know the account: {words}")
    raise Unreachable(f"X gives nothing: {words}" if words else "X's answer holds nothing")


def _words(error: Mapping[str, Any]) -> str:
    return str(error.get("detail") or error.get("title") or "no reason given")[:200]
