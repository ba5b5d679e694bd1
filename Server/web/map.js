// SPDX-License-Identifier: Apache-2.0
// The map: which service calls which, as the server laid it out, with the numbers of each, and the
// same as tables. What is shown of it stands in the address:
//
//     focus, hops     a service and those so many calls away       min     fewest calls of a link
//     sel, callee     what the panel tells about                   view    x, y and zoom
//     group, all=1    of a large map: a group that is open, or each service by itself
//     table=1         tables in place of the drawing
import { anything, changed, keep, oneOf, parameters, sortedBy, within } from './address.js';
import * as api from './api.js';
import { dress } from './colors.js';
import { save } from './csv.js';
import { fill, h, icon } from './dom.js';
import { compact } from './format.js';
import { bindKeys } from './keys.js';
import { CanvasMap } from './map-canvas.js';
import {
  callLines,
  circle,
  drawn,
  groupKey,
  groupName,
  lineKey,
  listed,
  serviceLines,
  spansOf,
  spansOfCall,
  summary,
} from './map-data.js';
import { SvgMap } from './map-svg.js';
import { placeOf } from './map-view.js';
import { notice } from './notice.js';
import { card, number, redColumns, serviceLink } from './panels.js';
import { present } from './present.js';
import { asked, bounded, readRange } from './range.js';
import { secondsOf, windows } from './red.js';
import { nothing } from './services.js';
import { Table } from './table.js';
import { t } from './texts.js';
import { calls, searchFor } from './traceql.js';

/** More elements than these are slow to style; a canvas is not. */
const mostElements = 300;
/** Names of a circle that are written out. */
const namesShown = 8;
const hopsOffered = [1, 2, 3, 4, 5];

/** What goes when other services are drawn. */
const elsewhere = { view: null, group: null, all: null };

const columns = ['rate', 'errors', 'p50', 'p99'];
export const takes = {
  focus: anything,
  hops: within(1, 20),
  min: within(1, 1e15),
  sel: anything,
  callee: anything,
  view: (/** @type {string} */ text) => placeOf(text) !== null,
  group: anything,
  all: oneOf('1'),
  table: oneOf('1'),
  sort: sortedBy('service', ...columns, 'callers', 'called'),
  calls: sortedBy('caller', 'callee', ...columns),
};

/** @param {HTMLElement} main @param {import('./pages.js').Context} context */
export function page(main, context) {
  document.title = `${t('page.map')} · Skein`;
  present(main, context, {
    name: 'map',
    ask: async (signal) => {
      const { now } = windows(bounded(readRange(parameters()).range));
      const params = parameters();
      const [focus, minCalls] = [params.get('focus'), params.get('min')];
      const sending = api.services(signal).catch(() => null);
      const answer = await api.map({
        ...asked(now),
        ...(focus ? { focus, hops: params.get('hops') ?? '1' } : {}),
        ...(minCalls ? { minCalls } : {}),
      }, signal);
      return { answer, range: now, sending: await sending };
    },
    view: () => new MapPage(context),
    reasons: ({ answer }) => answer.incompleteReasons,
  });
}

class MapPage {
  /** @type {import('./map-data.js').Answer | null} */
  answer = null;
  /** @type {ReturnType<typeof listed>} */
  lists = { services: [], calls: [] };
  /** @type {SvgMap | CanvasMap | null} */
  view = null;
  closing = new AbortController();
  keeping = 0;

  /** @param {import('./pages.js').Context} context */
  constructor(context) {
    this.context = context;
    const { signal } = context;
    signal.addEventListener('abort', () => {
      this.closing.abort();
      clearTimeout(this.keeping);
    });
    this.says = h('span.tells');
    this.tools = h('div.map-tools', { role: 'group', 'aria-label': t('map.tools') });
    this.names = h('datalist', { id: 'map-names' });
    this.stage = h('div.map-stage');
    this.side = h('aside.map-side', { 'aria-label': t('map.side') });
    this.note = h('div');
    this.cycles = h('ol.cycles');
    this.circles = card('cycles-card', t('map.cycles'), this.cycles);
    this.services = this.serviceTable();
    this.calls = this.callTable();
    const csv = (/** @type {string} */ what, /** @type {() => any[][]} */ lines) =>
      h('button', {
        type: 'button',
        'aria-label': t('map.csv', { what: t(`map.${what}`) }),
        onclick: () => save(lines(), `skein-map-${what}`),
      }, 'CSV');
    this.twin = h(
      'div.map-twin',
      card('whole', t('map.services'), this.services.element, {
        tools: csv('services', () => serviceLines(this.services.rows)),
      }),
      card('whole', t('map.calls'), this.calls.element, {
        tools: csv('calls', () => callLines(this.calls.rows)),
      }),
    );
    this.drawing = h('section.card.map-card', { 'aria-label': t('page.map') }, this.stage, this.side);
    this.element = h(
      'div.map-page',
      h('header.page-head', h('h1', t('page.map')), this.says, this.tools),
      this.note,
      this.drawing,
      this.circles,
      this.twin,
    );
    this.drawTools();
    bindKeys({
      f: () => this.find.focus(),
      o: () => this.chosenService() !== undefined && this.focusOn(this.chosenService()),
      a: () => this.toggle.click(),
    }, signal);
  }

  drawTools() {
    const focus = parameters().get('focus');
    const hops = Number(parameters().get('hops') ?? 1);
    this.find = h('input', {
      type: 'search',
      list: 'map-names',
      placeholder: t('map.find'),
      'aria-label': t('map.find'),
      autocomplete: 'off',
      onchange: () => this.search(this.find.value),
    });
    const least = h('input', {
      type: 'number',
      min: '0',
      value: parameters().get('min') ?? '',
      placeholder: '0',
      title: t('map.least.hint'),
      onchange: () => this.context.go(changed({ ...elsewhere, min: Number(least.value) || null })),
    });
    const offered = hopsOffered.includes(hops) ? hopsOffered : [...hopsOffered, hops];
    const select = h(
      'select',
      {
        onchange: () => this.context.go(changed({ ...elsewhere, hops: select.value })),
      },
      offered.map((n) => h('option', { value: n, selected: n === hops }, String(n))),
    );
    this.toggle = h('button', {
      type: 'button',
      'aria-pressed': 'false',
      title: `${t('map.as.table')} (a)`,
      onclick: () => {
        keep({ table: this.asTable ? null : '1' });
        this.showTables();
      },
    }, icon('table'), t('map.as.table'));
    fill(
      this.tools,
      !focus ? null : [
        h(
          'a.tag.around',
          { href: changed({ ...elsewhere, focus: null, hops: null }), title: t('map.around.not') },
          h('span', t('map.around', { service: focus })),
          icon('close'),
        ),
        h('label', t('map.hops'), select),
      ],
      h('label', t('map.least'), least),
      this.find,
      this.names,
      this.toggle,
    );
  }

  get asTable() {
    return parameters().get('table') === '1';
  }

  showTables() {
    const on = this.asTable;
    this.toggle.setAttribute('aria-pressed', String(on));
    this.drawing.hidden = on || !this.answer?.nodes.length;
    // For who does not see the drawing, the tables are there all the time.
    this.twin.classList.toggle('unseen', !on);
    this.services.place();
    this.calls.place();
  }

  /** @param {{ answer: import('./map-data.js').Answer, range: import('./range.js').Range,
   *   sending: string[] | null }} data */
  update({ answer, range, sending }) {
    const first = !this.answer;
    this.answer = answer;
    const seconds = secondsOf(range);
    this.lists = listed(answer, seconds, sending);
    if (first) this.dropUnknown(answer);
    dress(answer.nodes.map(({ name }) => name));
    this.says.textContent = answer.nodes.length ? summary(answer) : '';
    fill(this.names, answer.nodes.map(({ name }) => h('option', { value: name })));
    fill(this.note, this.noteOf(answer, range));
    this.services.show(this.lists.services);
    this.calls.show(this.lists.calls);
    this.twin.hidden = !answer.nodes.length;
    this.showTables();
    this.showCycles(answer);
    const params = parameters();
    const how = { group: params.get('group'), all: params.get('all') === '1' };
    const drawing = drawn(answer, this.lists, seconds, how);
    const Kind = drawing.boxes.length > mostElements ? CanvasMap : SvgMap;
    if (!(this.view instanceof Kind)) {
      this.closing.abort();
      this.closing = new AbortController();
      this.view = new Kind({
        label: t('map.label'),
        signal: this.closing.signal,
        choose: (key) => this.choose(key),
        moved: () => this.keepView(),
      });
      this.view.restore(placeOf(params.get('view') ?? ''));
      this.view.chosen = this.chosen;
      fill(this.stage, this.view.element, this.zoomTools(this.view));
    }
    this.view.show(drawing);
    this.showSide();
  }

  /** What the address names and is not on the map. @param {import('./map-data.js').Answer} answer */
  dropUnknown({ nodes, groups }) {
    const params = parameters();
    const { services, calls } = this.lists;
    const known = new Set([
      ...services.map(({ name }) => name),
      ...calls.map(({ parent, child }) => lineKey(parent, child)),
      ...groups.map(groupKey),
    ]);
    const wrong = ['sel', 'callee'].filter((name) => params.has(name) && !known.has(this.chosen));
    if (params.has('group') && !known.has(params.get('group') ?? '')) wrong.push('group');
    if (nodes.length && wrong.length) {
      this.context.drop(wrong.map((name) => `${name}=${params.get(name)}`));
    }
  }

  /** @param {SvgMap | CanvasMap} view */
  zoomTools(view) {
    const button = (
      /** @type {string} */ name,
      /** @type {string} */ key,
      /** @type {any} */ face,
      /** @type {() => void} */ onclick,
    ) =>
      h('button.round', {
        type: 'button',
        title: `${t(name)} (${key})`,
        'aria-label': t(name),
        onclick,
      }, face);
    return h(
      'div.map-zoom',
      button('map.in', '+', '+', () => view.scale(1.3)),
      button('map.out', '-', '−', () => view.scale(1 / 1.3)),
      button('map.fit', '0', icon('reset'), () => view.fit(true)),
    );
  }

  keepView() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.view && keep({ view: this.view.view }), 150);
  }

  /** What the address says is chosen: a box's key or a line's. */
  get chosen() {
    const params = parameters();
    const [from, to] = [params.get('sel') ?? '', params.get('callee')];
    return to === null ? from : lineKey(from, to);
  }

  /** @param {string} key */
  choose(key) {
    const line = this.view?.lines.get(key);
    const [sel, callee] = line ? [line.from.key, line.to.key] : [key, null];
    keep({ sel, callee });
    if (this.view) {
      this.view.chosen = key;
      this.view.light();
    }
    this.showSide();
  }

  chosenService() {
    return this.lists.services.find(({ name }) => name === this.chosen)?.name;
  }

  /** @param {string | undefined} name */
  focusOn(name) {
    if (name !== undefined) {
      this.context.go(changed({ ...elsewhere, focus: name, sel: name, callee: null }));
    }
  }

  /** @param {string} text */
  search(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return;
    const { services } = this.lists;
    const found = services.find(({ name }) => name === text) ??
      services.find(({ name }) => name.toLowerCase().includes(wanted));
    this.find.setAttribute('aria-invalid', String(!found));
    if (!found) return;
    const group = this.answer?.groups[found.node.group ?? -1];
    if (!this.view?.boxes.has(found.name) && group) {
      const open = { ...elsewhere, group: groupKey(group) };
      return this.context.go(changed({ ...open, sel: found.name, callee: null }));
    }
    this.choose(found.name);
    this.view?.reveal(found.name);
    this.view?.go(found.name);
  }

  /** @param {import('./map-data.js').Answer} answer @param {import('./range.js').Range} range */
  noteOf(answer, range) {
    const focus = parameters().get('focus');
    const link = (/** @type {string} */ text, /** @type {Record<string, null>} */ without) =>
      h('a.button', { href: changed({ ...elsewhere, ...without }) }, t(text));
    if (focus && !answer.focusFound) {
      return notice({
        title: t('map.none.focus', { service: focus }),
        text: t('map.none.focus.do'),
        quiet: true,
        action: link('map.around.not', { focus: null, hops: null }),
      });
    }
    if (!answer.edges.length && parameters().has('min')) {
      const [title, text] = [t('map.none.least'), t('map.none.least.do')];
      return notice({ title, text, quiet: true, action: link('map.around.not', { min: null }) });
    }
    if (!answer.nodes.length) return nothing(range);
    if (!answer.edges.length) {
      return h(
        'div.strip.info',
        { role: 'status' },
        icon('question'),
        h('span', h('b', t('map.none.edges')), ' ', t('map.none.edges.do')),
      );
    }
    if (!answer.groups.length) return null;
    const opened = parameters().get('all') === '1' || parameters().get('group');
    return h(
      'div.strip.info',
      { role: 'status' },
      h('span', t('map.groups', { n: answer.groups.length })),
      opened
        ? h('a', { href: changed(elsewhere) }, t('map.groups.back'))
        : h('a', { href: changed({ ...elsewhere, all: '1' }) }, t('map.groups.not')),
    );
  }

  showSide() {
    const focused = this.side.contains(document.activeElement);
    const { services, calls } = this.lists;
    const { chosen } = this;
    const service = services.find(({ name }) => name === chosen);
    const call = calls.find(({ parent, child }) => lineKey(parent, child) === chosen);
    const group = this.answer?.groups.findIndex((one) => groupKey(one) === chosen) ?? -1;
    const body = service
      ? this.serviceSide(service)
      : call
      ? this.callSide(call)
      : group >= 0
      ? this.groupSide(group)
      : h('p.none', t('map.side.none'));
    const place = focused
      ? [...this.side.querySelectorAll('a, button')].indexOf(
        /** @type {Element} */ (document.activeElement),
      )
      : -1;
    fill(this.side, body);
    if (place >= 0) this.side.querySelectorAll('a, button')[place]?.focus();
  }

  /** @param {import('./map-data.js').Reading} one @param {(more?: any) => string} q */
  facts(one, q) {
    const row = { reading: one };
    return h(
      'dl.facts-list',
      redColumns({ reading: () => one, q: (_, more) => q(more), quantiles: ['p50', 'p99'] })
        .map((column) =>
          h('div', h('dt', column.title), h('dd', column.cell(/** @type {any} */ (row))))
        ),
    );
  }

  /** @param {import('./map-data.js').Service} service */
  serviceSide(service) {
    const ends = (
      /** @type {string} */ title,
      /** @type {import('./map-data.js').Call[]} */ list,
      /** @type {'parent' | 'child'} */ end,
    ) => [
      h('h3', title, h('small', String(list.length))),
      h(
        'ul.ends',
        [...list].sort((a, b) => b.reading.calls - a.reading.calls).map((call) =>
          h(
            'li',
            h('button.quiet', {
              type: 'button',
              onclick: () => this.choose(lineKey(call.parent, call.child)),
            }, call[end]),
            number(compact(call.reading.calls), spansOfCall(call), t('red.open', {
              calls: compact(call.reading.calls),
            })),
          )
        ),
      ),
    ];
    return [
      h('h2', serviceLink(service.name)),
      service.node.cycle === null ? null : h('p.none', icon('refresh'), t('map.cycle')),
      this.facts(service.reading, (more) => spansOf(service, more)),
      parameters().get('focus') === service.name
        ? null
        : h('button', {
          type: 'button',
          title: `${t('map.focus')} (o)`,
          onclick: () => this.focusOn(service.name),
        }, t('map.focus')),
      service.callers.length ? ends(t('service.callers'), service.callers, 'parent') : null,
      service.called.length ? ends(t('service.called'), service.called, 'child') : null,
    ];
  }

  /** @param {import('./map-data.js').Call} call */
  callSide(call) {
    return [
      h('h2.hop', serviceLink(call.parent), icon('right'), serviceLink(call.child)),
      this.facts(call.reading, (more) => spansOfCall(call, more)),
      h('a.button', { href: searchFor(spansOfCall(call)) }, t('red.open', {
        calls: compact(call.reading.calls),
      })),
    ];
  }

  /** @param {number} at */
  groupSide(at) {
    const group = /** @type {import('./map-data.js').Answer} */ (this.answer).groups[at];
    return [
      h('h2', groupName(group)),
      h('a.button', {
        href: changed({ ...elsewhere, group: groupKey(group), sel: null, callee: null }),
      }, t('map.group.open')),
      h(
        'ul.ends',
        this.lists.services.filter(({ node }) => node.group === at).map((service) =>
          h('li', serviceLink(service.name), number(
            compact(service.reading.calls),
            spansOf(service),
            t('red.open', { calls: compact(service.reading.calls) }),
          ))
        ),
      ),
    ];
  }

  /** @param {import('./map-data.js').Answer} answer */
  showCycles({ cycles, nodes }) {
    this.circles.hidden = !cycles.length;
    const name = (/** @type {number} */ at) => nodes[at].name;
    fill(
      this.cycles,
      cycles.map(({ members, example, edgeCount, callCount }) => {
        const names = example.map(name);
        const more = members.length - example.length;
        return h(
          'li',
          [...names.slice(0, namesShown), names[0]].map((service, i) => [
            i === namesShown && names.length > namesShown
              ? '… '
              : i
              ? h('a.way', {
                href: searchFor(calls(names[i - 1], service)),
                title: t('map.says.line', { from: names[i - 1], to: service }),
                'aria-label': t('map.says.line', { from: names[i - 1], to: service }),
              }, icon('right'))
              : null,
            serviceLink(service),
          ]),
          more > 0 ? h('small', { title: members.map(name).join(', ') }, `+${more}`) : null,
          h('small', t('map.cycle.says', {
            services: t('unit.services', { n: members.length }),
            links: t('map.edges', { n: edgeCount, calls: compact(callCount) }),
          })),
          names.length <= namesShown
            ? h('a.sample', { href: searchFor(circle(names)) }, t('map.cycle.sample'))
            : null,
        );
      }),
    );
  }

  serviceTable() {
    const { signal, go } = this.context;
    return new Table({
      label: t('map.services'),
      signal,
      go,
      key: (/** @type {import('./map-data.js').Service} */ { name }) => name,
      sort: parameters().get('sort') ?? '-rate',
      onsort: (sort) => keep({ sort }),
      columns: [
        {
          id: 'service',
          title: t('services.service'),
          value: ({ name }) => name.toLowerCase(),
          cell: ({ name }) => serviceLink(name),
        },
        ...redColumns({
          reading: (/** @type {import('./map-data.js').Service} */ one) => one.reading,
          q: spansOf,
          quantiles: ['p50', 'p99'],
        }),
        ...['callers', 'called'].map((id) => ({
          id,
          title: t(`services.${id}`),
          hint: t(`services.${id}.hint`),
          number: true,
          value: (/** @type {any} */ one) => one[id].length,
          cell: (/** @type {any} */ one) => String(one[id].length),
        })),
      ],
    });
  }

  callTable() {
    return new Table({
      label: t('map.calls'),
      signal: this.context.signal,
      key: (/** @type {import('./map-data.js').Call} */ { parent, child }) => lineKey(parent, child),
      sort: parameters().get('calls') ?? '-rate',
      onsort: (calls) => keep({ calls }),
      columns: [
        {
          id: 'caller',
          title: t('map.caller'),
          value: ({ parent }) => parent.toLowerCase(),
          cell: ({ parent }) => serviceLink(parent),
        },
        {
          id: 'callee',
          title: t('map.callee'),
          value: ({ child }) => child.toLowerCase(),
          cell: ({ child }) => serviceLink(child),
        },
        ...redColumns({
          reading: (/** @type {import('./map-data.js').Call} */ one) => one.reading,
          q: spansOfCall,
          quantiles: ['p50', 'p99'],
        }),
      ],
    });
  }
}
