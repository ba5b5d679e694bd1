# SPDX-License-Identifier: Apache-2.0
"""A Flask service and its caller, traced by stock OpenTelemetry packages: nothing of ours in it.

Which exporter it takes is said by OTEL_EXPORTER_OTLP_PROTOCOL, where it sends to by the other
standard variables. usage: stock_application.py ORDER
"""

import os
import sys
import threading

import flask
import requests
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from werkzeug.serving import make_server


def exporter():
    protocol = os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"]
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        return OTLPSpanExporter(insecure=True)
    if protocol == "http/json":
        from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
        return OTLPSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter()


def main():
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter()))
    trace.set_tracer_provider(provider)
    RequestsInstrumentor().instrument()

    application = flask.Flask("stock")
    FlaskInstrumentor().instrument_app(application)

    @application.get("/stock/<item>")
    def stock(item):
        raise LookupError(f"{item} is out of stock")

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with trace.get_tracer("shop", "1.0").start_as_current_span("checkout") as span:
        span.set_attribute("order.id", sys.argv[1])
        answer = requests.get(f"http://127.0.0.1:{server.server_port}/stock/kite", timeout=30)
        assert answer.status_code == 500
    server.shutdown()
    thread.join()
    provider.shutdown()


if __name__ == "__main__":
    main()
