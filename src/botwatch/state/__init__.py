"""What must survive a restart and be the same on every node: users, tokens, keys, the audit.

Each file has the functions over one table; they take a `Session`, so that a change and what
belongs to it (its audit entry, the stamp that tells other nodes) are one transaction, and they
return frozen nouns, never rows. `Database` opens the transaction; `Access` answers from memory.
"""

from botwatch.state.access import Access, Keys
from botwatch.state.database import Database, open_database
from botwatch.state.exposure import check_exposure
from botwatch.state.people import Principal, Via

__all__ = ["Access", "Database", "Keys", "Principal", "Via", "check_exposure", "open_database"]
