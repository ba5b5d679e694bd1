// SPDX-License-Identifier: Apache-2.0
// Shown while the store is empty: three ways to a first trace, and a counter that waits for it.
import { copyButton, h, mark } from './dom.js';
import { onPulse } from './status.js';
import { t } from './texts.js';

/** @param {number} digits */
function randomHex(digits) {
  const bytes = crypto.getRandomValues(new Uint8Array(digits / 2));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {string} host */
function snippets(host) {
  const endpoint = `http://${host}:4318`;
  // The SDK sends to this machine unless told otherwise.
  const bootstrap = host === '127.0.0.1' || host === 'localhost'
    ? `let tracing = SkeinTracing.bootstrap(
    SkeinConfiguration(serviceName: "my-service"))`
    : `var configuration = SkeinConfiguration(serviceName: "my-service")
configuration.exporter = OTLPEndpoint(
    baseURL: "${endpoint}")
let tracing = SkeinTracing.bootstrap(configuration)`;
  return {
    curl: `curl ${endpoint}/v1/traces \\
  -H 'Content-Type: application/json' -d '
{"resourceSpans": [{
  "resource": {"attributes": [
    {"key": "service.name", "value": {"stringValue": "hello"}}]},
  "scopeSpans": [{"spans": [{
    "traceId": "${randomHex(32)}",
    "spanId": "${randomHex(16)}",
    "name": "my first trace",
    "kind": 2,
    "startTimeUnixNano": "'$(date +%s)'000000000",
    "endTimeUnixNano": "'$(date +%s)'042000000",
    "attributes": [
      {"key": "order.id", "value": {"stringValue": "17"}}]
  }]}]
}]}'`,
    env: `export OTEL_SERVICE_NAME=my-service
export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`,
    swift: `import Skein
import Tracing

${bootstrap}

withSpan("POST /orders") { span in
    span.attributes["order.id"] = "17"
}
await tracing.shutdown()`,
  };
}

/** @param {AbortSignal} signal @returns {{ element: HTMLElement }} */
export function firstRun(signal) {
  const code = snippets(
    location.hostname.includes(':') ? `[${location.hostname}]` : location.hostname,
  );
  const card = (/** @type {'curl' | 'env' | 'swift'} */ name) =>
    h(
      `section.card.snippet.${name}`,
      null,
      h(
        'header',
        null,
        h('h2', null, t(`first.${name}`)),
        copyButton(() => code[name], t('app.copy'), t('app.copy')),
      ),
      h('p', null, t(`first.${name}.text`)),
      h('pre', { tabindex: '0' }, h('code', null, code[name])),
    );
  const number = h('b', null, '0');
  const words = h('span', null, t('first.waiting'));
  onPulse((pulse) => {
    const n = pulse?.received ?? 0;
    number.textContent = String(n);
    words.textContent = n ? t('first.arrived', { n }) : t('first.waiting');
  }, signal);
  return {
    element: h(
      'div.first-run',
      null,
      h(
        'div.hero',
        null,
        mark('spinning'),
        h('h1', null, t('first.title')),
        h('p.lead', null, t('first.lead')),
        h('div.waiting', { role: 'status' }, h('i.dot'), number, words),
      ),
      h('div.snippets', null, card('curl'), card('env'), card('swift')),
      h('p.ports', null, t('first.ports')),
    ),
  };
}
