# SPDX-License-Identifier: Apache-2.0
"""Messages and calls of Tempo's streaming queries, made from their field numbers."""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_KINDS = {
    name: getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in ("string", "bool", "uint32", "int64", "uint64", "double")
}

# Each field: number, type and name; a star for a list, {} for a map of texts to the type after it.
_MESSAGES = {
    "AnyValue": "1 string string_value, 2 bool bool_value, 3 int64 int_value, "
                "4 double double_value",
    "KeyValue": "1 string key, 2 AnyValue value",
    "SearchRequest": "1 {}string Tags, 2 uint32 MinDurationMs, 3 uint32 MaxDurationMs, "
                     "4 uint32 Limit, 5 uint32 start, 6 uint32 end, 8 string Query, "
                     "9 uint32 SpansPerSpanSet",
    "Span": "1 string spanID, 2 string name, 3 uint64 startTimeUnixNano, 4 uint64 durationNanos, "
            "5 KeyValue* attributes",
    "SpanSet": "1 Span* spans, 2 uint32 matched, 3 KeyValue* attributes",
    "ServiceStats": "1 uint32 spanCount, 2 uint32 errorCount",
    "TraceSearchMetadata": "1 string traceID, 2 string rootServiceName, 3 string rootTraceName, "
                           "4 uint64 startTimeUnixNano, 5 uint32 durationMs, 6 SpanSet spanSet, "
                           "7 SpanSet* spanSets, 8 {}ServiceStats serviceStats",
    "SearchMetrics": "1 uint32 inspectedTraces, 2 uint64 inspectedBytes, 3 uint32 totalBlocks, "
                     "4 uint32 completedJobs, 5 uint32 totalJobs, 7 uint64 inspectedSpans",
    "SearchResponse": "1 TraceSearchMetadata* traces, 2 SearchMetrics metrics",
    "SearchTagsRequest": "1 string scope, 2 string query, 3 uint32 start, 4 uint32 end, "
                         "5 uint32 maxTagsPerScope",
    "MetadataMetrics": "1 uint64 inspectedBytes, 2 uint32 totalJobs, 3 uint32 completedJobs, "
                       "4 uint32 totalBlocks",
    "SearchTagsResponse": "1 string* tagNames, 2 MetadataMetrics metrics",
    "SearchTagsV2Scope": "1 string name, 2 string* tags",
    "SearchTagsV2Response": "1 SearchTagsV2Scope* scopes, 2 MetadataMetrics metrics",
    "SearchTagValuesRequest": "1 string tagName, 2 string query, 4 uint32 start, 5 uint32 end, "
                              "6 uint32 maxTagValues",
    "SearchTagValuesResponse": "1 string* tagValues, 2 MetadataMetrics metrics",
    "TagValue": "1 string type, 2 string value",
    "SearchTagValuesV2Response": "1 TagValue* tagValues, 2 MetadataMetrics metrics",
    "QueryRangeRequest": "1 string query, 2 uint64 start, 3 uint64 end, 4 uint64 step, "
                         "16 uint32 exemplars, 17 uint32 maxSeries",
    "Sample": "1 double value, 2 int64 timestamp_ms",
    "Exemplar": "1 KeyValue* labels, 2 double value, 3 int64 timestamp_ms",
    "TimeSeries": "1 KeyValue* labels, 2 Sample* samples, 3 string prom_labels, "
                  "4 Exemplar* exemplars",
    "QueryRangeResponse": "1 TimeSeries* series, 2 SearchMetrics metrics, 3 uint32 status, "
                          "4 string message",
    "QueryInstantRequest": "1 string query, 2 uint64 start, 3 uint64 end",
    "InstantSeries": "1 KeyValue* labels, 2 double value, 3 string prom_labels",
    "QueryInstantResponse": "1 InstantSeries* series, 2 SearchMetrics metrics, 3 uint32 status, "
                            "4 string message",
}


def _classes():
    file = descriptor_pb2.FileDescriptorProto(
        name="tempo.proto", package="tempopb", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for text in fields.split(", "):
            number, kind, field_name = text.split(" ")
            field = message.field.add(name=field_name, number=int(number))
            field.label = 3 if kind.endswith("*") or kind.startswith("{}") else 1
            if kind.startswith("{}"):
                entry = message.nested_type.add(
                    name=field_name[0].upper() + field_name[1:] + "Entry")
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, type=_KINDS["string"], label=1)
                _set_kind(entry.field.add(name="value", number=2, label=1), kind[2:])
                kind = f"{name}.{entry.name}"
            _set_kind(field, kind.removesuffix("*"))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tempopb.{name}"))
            for name in _MESSAGES}


def _set_kind(field, kind):
    if kind in _KINDS:
        field.type = _KINDS[kind]
    else:
        field.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".tempopb.{kind}"


CLASSES = _classes()


class Client:
    """Calls of `tempopb.StreamingQuerier`; streams are read whole."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def __call__(self, method, request, answer, **fields):
        """The messages of the answer; `request` and `answer` are names of messages."""
        stream = self.channel.unary_stream(
            f"/tempopb.StreamingQuerier/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=CLASSES[answer].FromString)
        return list(stream(CLASSES[request](**fields), timeout=30))
