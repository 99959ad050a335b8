"""A firmware with SEV metadata, and the launch digest computed once more, from its description.

Nothing here uses sev-snp-measure or our own code: AMD 56860, 8.17.2 (PAGE_INFO); AMD APM volume 2,
table B-4 (VMSA); edk2, OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm and X64/OvmfSevMetadata.asm;
QEMU, target/i386/sev.c (table of hashes).
"""

import hashlib
import struct
import uuid
from collections.abc import Iterable, Sequence

PAGE = 4096
FOUR_GIB = 1 << 32
RESET_EIP = 0x80B004
HASHES_AT = 0x810C00
MEMORY, SECRETS, CPUID, CAA, HASHES = 1, 2, 3, 4, 0x10
# The sections of edk2's build AmdSev (stable202405): address, size, type
AMD_SEV = (
    (0x800000, 0x9000, MEMORY),
    (0x80A000, 0x3000, MEMORY),
    (0x80D000, 0x1000, SECRETS),
    (0x80E000, 0x1000, CPUID),
    (0x80F000, 0x1000, CAA),
    (0x810000, 0x1000, HASHES),
    (0x811000, 0xF000, MEMORY),
)
# ... and of its ordinary build, which does not measure the kernel
PLAIN = (*AMD_SEV[:5], (0x810000, 0x10000, MEMORY))
_FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d"
_HASH_TABLE = "7255371f-3a3b-4b04-927b-1da6efa8d454"
_RESET = "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
_METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc"


def _guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le


def firmware(
    sections: Sequence[tuple[int, int, int]] = AMD_SEV,
    *,
    pages: int = 2,
    reset_eip: int = RESET_EIP,
    items: int | None = None,
    signature: bytes = b"ASEV",
) -> bytes:
    """A firmware that holds nothing but what says how it is measured."""
    described = b"".join(struct.pack("<III", *one) for one in sections)
    count = len(sections) if items is None else items
    head = struct.pack("<4sIII", signature, 16 + len(described), 1, count)
    end = len(head + described) + 200  # the metadata's distance from the end
    entries = b"".join(
        data + struct.pack("<H", len(data) + 18) + _guid(name)
        for name, data in (
            (_METADATA, struct.pack("<I", end)),
            (_HASH_TABLE, struct.pack("<II", HASHES_AT, 0x400)),
            (_RESET, struct.pack("<I", reset_eip)),
        )
    )
    footer = entries + struct.pack("<H", len(entries) + 18) + _guid(_FOOTER) + bytes(32)
    tail = head + described + bytes(200 - len(footer)) + footer
    noise = hashlib.shake_256(b"code").digest(pages * PAGE - len(tail))
    return noise + tail


def _sha384(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()


def _step(digest: bytes, kind: int, address: int, contents: bytes = bytes(48)) -> bytes:
    info = digest + contents + struct.pack("<HB5xQ", 0x70, kind, address)
    assert len(info) == 0x70
    return _sha384(info)


def hash_table(kernel: bytes, initrd: bytes, append: str) -> bytes:
    """The table that the guest's firmware compares kernel, initrd and command line with."""
    parts = (
        ("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", append.encode() + b"\0"),
        ("44baf731-3a2f-4bd7-9af1-41e29169781d", initrd),
        ("4de79437-abd2-427f-b835-d5b172d2045b", kernel),
    )
    entries = b"".join(
        _guid(name) + struct.pack("<H", 50) + hashlib.sha256(data).digest() for name, data in parts
    )
    table = _guid("9438d606-4f22-4cc9-b479-a793d411fd21") + struct.pack("<H", 168) + entries
    return table + bytes(-len(table) % 16)


def _vmsa(eip: int, signature: int, features: int) -> bytes:
    """A vCPU's first state: 16 bytes a segment, and registers by their offsets."""
    page = bytearray(PAGE)
    flags = {0: 0x93, 1: 0x9B, 2: 0x93, 3: 0x93, 4: 0x93, 5: 0x93, 7: 0x82, 9: 0x8B}
    for number in range(10):
        selector, base = (0xF000, eip & 0xFFFF0000) if number == 1 else (0, 0)
        attributes = flags.get(number, 0)
        struct.pack_into("<HHIQ", page, number * 16, selector, attributes, 0xFFFF, base)
    registers = {
        0xD0: 0x1000,  # EFER: SVME
        0x148: 0x40,  # CR4: MCE
        0x158: 0x10,  # CR0: ET
        0x160: 0x400,  # DR7
        0x168: 0xFFFF0FF0,  # DR6
        0x170: 0x2,  # RFLAGS
        0x178: eip & 0xFFFF,  # RIP
        0x268: 0x7040600070406,  # PAT
        0x310: signature,  # RDX
        0x3B0: features,
        0x3E8: 0x1,  # XCR0
    }
    for offset, value in registers.items():
        struct.pack_into("<Q", page, offset, value)
    struct.pack_into("<I", page, 0x408, 0x1F80)  # MXCSR
    struct.pack_into("<H", page, 0x410, 0x37F)  # x87 control word
    return bytes(page)


def firmware_digest(data: bytes) -> bytes:
    """The digest after the firmware's own pages, which end at 4 GiB."""
    digest = bytes(48)
    for start in range(0, len(data), PAGE):
        address = FOUR_GIB - len(data) + start
        digest = _step(digest, 1, address, _sha384(data[start : start + PAGE]))
    return digest


def launch_digest(
    digest: bytes,
    table: bytes | None,
    *,
    sections: Iterable[tuple[int, int, int]] = AMD_SEV,
    vcpus: int = 1,
    signature: int = 0x800F12,
    features: int = 1,
) -> bytes:
    """From the firmware's digest on: its sections in their order, then the vCPUs."""
    kinds = {SECRETS: 5, CPUID: 6}
    for address, size, kind in sections:
        if kind == HASHES and table is not None:
            page = bytes(HASHES_AT % PAGE) + table
            digest = _step(digest, 1, address, _sha384(page.ljust(PAGE, b"\0")))
            continue
        for place in range(address, address + size, PAGE):
            digest = _step(digest, kinds.get(kind, 3), place)
    for number in range(vcpus):
        eip = 0xFFFFFFF0 if number == 0 else RESET_EIP
        page = _vmsa(eip, signature, features)
        digest = _step(digest, 2, 0xFFFFFFFFF000, _sha384(page))
    return digest
