"""What users write, by what they mean: to measure how well questions are grouped.

`KNOWN` was looked at while the grouping was made. `UNSEEN` was written before it and left alone: other trades, other
words.
Two questions of one meaning in different languages are counted neither way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

Questions = Mapping[str, Mapping[str, Sequence[str]]]  # by language, by meaning

KNOWN: Final[Questions] = {
    "en": {
        "where is it": [
            "where is my order",
            "Where's my parcel??",
            "order status please",
            "track my package",
            "has my order shipped yet?",
            "wheres my order 4711",
        ],
        "refund": [
            "I want a refund",
            "how do I get my money back?",
            "refund please",
            "can I get a refund for my order",
        ],
        "cancel": ["cancel my order", "how can I cancel an order?", "please cancel order 123", "I'd like to cancel"],
        "address": ["change my delivery address", "how do I change the address?", "wrong address, can you update it"],
        "password": [
            "I forgot my password",
            "reset password",
            "can't remember my password",
            "password reset link please",
        ],
        "human": ["talk to a human", "I want to speak to a real person", "agent please", "connect me with an agent"],
        "hours": ["what are your opening hours", "when do you open?", "are you open on sunday"],
        "invoice": ["send me the invoice", "I need a copy of my invoice", "where can I find my bill"],
        "hello": ["hi", "hello!", "Hello there"],
        "thanks": ["thanks", "thank you!", "thank you very much"],
    },
    "de": {
        "where is it": [
            "wo ist meine Bestellung",
            "Wo bleibt mein Paket??",
            "Status meiner Bestellung bitte",
            "Sendung verfolgen",
            "wann kommt meine Bestellung an",
        ],
        "refund": [
            "ich möchte mein Geld zurück",
            "Rückerstattung bitte",
            "wie bekomme ich eine Rückerstattung?",
            "Geld zurück",
        ],
        "cancel": [
            "Bestellung stornieren",
            "wie kann ich meine Bestellung stornieren?",
            "bitte stornieren Sie Bestellung 123",
        ],
        "address": ["Lieferadresse ändern", "wie ändere ich meine Adresse?", "meine Adresse ist falsch"],
        "password": [
            "Passwort vergessen",
            "ich habe mein Passwort vergessen",
            "Passwort zurücksetzen",
            "mein Kennwort funktioniert nicht mehr",
        ],
        "human": ["ich will mit einem Menschen sprechen", "Mitarbeiter bitte", "mit einem Mitarbeiter sprechen"],
        "hours": ["Öffnungszeiten", "wann habt ihr geöffnet?", "was sind eure Öffnungszeiten"],
        "invoice": ["Rechnung bitte", "ich brauche meine Rechnung", "wo finde ich die Rechnung"],
    },
    "pt": {
        "where is it": [
            "onde está meu pedido",
            "Cadê minha encomenda??",
            "status do pedido por favor",
            "rastrear pedido",
            "quando chega meu pedido",
        ],
        "refund": ["quero um reembolso", "quero meu dinheiro de volta", "reembolso por favor", "como peço reembolso?"],
        "cancel": ["cancelar pedido", "como cancelo meu pedido?", "quero cancelar o pedido 123"],
        "address": ["mudar endereço de entrega", "como altero meu endereço?", "endereço errado"],
        "password": ["esqueci minha senha", "redefinir senha", "não lembro a senha"],
        "human": ["falar com atendente", "quero falar com uma pessoa", "atendente por favor"],
        "hours": ["horário de funcionamento", "qual o horário de atendimento?", "que horas vocês abrem"],
        "invoice": ["nota fiscal", "preciso da nota fiscal", "segunda via da fatura"],
    },
    "es": {
        "where is it": [
            "dónde está mi pedido",
            "¿Dónde está mi paquete?",
            "estado del pedido por favor",
            "rastrear mi pedido",
            "cuándo llega mi pedido",
        ],
        "refund": [
            "quiero un reembolso",
            "quiero que me devuelvan el dinero",
            "reembolso por favor",
            "devolución de dinero",
        ],
        "cancel": ["cancelar pedido", "¿cómo cancelo mi pedido?", "quiero cancelar el pedido 123"],
        "address": ["cambiar dirección de entrega", "¿cómo cambio mi dirección?", "la dirección está mal"],
        "password": ["olvidé mi contraseña", "restablecer contraseña", "no recuerdo la contraseña"],
        "human": ["hablar con un agente", "quiero hablar con una persona", "agente por favor"],
        "hours": ["horario de apertura", "¿cuál es su horario?", "a qué hora abren"],
        "invoice": ["necesito mi factura", "factura por favor", "dónde encuentro la factura"],
    },
}

UNSEEN: Final[Questions] = {
    "en": {
        "balance": ["what's my balance", "show account balance", "how much money is on my account", "balance please"],
        "block card": ["block my card", "I lost my card", "my credit card was stolen", "freeze card"],
        "transfer": ["transfer money to a friend", "how do I make a transfer?", "send money"],
        "vpn": ["vpn not working", "I can't connect to the VPN", "the vpn is down again", "VPN connection problem"],
        "printer": ["printer is jammed", "the printer doesn't print", "printing not working"],
        "holiday": [
            "how many vacation days do I have left",
            "request time off",
            "remaining holidays?",
            "vacation days left",
        ],
        "baggage": ["how much luggage can I take", "baggage allowance", "can I bring a second bag"],
        "check in": ["online check-in", "how do I check in?", "check in for my flight"],
        "book": ["book an appointment", "I need an appointment", "can I make an appointment for tomorrow?"],
        "prices": ["how much does it cost", "price list", "what are your prices?"],
    },
    "de": {
        "balance": ["Kontostand", "wie ist mein Kontostand?", "Kontostand anzeigen bitte"],
        "block card": [
            "Karte sperren",
            "meine Karte wurde gestohlen",
            "ich habe meine Karte verloren",
            "bitte Karte sperren lassen",
        ],
        "vpn": ["VPN geht nicht", "ich komme nicht ins VPN", "VPN funktioniert nicht"],
        "holiday": [
            "wie viele Urlaubstage habe ich noch",
            "Resturlaub",
            "Urlaub beantragen",
            "wie beantrage ich Urlaub?",
        ],
        "book": ["Termin vereinbaren", "ich brauche einen Termin", "kann ich einen Termin buchen?"],
        "prices": ["was kostet das", "Preise", "wie viel kostet es?"],
    },
    "pt": {
        "balance": ["saldo", "qual é o meu saldo?", "ver saldo da conta"],
        "block card": ["bloquear cartão", "perdi meu cartão", "meu cartão foi roubado"],
        "vpn": ["vpn não funciona", "não consigo conectar na VPN", "problema com a vpn"],
        "holiday": ["quantos dias de férias eu tenho", "solicitar férias", "férias restantes"],
        "book": ["marcar consulta", "quero marcar uma consulta", "agendar consulta"],
        "prices": ["quanto custa", "qual o preço?", "tabela de preços"],
    },
    "es": {
        "balance": ["saldo", "¿cuál es mi saldo?", "ver saldo de la cuenta"],
        "block card": ["bloquear tarjeta", "perdí mi tarjeta", "me robaron la tarjeta"],
        "vpn": ["la vpn no funciona", "no puedo conectarme a la VPN", "problema con la vpn"],
        "holiday": ["cuántos días de vacaciones tengo", "solicitar vacaciones", "vacaciones pendientes"],
        "book": ["pedir cita", "necesito una cita", "quiero reservar una cita"],
        "prices": ["cuánto cuesta", "¿qué precio tiene?", "lista de precios"],
    },
}
