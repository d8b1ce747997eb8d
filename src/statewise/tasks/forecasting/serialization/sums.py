"""The checksum of a file that `save` writes: a comment at the end of its zip."""

import hashlib

_MARK = b"statewise sha256 "
_DIGEST = 64  # letters


def summed(data: bytes) -> bytes:
    """Return a zip with its checksum as the comment; the comment's length is a zip's last field.

    Args:
        data: of a zip without a comment.
    """
    mark = _MARK + hashlib.sha256(data[:-2]).hexdigest().encode()
    return data[:-2] + len(mark).to_bytes(2, "little") + mark


def checked_sum(data: bytes) -> bool:
    """Return whether there is a checksum, and refuse data that have another one.

    Raises:
        ValueError: where it's another one.

    >>> checked_sum(summed(b"a zip without a comment" + bytes(2))), checked_sum(b"another file")
    (True, False)
    """
    begin = len(data) - _DIGEST - len(_MARK)
    if data[begin : begin + len(_MARK)] != _MARK:
        return False
    if summed(data[: begin - 2] + bytes(2)) != data:
        raise ValueError("its checksum is another one")
    return True
