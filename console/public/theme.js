/* SPDX-License-Identifier: Apache-2.0 */
/* Runs before the first paint, so that a chosen theme doesn't flash up in the other one. */
try {
  var theme = localStorage.getItem("dunlin.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (e) {
  /* storage can be switched off; the system's theme it is */
}
