"""A reader of event files, as TensorBoard documents them."""

import struct

from tensorboard.compat.proto.event_pb2 import Event


def read_scalars(path):
    """Read (tag, step, value) from an event file, whose record format TensorBoard documents."""
    rest, scalars = path.read_bytes(), []
    while rest:
        (length,) = struct.unpack("<Q", rest[:8])
        event = Event.FromString(rest[12 : 12 + length])
        scalars += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
        rest = rest[12 + length + 4 :]
    return scalars
