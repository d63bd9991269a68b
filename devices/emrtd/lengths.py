"""How much one READ BINARY may ask for."""

from devices.emrtd.secure_messaging import SecureMessaging

EVEN_OFFSET_END = 0x8000
"""READ BINARY with even INS has 15 bits for the offset."""
CAUTIOUS_CHUNKS = (192, 128, 64, 32, 16)
"""What cards take that refuse a full short response."""


def chunks_for(messaging: SecureMessaging) -> tuple[int, ...]:
    """Return the chunk sizes to try; no read crosses the end of even offsets."""
    extended = min(messaging.max_response_data(extended=True), EVEN_OFFSET_END)
    return extended, messaging.max_response_data(extended=False), *CAUTIOUS_CHUNKS
