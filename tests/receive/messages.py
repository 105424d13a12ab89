"""Our two messages as protobuf's own library reads them."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.text_format import Parse

_FILE = """
name: "botwatch.proto" package: "botwatch" syntax: "proto3"
message_type { name: "JsonLines" field { name: "line" number: 1 type: TYPE_STRING label: LABEL_REPEATED } }
message_type {
  name: "Payload"
  field { name: "source" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "document" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "invalid" number: 3 type: TYPE_BOOL label: LABEL_OPTIONAL }
  field { name: "sender" number: 4 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "session" number: 5 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "bot" number: 6 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "version" number: 7 type: TYPE_STRING label: LABEL_OPTIONAL }
}
message_type {
  name: "Payloads"
  field { name: "payload" number: 1 type: TYPE_MESSAGE type_name: ".botwatch.Payload" label: LABEL_REPEATED }
}
"""
_pool = DescriptorPool()
_pool.AddSerializedFile(Parse(_FILE, FileDescriptorProto()).SerializeToString())
JsonLines: Any = GetMessageClass(_pool.FindMessageTypeByName("botwatch.JsonLines"))
Payloads: Any = GetMessageClass(_pool.FindMessageTypeByName("botwatch.Payloads"))
