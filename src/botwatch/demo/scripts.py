"""What people say to the bots, and what the bots answer.

A talk is a text: a line of the user, then `> ` the bot's answer with ` | ` what it does for it; a word
in brackets stands for something that often comes. `{slots}` are filled once a conversation, from
`SLOTS`. No names of people: users are numbers and addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from botwatch.demo.world import Part, Script, Step

SLOTS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": tuple(f"A-{10_417 + 137 * n}" for n in range(60)),
    "booking": tuple(f"B{2_203 + 71 * n}" for n in range(40)),
    "ticket": tuple(f"T-{n:05d}" for n in range(30_011, 99_000, 131)),
    "product": (
        "desk lamp",
        "rain jacket",
        "espresso maker",
        "bike helmet",
        "standing desk",
        "wool blanket",
        "headphones",
    ),
    "size": ("S", "M", "L", "XL"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "time": ("08:30", "09:15", "10:00", "11:30", "14:00", "15:45", "17:15"),
    "city": ("Lisbon", "Lyon", "Leeds", "Linz", "Lund", "Lausanne"),
    "amount": ("18.90", "24.00", "39.50", "64.00", "89.90", "129.00", "249.00"),
    "region": ("north", "south", "online", "partners"),
    "number": ("3", "7", "12", "18", "26", "41"),
    "plan": ("basic", "plus", "business"),
    "priority": ("1", "2", "2", "3", "3", "3", "4"),
}


_UNDERSTAND: Final = ("understand",)
_OFTEN: Final[Mapping[str, tuple[Step, ...]]] = {
    "[thanks]": (Step("Thanks!", "You are welcome. Have a good day!", _UNDERSTAND, pause_s=6.0),),
    "[lost]": (
        Step(
            "hm its not the thing i mean, the other one",
            "I am not sure I understood. Could you say it in other words?",
            (*_UNDERSTAND, "fallback"),
        ),
    ),
    "[human]": (
        Step(
            "Can I talk to a person please?",
            "Hello, the service desk here. I have read what you wrote and will sort this out for you.",
            (*_UNDERSTAND, "escalate"),
            Part.HANDOFF,
            pause_s=20.0,
        ),
        Step(
            "Thank you, that is what I needed.",
            "You are welcome. I will close this now.",
            ("relay",),
            Part.AGENT,
            pause_s=10.0,
        ),
    ),
}


def _talk(
    name: str,
    weight: float,
    text: str,
    *,
    first: tuple[str, ...] = _UNDERSTAND,
    outcome: str = "completed",
    score: float = 1.0,
) -> Script:
    lines = [line.strip() for line in text.strip().splitlines()]
    return Script(name, weight, tuple(_steps(lines, first)), outcome, score)


def _steps(lines: list[str], first: tuple[str, ...]) -> Iterator[Step]:
    rest = iter(lines)
    for line in rest:
        if line in _OFTEN:
            yield from _OFTEN[line]
            continue
        answer, _, actions = next(rest).removeprefix("> ").partition(" | ")
        # The longer the answer, the longer people read before they write again.
        yield Step(line, answer, (*first, *actions.split(", ")) if actions else first, pause_s=6 + len(answer) / 8)


SUPPORT: Final = (
    _talk(
        "cannot log in",
        30,
        """
        Hi, I cannot log in any more
        > I can help with that. Is it the password, or do you see an error?
        I forgot my password
        > I have sent you a link to choose a new one. It is valid for an hour. | reset_password
        ok it worked
        > Great. Is there anything else?
        [thanks]
        """,
    ),
    _talk(
        "change address",
        22,
        """
        I moved to {city}. How do I change my address?
        > I can do that here. What is the new address? | look_up_account
        Station road {number}, {city}
        > Done: your next deliveries go to Station road {number}, {city}. | change_account
        [thanks]
        """,
    ),
    _talk(
        "warranty",
        18,
        """
        how long is the warranty on the {product}?
        > Two years from the day of delivery, also for the {product}. | search_articles
        and if I lost the receipt?
        > No problem: the order in your account is enough. | search_articles
        [thanks]
        """,
    ),
    _talk(
        "delete account",
        8,
        """
        please delete my account and all data
        > I can start that. It cannot be undone. Shall I? | look_up_account
        yes
        > It is done. You get a confirmation by e-mail within 30 days, mostly sooner. | change_account
        """,
        score=0.0,
    ),
    _talk(
        "not understood",
        9,
        """
        the thing does not go
        > Which product is it about?
        [lost]
        the {product}!!
        > For the {product} these articles may help: set-up, first use, cleaning. | search_articles
        [human]
        """,
        outcome="handed_off",
        score=-1.0,
    ),
    _talk(
        "wants a person",
        13,
        """
        The {product} came broken
        > I am sorry to hear that. Could you tell me what is broken? | look_up_account
        [human]
        """,
        outcome="handed_off",
        score=0.5,
    ),
)

ORDERS: Final = (
    _talk(
        "where is my order",
        38,
        """
        Hi, where is my order {order}?
        > Order {order} with the {product} has left our warehouse. It should arrive on {day}. | find_order, track_parcel
        can it come before noon?
        > The carrier gives {day}, {time}. You can choose another time in the link I sent. | track_parcel
        [thanks]
        """,
    ),
    _talk(
        "is it in stock",
        24,
        """
        Do you have the {product} in {size}?
        > Yes, the {product} in {size} is in stock: {number} pieces. | check_stock
        Please put one aside
        > I have reserved one for you until {day}, {time}. | change_order, send_confirmation
        [thanks]
        """,
    ),
    _talk(
        "return",
        20,
        """
        I want to return the {product} from order {order}
        > Sure. What is the reason: size, colour, or a defect? | find_order
        size, I need {size}
        > I have changed it to {size}. The label for the way back is in your mail. | change_order, send_confirmation
        and the money?
        > You get {amount} back within five days of the parcel's arrival. | refund
        [thanks]
        """,
    ),
    _talk(
        "wrong amount",
        10,
        """
        I was charged {amount} twice for {order}!
        > Let me look at that. I see two payments of {amount}. | find_order
        so?
        > I have refunded {amount}. It takes two to three days to show. | refund, send_confirmation
        """,
        score=-0.5,
    ),
    _talk(
        "parcel lost",
        8,
        """
        {order} says delivered but nothing is here
        > The carrier says: left with a neighbour. | find_order, track_parcel
        [lost]
        [human]
        """,
        outcome="handed_off",
        score=-1.0,
    ),
)

BOOKING: Final = (
    _talk(
        "book a time",
        52,
        """
        Hello, I would like an appointment in {city}
        > With pleasure. Which day suits you?
        {day} if possible
        > On {day} there is {time}. Shall I book it? | find_slots
        yes please
        > Booked: {city}, {day}, {time}. Your number is {booking}. | book, send_confirmation
        [thanks]
        """,
    ),
    _talk(
        "move a booking",
        22,
        """
        I need to move {booking}
        > I found {booking}. When would you like to come? | find_booking
        {day} at {time}?
        > {day}, {time} is free. I have moved {booking} there. | find_slots, book, send_confirmation
        """,
    ),
    _talk(
        "cancel a booking",
        14,
        """
        please cancel {booking}
        > Shall I really cancel {booking} on {day}? | find_booking
        yes
        > It is cancelled. You pay nothing. | cancel, send_confirmation
        """,
        score=0.0,
    ),
    _talk(
        "reservar",
        9,
        """
        Hola, ¿hay sitio el viernes en {city}?
        > Sí: el viernes a las {time}. ¿Lo reservo? | find_slots
        sí, gracias
        > Reservado: {city}, viernes, {time}. Su número es {booking}. | book, send_confirmation
        """,
    ),
    _talk(
        "group",
        3,
        """
        we are {number} people, is that ok?
        > For groups I ask a colleague.
        [human]
        """,
        outcome="handed_off",
    ),
)

ASSISTANT: Final = (
    _talk(
        "policy",
        40,
        """
        What is our travel policy for trips over {number} days?
        > Trips over {number} days need approval of the cost centre. Book ten days before. | retrieve, answer
        and hotels in {city}?
        > Up to 160 a night in {city}, breakfast included. Above that, add a reason. | retrieve, answer
        """,
        first=(),
    ),
    _talk(
        "numbers",
        28,
        """
        how many orders did we have in {region} on {day}?
        > On {day}, {region} had 1,{number}4 orders. | run_query, answer
        compare with the week before
        > That is {number} % more than the {day} before. | run_query, answer
        thanks, put it in a short summary
        > Summary: {region} is up {number} % on {day}, mostly the {product}. | summarise
        """,
        first=(),
    ),
    _talk(
        "summarise",
        20,
        """
        summarise the thread about the {product} recall please
        > Three points: batch {number} is affected; customers get a refund; the text changes. | retrieve, summarise
        who decides on the text?
        > The thread does not say. The last message asks the same. | retrieve, answer
        """,
        first=(),
        score=0.5,
    ),
    _talk(
        "laptop",
        12,
        """
        my laptop is slow since the update
        > A restart after the update helps most people. Did you try it? | retrieve, answer
        yes twice
        > Then I open a ticket for you. | open_ticket
        """,
        first=(),
        score=0.0,
    ),
)


def _ticket(category: str, weight: float, subject: str, *, drifts: bool = False) -> Script:
    """The document a ticket arrives as. After the drift, billing says what it is about in another place."""
    head = '{"id":"{ticket}","created_at":"{at}","from":"{user}","subject":"' + subject + '",'
    tail = '"priority":{priority},"plan":"{plan}","attachments":[],"amount":{amount}}'
    document = f'{head}"category":"{category}",{tail}'
    moved = head + '"details":{"topic":"' + category + '"},' + tail
    step = Step(document, "", ("classify_ticket", "assign_team", "notify_team"), Part.TICKET)
    return Script(category, weight, (step,), later=moved if drifts else "")


TRIAGE: Final = (
    _ticket("delivery", 34, "Parcel {order} not here"),
    _ticket("returns", 24, "Return of the {product}"),
    _ticket("account", 18, "Cannot sign in"),
    _ticket("technical", 16, "{product}: does not start"),
    _ticket("billing", 8, "Charged {amount} twice", drifts=True),
)
