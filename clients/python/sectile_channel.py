"""Channels of Sectile for Python: rings, latest values, broadcasts and pools in memory that processes share.

Both ends of each kind, as docs/channel-layout.md lays them out, with nothing but ctypes and mmap: Python 3.9 or later, CPython, on
Linux. Makes no channel: it joins one that a program with Sectile has made, by a path (see README.md)::

    with RingConsumer('/dev/shm/frames') as consumer:
        for message in consumer:
            print(message)

Python has no compare-and-swap. So a role is taken by looking, writing and looking again: no second process may take the same role
at that moment. A ring of several producers can be consumed only, and a pool's consumer names its row. Whatever the other side
wrote is read once and checked before it is used.

Times are seconds; None is for ever. Who waits looks ten times a second whether the other side's process still lives. An object
belongs to one thread at a time.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import sys
import time
from typing import Callable, Iterator, Optional, TypeVar, Union

__all__ = [
    'Block',
    'BroadcastReader',
    'BroadcastWriter',
    'BrokenOff',
    'ChannelDamaged',
    'ChannelError',
    'Expelled',
    'Frame',
    'LatestReader',
    'LatestWriter',
    'NoChannel',
    'PeerDied',
    'PoolConsumer',
    'PoolProducer',
    'RingConsumer',
    'RingProducer',
    'RoleTaken',
    'TimedOut',
    'TooBig',
]

Bytes = Union[bytes, bytearray, memoryview]
Result = TypeVar('Result')


class ChannelError(Exception):
    """What went wrong with a channel."""


class NoChannel(ChannelError):
    """No channel of this kind and version stands there."""


class ChannelDamaged(ChannelError):
    """The memory says what cannot be."""


class RoleTaken(ChannelError):
    """A living process has the role."""


class PeerDied(ChannelError):
    """The other side's process has ended without closing, and all was taken. Another one may come: waiting again waits for it no
    longer than it has not taken the role."""


class BrokenOff(ChannelError):
    """The other side has closed, and says that not all has come."""


class TimedOut(ChannelError):
    """Nothing came in time."""


class TooBig(ChannelError):
    """Longer than the channel takes."""


class Expelled(ChannelError):
    """The pool's producer serves this consumer no more."""


# ------------------------------------------------------------------------------------------ the system ----

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYS_FUTEX = {'x86_64': 202, 'aarch64': 98, 'riscv64': 98, 'armv7l': 240, 'i686': 240, 's390x': 238, 'ppc64le': 221}
_FUTEX = _SYS_FUTEX.get(platform.machine())
_FUTEX_WAIT, _FUTEX_WAKE, _PRIVATE = 0, 1, 128
_ALL = 2**31 - 1
_OWN = ctypes.c_uint32(0)

_SEEN = 0.001  # how long what another processor has stored may be unseen, at the very most
_LOOK = 0.1  # how often one looks whether the other side lives
_POLL = 0.002  # how often one looks where nobody wakes
_PATIENCE = 0.1  # how long one reads again what the writer overwrites


class _Timespec(ctypes.Structure):
    _fields_ = [('seconds', ctypes.c_long), ('nanoseconds', ctypes.c_long)]


def _futex(address: int, operation: int, value: int, timeout: Optional[_Timespec] = None) -> None:
    _LIBC.syscall(
        ctypes.c_long(_FUTEX),
        ctypes.c_void_p(address),
        ctypes.c_int(operation),
        ctypes.c_uint32(value),
        None if timeout is None else ctypes.byref(timeout),
        None,
        ctypes.c_int(0),
    )


def _fence() -> None:
    """A full barrier: FUTEX_WAKE has one before it looks for sleepers, of whom there are none at a word of our own."""
    _futex(ctypes.addressof(_OWN), _FUTEX_WAKE | _PRIVATE, 1)


if platform.machine() in ('x86_64', 'i686'):

    def _order() -> None:
        """x86 keeps loads with loads and stores with stores."""

else:
    _order = _fence


def _started(pid: int) -> Optional[int]:
    """When a process started, in clock ticks; None: it has ended; 0: nobody can tell."""
    try:
        with open(f'/proc/{pid}/stat', 'rb') as file:
            fields = file.read().rpartition(b')')[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError:
        return 0
    return None if fields[0] in (b'Z', b'X') else int(fields[19])


def _namespace() -> int:
    """The low half of the number of this process's PID namespace; 0: nobody can tell."""
    try:
        return os.stat('/proc/self/ns/pid').st_ino & 0xFFFFFFFF
    except OSError:
        return 0


class _PyBuffer(ctypes.Structure):
    _fields_ = [('buf', ctypes.c_void_p), ('obj', ctypes.py_object), ('rest', ctypes.c_byte * 128)]


def _address(buffer: object) -> int:
    """Where a buffer is, even one that cannot be written."""
    facts = _PyBuffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(buffer), ctypes.byref(facts), 0)
    address = facts.buf
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(facts))
    return int(address or 0)


def _before(one: int, other: int) -> bool:
    """Whether one counter of 32 bits is before another."""
    return (one - other) & 0xFFFFFFFF >= 0x80000000


# ---------------------------------------------------------------------------------------- any channel ----

_MAGIC = 0x4E484353
_MASK = 0xFFFFFFFF


class _Memory:
    """A channel's memory, with its header as it was checked once. Offsets are bytes from the channel's start."""

    def __init__(self, path: Union[str, os.PathLike], kind: int, offset: int, writable: bool) -> None:
        if sys.byteorder != 'little' or _FUTEX is None:
            raise NotImplementedError(f'no channels on {platform.machine()}')
        descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        try:
            length = os.fstat(descriptor).st_size
            if offset % 64 != 0 or offset < 0 or length - offset < 192:
                raise NoChannel(f'{path}: no room for a channel at {offset} of {length} bytes')
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._map = mmap.mmap(descriptor, length, access=access)
        finally:
            os.close(descriptor)
        self._address = _address(self._map) + offset
        whole = memoryview(self._map)[offset : length - length % 8]
        self.bytes = whole
        self._words = whole.cast('I')
        self._longs = whole.cast('Q')
        try:
            self._read_header(path, kind, length - offset)
        except ChannelError:
            self.close()
            raise

    def _read_header(self, path: Union[str, os.PathLike], kind: int, length: int) -> None:
        if self.load(0) != _MAGIC or self.load(4) != 1 or self.load(8) != kind:
            raise NoChannel(f'{path}: no channel of this kind and version there')
        self.flags = self.load(12)
        self.size = self.load64(16)
        self.home = self.load(32)
        self.data = self.load(36)
        self.parameters = tuple(self.load(40 + 4 * index) for index in range(4))
        if self.size > length or self.data < 192 or self.data % 8 != 0 or self.data > self.size:
            raise ChannelDamaged(f'{path}: the header speaks of {self.size} bytes with data from {self.data}')

    def load(self, at: int) -> int:
        return self._words[at >> 2]

    def store(self, at: int, value: int) -> None:
        _order()
        self._words[at >> 2] = value & _MASK
        _order()

    def load64(self, at: int) -> int:
        """Two words: whole only between the checks that make it so."""
        return self._words[at >> 2] | self._words[(at >> 2) + 1] << 32

    def store64(self, at: int, value: int) -> None:
        self.store(at, value)
        self.store(at + 4, value >> 32)

    def copy(self, at: int, length: int) -> bytes:
        return bytes(self.bytes[at : at + length])

    def put(self, at: int, content: Bytes) -> None:
        self.bytes[at : at + len(content)] = content

    def wake(self, at: int) -> None:
        _futex(self._address + at, _FUTEX_WAKE, _ALL)

    def sleep(self, at: int, expected: int, seconds: float) -> None:
        """Sleeps while the word has that value; may end for no reason."""
        whole = int(seconds)
        _futex(self._address + at, _FUTEX_WAIT, expected, _Timespec(whole, int((seconds - whole) * 1e9)))

    # Roles.

    def role(self, at: int) -> int:
        return self._longs[at >> 3]

    def has_ended(self, role: int) -> bool:
        """Whether the process that a role's word names is known to have ended."""
        if role == 0 or role & 0x80000000 or self.home != _namespace():
            return False
        start = _started(role & 0x7FFFFFFF)
        return start is None or (start != 0 and role >> 32 not in (0, start & _MASK))

    def _own_role(self) -> int:
        elsewhere = 0 if self.home == _namespace() else 0x80000000
        return ((_started(os.getpid()) or 0) & _MASK) << 32 | elsewhere | (os.getpid() & 0x7FFFFFFF)

    def take_role(self, at: int, title: str) -> None:
        found, own = self.role(at), self._own_role()
        if found != 0 and not self.has_ended(found):
            raise RoleTaken(f'process {found & 0x7FFFFFFF} is the {title}')
        self._longs[at >> 3] = own
        _fence()
        if self.role(at) != own:
            raise RoleTaken(f'another process has become the {title}')

    def give_role(self, at: int) -> None:
        if self.role(at) == self._own_role():
            self._longs[at >> 3] = 0

    def close(self) -> None:
        for view in (self._longs, self._words, self.bytes):
            view.release()
        try:
            self._map.close()
        except BufferError:
            pass  # a block of a pool is still looked at: the mapping goes with it


class _Wait:
    """How long to wait still."""

    def __init__(self, timeout: Optional[float]) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout

    def slice(self, most: float) -> float:
        """How long to sleep now.

        :raises TimedOut: when the time is over.
        """
        if self._end is None:
            return most
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimedOut('nothing came in time')
        return min(left, most)


class _Patience:
    """How often to read again what the writer overwrites."""

    def __init__(self) -> None:
        self._end = time.monotonic() + _PATIENCE
        self._attempts = 0

    def ask(self) -> None:
        self._attempts += 1
        if self._attempts >= 8 and time.monotonic() > self._end:
            raise TimedOut('the writer overwrites faster than can be read')


class _Side:
    """What one holds of a channel: closed once, by `with` or by close()."""

    def __init__(self, path: Union[str, os.PathLike], kind: int, offset: int, writable: bool) -> None:
        self._memory = _Memory(path, kind, offset, writable)
        self._closed = False

    def _leave(self) -> None:
        """Gives back what is to be given back."""

    def close(self) -> None:
        """Gives the role back and lets the memory go. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._leave()
        self._memory.close()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refuse(self, rule: str) -> ChannelDamaged:
        self._memory.close()
        self._closed = True
        return ChannelDamaged(rule)


# ---------------------------------------------------------------------------------------------- rings ----

_CONSUMER, _TAIL, _PRODUCER_ENDED, _HEAD, _CONSUMER_ENDED = 128, 256, 260, 384, 388
_CONSUMER_SLEEPS, _PRODUCER_SLEEPS, _PRODUCERS, _MOST_PRODUCERS = 512, 640, 896, 64
_PAD = 0xFFFFFFFF


class _Ring(_Side):
    def __init__(self, path: Union[str, os.PathLike], offset: int) -> None:
        super().__init__(path, 1, offset, True)
        memory = self._memory
        self._capacity = memory.parameters[0]
        self._many = memory.flags & 1 != 0
        power = 1024 <= self._capacity <= 2**30 and self._capacity & (self._capacity - 1) == 0
        if not power or memory.data < _PRODUCERS + 8 * _MOST_PRODUCERS or memory.size - memory.data < self._capacity:
            raise self._refuse(f'a capacity of {self._capacity} bytes')
        self._tail = self._head = 0

    @property
    def longest(self) -> int:
        """The longest message, in bytes."""
        return self._capacity // 2 - 8

    def _check(self, tail: int, head: int, held: int) -> None:
        if (tail | head) & 7 != 0 or (tail - head) & _MASK > held:
            raise ChannelDamaged(f'its positions are {tail} and {head} of {self._capacity}')

    def _say(self, sleeps: int) -> float:
        """Says that this side sleeps next, before it looks once more. For how long at most: what the other side has stored before it
        saw that may be seen late, so the first sleep behind it is short.
        """
        said = self._memory.load(sleeps) == 1
        self._memory.store(sleeps, 1)
        _fence()
        return _LOOK if said else _SEEN

    def _tell(self, sleeps: int) -> None:
        """Wakes the other side whether it sleeps or not: to look first needs a barrier, which is no cheaper."""
        self._memory.store(sleeps, 0)
        self._memory.wake(sleeps)


class RingProducer(_Ring):
    """The producer of a ring that has one.

    :raises RoleTaken: a living process is its producer.
    :raises NotImplementedError: a ring of several producers.
    """

    def __init__(self, path: Union[str, os.PathLike], offset: int = 0) -> None:
        super().__init__(path, offset)
        memory = self._memory
        try:
            if self._many:
                raise NotImplementedError('a ring of several producers needs a compare-and-swap, which Python has not')
            memory.take_role(_PRODUCERS, 'producer')
        except (ChannelError, NotImplementedError):
            self._closed = True
            memory.close()
            raise
        self._tail, self._head = memory.load(_TAIL), memory.load(_HEAD)
        try:
            self._check(self._tail, self._head, self._capacity)
        except ChannelDamaged:
            self.close()
            raise
        memory.store(_PRODUCER_ENDED, 0)
        self._tell(_CONSUMER_SLEEPS)

    def try_send(self, message: Bytes) -> bool:
        """Sends a message if there is room for it now; whether it was sent.

        :raises TooBig: longer than :attr:`longest`.
        """
        memory, capacity, length = self._memory, self._capacity, len(message)
        if length > self.longest:
            raise TooBig(f'a message has at most {self.longest} bytes, not {length}')
        record = (length + 15) & ~7
        at = self._tail & (capacity - 1)
        pad = capacity - at if capacity - at < record else 0
        if capacity - ((self._tail - self._head) & _MASK) < pad + record:
            head = memory.load(_HEAD)
            self._check(self._tail, head, (self._tail - self._head) & _MASK)
            self._head = head
            if capacity - ((self._tail - head) & _MASK) < pad + record:
                return False
        _order()
        if pad:
            memory.store(memory.data + at, _PAD)
            at = 0
        memory.store(memory.data + at, length)
        memory.put(memory.data + at + 8, message)
        self._tail = (self._tail + pad + record) & _MASK
        memory.store(_TAIL, self._tail)
        self._tell(_CONSUMER_SLEEPS)
        return True

    def send(self, message: Bytes, timeout: Optional[float] = None) -> None:
        """Sends a message, and waits for room.

        :raises TimedOut: there was no room in time.
        :raises PeerDied: the consumer has ended or closed, and there is no room.
        :raises TooBig: longer than :attr:`longest`.
        """
        memory, wait = self._memory, _Wait(timeout)
        while not self.try_send(message):
            most = self._say(_PRODUCER_SLEEPS)
            gone = memory.has_ended(memory.role(_CONSUMER)) or memory.load(_CONSUMER_ENDED) != 0
            if self.try_send(message):
                return
            if gone:
                raise PeerDied('the consumer has ended, and the ring is full')
            memory.sleep(_PRODUCER_SLEEPS, 1, wait.slice(most))

    def _leave(self) -> None:
        self._memory.store(_PRODUCER_ENDED, 1)
        self._memory.give_role(_PRODUCERS)
        self._tell(_CONSUMER_SLEEPS)


class RingConsumer(_Ring):
    """The consumer of a ring, of one producer or several.

    :raises RoleTaken: a living process is its consumer.
    """

    def __init__(self, path: Union[str, os.PathLike], offset: int = 0) -> None:
        super().__init__(path, offset)
        memory = self._memory
        try:
            memory.take_role(_CONSUMER, 'consumer')
        except ChannelError:
            self._closed = True
            memory.close()
            raise
        self._head = self._tail = memory.load(_HEAD)
        memory.store(_CONSUMER_ENDED, 0)
        self._tell(_PRODUCER_SLEEPS)

    def try_receive(self) -> Optional[bytes]:
        """The next message, a copy; None if there is none."""
        memory, capacity, head = self._memory, self._capacity, self._head
        if self._tail == head:
            tail = memory.load(_TAIL)
            self._check(tail, head, capacity)
            self._tail = tail
            if tail == head:
                return None
        _order()
        at = head & (capacity - 1)
        length = memory.load(memory.data + at)
        if length == _PAD:
            head = (head + capacity - at) & _MASK
            # Behind a pad, which never stands at the data's beginning, is its record.
            if at == 0 or head == self._tail or (self._tail - head) & _MASK > capacity:
                raise ChannelDamaged('a pad where none can be')
            at = 0
            length = memory.load(memory.data)
        record = (length + 15) & ~7
        if length > self.longest or record > (self._tail - head) & _MASK or record > capacity - at:
            raise ChannelDamaged(f'a message of {length} bytes')
        message = memory.copy(memory.data + at + 8, length)
        self._head = (head + record) & _MASK
        memory.store(_HEAD, self._head)
        self._tell(_PRODUCER_SLEEPS)
        return message

    def receive(self, timeout: Optional[float] = None) -> Optional[bytes]:
        """The next message, a copy; waits for it. None: the producer has closed, and all was taken.

        :raises TimedOut: nothing came in time.
        :raises PeerDied: the producer's process has ended without closing, and all was taken.
        """
        memory, wait = self._memory, _Wait(timeout)
        while True:
            message = self.try_receive()
            if message is not None:
                return message
            most = self._say(_CONSUMER_SLEEPS)
            # In this order: what was sent before the end is had first.
            roles = [memory.role(_PRODUCERS + 8 * slot) for slot in range(_MOST_PRODUCERS if self._many else 1)]
            held = [role for role in roles if role != 0]
            lives = any(not memory.has_ended(role) for role in held)
            ended = memory.load(_PRODUCER_ENDED)
            _order()
            message = self.try_receive()
            if message is not None:
                return message
            if ended != 0 and not (self._many and lives):
                if ended == 1:
                    return None
                raise BrokenOff('the producer broke off')
            if held and not lives:
                raise PeerDied('the producer has ended without closing')
            memory.sleep(_CONSUMER_SLEEPS, 1, wait.slice(most))

    def __iter__(self) -> Iterator[bytes]:
        while True:
            message = self.receive()
            if message is None:
                return
            yield message

    def _leave(self) -> None:
        self._memory.store(_CONSUMER_ENDED, 1)
        self._memory.give_role(_CONSUMER)
        self._tell(_PRODUCER_SLEEPS)


# ------------------------------------------------------------------------ latest values and broadcasts ----

_WRITER, _SIGNAL, _NEWEST, _ENDED, _STATES = 128, 136, 140, 144, 192


class _Writer(_Side):
    def _take(self) -> None:
        try:
            self._memory.take_role(_WRITER, 'writer')
        except ChannelError:
            self._closed = True
            self._memory.close()
            raise
        self._memory.store(_ENDED, 0)
        self._signal()

    def _signal(self) -> None:
        memory = self._memory
        memory.store(_SIGNAL, memory.load(_SIGNAL) + 1)
        if memory.flags & 1 == 0:
            memory.wake(_SIGNAL)

    def _leave(self) -> None:
        self._memory.store(_ENDED, 1)
        self._signal()
        self._memory.give_role(_WRITER)


def _await(
    memory: _Memory,
    signal: int,
    role: int,
    ended: int,
    attempt: Callable[[], Optional[Result]],
    timeout: Optional[float],
) -> Optional[Result]:
    """Waits until an attempt gives something; None when the other side has closed. The signal is read before the attempt, and
    slept at only while it has that value."""
    wait = _Wait(timeout)
    quiet = signal == _SIGNAL and memory.flags & 1 != 0
    while True:
        seen = memory.load(signal)
        _order()
        died = memory.has_ended(memory.role(role))
        over = memory.load(ended) != 0
        _order()
        found = attempt()
        if found is not None:
            return found
        if over:
            return None
        if died:
            raise PeerDied('the process at the other side has ended without closing')
        memory.sleep(signal, seen, wait.slice(_POLL if quiet else _LOOK))


def _latest_shape(side: _Side) -> tuple[int, int, int]:
    memory = side._memory
    capacity, slots, stride, _ = memory.parameters
    power = 2 <= slots <= 64 and slots & (slots - 1) == 0
    room = stride % 64 == 0 and stride >= capacity and slots * stride <= memory.size - memory.data
    if not (power and room and 1 <= capacity <= 2**30 and memory.data >= _STATES + 64 * slots):
        raise side._refuse(f'{slots} values of {capacity} bytes')
    return capacity, slots, stride


class LatestWriter(_Writer):
    """The writer of a latest value.

    :raises RoleTaken: a living process writes it.
    """

    def __init__(self, path: Union[str, os.PathLike], offset: int = 0) -> None:
        super().__init__(path, 2, offset, True)
        self.capacity, self._slots, self._stride = _latest_shape(self)
        self._take()
        newest = self._memory.load(_NEWEST)
        slot = _STATES + 64 * (newest % self._slots)
        #: The number of the newest value: values are numbered from 1 on.
        self.version = newest | self._memory.load(slot + 4) << 32

    def write(self, value: Bytes) -> int:
        """Makes a value the newest; its number.

        :raises TooBig: longer than :attr:`capacity`.
        """
        if len(value) > self.capacity:
            raise TooBig(f'a value has at most {self.capacity} bytes, not {len(value)}')
        memory, number = self._memory, self.version + 1
        slot = _STATES + 64 * (number % self._slots)
        memory.store(slot, number)
        memory.store(slot + 4, number >> 32)
        memory.store(slot + 8, len(value))
        memory.put(memory.data + number % self._slots * self._stride, value)
        self.version = number
        memory.store(_NEWEST, number)
        self._signal()
        return number


class LatestReader(_Side):
    """A reader of a latest value. It writes nothing; to read the memory is enough."""

    def __init__(self, path: Union[str, os.PathLike], offset: int = 0) -> None:
        super().__init__(path, 2, offset, False)
        self.capacity, self._slots, self._stride = _latest_shape(self)
        #: The number of the value that was read last.
        self.version = 0

    def try_read(self) -> Optional[bytes]:
        """The newest value, a copy; None if there is none yet."""
        memory, patience = self._memory, _Patience()
        while True:
            number = memory.load(_NEWEST)
            _order()
            slot = _STATES + 64 * (number % self._slots)
            high, length = memory.load(slot + 4), memory.load(slot + 8)
            value = memory.copy(memory.data + number % self._slots * self._stride, min(length, self.capacity))
            _order()
            if memory.load(slot) == number:
                if number == 0 and high == 0:
                    return None
                if length > self.capacity or high >= 2**21:
                    raise ChannelDamaged(f'value {number} says {length} bytes')
                self.version = high << 32 | number
                return value
            _order()
            if memory.load(_NEWEST) == number:
                raise ChannelDamaged('the newest value does not stand where it should')
            patience.ask()

    def changed(self, timeout: Optional[float] = None) -> bool:
        """Waits until there is a value that was not read yet. False: the writer has closed, and nothing new comes.

        :raises TimedOut: nothing came in time.
        :raises PeerDied: the writer's process has ended without closing; its last value is still there.
        """

        def attempt() -> Optional[bool]:
            return True if self._memory.load(_NEWEST) != self.version & _MASK else None

        return _await(self._memory, _SIGNAL, _WRITER, _ENDED, attempt, timeout) is True

    def __iter__(self) -> Iterator[bytes]:
        """Each value that is new when it is asked for the next one."""
        while self.changed():
            value = self.try_read()
            if value is not None:
                yield value


class _Log:
    """The six numbers of a broadcast's state."""

    __slots__ = ('tail', 'tail_number', 'tail_bytes', 'head', 'head_number', 'head_bytes')

    def __init__(self, numbers: tuple[int, ...] = (0, 0, 0, 0, 0, 0)) -> None:
        self.tail, self.tail_number, self.tail_bytes, self.head, self.head_number, self.head_bytes = numbers

    def all(self) -> tuple[int, ...]:
        return (self.tail, self.tail_number, self.tail_bytes, self.head, self.head_number, self.head_bytes)

    def follows(self, before: _Log, capacity: int) -> bool:
        span = self.head - self.tail
        return (
            max(self.all()) < 2**53
            and (self.tail | self.head) & 7 == 0
            and 0 <= span <= capacity
            and 0 <= self.head_number - self.tail_number <= span // 8
            and 0 <= self.head_bytes - self.tail_bytes <= span
            and all(new >= old for new, old in zip(self.all(), before.all()))
        )


class _Broadcast(_Side):
    def __init__(self, path: Union[str, os.PathLike], offset: int, writable: bool) -> None:
        super().__init__(path, 3, offset, writable)
        memory = self._memory
        #: Bytes of the log.
        self.capacity = capacity = memory.parameters[0]
        power = 64 <= capacity <= 2**30 and capacity & (capacity - 1) == 0
        if not power or memory.data < _STATES + 256 or capacity > memory.size - memory.data:
            raise self._refuse(f'a log of {capacity} bytes')
        #: The longest message, in bytes.
        self.longest = capacity // 2 - 8
        self._log = _Log()
        self._newest: Optional[int] = None

    def _refresh(self) -> None:
        """Takes the newest state, whole."""
        memory, patience = self._memory, None
        while True:
            newest = memory.load(_NEWEST)
            if newest == self._newest:
                return
            _order()
            block = _STATES + 64 * (newest & 3)
            log = _Log(tuple(memory.load64(block + 8 + 8 * index) for index in range(6)))
            _order()
            if memory.load(block) == newest:
                if not log.follows(self._log, self.capacity):
                    raise ChannelDamaged(f'a state that cannot be: {log.all()}')
                self._log, self._newest = log, newest
                return
            _order()
            if memory.load(_NEWEST) == newest:
                raise ChannelDamaged('the newest state does not stand where it should')
            patience = patience or _Patience()
            patience.ask()


class BroadcastWriter(_Broadcast, _Writer):
    """The writer of a broadcast.

    :raises RoleTaken: a living process writes it.
    """

    def __init__(self, path: Union[str, os.PathLike], offset: int = 0) -> None:
        super().__init__(path, offset, True)
        self._take()
        try:
            self._refresh()
        except ChannelError:
            self.close()
            raise

    def write(self, message: Bytes) -> None:
        """Appends a message.

        :raises TooBig: longer than :attr:`longest`.
        """
        memory, capacity, log, length = self._memory, self.capacity, self._log, len(message)
        if length > self.longest:
            raise TooBig(f'a message has at most {self.longest} bytes, not {length}')
        record, at = (length + 15) & ~7, log.head % capacity
        gap = capacity - at if record > capacity - at else 0
        must = log.head + gap + record - capacity
        if log.tail < must:
            self._evict(must)
        if gap:
            memory.store(memory.data + at, _PAD)
            at = 0
        memory.store(memory.data + at, length)
        memory.store(memory.data + at + 4, log.head_number)
        memory.put(memory.data + at + 8, message)
        log.head += gap + record
        log.head_number += 1
        log.head_bytes += length
        self._publish()
        self._signal()

    def _evict(self, must: int) -> None:
        """Takes the oldest messages out of the log, and lets readers know before anything is overwritten."""
        memory, capacity, log = self._memory, self.capacity, self._log
        while log.tail < must:
            at = log.tail % capacity
            length, check = memory.load(memory.data + at), memory.load(memory.data + at + 4)
            step = capacity - at if length == _PAD else (length + 15) & ~7
            whole = length == _PAD or (length <= self.longest and check == log.tail_number & _MASK)
            if not whole or step > min(capacity - at, log.head - log.tail):
                raise ChannelDamaged(f'message {log.tail_number} says {length} bytes: somebody wrote over it')
            log.tail += step
            if length != _PAD:
                log.tail_number += 1
                log.tail_bytes += length
        self._publish()

    def _publish(self) -> None:
        memory, number = self._memory, ((self._newest or 0) + 1) & _MASK
        block = _STATES + 64 * (number & 3)
        memory.store(block, number)
        for index, value in enumerate(self._log.all()):
            memory.store64(block + 8 + 8 * index, value)
        self._newest = number
        memory.store(_NEWEST, number)


class BroadcastReader(_Broadcast):
    """A reader of a broadcast, at its own pace. It writes nothing; to read the memory is enough.

    :param from_now: from the next message that is written, not from the oldest that is still there.
    """

    def __init__(self, path: Union[str, os.PathLike], offset: int = 0, from_now: bool = False) -> None:
        super().__init__(path, offset, False)
        self._refresh()
        log = self._log
        self._position = log.head if from_now else log.tail
        self._number = log.head_number if from_now else log.tail_number
        self._bytes = log.head_bytes if from_now else log.tail_bytes
        #: What the writer has overwritten before it was read.
        self.lost_messages = 0
        self.lost_bytes = 0

    def try_read(self) -> Optional[bytes]:
        """The next message, a copy; None if there is none yet."""
        memory, capacity, patience = self._memory, self.capacity, _Patience()
        self._refresh()
        while True:
            log = self._log
            if self._position < log.tail:
                self._catch_up()
            if self._position >= log.head:
                return None
            at = self._position % capacity
            length, check = memory.load(memory.data + at), memory.load(memory.data + at + 4)
            record = (length + 15) & ~7
            most = min(capacity - at, log.head - self._position)
            whole = length <= self.longest and check == self._number & _MASK and record <= most
            message = memory.copy(memory.data + at + 8, length) if whole else b''
            _order()
            self._refresh()
            if self._position < self._log.tail:
                patience.ask()
            elif length == _PAD and capacity - at <= most:
                self._position += capacity - at
            elif not whole:
                raise ChannelDamaged(f'message {self._number} says {length} bytes')
            else:
                self._position += record
                self._number += 1
                self._bytes += length
                return message

    def _catch_up(self) -> None:
        log = self._log
        if log.tail_number < self._number or log.tail_bytes < self._bytes:
            raise ChannelDamaged('its state goes back')
        self.lost_messages += log.tail_number - self._number
        self.lost_bytes += log.tail_bytes - self._bytes
        self._position, self._number, self._bytes = log.tail, log.tail_number, log.tail_bytes

    def read(self, timeout: Optional[float] = None) -> Optional[bytes]:
        """The next message; waits for it. None: the writer has closed, and all was read.

        :raises TimedOut: nothing came in time.
        :raises PeerDied: the writer's process has ended without closing, and all was read.
        """
        return _await(self._memory, _SIGNAL, _WRITER, _ENDED, self.try_read, timeout)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            message = self.read()
            if message is None:
                return
            yield message


# ---------------------------------------------------------------------------------------------- pools ----

_POOL_PRODUCER, _EPOCH, _POOL_ENDED, _DOORBELL, _FACTS = 128, 136, 140, 256, 384
# In a row.
_ACCEPTED, _START, _PUSHED, _REVOKED, _MISSED = 4, 8, 12, 16, 20
_ROW_CONSUMER, _READY, _TAKING, _RINGS, _POLICY, _DEPTH, _QUEUE = 128, 136, 140, 144, 148, 152, 256
_POLICIES = ('wait', 'skip', 'drop')


def _up(value: int) -> int:
    return (value + 127) & ~127


class _Pool(_Side):
    def __init__(self, path: Union[str, os.PathLike], offset: int) -> None:
        super().__init__(path, 4, offset, True)
        memory = self._memory
        #: Bytes in a block; how many blocks there are; how many consumers there can be.
        self.block_size, self.blocks, self.consumers, self._queue = memory.parameters
        power = self.blocks <= self._queue <= 4096 and self._queue & (self._queue - 1) == 0
        if not (power and 1 <= self.blocks <= 4096 and 1 <= self.consumers <= 64 and self.block_size and self.block_size % 64 == 0):
            raise self._refuse(f'{self.blocks} blocks of {self.block_size} bytes')
        self._given = _QUEUE + 16 * self._queue
        self._returned = _up(self._given + 4 * self.blocks)
        self._row_size = _up(self._returned + 4 * self.blocks)
        self._rows = _up(_FACTS + 16 * self.blocks)
        blocks_fit = self.blocks * self.block_size <= memory.size - memory.data
        if not blocks_fit or self._rows + self.consumers * self._row_size > memory.data:
            raise self._refuse(f'rows for {self.consumers} consumers before {memory.data}')

    def _block(self, block: int, length: int) -> memoryview:
        at = self._memory.data + block * self.block_size
        return self._memory.bytes[at : at + length]


class Frame:
    """A block with a frame in it, in place, until :meth:`release`."""

    def __init__(self, view: memoryview, number: int, give_back: Callable[[], None]) -> None:
        #: The frame's bytes; not to be used after :meth:`release`.
        self.bytes = view
        #: Frames are numbered from 1 on.
        self.number = number
        self._give_back: Optional[Callable[[], None]] = give_back

    def release(self) -> None:
        """Gives the block back. Safe to call twice."""
        if self._give_back is None:
            return
        give_back, self._give_back = self._give_back, None
        self.bytes.release()
        give_back()

    def __enter__(self) -> Frame:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class PoolConsumer(_Pool):
    """A consumer of a pool, in the row of that number, which no other process may take at the same moment.

    :param when_slow: what happens when it has `depth` frames and the next one comes: `'wait'`: it gets that one too, and the producer
        waits when it has no block left; `'skip'`: that one passes it by; `'drop'`: it loses the oldest one that it has not taken.
    :raises RoleTaken: a living process has the row.
    """

    def __init__(
        self, path: Union[str, os.PathLike], row: int, offset: int = 0, when_slow: str = 'wait', depth: int = 2
    ) -> None:
        policy = _POLICIES.index(when_slow)
        super().__init__(path, offset)
        memory = self._memory
        if not 0 <= row < self.consumers:
            memory.close()
            raise ValueError(f'row is 0 to {self.consumers - 1}, not {row}')
        self.row = row
        self._at = at = self._rows + row * self._row_size
        try:
            memory.take_role(at + _ROW_CONSUMER, f'consumer in row {row}')
        except ChannelError:
            self._closed = True
            memory.close()
            raise
        memory.store(at + _POLICY, policy)
        memory.store(at + _DEPTH, min(max(depth, 1), self.blocks))
        # The next odd number: even where the last consumer has left well.
        self._ready = ((memory.load(at + _READY) + 1) & _MASK) | 1
        memory.store(at + _READY, self._ready)
        self._accepted = False
        self._next = 0
        self._ring()

    def _ring(self) -> None:
        memory, rings = self._memory, (self._memory.load(self._at + _RINGS) + 1) & _MASK
        memory.store(self._at + _RINGS, rings)
        memory.store(_DOORBELL, self.row << 24 | rings & 0xFFFFFF)
        memory.wake(_DOORBELL)

    def try_next(self) -> Optional[Frame]:
        """The next frame; None if there is none yet.

        :raises Expelled: the producer serves this consumer no more.
        """
        memory, at, patience = self._memory, self._at, _Patience()
        if memory.load(at + _ACCEPTED) != self._ready:
            if self._accepted:
                raise Expelled('the producer has taken all blocks back')
            return None
        _order()
        if not self._accepted:
            self._next = memory.load(at + _START)
        self._accepted = True
        while True:
            revoked = memory.load(at + _REVOKED)
            if _before(self._next, revoked):
                self._next = revoked
            entry = self._next
            there = (memory.load(at + _PUSHED) - entry) & _MASK
            if there == 0:
                return None
            _order()
            place = at + _QUEUE + 16 * (entry & (self._queue - 1))
            block, given = memory.load(place + 4), memory.load(place + 8)
            _order()
            if there > self._queue or memory.load(place) != entry:
                patience.ask()
                continue
            if block >= self.blocks:
                raise ChannelDamaged(f'there is no block {block}')
            self._next = (entry + 1) & _MASK
            memory.store(at + _TAKING, self._next)
            # The producer says what it takes back before it looks what is taken: one of the two sees the other.
            _fence()
            if _before(entry, memory.load(at + _REVOKED)):
                self._give_back(block, given)
                continue
            facts = _FACTS + 16 * block
            length, number = memory.load(facts), memory.load64(facts + 8)
            if length > self.block_size or number >= 2**53:
                self._give_back(block, given)
                raise ChannelDamaged(f'block {block} says {length} bytes')
            return Frame(self._block(block, length).toreadonly(), number, lambda: self._give_back(block, given))

    def _give_back(self, block: int, given: int) -> None:
        if self._closed:
            return
        self._memory.store(self._at + self._returned + 4 * block, given)
        self._ring()

    def next(self, timeout: Optional[float] = None) -> Optional[Frame]:
        """The next frame; waits for it. None: the producer has closed, and all was taken.

        :raises TimedOut: nothing came in time.
        :raises PeerDied: the producer's process has ended without closing, and all was taken.
        :raises Expelled: the producer serves this consumer no more.
        """
        return _await(self._memory, self._at, _POOL_PRODUCER, _POOL_ENDED, self.try_next, timeout)

    def __iter__(self) -> Iterator[Frame]:
        """The frames, each given back when the loop asks for the next one."""
        while True:
            frame = self.next()
            if frame is None:
                return
            with frame:
                yield frame

    def _leave(self) -> None:
        self._memory.store(self._at + _READY, self._ready + 1)
        self._memory.give_role(self._at + _ROW_CONSUMER)
        self._ring()


class _Row:
    """A consumer's row as its producer keeps it: what it wrote itself it need not read again."""

    def __init__(self, at: int, blocks: int, queue: int) -> None:
        self.at = at
        self.accepted = self.refused = 0
        self.pushed = self.revoked = self.missed = 0
        self.policy, self.depth = 0, 1
        self.given = [0] * blocks  # by block: its last number
        self.out: dict[int, int] = {}  # by block: that number, while the consumer has it
        self.entries: list[Optional[tuple[int, int]]] = [None] * queue  # block and number


class Block:
    """A free block that is being filled."""

    def __init__(self, index: int, view: memoryview) -> None:
        self.index = index
        #: The memory itself, of any content; not to be used after publish or discard.
        self.bytes = view


class PoolProducer(_Pool):
    """The producer of a pool.

    :raises RoleTaken: a living process is its producer.
    """

    def __init__(self, path: Union[str, os.PathLike], offset: int = 0) -> None:
        super().__init__(path, offset)
        memory = self._memory
        try:
            memory.take_role(_POOL_PRODUCER, 'producer')
        except ChannelError:
            self._closed = True
            memory.close()
            raise
        memory.store(_EPOCH, memory.load(_EPOCH) + 1)
        memory.store(_POOL_ENDED, 0)
        numbers = [memory.load64(_FACTS + 16 * block + 8) for block in range(self.blocks)]
        #: The number of the last frame: frames are numbered from 1 on, those of earlier producers too.
        self.number = max((number for number in numbers if number < 2**53), default=0)
        self._users = [0] * self.blocks
        self._table = [_Row(self._rows + row * self._row_size, self.blocks, self._queue) for row in range(self.consumers)]
        for row in self._table:
            self._recover(row)
        self._sweep(False)

    def _recover(self, row: _Row) -> None:
        """Goes on with what another producer has handed to a row's consumer."""
        memory, at = self._memory, row.at
        row.accepted, row.pushed = memory.load(at + _ACCEPTED), memory.load(at + _PUSHED)
        row.revoked, row.missed = memory.load(at + _REVOKED), memory.load(at + _MISSED)
        row.policy, row.depth = memory.load(at + _POLICY), max(memory.load(at + _DEPTH), 1)
        for block in range(self.blocks):
            given = row.given[block] = memory.load(at + self._given + 4 * block)
            if given != 0 and given & 1 == 0 and given != memory.load(at + self._returned + 4 * block):
                row.out[block] = given
                self._users[block] += 1
        _fence()
        taking = memory.load(at + _TAKING)
        for back in range(self._queue):
            entry = (row.pushed - back) & _MASK
            place = at + _QUEUE + 16 * (entry & (self._queue - 1))
            block, given = memory.load(place + 4), memory.load(place + 8)
            if memory.load(place) != entry or given == 0 or row.out.get(block) != given:
                continue
            row.entries[entry & (self._queue - 1)] = (block, given)
            # Its handing over was cut off, or its taking back.
            if back == 0 or (_before(entry, row.revoked) and not _before(entry, taking)):
                self._take_back(row, block)
        ready, role = memory.load(at + _READY), memory.role(at + _ROW_CONSUMER)
        served = row.accepted != 0 and row.accepted == ready and ready & 1 and role != 0
        if not served or memory.has_ended(role):
            self._clear(row)

    def _clear(self, row: _Row) -> None:
        row.accepted = 0
        self._memory.store(row.at + _ACCEPTED, 0)
        for block in list(row.out):
            self._take_back(row, block)

    def _take_back(self, row: _Row, block: int) -> None:
        row.given[block] = (row.given[block] + 1) & _MASK
        self._memory.store(row.at + self._given + 4 * block, row.given[block])
        self._forget(row, block)

    def _forget(self, row: _Row, block: int) -> None:
        del row.out[block]
        self._users[block] -= 1

    def _sweep(self, asks: bool) -> None:
        """Looks who came and who went, and which blocks came back.

        :param asks: whether consumers' processes still live, too.
        """
        memory = self._memory
        for row in self._table:
            ready, role = memory.load(row.at + _READY), memory.role(row.at + _ROW_CONSUMER)
            if row.accepted != 0 and (row.accepted != ready or (asks and memory.has_ended(role))):
                row.refused = row.accepted
                self._clear(row)
            for block, given in list(row.out.items()):
                if memory.load(row.at + self._returned + 4 * block) == given:
                    self._forget(row, block)
            wants = row.accepted == 0 and ready & 1 and ready != row.refused
            if wants and role != 0 and not memory.has_ended(role):
                self._accept(row, ready)
        _order()

    def _accept(self, row: _Row, ready: int) -> None:
        memory, at = self._memory, row.at
        row.policy, row.depth = memory.load(at + _POLICY), max(memory.load(at + _DEPTH), 1)
        row.missed, row.revoked, row.accepted = 0, row.pushed, ready
        for word, value in ((_MISSED, 0), (_REVOKED, row.pushed), (_START, row.pushed), (_ACCEPTED, ready)):
            memory.store(at + word, value)
        self._tell(row)

    def _tell(self, row: _Row) -> None:
        self._memory.store(row.at, self._memory.load(row.at) + 1)
        self._memory.wake(row.at)

    def _revoke(self, row: _Row) -> bool:
        """Takes back the oldest frame that the consumer has not taken; False: there is none."""
        memory, taking = self._memory, self._memory.load(row.at + _TAKING)
        entry = taking if _before(row.revoked, taking) else row.revoked
        if not _before(entry, row.pushed):
            return False
        row.revoked = (entry + 1) & _MASK
        memory.store(row.at + _REVOKED, row.revoked)
        _fence()
        if _before(entry, memory.load(row.at + _TAKING)):
            return False
        block, given = row.entries[entry & (self._queue - 1)] or (-1, 0)
        if row.out.get(block) != given:
            return False
        self._take_back(row, block)
        return True

    def _acquire(self, asks: bool) -> Optional[Block]:
        self._sweep(asks)
        if 0 not in self._users:
            any(row.accepted and row.policy == 2 and self._revoke(row) for row in self._table)
        if 0 not in self._users:
            return None
        index = self._users.index(0)
        self._users[index] = 1
        return Block(index, self._block(index, self.block_size))

    def try_acquire(self) -> Optional[Block]:
        """A free block; None if there is none."""
        return self._acquire(False)

    def acquire(self, timeout: Optional[float] = None) -> Block:
        """A free block; waits until a consumer gives one back, or ends.

        :raises TimedOut: there was none in time.
        """
        return self._wait(lambda: self._acquire(True), timeout)

    def attached(self, count: int = 1, timeout: Optional[float] = None) -> None:
        """Waits until so many consumers are attached."""

        def attempt() -> Optional[bool]:
            self._sweep(True)
            return True if sum(row.accepted != 0 for row in self._table) >= count else None

        self._wait(attempt, timeout)

    def _wait(self, attempt: Callable[[], Optional[Result]], timeout: Optional[float]) -> Result:
        wait = _Wait(timeout)
        while True:
            rung = self._memory.load(_DOORBELL)
            _order()
            found = attempt()
            if found is not None:
                return found
            self._memory.sleep(_DOORBELL, rung, wait.slice(_LOOK))

    def publish(self, taken: Block, length: Optional[int] = None) -> int:
        """Hands a block over to all consumers as the next frame: to how many. If to none, it is free again.

        :param length: bytes of the frame, from the block's start; default all.
        """
        length = self.block_size if length is None else length
        if not 0 <= length <= self.block_size:
            raise TooBig(f'a frame has at most {self.block_size} bytes, not {length}')
        memory, block, count = self._memory, taken.index, 0
        taken.bytes.release()
        self._sweep(False)
        self.number += 1
        memory.store(_FACTS + 16 * block, length)
        memory.store64(_FACTS + 16 * block + 8, self.number)
        for row in self._table:
            if row.accepted != 0 and self._hand_over(row, block):
                count += 1
        self._users[block] -= 1
        return count

    def _hand_over(self, row: _Row, block: int) -> bool:
        memory, at = self._memory, row.at
        if row.policy != 0 and len(row.out) >= row.depth:
            if row.policy == 2:
                self._revoke(row)
            if len(row.out) >= row.depth:
                row.missed = (row.missed + 1) & _MASK
                memory.store(at + _MISSED, row.missed)
                return False
        entry = row.pushed
        given = ((row.given[block] | 1) + 1) & _MASK or 2
        place = at + _QUEUE + 16 * (entry & (self._queue - 1))
        memory.store(place, ~entry)
        for word, value in ((4, block), (8, given), (12, row.missed), (0, entry)):
            memory.store(place + word, value)
        row.given[block] = row.out[block] = given
        row.entries[entry & (self._queue - 1)] = (block, given)
        self._users[block] += 1
        memory.store(at + self._given + 4 * block, given)
        row.pushed = (entry + 1) & _MASK
        memory.store(at + _PUSHED, row.pushed)
        self._tell(row)
        return True

    def discard(self, taken: Block) -> None:
        """Gives a block back unused."""
        taken.bytes.release()
        self._users[taken.index] -= 1

    def _leave(self) -> None:
        self._memory.store(_POOL_ENDED, 1)
        for row in self._table:
            if row.accepted != 0:
                self._tell(row)
        self._memory.give_role(_POOL_PRODUCER)
