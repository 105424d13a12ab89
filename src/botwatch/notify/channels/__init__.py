"""Every kind of channel, in one place. To add one: one file, and its line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botwatch.notify.channels.alertmanager import Alertmanager
from botwatch.notify.channels.apprise_urls import Apprise
from botwatch.notify.channels.email import Email
from botwatch.notify.channels.kind import Kind
from botwatch.notify.channels.pagerduty import PagerDuty
from botwatch.notify.channels.slack import Slack
from botwatch.notify.channels.sms import Sms
from botwatch.notify.channels.webhook import Webhook

KINDS: Final[Mapping[str, Kind[Any]]] = {
    kind.name: kind for kind in (Email(), Slack(), Sms(), PagerDuty(), Webhook(), Alertmanager(), Apprise())
}
