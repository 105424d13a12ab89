"""Our own two protobuf messages, for what does not come as OTLP:

    message JsonLines { repeated string line = 1; }
    message Payloads  { repeated Payload payload = 1; }
    message Payload   { string source = 1; string document = 2; }

They are declared here as `bytes`, which is the same on the wire and spares checking UTF-8 again.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "botwatch"


def _field(message: DescriptorProto, name: str, number: int, *, repeated: bool = False, of: str = "") -> None:
    field = message.field.add(name=name, number=number)
    field.label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    if of:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, of
    else:
        field.type = FieldDescriptorProto.TYPE_BYTES


def _pool() -> DescriptorPool:
    file = FileDescriptorProto(name="botwatch.proto", package=_PACKAGE, syntax="proto3")
    _field(file.message_type.add(name="JsonLines"), "line", 1, repeated=True)
    payload = file.message_type.add(name="Payload")
    _field(payload, "source", 1)
    _field(payload, "document", 2)
    _field(file.message_type.add(name="Payloads"), "payload", 1, repeated=True, of=f".{_PACKAGE}.Payload")
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _pool()
JsonLines = GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.JsonLines"))
Payloads = GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.Payloads"))


def json_lines(lines: Sequence[bytes]) -> bytes:
    return JsonLines(line=lines).SerializeToString()


def payloads(source: str, documents: Sequence[bytes]) -> bytes:
    name = source.encode()
    return Payloads(payload=[{"source": name, "document": document} for document in documents]).SerializeToString()
