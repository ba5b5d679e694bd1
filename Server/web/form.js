// SPDX-License-Identifier: Apache-2.0
// The form of the search page. It reads the address, and hands back the parameters of the next
// question.
import * as api from './api.js';
import { fill, h, icon } from './dom.js';
import { parseDuration } from './format.js';
import { defaults } from './question.js';
import { t } from './texts.js';
import { tagField } from './tags.js';

const ranges = ['5m', '15m', '1h', '6h', '24h', '7d', 'all'];

/**
 * @param {string} label
 * @param {any} control
 * @param {string} name a class
 * @param {any} [top] instead of the label
 */
const field = (label, control, name, top) =>
  h(`div.field.${name}`, null, top ?? h('label', { for: control.id || null }, label), control);

/**
 * @param {URLSearchParams} params @param {string[]} services
 * @param {(params: URLSearchParams) => void} ask @param {AbortSignal} signal
 */
export function searchForm(params, services, ask, signal) {
  const complaint = h('p.complaint', { role: 'alert', hidden: true });
  const service = h('select', { id: 'service' });
  const setServices = (/** @type {string[]} */ names) => {
    const chosen = service.value || params.get('service') || '';
    const all = chosen && !names.includes(chosen) ? [chosen, ...names] : names;
    fill(
      service,
      h('option', { value: '' }, t('search.service.all')),
      all.map((name) => h('option', { value: name }, name)),
    );
    service.value = chosen;
  };
  setServices(services);
  const operations = h('datalist', { id: 'operations' });
  const operation = h('input', {
    id: 'operation',
    list: 'operations',
    placeholder: t('search.operation.all'),
    value: params.get('operation') ?? '',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const tags = tagField(params.getAll('tag'), () => service.value, () => submit(), signal);
  const of = h(
    'select.label-select',
    { id: 'duration-of', 'aria-label': t('search.duration.of') },
    h('option', { value: '' }, t('search.duration.span')),
    h('option', { value: 'Trace' }, t('search.duration.trace')),
  );
  if (params.has('minTraceDuration') || params.has('maxTraceDuration')) of.value = 'Trace';
  const limitInput = (/** @type {string} */ side) =>
    h('input', {
      id: `${side}-duration`,
      placeholder: t(`search.duration.${side}`),
      'aria-label': t(`search.duration.${side}`),
      value: params.get(`${side}Duration`) ?? params.get(`${side}TraceDuration`) ?? '',
      autocomplete: 'off',
      spellcheck: 'false',
    });
  const [least, most] = [limitInput('min'), limitInput('max')];
  const statuses = ['', 'error'].map((value) =>
    h(
      'label',
      null,
      h('input', {
        type: 'radio',
        name: 'status',
        value,
        checked: (params.get('status') ?? '') === value,
      }),
      h(
        'span',
        null,
        value ? icon('error') : null,
        t(value ? 'search.status.error' : 'search.status.any'),
      ),
    )
  );
  const time = timeField(params);

  /** @returns {URLSearchParams | null} null when a field cannot be read; the form says which */
  const read = () => {
    const next = new URLSearchParams();
    for (const element of [least, most]) element.removeAttribute('aria-invalid');
    const refuse = (/** @type {any} */ element, /** @type {string} */ text) => {
      element.setAttribute('aria-invalid', 'true');
      complaint.textContent = text;
      complaint.hidden = false;
      element.focus();
      return null;
    };
    complaint.hidden = true;
    const pending = tags.take();
    if (pending === false) return refuse(tags.input, t('search.tags.bad'));
    if (service.value) next.set('service', service.value);
    if (operation.value.trim()) next.set('operation', operation.value.trim());
    for (const tag of tags.values()) next.append('tag', tag);
    const limits = [least, most].map((
      input,
    ) => (input.value.trim() ? parseDuration(input.value) : undefined));
    for (const [index, input] of [least, most].entries()) {
      if (limits[index] === null) return refuse(input, t('search.duration.bad'));
      if (limits[index]) {
        next.set(`${index ? 'max' : 'min'}${of.value}Duration`, limits[index].text);
      }
    }
    if (limits[0] && limits[1] && limits[0].nanos > limits[1].nanos) {
      return refuse(least, t('search.duration.order'));
    }
    const status = statuses.map((label) => label.querySelector('input')).find((input) =>
      input.checked
    )?.value;
    if (status) next.set('status', status);
    if (!time.read(next)) return refuse(time.from, t('search.time.bad'));
    const now = new URLSearchParams(location.search);
    for (const kept of ['order', 'live', 'kind', 'limit']) {
      if (now.has(kept)) next.set(kept, /** @type {string} */ (now.get(kept)));
    }
    return next;
  };
  const submit = () => {
    const next = read();
    if (next) ask(next);
  };
  const loadOperations = async () => {
    const names = service.value ? await api.operations(service.value, signal).catch(() => []) : [];
    fill(
      operations,
      [...new Set(names.map((entry) => entry.name))].map((name) => h('option', { value: name })),
    );
  };
  service.addEventListener('change', () => {
    operation.value = '';
    loadOperations();
    submit();
  });
  operation.addEventListener('change', submit);
  for (const control of [least, most, of]) {
    control.addEventListener(
      'change',
      () => (control === of && !least.value && !most.value ? null : submit()),
    );
  }
  for (const label of statuses) label.addEventListener('change', submit);
  time.onchange(submit);
  loadOperations();

  const form = h(
    'form.filters',
    {
      'aria-label': t('search.form'),
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        submit();
      },
    },
    field(t('search.service'), service, 'service'),
    field(t('search.operation'), operation, 'operation'),
    field(t('search.tags'), tags.element, 'tags', h('label', { for: 'tag' }, t('search.tags'))),
    field(
      '',
      h('div.pair', null, least, h('span', { 'aria-hidden': 'true' }, '–'), most),
      'duration',
      of,
    ),
    h(
      'fieldset.field.status',
      null,
      h('legend', null, t('search.status')),
      h('div.segments', null, statuses),
    ),
    field(t('search.time'), time.element, 'time', h('label', { for: 'time' }, t('search.time'))),
    h(
      'div.field.run',
      null,
      h('button.primary', { type: 'submit' }, icon('search'), t('search.run')),
      h('a.button.quiet', { href: '/' }, t('search.clear')),
    ),
    complaint,
    operations,
  );
  return { element: form, setServices };
}

/**
 * The time range: relative, or absolute between two local times.
 * @param {URLSearchParams} params
 */
function timeField(params) {
  const absolute = params.has('start') || params.has('end');
  const last = params.get('last') ?? defaults.last;
  const options = ranges.includes(last) ? ranges : [...ranges, last];
  const select = h(
    'select',
    { id: 'time' },
    options.map((value) =>
      h('option', { value }, ranges.includes(value) ? t(`search.time.${value}`) : value)
    ),
    h('option', { value: 'custom' }, t('search.time.custom')),
  );
  select.value = absolute ? 'custom' : last;
  const input = (/** @type {string} */ name, /** @type {string} */ label) =>
    h('input', {
      type: 'datetime-local',
      step: '1',
      'aria-label': label,
      value: localTime(params.get(name)),
    });
  const [from, to] = [input('start', t('search.time.from')), input('end', t('search.time.to'))];
  const pair = h(
    'div.pair',
    { hidden: !absolute },
    from,
    h('span', { 'aria-hidden': 'true' }, '–'),
    to,
  );
  return {
    element: h('div.time-range', null, select, pair),
    from,
    /** @param {() => void} submit */
    onchange(submit) {
      select.addEventListener('change', () => {
        pair.hidden = select.value !== 'custom';
        if (select.value !== 'custom') return submit();
        from.value ||= localTime(String(BigInt(Date.now() - 3_600_000) * 1_000_000n));
        to.value ||= localTime(String(BigInt(Date.now()) * 1_000_000n));
        from.focus();
      });
      for (const control of [from, to]) control.addEventListener('change', submit);
    },
    /** @param {URLSearchParams} next @returns {boolean} false when the range is turned round */
    read(next) {
      if (select.value !== 'custom') {
        if (select.value !== defaults.last) next.set('last', select.value);
        return true;
      }
      const nanos = (/** @type {any} */ control) =>
        BigInt(new Date(control.value).getTime()) * 1_000_000n;
      if (from.value) next.set('start', String(nanos(from)));
      if (to.value) next.set('end', String(nanos(to)));
      return !from.value || !to.value || nanos(from) <= nanos(to);
    },
  };
}

/** As datetime-local writes it. @param {string | null} nanos */
function localTime(nanos) {
  if (!nanos || !/^\d+$/.test(nanos)) return '';
  const date = new Date(Number(BigInt(nanos) / 1_000_000n));
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
