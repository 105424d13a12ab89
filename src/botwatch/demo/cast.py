"""The fleet: five bots on four hosts, and what each of them can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from botwatch.demo import scripts
from botwatch.demo.world import Action, Bot, Call, Channel, Contact, Place, http, model, sql

_WHATSAPP: Final = ("WhatsApp", Contact.PHONE)
_TELEGRAM: Final = ("Telegram", Contact.MOBILE)
_WEB: Final = ("Web", Contact.VISITOR)
_SLACK: Final = ("Slack", Contact.MEMBER)
_EMAIL: Final = ("Email", Contact.CUSTOMER)


def _channels(*shares: tuple[tuple[str, Contact], float]) -> tuple[Channel, ...]:
    return tuple(Channel(name, share, contact) for (name, contact), share in shares)


def _actions(*given: Action) -> Mapping[str, Action]:
    return {action.name: action for action in given}


_INTENTS: Final = http("intent-service", "POST", "/classify", 38.0, failing=0.0009)
_UNDERSTAND: Final = Action("understand", (_INTENTS,), 3.0, "intent recognised")
_FALLBACK: Final = Action("fallback", (), 2.0, "not understood, asked to say it differently")
_ESCALATE: Final = Action(
    "escalate", (http("service-desk", "POST", "/conversations", 160.0),), 4.0, "handed to the service desk"
)
_RELAY: Final = Action("relay", (http("service-desk", "POST", "/conversations/{id}/messages", 95.0),), 3.0)
_CONFIRM: Final = Action(
    "send_confirmation", (http("mail-gateway", "POST", "/messages", 210.0, failing=0.005),), 6.0, "confirmation sent"
)


def _search(name: str, median_ms: float) -> Call:
    return http(name, "POST", "/collections/{name}/points/search", median_ms)


SUPPORT: Final = Bot(
    name="support",
    share=0.34,
    places=(Place("bots-1", "support-0", 0.006, 34, 3),),
    channels=_channels((_WHATSAPP, 0.40), (_WEB, 0.35), (_EMAIL, 0.25)),
    actions=_actions(
        _UNDERSTAND,
        _FALLBACK,
        _ESCALATE,
        _RELAY,
        Action("search_articles", (_search("search", 46.0), sql("articles-db", "SELECT", 5.0)), 7.0, "articles found"),
        Action("reset_password", (http("accounts-api", "POST", "/password-resets", 130.0),), 5.0, "reset link sent"),
        Action("look_up_account", (http("accounts-api", "GET", "/accounts/{id}", 74.0),), 4.0, "account found"),
        Action("change_account", (http("accounts-api", "PATCH", "/accounts/{id}", 118.0),), 5.0, "account changed"),
    ),
    scripts=scripts.talks("support"),
)

ORDERS: Final = Bot(
    name="orders",
    share=0.30,
    places=(Place("bots-1", "orders-0", 0.005, 34, 3), Place("bots-2", "orders-1", 0.005, 33, 3)),
    channels=_channels((_WEB, 0.45), (_WHATSAPP, 0.40), (_TELEGRAM, 0.15)),
    actions=_actions(
        _UNDERSTAND,
        _FALLBACK,
        _ESCALATE,
        _RELAY,
        _CONFIRM,
        Action("find_order", (sql("orders-db", "SELECT", 7.0),), 4.0, "order found"),
        Action(
            "track_parcel", (http("carrier-api", "GET", "/parcels/{id}", 240.0, failing=0.012),), 5.0, "parcel found"
        ),
        Action("check_stock", (http("inventory-api", "GET", "/stock/{sku}", 85.0),), 4.0, "stock checked"),
        Action(
            "change_order",
            (http("inventory-api", "POST", "/reservations", 140.0), sql("orders-db", "UPDATE", 11.0)),
            8.0,
            "order changed",
        ),
        Action(
            "refund",
            (http("payments-api", "POST", "/refunds", 420.0), sql("orders-db", "UPDATE", 11.0)),
            9.0,
            "refunded",
        ),
    ),
    scripts=scripts.talks("orders"),
    users=1_500,
)

BOOKING: Final = Bot(
    name="booking",
    share=0.20,
    places=(Place("bots-2", "booking-0", 0.005, 33, 3),),
    channels=_channels((_TELEGRAM, 0.45), (_WHATSAPP, 0.35), (_WEB, 0.20)),
    actions=_actions(
        _UNDERSTAND,
        _FALLBACK,
        _ESCALATE,
        _RELAY,
        _CONFIRM,
        Action("find_slots", (http("calendar-api", "GET", "/slots", 175.0),), 6.0, "free times found"),
        Action(
            "book", (http("calendar-api", "POST", "/bookings", 230.0), sql("bookings-db", "INSERT", 9.0)), 7.0, "booked"
        ),
        Action("find_booking", (sql("bookings-db", "SELECT", 6.0),), 4.0, "booking found"),
        Action(
            "cancel",
            (http("calendar-api", "DELETE", "/bookings/{id}", 190.0), sql("bookings-db", "UPDATE", 8.0)),
            6.0,
            "cancelled",
        ),
    ),
    scripts=scripts.talks("booking"),
    users=700,
)

ASSISTANT: Final = Bot(
    name="assistant",
    share=0.16,
    places=(Place("bots-3", "assistant-0", 0.005, 35, 3),),
    channels=_channels((_SLACK, 0.7), (_WEB, 0.3)),
    actions=_actions(
        Action(
            "retrieve",
            (model("openai", "gpt-4.1-mini", 520.0, 240, 36), _search("vectors", 31.0)),
            9.0,
            "passages found",
        ),
        Action("answer", (model("anthropic", "claude-haiku-4-5", 2_100.0, 2_600, 310),), 6.0, "answer written"),
        Action("run_query", (sql("warehouse", "SELECT", 640.0),), 7.0, "query run"),
        Action("summarise", (model("anthropic", "claude-sonnet-4-5", 4_800.0, 5_200, 480),), 8.0, "summary written"),
        _FALLBACK,
        Action("open_ticket", (http("helpdesk", "POST", "/tickets", 180.0),), 5.0, "ticket opened"),
    ),
    scripts=scripts.talks("assistant", first=()),
    users=180,
)

TRIAGE: Final = Bot(
    name="triage",
    share=1.0,
    places=(Place("workers-1", "triage-0", 0.007, 34, 3),),
    channels=_channels((_EMAIL, 1.0)),
    actions=_actions(
        Action("classify_ticket", (model("openai", "gpt-4o-mini", 780.0, 620, 24),), 6.0, "ticket classified"),
        Action("assign_team", (sql("helpdesk-db", "UPDATE", 8.0),), 4.0, "team assigned"),
        Action("notify_team", (http("chat-api", "POST", "/messages", 120.0, limited=0.001),), 4.0),
    ),
    scripts=scripts.TRIAGE,
    users=2_000,
    queue="tickets",
)

FLEET: Final = (SUPPORT, ORDERS, BOOKING, ASSISTANT, TRIAGE)
