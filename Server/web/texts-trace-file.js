// SPDX-License-Identifier: Apache-2.0
// The words of a trace that is drawn from a file.
import { add } from './texts.js';

export default add({
  en: {
    'file.title': 'Open a trace file',
    'file.choose': 'Choose a file',
    'file.do':
      'OTLP JSON, as a trace is downloaded here or as skein export writes it. It is drawn in this tab; nothing of it is sent or stored, so a reload asks for it again.',
    'file.bad': 'This file is no trace',
    'file.none': 'It has no spans in OTLP JSON.',
    'file.large': 'It is larger than {n} MB.',
    'file.alone': 'Only the server tells this, of traces that it stores.',
    'file.shown': [
      '{file}: drawn from this file, not stored.',
      '{file}: the largest of its {n} traces, drawn from this file, not stored.',
    ],
  },
  zh: {
    'file.title': '打开追踪文件',
    'file.choose': '选择文件',
    'file.do':
      'OTLP JSON：此处下载的追踪，或 skein export 写出的文件。仅在此标签页绘制，不会发送或存储；重新加载需再次选择。',
    'file.bad': '此文件不是追踪',
    'file.none': '其中没有 OTLP JSON 的 span。',
    'file.large': '文件大于 {n} MB。',
    'file.alone': '仅服务器对其存储的追踪提供此内容。',
    'file.shown': '{file}：文件中 {n} 条追踪里最大的一条，从文件绘制，未存储。',
  },
});
