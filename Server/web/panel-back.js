// SPDX-License-Identifier: Apache-2.0
// Links the other way: spans of any trace that link to this one, looked for when that is asked for.
import * as api from './api.js';
import { fill, h, icon } from './dom.js';
import { incompleteStrip } from './notice.js';
import { t } from './texts.js';
import { quote } from './traceql.js';

/** Traces that are told. */
const most = 20;
/** What links to a span begins at most so long after it. Nanoseconds. */
const within = 86_400_000_000_000n;

/** @param {any} span @param {AbortSignal} signal */
export function linksHere(span, signal) {
  const host = h('div.links-back', { tabindex: '-1' });
  const look = async () => {
    // What was pressed goes; the focus stays here, and goes on to what is found.
    host.focus();
    fill(host, h('p.quiet-note', { role: 'status' }, t('span.loading')));
    const at = BigInt(span.startTimeUnixNano);
    try {
      const answer = await api.traces(
        new URLSearchParams({
          q: `{ link:traceID = ${quote(span.traceId)} && link:spanID = ${quote(span.spanId)} }`,
          start: String(at > within ? at - within : 0n),
          end: String(at + within),
          limit: String(most),
        }),
        signal,
      );
      fill(host, found(answer));
      if (document.activeElement === host) host.querySelector('a')?.focus();
    } catch (error) {
      if (signal.aborted) return;
      fill(
        host,
        h('div.strip.bad', /** @type {Error} */ (error).message || t('error.server')),
      );
    }
  };
  fill(host, h('button', { type: 'button', onclick: look }, icon('search'), t('span.back.look')));
  return host;
}

/** @param {any} answer */
function found(answer) {
  const links = answer.traces.flatMap((/** @type {any} */ trace) =>
    trace.matchedSpanIds.slice(0, 3).map((/** @type {string} */ id) =>
      h(
        'li.event',
        icon('link'),
        h(
          'a',
          { href: `/trace/${trace.traceId}?sel=${id}` },
          `${trace.rootService} ${trace.rootOperation}`,
        ),
      )
    )
  );
  return [
    links.length ? h('ol.events', links) : h('p.quiet-note', t('span.back.none')),
    incompleteStrip(answer.incompleteReasons),
  ];
}
