// SPDX-License-Identifier: Apache-2.0
// The words of what the span panel tells beyond the span: its standing, links, other tools.
import { add } from './texts.js';

export default add({
  en: {
    'span.within': 'Find {tag} in this trace',
    'span.back': 'Links to this span',
    'span.back.look': 'Look for them',
    'span.back.none': 'No span within a day of this one links here.',
    'span.elsewhere': 'Elsewhere',
    'stands.slower': [
      'Slower than {part} of the only call of its operation in the day before',
      'Slower than {part} of {n} calls of its operation in the day before',
    ],
    'stands.faster': [
      'At least as fast as {part} of the only call of its operation in the day before',
      'Faster than {part} of {n} calls of its operation in the day before',
    ],
    'stands.label': 'Durations of the operation from {low} to {high}; this span took {mine}',
    'links.edit': 'Links to other tools',
    'links.name': 'Name',
    'links.url': 'Address',
    'links.add': 'Add',
    'links.remove': 'Remove {name}',
    'links.hint':
      'In an address, {traceId}, {spanId}, {service}, {operation}, {start}, {end} and {order.id}, any attribute, stand for those of the span. A link is shown where the span has all of them.',
    'links.wrong': 'A name, and an address that begins with http:// or https://, are needed.',
  },
  zh: {
    'span.within': '在此追踪中查找 {tag}',
    'span.back': '指向此 span 的链接',
    'span.back.look': '查找',
    'span.back.none': '前后一天内没有 span 链接到这里。',
    'span.elsewhere': '其他工具',
    'stands.slower': '比前一天该操作 {n} 次调用中的 {part} 更慢',
    'stands.faster': '比前一天该操作 {n} 次调用中的 {part} 更快',
    'stands.label': '该操作耗时从 {low} 到 {high}；此 span 耗时 {mine}',
    'links.edit': '其他工具的链接',
    'links.name': '名称',
    'links.url': '地址',
    'links.add': '添加',
    'links.remove': '移除 {name}',
    'links.hint':
      '地址中的 {traceId}、{spanId}、{service}、{operation}、{start}、{end} 以及任意属性如 {order.id} 会换成此 span 的值。span 具备全部所需值时才显示链接。',
    'links.wrong': '需要名称，以及以 http:// 或 https:// 开头的地址。',
  },
});
