// SPDX-License-Identifier: Apache-2.0
// What the server found in a trace, in a sentence each; every one leads to its rows.
import { h, icon } from './dom.js';
import { clipped, duration, named } from './format.js';
import { percentText } from './scale.js';
import { t } from './texts.js';

/** @typedef {import('./trace-analysis.js').Finding} Finding */

/** Of a name in a sentence. Characters. */
const nameMost = 120;

/** The sentence of a finding. @param {Finding} finding @returns {string} */
export function phrase(finding) {
  const { kind, count, service, operation } = finding;
  const values = {
    n: count,
    service: clipped(named(service), nameMost),
    operation: clipped(named(operation), nameMost),
    time: duration(Number(finding.nanos)),
    share: percentText(finding.share),
  };
  switch (kind) {
    case 'errors':
      return t('found.errors', values);
    case 'retries':
      return t('found.retries', values);
    case 'sequentialCalls':
      return t('found.sequentialCalls', values);
    case 'slowOperation':
      return t(finding.waiting ? 'found.slowOperation.waiting' : 'found.slowOperation', values);
    case 'slowService':
      return t(finding.waiting ? 'found.slowService.waiting' : 'found.slowService', values);
    case 'gap':
      return t(finding.row === null ? 'found.gap.nothing' : 'found.gap', values);
    case 'clockSkew':
      return t('found.clockSkew', values);
    case 'orphans':
      return t('found.orphans', values);
    default:
      return t('found.other', { kind });
  }
}

const drawings = /** @type {Record<string, 'error' | 'warning' | 'clock'>} */ ({
  errors: 'error',
  retries: 'error',
  clockSkew: 'warning',
  orphans: 'warning',
});

/**
 * @param {Finding[]} findings
 * @param {(finding: Finding) => void} lead goes to the rows of one
 * @returns {HTMLElement}
 */
export function diagnosis(findings, lead) {
  return h(
    'ul.diagnosis',
    { 'aria-label': t('found.label') },
    findings.map((finding) =>
      h(
        `li.${drawings[finding.kind] ?? 'clock'}`,
        icon(drawings[finding.kind] ?? 'clock'),
        finding.row === null && finding.startTimeUnixNano === null ? phrase(finding) : h(
          'button.inline',
          { type: 'button', title: t('found.lead'), onclick: () => lead(finding) },
          phrase(finding),
        ),
      )
    ),
  );
}

/** Counts that only the server knows, those that are not none. @param {any} analysis */
export function counts(analysis) {
  const some = /** @type {[string, number][]} */ ([
    ['unit.hosts', analysis.hostCount],
    ['unit.orphans', analysis.orphanCount],
    ['unit.dropped', analysis.droppedPartCount],
    ['unit.moved', analysis.movedCount],
  ]);
  return some.filter(([, n]) => n > 0).map(([key, n]) =>
    h(key === 'unit.hosts' ? 'span' : 'span.warned', t(key, { n }))
  );
}
