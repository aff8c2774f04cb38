"""pprof's message as its profile.proto declares it, for protobuf to read."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD: Final = descriptor_pb2.FieldDescriptorProto
_TYPES: Final = {
    "int64": _FIELD.TYPE_INT64,
    "uint64": _FIELD.TYPE_UINT64,
    "bool": _FIELD.TYPE_BOOL,
    "string": _FIELD.TYPE_STRING,
}

MESSAGES: Final[Mapping[str, str]] = {
    "Profile": "*ValueType sample_type 1, *Sample sample 2, *Mapping mapping 3, *Location location 4, "
    "*Function function 5, *string string_table 6, int64 drop_frames 7, int64 keep_frames 8, "
    "int64 time_nanos 9, int64 duration_nanos 10, ValueType period_type 11, int64 period 12, "
    "*int64 comment 13, int64 default_sample_type 14",
    "ValueType": "int64 type 1, int64 unit 2",
    "Sample": "*uint64 location_id 1, *int64 value 2, *Label label 3",
    "Label": "int64 key 1, int64 str 2, int64 num 3, int64 num_unit 4",
    "Mapping": "uint64 id 1, uint64 memory_start 2, uint64 memory_limit 3, uint64 file_offset 4, "
    "int64 filename 5, int64 build_id 6, bool has_functions 7, bool has_filenames 8, "
    "bool has_line_numbers 9, bool has_inline_frames 10",
    "Location": "uint64 id 1, uint64 mapping_id 2, uint64 address 3, *Line line 4, bool is_folded 5",
    "Line": "uint64 function_id 1, int64 line 2",
    "Function": "uint64 id 1, int64 name 2, int64 system_name 3, int64 filename 4, int64 start_line 5",
}
"""Fields as `type name number`; a star: repeated. Source: proto/profile.proto of google/pprof."""


def parse_profile(data: bytes) -> Any:
    """Decode a profile; raises protobuf's `DecodeError`."""
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(
        name="profile.proto", package="perftools.profiles", syntax="proto3"
    )
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for kind, field, number in (each.split() for each in fields.split(", ")):
            repeated = kind.startswith("*")
            declared = message.field.add(
                name=field,
                number=int(number),
                label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL,
            )
            if kind.lstrip("*") in _TYPES:
                declared.type = _TYPES[kind.lstrip("*")]
            else:
                declared.type = _FIELD.TYPE_MESSAGE
                declared.type_name = f".perftools.profiles.{kind.lstrip('*')}"
    pool.Add(file)
    profile = message_factory.GetMessageClass(
        pool.FindMessageTypeByName("perftools.profiles.Profile")
    )()
    profile.ParseFromString(data)
    return profile
