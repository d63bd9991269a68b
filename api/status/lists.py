"""The status lists of one server, put together."""

from dataclasses import dataclass

from sqlalchemy import Engine

from api.status.allocation import LIST_SIZE, StatusAllocation
from api.status.publishing import SigningKeys, StatusPublisher
from api.status.register import StatusRegister


@dataclass(frozen=True)
class StatusLists:
    """Indices for new assertions, their statuses, and the tokens that tell them."""

    allocation: StatusAllocation
    register: StatusRegister
    publisher: StatusPublisher
    keep_links_s: int
    """For so long it is kept which session's assertion has which index."""

    @classmethod
    def over(
        cls,
        engine: Engine,
        keys: SigningKeys,
        *,
        keep_links_s: int,
        public_url: str | None = None,
        list_size: int = LIST_SIZE,
    ) -> "StatusLists":
        """Return the lists of a database.

        Args:
            engine: its engine.
            keys: where the issuer's signing key comes from.
            keep_links_s: how long it is kept which assertion has which index.
            public_url: where relying parties reach this server, without a slash at its end; None:
                the lists travel as files.
            list_size: of new lists; a power of four.
        """
        return cls(
            StatusAllocation(engine, public_url, list_size),
            StatusRegister(engine),
            StatusPublisher(engine, keys),
            keep_links_s,
        )

    def forget_links(self) -> int:
        """Forget the links that have been kept for long enough; return how many."""
        return self.register.forget_links(self.keep_links_s)
