"""What is kept about people, why, for how long, who sees it, and the test that proves it. Checked by ``inventory``.

Texts may name live settings: ``{retention_days}`` and the like are filled in by ``report``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kept:
    """Something that is kept about people, in one place."""

    place: str
    why: str
    how_long: str
    who: str
    #: ``path::test`` of the test that proves it.
    control: str
    #: For a table: each of its fields, and what it holds.
    fields: Mapping[str, str]
    #: The column by whose age rows are purged, where rows are.
    age: str = ""


MEMBERS = "members of the shop (viewer and above), under the pseudonym; operators with access to the database"
_PERSONALISE = "to choose products and renderings for a shopper who agreed (consent)"

SHOPPERS: tuple[Kept, ...] = (
    Kept(
        place="recommend.Shopper",
        why=_PERSONALISE,
        how_long="until erased, or {retention_days} days after the last visit",
        who=MEMBERS,
        control="tests/recommend/test_privacy_canary.py::test_erasure_leaves_nothing_anywhere",
        age="last_seen_at",
        fields={
            "id": "row number",
            "merchant": "the shop; profiles are never shared between shops",
            "pseudonym": "HMAC of the visitor id, keyed per quarter and shop; the visitor id itself is not kept",
            "consent": "granted or withdrawn",
            "consent_version": "which text was agreed to (now {consent_version})",
            "consent_at": "when",
            "personalisation_enabled": "the shopper's own switch",
            "key_id": "random name of the shopper's data key in the key store; the key is not in this database",
            "sealed_profile": "styles that the shopper took out of their profile, encrypted with the data key",
            "created_at": "first visit",
            "last_seen_at": "last visit",
        },
    ),
    Kept(
        place="recommend.Interaction",
        why=_PERSONALISE + "; to fit the shop's recommender",
        how_long="until erased, or {retention_days} days",
        who=MEMBERS,
        control="tests/recommend/test_privacy_canary.py::test_erasure_leaves_nothing_anywhere",
        age="occurred_at",
        fields={
            "id": "row number",
            "merchant": "the shop",
            "event_id": "random id of the event, so that it is stored once",
            "shopper": "whose event it is",
            "product": "the product",
            "kind": "seen, clicked, bought …",
            "value": "a rating, or of a purchase what was paid",
            "style": "the style that was shown",
            "styled_image": "the rendering that was shown",
            "slot": "place on the page",
            "slate_id": "the shelf that it came from",
            "position": "place on the shelf",
            "occurred_at": "when it happened",
            "received_at": "when we were told",
        },
    ),
    Kept(
        place="recommend.Slate",
        why="to tell which shelf a click came from, to answer “why am I seeing this?”, to learn which rendering works",
        how_long="until erased, or {retention_days} days",
        who="the shopper (on “Your data”); operators with access to the database",
        control="tests/recommend/test_privacy_canary.py::test_erasure_leaves_nothing_anywhere",
        age="created_at",
        fields={
            "id": "random id",
            "merchant": "the shop",
            "shopper": "who was shown it",
            "recommender": "the version that chose",
            "slot": "place on the page",
            "items": "products, renderings, scores and reasons",
            "created_at": "when",
        },
    ),
    Kept(
        place="experiments.Exposure",
        why="to compare two ways of making pages (A/B experiments) by what shoppers who agreed then did",
        how_long="until erased, until the experiment stops, or {retention_days} days",
        who="operators with access to the database; members of the shop see sums alone, of spend too",
        control="tests/recommend/test_experiments_serving.py::test_exposures_go_with_the_shopper_and_with_the_experiment",
        age="at",
        fields={
            "id": "row number",
            "experiment": "the experiment",
            "variant": "which of its variants was seen",
            "shopper": "who saw it",
            "at": "when first",
        },
    ),
    Kept(
        place="sessions.Session",
        why="the bag: what the visitor put there (asked for by the visitor, no consent needed)",
        how_long="{session_days} days after the last change",
        who="operators with access to the database",
        control="tests/recommend/test_privacy_purge.py::test_expired_sessions_and_old_log_ins_are_forgotten",
        fields={
            "session_key": "random id, in the session cookie",
            "session_data": "product ids and amounts; of staff, their log-in",
            "expire_date": "when it ends",
        },
    ),
    Kept(
        place="developers.IdempotencyRecord",
        why="to give a repeated API request its first answer",
        how_long="24 hours",
        who="the token that made the request",
        control="tests/api/test_idempotency.py::test_an_expired_key_is_free_again_and_purged",
        fields={
            "id": "row number",
            "owner": "token or user",
            "key": "chosen by the client",
            "fingerprint": "SHA-256 of the request; the request itself is not kept",
            "status": "of the answer",
            "headers": "of the answer",
            "body": "of the answer; about shoppers it says the consent state alone",
            "created_at": "when",
        },
    ),
)

STAFF: tuple[Kept, ...] = (
    Kept(
        place="auth.User",
        why="to let people who work for a shop log in",
        how_long="until the account is deleted",
        who="superusers",
        control="tests/site/test_two_factor.py",
        fields={
            "password": "a slow salted hash",
            "email": "optional",
            "username": "the log-in name",
            "first_name": "optional",
            "last_name": "optional",
            "last_login": "when",
        },
    ),
    Kept(
        place="catalog.Membership",
        why="who may do what at which shop",
        how_long="until it is taken away",
        who="members of the shop",
        control="tests/catalog/test_tokens.py::test_roles_rank_and_strangers_have_none",
        fields={"user": "the person", "role": "viewer, reviewer, editor or owner"},
    ),
    *(
        Kept(
            place=f"axes.{name}",
            why="to lock out who guesses passwords",
            how_long="{login_log_days} days",
            who="superusers",
            control="tests/recommend/test_privacy_purge.py::test_expired_sessions_and_old_log_ins_are_forgotten",
            fields={"username": "as typed", "ip_address": "of the attempt", "user_agent": "of the attempt", **more},
            age="attempt_time",
        )
        for name, more in (("AccessAttempt", {}), ("AccessLog", {"session_hash": "hash"}), ("AccessFailureLog", {}))
    ),
)

#: What is kept outside of tables.
ELSEWHERE: tuple[Kept, ...] = (
    Kept(
        place="Valkey: the stream of accepted events",
        why="to answer a batch of events at once and store it durably",
        how_long="until the consumer has written it, usually under a second; encrypted with the site's key",
        who="operators with the site's key",
        control="tests/recommend/test_privacy_canary.py::test_erasure_leaves_nothing_anywhere",
        fields={},
    ),
    Kept(
        place="Valkey: rate limits",
        why="to keep one address from using up the site",
        how_long="a minute; addresses only as a keyed hash",
        who="operators",
        control="tests/recommend/test_privacy_canary.py::test_erasure_leaves_nothing_anywhere",
        fields={},
    ),
    Kept(
        place="The shopper's browser: {shopper_cookie}, stylerec_consent",
        why="to remember the answer, and who it was after a yes",
        how_long="a year, or until withdrawn; HttpOnly, for one shop's addresses alone",
        who="the shopper",
        control="tests/recommend/test_consent.py",
        fields={},
    ),
    Kept(
        place="The shopper's browser: localStorage of a page with <stylerec-shelf>",
        why="a random visitor id, after that page's consent",
        how_long="until that page withdraws it",
        who="that page",
        control="tests/api/test_browser_shelf.py::test_a_shelf_shows_learns_after_consent_and_forgets",
        fields={},
    ),
    Kept(
        place="Files: fitted recommenders",
        why="to choose products; they hold numbers per product, no row per shopper",
        how_long="until the version is deleted; what one shopper taught it is gone with the next fit",
        who="the site's processes",
        control="tests/recommend/test_privacy_canary.py::test_a_fit_after_an_erasure_has_not_heard_of_the_shopper",
        fields={},
    ),
    Kept(
        place="The key store: {key_store}",
        why="to open what is sealed: the profile's hidden styles, and every pseudonym in a backup",
        how_long="until the shopper is erased or purged; without a shopper, {key_grace_days} days; wrapped by {privacy_keys} "
        "site key(s)",
        who="the site's processes; operators with the site's keys",
        control="tests/recommend/test_privacy_keys.py::test_whoever_is_purged_or_belongs_to_a_deleted_shop_loses_the_key",
        fields={},
    ),
    Kept(
        place="Backups of the site",
        why="to bring the site back",
        how_long="as the operator keeps them. Profile and pseudonym are sealed with keys that are not in it: after an "
        "erasure neither opens any more, and what the shopper did hangs on a row number. A restore forgets who has no key",
        who="operators",
        control="tests/recommend/test_privacy_restore.py"
        "::test_an_archive_leads_to_nobody_and_not_even_every_secret_of_the_site_opens_it_after_an_erasure",
        fields={},
    ),
    Kept(
        place="Backups of the keys",
        why="to keep the shoppers when the key store is lost",
        how_long="as the operator keeps them, a week at most: an erasure reaches them only when they are thrown away",
        who="operators, apart from those who keep the backups of the site",
        control="tests/recommend/test_privacy_restore.py"
        "::test_a_key_that_comes_back_from_a_backup_of_the_keys_is_not_that_of_an_erased_shopper",
        fields={},
    ),
    Kept(
        place="File: erasures.jsonl",
        why="to finish erasures after a crash, and to do them again after a restore",
        how_long="as long as backups are kept; shop, row number and the random name of the key alone",
        who="operators",
        control="tests/recommend/test_privacy_restore.py::test_the_list_of_erasures_names_nobody",
        fields={},
    ),
    Kept(
        place="recommend.RenderingPolicy",
        why="to learn which rendering of a product works; sums over all shoppers of a shop",
        how_long="the shop's lifetime; no row and no number of a single shopper",
        who="the site's processes",
        control="tests/recommend/test_privacy_canary.py::test_erasure_leaves_nothing_anywhere",
        fields={},
    ),
    Kept(
        place="recommend.DailyCount",
        why="to show rates by day without reading every event again",
        how_long="the shop's lifetime; sums of a day, nothing says whose; an erasure does not change them",
        who="members of the shop",
        control="tests/recommend/test_daily_rates.py::test_counts_name_nobody_and_outlive_an_erasure",
        fields={},
    ),
    Kept(
        place="Logs",
        why="to find faults",
        how_long="as the operator keeps standard output; visitor ids are masked, addresses not written",
        who="operators",
        control="tests/recommend/test_privacy_canary.py::test_erasure_leaves_nothing_anywhere",
        fields={},
    ),
)
