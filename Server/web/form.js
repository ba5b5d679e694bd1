// SPDX-License-Identifier: Apache-2.0
// The form of the search page. It reads the address, and hands back the parameters of the next
// question.
import { parameters } from './address.js';
import * as api from './api.js';
import { fill, h, icon } from './dom.js';
import { parseDuration } from './format.js';
import { fields, words } from './query-text.js';
import { t } from './texts.js';
import { link } from './range.js';
import { tagField } from './tags.js';

/**
 * @param {string} label
 * @param {any} control
 * @param {string} name a class
 * @param {any} [top] instead of the label
 */
const field = (label, control, name, top) =>
  h(`div.field.${name}`, top ?? h('label', { for: control.id || null }, label), control);

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
  const kind = h(
    'select',
    { id: 'kind' },
    h('option', { value: '' }, t('search.status.any')),
    words.kind.map((value) =>
      h('option', { value, selected: params.get('kind') === value }, value)
    ),
  );
  const given = params.get('status') ?? '';
  const statuses = [...new Set(['', 'error', given])].map((value) =>
    h(
      'label',
      h('input', {
        type: 'radio',
        name: 'status',
        value,
        checked: given === value,
      }),
      h(
        'span',
        value === 'error' ? icon('error') : null,
        !value ? t('search.status.any') : value === 'error' ? t('search.status.error') : value,
      ),
    )
  );

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
    if (kind.value) next.set('kind', kind.value);
    for (const [name, value] of parameters()) {
      if (name !== 'q' && !fields.includes(name)) next.append(name, value);
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
  kind.addEventListener('change', submit);
  for (const control of [least, most, of]) {
    control.addEventListener(
      'change',
      () => (control === of && !least.value && !most.value ? null : submit()),
    );
  }
  for (const label of statuses) label.addEventListener('change', submit);
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
      h('div.pair', least, h('span', { 'aria-hidden': 'true' }, '–'), most),
      'duration',
      of,
    ),
    h(
      'fieldset.field.status',
      h('legend', t('search.status')),
      h('div.segments', statuses),
    ),
    field(t('search.kind'), kind, 'kind'),
    h(
      'div.field.run',
      h('button.primary', { type: 'submit' }, icon('search'), t('search.run')),
      h('a.button.quiet', { href: '/search' }, t('search.clear')),
    ),
    complaint,
    operations,
  );
  if (params.get('q')) {
    // The text says more than there are fields for; they stay out of sight until it is cleared.
    for (const child of [...form.children]) child.hidden = true;
    form.append(
      h('p.beyond', t('search.form.beyond'), ' '),
      h('a.button.quiet', { href: link('/search') }, t('search.clear')),
    );
  }
  return { element: form, setServices };
}
