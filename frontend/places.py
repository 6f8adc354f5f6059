"""Where tensors may be made: the `device=` of functions that make them.

Takes: a device or its name, or None. Gives: nothing, or an error that says what is missing.
Must not know: tensors.
"""

from __future__ import annotations

from typing import Any

from lazir.runtime.device import Device, parse_device, require


def check_device(device: Any) -> None:
    """Raise where tensors cannot be on a device; None means wherever they would be.

    >>> check_device("cpu")
    """
    if device is None:
        return
    place = parse_device(device)
    require(place)
    if place.kind != "cpu":
        raise RuntimeError(f"tensors cannot be moved to {place} yet")


def devices() -> list[Device]:
    """The devices on which tensors can be.

    >>> [str(d) for d in devices()]
    ['cpu']
    """
    return [parse_device("cpu")]


def device_count() -> int:
    """How many there are.

    >>> device_count()
    1
    """
    return len(devices())


def default_backend() -> str:
    """The kind of device on which tensors are made.

    >>> default_backend()
    'cpu'
    """
    return devices()[0].kind
