// SPDX-License-Identifier: Apache-2.0
// The server's pulse in the header; pages may listen to it as well.
import { status } from './api.js';
import { h } from './dom.js';
import { byteCount, compact, count } from './format.js';
import { t } from './texts.js';

const interval = 2000;

/** @typedef {{ stored: number, received: number, bytes: number, version: string, ports: Record<string, number> }} Pulse */
/** @type {Set<(pulse: Pulse | null) => void>} */
const listeners = new Set();
/** @type {Pulse | null} */
let last = null;
let lastAt = 0;
let rate = 0;
let running = false;

/** Calls back with every pulse until the signal ends; null when the server does not answer.
 *  @param {(pulse: Pulse | null) => void} listener @param {AbortSignal} [signal] */
export function onPulse(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener('abort', () => listeners.delete(listener));
  if (!running) beat();
}

async function beat() {
  running = true;
  if (!document.hidden) {
    try {
      const answer = await status();
      const pulse = {
        stored: Number(answer.spansStored),
        received: Number(answer.spansReceived),
        bytes: Number(answer.bytesOnDisk),
        version: answer.version,
        ports: answer.ports,
      };
      const now = performance.now();
      // Smoothed over about five beats, so that the number can be read.
      if (last && now > lastAt) {
        const fresh = Math.max(0, pulse.received - last.received) / ((now - lastAt) / 1000);
        rate = rate === 0 ? fresh : rate * 0.8 + fresh * 0.2;
      }
      last = pulse;
      lastAt = now;
      for (const listener of listeners) listener(pulse);
    } catch {
      for (const listener of listeners) listener(null);
    }
  }
  setTimeout(beat, interval);
}

/** @type {AbortController | null} */
let drawn = null;

/** @returns {HTMLElement} */
export function statusPill() {
  drawn?.abort();
  drawn = new AbortController();
  const text = h('span', '');
  const speed = h('span.rate', '');
  const pill = h('div.pulse', { role: 'status', 'aria-live': 'off' }, h('i.dot'), text, speed);
  const show = (/** @type {Pulse | null} */ pulse) => {
    pill.classList.toggle('down', pulse === null);
    pill.classList.add('ready');
    if (pulse === null) {
      text.textContent = t('app.status.down');
      speed.textContent = '';
      return;
    }
    text.textContent = t('app.status', { spans: compact(pulse.stored) });
    speed.textContent = rate >= 0.05
      ? t('app.status.rate', {
        rate: compact(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate)),
      })
      : '';
    pill.title = t('app.status.title', {
      spans: count(pulse.stored),
      bytes: byteCount(pulse.bytes),
      version: pulse.version,
    });
  };
  if (last) show(last);
  onPulse(show, drawn.signal);
  return pill;
}
