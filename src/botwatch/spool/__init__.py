"""The durable queue between the door and the engine: what is acknowledged is in here, once."""

from botwatch.spool.batch import Batch, Dead, SpooledParcel
from botwatch.spool.counts import Counts
from botwatch.spool.heard import Heard, Mark
from botwatch.spool.spool import Spool
from botwatch.spool.standing import Backlog, Waiting

__all__ = ["Backlog", "Batch", "Counts", "Dead", "Heard", "Mark", "Spool", "SpooledParcel", "Waiting"]
