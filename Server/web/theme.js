// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that a saved theme never flashes.
try {
  const saved = localStorage.getItem('skein.theme');
  if (saved === 'light' || saved === 'dark') document.documentElement.dataset.theme = saved;
} catch {
  // Storage may be forbidden; the system's theme then applies.
}
