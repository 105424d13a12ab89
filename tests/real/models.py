"""A server of language models of our own: llama.cpp's, with a model that is only as large as it must be."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.real.parts import Process, require_library, require_module

NAME: Final = "tiny"
_ALIGNED: Final = 32
_EMBEDDING, _HEADS, _FORWARD, _CONTEXT = 32, 2, 32, 256
_U32, _F32, _TEXT, _LIST, _I32 = 4, 6, 8, 9, 5  # types of values in GGUF
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6  # kinds of tokens
_SERVE: Final = """
import sys, time, xllamacpp
wanted = xllamacpp.CommonParams()
wanted.model.path, wanted.model_alias, wanted.api_keys = sys.argv[1], [sys.argv[2]], [sys.argv[3]]
wanted.n_ctx, wanted.n_parallel, wanted.warmup, wanted.cpuparams.n_threads = 256, 1, False, 1
server = xllamacpp.Server(wanted)
print("models at", server.listening_address, flush=True)
time.sleep(3_600)
"""


@contextmanager
def running_models(folder: Path, key: str) -> Iterator[tuple[str, Process]]:
    """Its address, and the process."""
    require_library("libgomp.so.1", "libgomp1")
    require_module("xllamacpp", "xllamacpp")
    model = folder / "tiny.gguf"
    model.write_bytes(_gguf())
    with Process([sys.executable, "-c", _SERVE, str(model), NAME, key], folder / "models.log") as process:
        found = process.wait_for_line(r"models at (http://127\.0\.0\.1:\d+)")
        yield found[1], process


def _gguf() -> bytes:
    """One layer of zeros: it says nothing of sense, and says it fast."""
    tokens = [
        b"<unk>",
        b"<s>",
        b"</s>",
        *(b"<0x%02X>" % byte for byte in range(256)),
        "\N{LOWER ONE EIGHTH BLOCK}".encode(),
    ]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * 256, _NORMAL]
    about = {
        "general.architecture": _text(b"llama"),
        "llama.context_length": _number(_CONTEXT),
        "llama.embedding_length": _number(_EMBEDDING),
        "llama.block_count": _number(1),
        "llama.feed_forward_length": _number(_FORWARD),
        "llama.attention.head_count": _number(_HEADS),
        "llama.attention.layer_norm_rms_epsilon": struct.pack("<If", _F32, 1e-5),
        "llama.rope.dimension_count": _number(_EMBEDDING // _HEADS),
        "tokenizer.ggml.model": _text(b"llama"),
        "tokenizer.ggml.tokens": _list(_TEXT, [_string(token) for token in tokens]),
        "tokenizer.ggml.scores": _list(_F32, [struct.pack("<f", 0.0)] * len(tokens)),
        "tokenizer.ggml.token_type": _list(_I32, [struct.pack("<i", kind) for kind in kinds]),
        "tokenizer.ggml.bos_token_id": _number(1),
        "tokenizer.ggml.eos_token_id": _number(2),
    }
    square, wide = (_EMBEDDING, _EMBEDDING), (_EMBEDDING, _FORWARD)
    tensors = {
        "token_embd": (_EMBEDDING, len(tokens)),
        "output": (_EMBEDDING, len(tokens)),
        "output_norm": (_EMBEDDING,),
    }
    tensors |= {f"blk.0.{name}": square for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    tensors |= {"blk.0.ffn_gate": wide, "blk.0.ffn_up": wide, "blk.0.ffn_down": (_FORWARD, _EMBEDDING)}
    tensors |= {"blk.0.attn_norm": (_EMBEDDING,), "blk.0.ffn_norm": (_EMBEDDING,)}
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(about))
    head += b"".join(_string(name.encode()) + value for name, value in about.items())
    offset = 0
    for name, sizes in tensors.items():
        shape = struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes)
        head += _string(f"{name}.weight".encode()) + shape + struct.pack("<IQ", 0, offset)
        length = 4
        for size in sizes:
            length *= size
        offset += -(-length // _ALIGNED) * _ALIGNED
    return head + bytes(-len(head) % _ALIGNED + offset)


def _string(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def _text(text: bytes) -> bytes:
    return struct.pack("<I", _TEXT) + _string(text)


def _number(value: int) -> bytes:
    return struct.pack("<II", _U32, value)


def _list(kind: int, values: list[bytes]) -> bytes:
    return struct.pack("<IIQ", _LIST, kind, len(values)) + b"".join(values)
