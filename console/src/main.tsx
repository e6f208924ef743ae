/* SPDX-License-Identifier: Apache-2.0 */
import { render } from "preact";
import { start } from "./app-state";
import { Shell } from "./pages/shell";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  start();
  render(<Shell />, root);
}
