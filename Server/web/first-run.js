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

/** Where a server that was told nothing else listens. */
const defaultPorts = { 'otlp-http': 4318, 'otlp-grpc': 4317, zipkin: 9411 };

/** @param {string} host @param {number} port */
function snippets(host, port) {
  const endpoint = `http://${host}:${port}`;
  // The SDK sends to this machine unless told otherwise.
  const isDefault = (host === '127.0.0.1' || host === 'localhost') && port === 4318;
  const ids = { trace: randomHex(32), span: randomHex(16) };
  return {
    curl: t('first.curl.code', { endpoint, ...ids }),
    env: t('first.env.code', { endpoint }),
    swift: t('first.swift.code', {
      bootstrap: t(`first.swift.${isDefault ? 'default' : 'elsewhere'}`, { endpoint }),
    }),
  };
}

/** @param {AbortSignal} signal @returns {{ element: HTMLElement }} */
export function firstRun(signal) {
  const host = location.hostname.includes(':') ? `[${location.hostname}]` : location.hostname;
  const blocks = {
    curl: h('code', ''),
    env: h('code', ''),
    swift: h('code', ''),
  };
  const portLine = h('p.ports', '');
  let shown = '';
  /** @type {ReturnType<typeof snippets>} */
  let code;
  const show = (/** @type {Record<string, number>} */ ports) => {
    if (shown === JSON.stringify(ports)) return;
    shown = JSON.stringify(ports);
    code = snippets(host, ports['otlp-http']);
    blocks.curl.textContent = code.curl;
    blocks.env.textContent = code.env;
    blocks.swift.textContent = code.swift;
    portLine.textContent = t('first.ports', {
      http: String(ports['otlp-http']),
      grpc: String(ports['otlp-grpc']),
      zipkin: String(ports.zipkin),
    });
  };
  show(defaultPorts);
  const card = (/** @type {'curl' | 'env' | 'swift'} */ name) =>
    h(
      `section.card.snippet.${name}`,
      h(
        'header',
        h('h2', t(`first.${name}`)),
        copyButton(() => code[name], t('app.copy'), t('app.copy')),
      ),
      h('p', t(`first.${name}.text`)),
      h('pre', { tabindex: '0' }, blocks[name]),
    );
  const number = h('b', '0');
  const words = h('span', t('first.waiting'));
  onPulse((pulse) => {
    if (pulse) show(pulse.ports);
    const n = pulse?.received ?? 0;
    number.textContent = String(n);
    words.textContent = n ? t('first.arrived', { n }) : t('first.waiting');
  }, signal);
  return {
    element: h(
      'div.first-run',
      h(
        'div.hero',
        mark('spinning'),
        h('h1', t('first.title')),
        h('p.lead', t('first.lead')),
        h('div.waiting', { role: 'status' }, h('i.dot'), number, words),
      ),
      h('div.snippets', card('curl'), card('env'), card('swift')),
      portLine,
    ),
  };
}
