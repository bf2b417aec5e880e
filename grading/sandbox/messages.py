"""Receive messages from a kernel that may be hostile; both of its clients do it this way."""

from typing import Any

import zmq

LARGEST_MESSAGE = 32 * 1024 * 1024  # bytes; a connection that sends more is cut by ZeroMQ


def hardened_context() -> zmq.Context:
    """Make a ZeroMQ context whose sockets bound what a hostile peer can make us hold.

    Returns:
        A context; sockets made from it refuse oversized messages.
    """
    context = zmq.Context()
    context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
    context.setsockopt(zmq.RCVHWM, 64)
    context.setsockopt(zmq.LINGER, 0)
    return context


def whole_text(text: str) -> str:
    """Make text fit to be written to a file, whatever it holds.

    Args:
        text: text that came out of hostile JSON.

    Returns:
        The same text, with a question mark for each half of a surrogate pair.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def receive(channel: Any) -> dict[str, Any] | None:
    """Take the next message from a channel, if it is one that an honest kernel could send.

    Args:
        channel: a channel of a blocking client, with a message waiting.

    Returns:
        A message whose ``msg_type`` is a str and whose ``content`` and ``parent_header`` are
        dicts; None for anything else.
    """
    try:
        message = channel.get_msg(timeout=0)
    except Exception:  # a hostile peer can make the parser raise anything
        return None
    shapes = {"msg_type": str, "content": dict, "parent_header": dict}
    honest = all(isinstance(message.get(key), kind) for key, kind in shapes.items())
    return message if honest else None
