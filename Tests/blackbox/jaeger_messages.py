# SPDX-License-Identifier: Apache-2.0
"""Messages and calls of Jaeger's query interface over gRPC, made from their field numbers."""

from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, message_factory
from google.protobuf import timestamp_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_KINDS = {
    name: getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in ("string", "bytes", "bool", "int32", "int64", "uint32", "uint64", "fixed64", "double")
}
_WELL_KNOWN = {"Timestamp": ".google.protobuf.Timestamp", "Duration": ".google.protobuf.Duration"}

# Each field: number, type and name; a star for a list, {} for a map of texts.
_PACKAGES = {
    "jaeger.expression.v1": {
        "AttributeReference": "1 string key, 2 string level",
        "FieldReference": "1 string name, 2 string level",
        "NestedReference": "1 string level",
        "Scalar": "1 string value, 2 string type",
        "List": "1 string* values, 2 string type",
        "Call": "1 string op, 2 Expression* args",
        "Expression": "1 AttributeReference attr, 2 FieldReference field, "
                      "3 NestedReference nested, 4 Scalar scalar, 5 List list, 6 Call call",
    },
    "jaeger.api_v3": {
        "GetTraceRequest": "1 string trace_id, 2 Timestamp start_time, 3 Timestamp end_time, "
                           "4 bool raw_traces",
        "TraceQueryParameters": "1 string service_name, 2 string operation_name, "
                                "3 {} attributes, 4 Timestamp start_time_min, "
                                "5 Timestamp start_time_max, 6 Duration duration_min, "
                                "7 Duration duration_max, 8 int32 search_depth, 9 bool raw_traces, "
                                "10 .jaeger.expression.v1.Call filter",
        "FindTracesRequest": "1 TraceQueryParameters query",
        "FindTraceSummariesRequest": "1 TraceQueryParameters query",
        "GetServicesRequest": "",
        "GetServicesResponse": "1 string* services",
        "GetOperationsRequest": "1 string service, 2 string span_kind",
        "Operation": "1 string name, 2 string span_kind",
        "GetOperationsResponse": "1 Operation* operations",
        "GetDependenciesRequest": "1 Timestamp start_time, 2 Timestamp end_time",
        "Dependency": "1 string parent, 2 string child, 3 uint64 call_count",
        "DependenciesResponse": "1 Dependency* dependencies",
        "ServiceSummary": "1 string name, 2 int32 span_count, 3 int32 error_span_count",
        "TraceSummary": "1 string trace_id, 2 string root_service_name, "
                        "3 string root_operation_name, 4 fixed64 min_start_time_unix_nano, "
                        "5 fixed64 max_end_time_unix_nano, 6 int32 span_count, "
                        "7 int32 error_span_count, 8 int32 orphan_span_count, "
                        "9 ServiceSummary* services",
        "FindTraceSummariesResponse": "1 TraceSummary* summaries",
    },
    "jaeger.api_v2": {
        "GetTraceRequest": "1 bytes trace_id, 2 Timestamp start_time, 3 Timestamp end_time, "
                           "4 bool raw_traces",
        "ArchiveTraceRequest": "1 bytes trace_id",
        "ArchiveTraceResponse": "",
        "TraceQueryParameters": "1 string service_name, 2 string operation_name, 3 {} tags, "
                                "4 Timestamp start_time_min, 5 Timestamp start_time_max, "
                                "6 Duration duration_min, 7 Duration duration_max, "
                                "8 int32 search_depth, 9 bool raw_traces",
        "FindTracesRequest": "1 TraceQueryParameters query",
        "KeyValue": "1 string key, 2 int32 v_type, 3 string v_str, 4 bool v_bool, "
                    "5 int64 v_int64, 6 double v_float64, 7 bytes v_binary",
        "Log": "1 Timestamp timestamp, 2 KeyValue* fields",
        "SpanRef": "1 bytes trace_id, 2 bytes span_id, 3 int32 ref_type",
        "Process": "1 string service_name, 2 KeyValue* tags",
        "Span": "1 bytes trace_id, 2 bytes span_id, 3 string operation_name, "
                "4 SpanRef* references, 5 uint32 flags, 6 Timestamp start_time, "
                "7 Duration duration, 8 KeyValue* tags, 9 Log* logs, 10 Process process, "
                "11 string process_id, 12 string* warnings",
        "SpansResponseChunk": "1 Span* spans",
        "GetServicesRequest": "",
        "GetServicesResponse": "1 string* services",
        "GetOperationsRequest": "1 string service, 2 string span_kind",
        "Operation": "1 string name, 2 string span_kind",
        "GetOperationsResponse": "1 string* operationNames, 2 Operation* operations",
        "GetDependenciesRequest": "1 Timestamp start_time, 2 Timestamp end_time",
        "DependencyLink": "1 string parent, 2 string child, 3 uint64 call_count, 4 string source",
        "GetDependenciesResponse": "1 DependencyLink* dependencies",
    },
    "jaeger.api_v2.metrics": {
        "MetricsQueryBaseRequest": "1 string* service_names, 2 bool groupByOperation, "
                                   "3 Timestamp end_time, 4 Duration lookback, 5 Duration step, "
                                   "6 Duration ratePer, 7 int32* spanKinds",
        "GetLatenciesRequest": "1 MetricsQueryBaseRequest baseRequest, 2 double quantile",
        "GetCallRatesRequest": "1 MetricsQueryBaseRequest baseRequest",
        "GetErrorRatesRequest": "1 MetricsQueryBaseRequest baseRequest",
        "GetMinStepDurationRequest": "",
        "GetMinStepDurationResponse": "1 Duration minStep",
        "Label": "1 string name, 2 string value",
        "GaugeValue": "1 double double_value",
        "MetricPoint": "2 GaugeValue gauge_value, 8 Timestamp timestamp",
        "Metric": "1 Label* labels, 2 MetricPoint* metric_points",
        "MetricFamily": "1 string name, 2 int32 type, 3 string unit, 4 string help, "
                        "5 Metric* metrics",
        "GetMetricsResponse": "1 MetricFamily metrics",
    },
}


def _file(package, messages):
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3",
        dependency=["google/protobuf/timestamp.proto", "google/protobuf/duration.proto"])
    if package == "jaeger.api_v3":
        file.dependency.append("jaeger.expression.v1.proto")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for text in filter(None, fields.split(", ")):
            _add_field(package, message, *text.split(" "))
    return file


def _add_field(package, message, number, kind, name):
    field = message.field.add(name=name, number=int(number))
    is_list = kind.endswith("*")
    kind = kind.removesuffix("*")
    if kind == "{}":
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        for place, part in enumerate(("key", "value"), 1):
            entry.field.add(name=part, number=place, type=_KINDS["string"], label=1)
        is_list, kind = True, f".{package}.{message.name}.{entry.name}"
    field.label = 3 if is_list else 1
    if kind in _KINDS:
        field.type = _KINDS[kind]
        return
    field.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    field.type_name = _WELL_KNOWN.get(kind, kind if kind[0] == "." else f".{package}.{kind}")


def _classes():
    pool = descriptor_pool.DescriptorPool()
    for known in (timestamp_pb2, duration_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    for package, messages in _PACKAGES.items():
        pool.AddSerializedFile(_file(package, messages).SerializeToString())
    return {
        f"{package}.{name}": message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{package}.{name}"))
        for package, messages in _PACKAGES.items() for name in messages
    }


_MESSAGES = _classes()


def message(name, **fields):
    """A message by its name with the package, such as `jaeger.api_v3.GetTraceRequest`."""
    return _MESSAGES[name](**fields)


def moment(nanoseconds):
    """A Timestamp of these descriptors, as a dict of its fields."""
    return {"seconds": nanoseconds // 10**9, "nanos": nanoseconds % 10**9}


class Client:
    """Calls over a channel. Streams are read whole."""

    def __init__(self, channel):
        self.channel = channel

    def call(self, method, request, answer, timeout=30):
        """All messages of the answer, and the trailers. `answer` is a name or a class."""
        kind = _MESSAGES[answer] if isinstance(answer, str) else answer
        stream = self.channel.unary_stream(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=kind.FromString)(request, timeout=timeout)
        return list(stream), dict(stream.trailing_metadata())

    def v2(self, method, request, answer, **fields):
        """The messages of a call of api_v2."""
        return self.call(
            f"/jaeger.api_v2.QueryService/{method}", message(f"jaeger.api_v2.{request}", **fields),
            f"jaeger.api_v2.{answer}")[0]

    def metrics(self, method, answer="GetMetricsResponse", **fields):
        """The one message of a call about metrics."""
        [found] = self.call(
            f"/jaeger.api_v2.metrics.MetricsQueryService/{method}",
            message(f"jaeger.api_v2.metrics.{method}Request", **fields),
            f"jaeger.api_v2.metrics.{answer}")[0]
        return found

    def v3(self, method, request, answer, **fields):
        """The messages of a call of api_v3; `TracesData` is OTLP's."""
        kind = trace_pb2.TracesData if answer == "TracesData" else f"jaeger.api_v3.{answer}"
        return self.call(
            f"/jaeger.api_v3.QueryService/{method}",
            message(f"jaeger.api_v3.{request}", **fields), kind)[0]
