"""A small program at either end of a channel of Sectile, over standard input and output: a line is a message.

It shows how sectile_channel is used, and is the twin of ../c/channel-client.c::

    python3 channel_client.py ring|latest|broadcast|pool produce|consume PATH [OFFSET] [--timeout MS] [--count N] [--from-now] [--hold]

Exit codes: 0 the end was told; 1 failed; 2 bad usage; 3 the other side's process has ended; 4 nothing came in time.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
from typing import Iterator, Optional

import sectile_channel as channels


def lines() -> Iterator[bytes]:
    return (line.rstrip(b'\n') for line in iter(sys.stdin.buffer.readline, b''))


def say(message: bytes) -> None:
    sys.stdout.buffer.write(bytes(message) + b'\n')
    sys.stdout.buffer.flush()


def produce(kind: str, path: str, offset: int, timeout: Optional[float]) -> None:
    if kind == 'ring':
        with channels.RingProducer(path, offset) as producer:
            for line in lines():
                producer.send(line, timeout)
    elif kind == 'pool':
        with channels.PoolProducer(path, offset) as pool:
            pool.attached(1, timeout)
            for line in lines():
                block = pool.acquire(timeout)
                block.bytes[: len(line)] = line
                pool.publish(block, len(line))
    else:
        make = channels.LatestWriter if kind == 'latest' else channels.BroadcastWriter
        with make(path, offset) as writer:
            for line in lines():
                writer.write(line)


def messages(given: argparse.Namespace, timeout: Optional[float]) -> Iterator[bytes]:
    kind, path, offset = given.kind, given.path, given.offset
    if kind == 'ring':
        with channels.RingConsumer(path, offset) as consumer:
            yield from iter(lambda: consumer.receive(timeout), None)
    elif kind == 'latest':
        with channels.LatestReader(path, offset) as latest:
            while latest.changed(timeout):
                yield latest.try_read() or b''
    elif kind == 'broadcast':
        with channels.BroadcastReader(path, offset, given.from_now) as reader:
            yield from iter(lambda: reader.read(timeout), None)
    else:
        with channels.PoolConsumer(path, 0, offset) as taker:
            for frame in iter(lambda: taker.next(timeout), None):
                with frame:
                    yield bytes(frame.bytes)
                    while given.hold:
                        signal.pause()


def main() -> int:
    parser = argparse.ArgumentParser(description='One end of a channel of Sectile; a line is a message.')
    parser.add_argument('kind', choices=['ring', 'latest', 'broadcast', 'pool'])
    parser.add_argument('end', choices=['produce', 'consume'])
    parser.add_argument('path')
    parser.add_argument('offset', nargs='?', type=lambda text: int(text, 0), default=0)
    parser.add_argument('--timeout', type=int, help='milliseconds')
    parser.add_argument('--count', type=int, help='messages to take')
    parser.add_argument('--from-now', action='store_true', help='of a broadcast: from the next message on')
    parser.add_argument('--hold', action='store_true', help='of a pool: keep the first frame')
    given = parser.parse_args()
    timeout = None if given.timeout is None else given.timeout / 1000
    try:
        if given.end == 'produce':
            produce(given.kind, given.path, given.offset, timeout)
        else:
            for message in itertools.islice(messages(given, timeout), given.count):
                say(message)
    except (channels.ChannelError, OSError) as error:
        print(f'channel_client: {error or type(error).__name__}', file=sys.stderr)
        return {channels.PeerDied: 3, channels.TimedOut: 4}.get(type(error), 1)
    return 0


if __name__ == '__main__':
    sys.exit(main())
