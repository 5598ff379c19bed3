"""Does a picture's file reach its own end? Decoders take one whose last bytes are missing for a whole one."""

import struct


def ends_properly(body: bytes) -> bool:
    """Tell whether a PNG, JPEG or WebP holds its end marker; whatever follows it does not matter."""
    if body.startswith(b"\x89PNG"):
        return _png(body)
    if body.startswith(b"\xff\xd8"):
        return _jpeg(body)
    return body.startswith(b"RIFF") and len(body) >= 12 and 8 + struct.unpack("<I", body[4:8])[0] <= len(body) + 1


def _png(body: bytes) -> bool:
    place = 8
    while place + 12 <= len(body):
        length = int.from_bytes(body[place : place + 4], "big")
        if body[place + 4 : place + 8] == b"IEND":
            return True
        place += 12 + length
    return False


def _jpeg(body: bytes) -> bool:
    place = 2
    while place + 2 <= len(body):
        if body[place] != 0xFF:
            place = body.find(b"\xff", place)  # the coded picture: it may hold FF only before 00 or a restart mark
            if place < 0:
                return False
            continue
        mark = body[place + 1]
        if mark == 0xD9:
            return True
        if mark == 0xFF:
            place += 1
        elif mark in (0x00, 0x01) or 0xD0 <= mark <= 0xD8:
            place += 2
        else:
            place += 2 + int.from_bytes(body[place + 2 : place + 4], "big")
    return False
