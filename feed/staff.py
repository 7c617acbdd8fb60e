"""Accounts and sessions of our own people in the database. Every function runs inside the caller's transaction."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update

from routing.store import settings
from routing.store.rows import SESSION, STAFF
from routing.store.tables import StaffRow

__all__ = [
    "IDLE",
    "LIFE",
    "ROLES",
    "VISITOR",
    "AlreadyThere",
    "Person",
    "Role",
    "Session",
    "add",
    "all_staff",
    "any_staff",
    "close_session",
    "digest",
    "first_run_open",
    "first_run_token",
    "hash_password",
    "is_open",
    "open_session",
    "password_of",
    "redeem",
    "sample_visitor",
    "seen",
    "session",
    "verify_password",
]

Role = Literal["agent", "lead", "admin"]
ROLES: tuple[Role, ...] = ("agent", "lead", "admin")
LIFE = timedelta(days=7)
IDLE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=5)
FIRST_RUN = "first_run"
VISITOR = "visitor"

# The least that OWASP asks for: 19 MiB a check, beside listeners that need the memory too.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _hasher.hash(secrets.token_hex(16))


class AlreadyThere(Exception):
    """There is an account of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts. An agent without teams belongs to every team; leads and admins see all."""

    name: str
    role: Role
    teams: frozenset[str] = frozenset()

    def sees(self, team: str | None) -> bool:
        return team is None or self.role != "agent" or not self.teams or team in self.teams

    def at_least(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def only_teams(self) -> tuple[str, ...] | None:
        """The teams that every query must be narrowed to, or None for all."""
        return None if self.role != "agent" or not self.teams else tuple(sorted(self.teams))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser: `key` is what the database knows, never the cookie itself."""

    key: str
    csrf: str
    person: Person


def hash_password(password: str) -> str:
    """Slow on purpose: run it in a thread."""
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """As slow for a name that does not exist as for one that does. Run it in a thread."""
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def any_staff(connection: Connection) -> bool:
    return connection.execute(select(STAFF.c.name).limit(1)).first() is not None


def all_staff(connection: Connection) -> list[StaffRow]:
    rows = connection.execute(select(STAFF).order_by(STAFF.c.name)).mappings()
    return [StaffRow(**row) for row in rows]


def password_of(connection: Connection, name: str) -> str | None:
    """The stored hash of an account that may sign in, or None."""
    return connection.execute(
        select(STAFF.c.password).where(STAFF.c.name == name, STAFF.c.disabled_at.is_(None))
    ).scalar_one_or_none()


def add(connection: Connection, *, name: str, role: Role, teams: Sequence[str], password: str, now: datetime) -> None:
    """Add an account; `password` is a hash. Raises AlreadyThere."""
    if connection.execute(select(STAFF.c.name).where(STAFF.c.name == name)).first():
        raise AlreadyThere(name)
    connection.execute(
        insert(STAFF).values(
            name=name, role=role, teams=list(teams), password=password, created_at=now, disabled_at=None
        )
    )


def open_session(connection: Connection, staff: str, now: datetime) -> tuple[str, str]:
    """A new session: its cookie and its CSRF token. Sessions that are over are swept on the way."""
    cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    connection.execute(delete(SESSION).where(SESSION.c.expires_at < now))
    connection.execute(
        insert(SESSION).values(
            id=digest(cookie), staff=staff, csrf=csrf, created_at=now, seen_at=now, expires_at=now + LIFE
        )
    )
    return cookie, csrf


def session(connection: Connection, cookie: str, now: datetime, *, sample: bool) -> tuple[Session, datetime] | None:
    """The living session of a cookie and when it was last seen; None where it is over or its owner disabled."""
    row = connection.execute(select(SESSION).where(SESSION.c.id == digest(cookie))).mappings().first()
    if row is None or row["expires_at"] < now or row["seen_at"] < now - IDLE:
        return None
    person = _person(connection, row["staff"], sample=sample)
    return None if person is None else (Session(key=row["id"], csrf=row["csrf"], person=person), row["seen_at"])


def is_open(connection: Connection, key: str, now: datetime) -> bool:
    """Whether a session still lives: signing out elsewhere ends its live feed too."""
    question = select(SESSION.c.expires_at).where(SESSION.c.id == key)
    until = connection.execute(question).scalar_one_or_none()
    return until is not None and until > now


def seen(connection: Connection, key: str, now: datetime) -> None:
    connection.execute(update(SESSION).where(SESSION.c.id == key).values(seen_at=now))


def close_session(connection: Connection, key: str) -> None:
    connection.execute(delete(SESSION).where(SESSION.c.id == key))


def sample_visitor() -> Person:
    """Who looks at the sample run."""
    return Person(name=VISITOR, role="lead")


def first_run_token(connection: Connection, now: datetime) -> str:
    """A one-time token for `/first-run?token=…`, valid an hour; only its digest is stored."""
    token = secrets.token_urlsafe(32)
    value = {"token": digest(token), "until": (now + timedelta(hours=1)).isoformat()}
    settings.put(connection, FIRST_RUN, value)
    return token


def first_run_open(connection: Connection, token: str, now: datetime) -> bool:
    """Whether this token may still create the first admin."""
    value = settings.get(connection, FIRST_RUN)
    if not isinstance(value, dict) or any_staff(connection):
        return False
    fits = secrets.compare_digest(str(value.get("token")), digest(token))
    return fits and datetime.fromisoformat(str(value.get("until"))) > now


def redeem(connection: Connection, token: str, *, name: str, password: str, now: datetime) -> bool:
    """Create the first admin and burn the token, in one transaction; False where the token is no good."""
    if not first_run_open(connection, token, now):
        return False
    add(connection, name=name, role="admin", teams=(), password=password, now=now)
    settings.forget(connection, FIRST_RUN)
    return True


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _person(connection: Connection, name: str, *, sample: bool) -> Person | None:
    row = connection.execute(select(STAFF).where(STAFF.c.name == name)).mappings().first()
    if row is None:
        return sample_visitor() if sample and name == VISITOR else None
    if row["disabled_at"] is not None or row["role"] not in ROLES:
        return None
    return Person(name=name, role=cast("Role", row["role"]), teams=frozenset(row["teams"] or ()))
