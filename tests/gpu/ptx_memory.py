"""Memory of the emulated device, with everything that a wrong kernel could do to it noticed.

Takes: addresses of many threads at once. Gives: bytes. PtxError for an address outside of every
buffer, one that is not a multiple of the access size, a read of bytes that nobody wrote, and two
threads at one byte, one of them writing, with no barrier between. Must not know: instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .ptx_text import PtxError

Array = np.ndarray[Any, np.dtype[Any]]

NOBODY, MANY = -1, -2


class Region:
    """A buffer: its bytes, which of them were written, who touched them last and when.

    `base` is the address of the first byte. An access is by a thread (number in the launch), in a
    block, at an epoch: the number of barriers the block has passed.
    """

    def __init__(self, name: str, base: int, nbytes: int, data: Array | None = None) -> None:
        self.name, self.base = name, base
        self.bytes = np.zeros(nbytes, np.uint8) if data is None else data.view(np.uint8).reshape(-1)
        self.known = np.full(nbytes, data is not None)
        self.forget()

    def forget(self) -> None:
        """A new launch: nothing of what came before can race."""
        shape = len(self.bytes)
        self.writer, self.write_block, self.write_epoch = (np.full(shape, NOBODY) for _ in "123")
        self.reader, self.read_block, self.read_epoch = (np.full(shape, NOBODY) for _ in "123")

    # -- access -----------------------------------------------------------------------------
    def places(self, addresses: Array, size: int) -> Array:
        """Byte positions, one row for each thread."""
        offset = addresses.astype(np.int64) - self.base
        wrong = (offset < 0) | (offset + size > len(self.bytes))
        if wrong.any():
            raise PtxError(
                f"{self.name} has {len(self.bytes)} bytes; access of {size} at {offset[wrong][0]}"
            )
        if (addresses % np.uint64(size)).any():
            raise PtxError(f"{self.name}: misaligned access of {size} bytes")
        return offset[:, None] + np.arange(size)

    def read(self, addresses: Array, size: int, thread: Array, block: int, epoch: int) -> Array:
        """`size` bytes for each thread."""
        at = self.places(addresses, size)
        if not self.known[at].all():
            raise PtxError(f"{self.name}: read of memory that nobody wrote")
        other = (self.writer[at] != NOBODY) & (self.writer[at] != thread[:, None])
        self._refuse(other & self._open(self.write_block[at], self.write_epoch[at], block, epoch))
        self._note_read(at, thread, block, epoch)
        return self.bytes[at]

    def write(self, addresses: Array, values: Array, thread: Array, block: int, epoch: int) -> None:
        """A row of bytes for each thread."""
        at = self.places(addresses, values.shape[1])
        if len(np.unique(at)) < at.size:
            raise PtxError(f"{self.name}: two threads write one place in one instruction")
        for who, blocks, epochs in (
            (self.writer, self.write_block, self.write_epoch),
            (self.reader, self.read_block, self.read_epoch),
        ):
            other = (who[at] != NOBODY) & (who[at] != thread[:, None])
            self._refuse(other & self._open(blocks[at], epochs[at], block, epoch))
        self.bytes[at] = values
        self.known[at] = True
        self.writer[at], self.write_block[at] = thread[:, None], block
        self.write_epoch[at] = epoch

    @staticmethod
    def _open(blocks: Array, epochs: Array, block: int, epoch: int) -> Array:
        """Whether no barrier lies between then and now: other blocks never wait for this one."""
        result: Array = (blocks != block) | (epochs == epoch)
        return result

    def _refuse(self, race: Array) -> None:
        if race.any():
            raise PtxError(f"{self.name}: two threads race on one place")

    def _note_read(self, at: Array, thread: Array, block: int, epoch: int) -> None:
        """Who read since the last barrier; MANY where that is not one thread or one block."""
        fresh = (self.read_block[at] == block) & (self.read_epoch[at] != epoch)
        unread = self.reader[at] == NOBODY
        same = self.reader[at] == thread[:, None]
        blocks = np.where(unread | (self.read_block[at] == block), block, MANY)
        readers = np.where(unread | fresh | same, thread[:, None], MANY)
        self.reader[at], self.read_block[at] = readers, blocks
        self.read_epoch[at] = epoch
        flat = at.reshape(-1)
        if len(np.unique(flat)) < flat.size:  # several threads at one byte in this very instruction
            values, counts = np.unique(flat, return_counts=True)
            self.reader[values[counts > 1]] = MANY


SPACING = 1 << 32
"""Addresses from one region to the next: nothing runs over from one into another unseen."""


class Memory:
    """Regions by address."""

    def __init__(self) -> None:
        self.regions: dict[int, Region] = {}

    def add(self, name: str, nbytes: int, data: Array | None = None, align: int = 256) -> Region:
        """A region whose address is a multiple of `align` and of no larger power of two."""
        number = len(self.regions) + 1
        region = Region(name, number * SPACING + align, nbytes, data)
        self.regions[number] = region
        return region

    def remove(self, region: Region) -> None:
        """Its addresses are never used again."""
        self.regions[region.base // SPACING].bytes = np.zeros(0, np.uint8)

    def region_of(self, addresses: Array) -> list[tuple[Region, Array]]:
        """The regions that addresses lie in, and which of the addresses."""
        numbers = addresses // np.uint64(SPACING)
        found = []
        for number in np.unique(numbers):
            region = self.regions.get(int(number))
            if region is None:
                raise PtxError(f"address {int(addresses[numbers == number][0]):#x} is in no buffer")
            found.append((region, numbers == number))
        return found
