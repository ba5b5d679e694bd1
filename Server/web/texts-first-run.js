// SPDX-License-Identifier: Apache-2.0
// The words of the first run.
import { add } from './texts.js';

export default add({
  en: {
    'first.title': 'Ready for your first trace',
    'first.lead':
      'Skein is listening. Send it a span in any of these ways, and it appears here by itself.',
    'first.waiting': 'Waiting for the first span',
    'first.arrived': ['{n} span arrived', '{n} spans arrived'],
    'first.curl': 'One trace, right now',
    'first.curl.text': 'OTLP over HTTP is plain JSON. Paste this into a terminal.',
    'first.env': 'Any OpenTelemetry SDK',
    'first.env.text': 'Set these for a program that is already instrumented, and start it.',
    'first.swift': 'A Swift service',
    'first.swift.text': 'Bootstrap once; swift-distributed-tracing does the rest.',
    'first.ports': 'OTLP/HTTP {http} · OTLP/gRPC {grpc} · Zipkin {zipkin}',
  },
  zh: {
    'first.title': '等待您的第一条追踪',
    'first.lead': 'Skein 正在运行并监听。用以下任一方式发送一个 span，第一条追踪会自动出现在这里。',
    'first.waiting': '等待第一个 span',
    'first.arrived': '已收到 {n} 个 span',
    'first.curl': '马上发一条追踪',
    'first.curl.text': 'OTLP/HTTP 就是普通的 JSON。粘贴到终端即可。',
    'first.env': '任意 OpenTelemetry SDK',
    'first.env.text': '为已接入的程序设置这些变量并启动。',
    'first.swift': 'Swift 服务',
    'first.swift.text': '启动时配置一次，其余交给 swift-distributed-tracing。',
    'first.ports': 'OTLP/HTTP {http} · OTLP/gRPC {grpc} · Zipkin {zipkin}',
  },
});
