/* SPDX-License-Identifier: Apache-2.0 */
/* The text/event-stream format (WHATWG HTML, "Server-sent events"), fed in pieces of any size. */

export interface SseMessage {
  id: string | undefined;
  event: string;
  data: string;
}

export class SseParser {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string | undefined;
  private skipLineFeed = false;

  /** Takes the next piece of the stream and returns the messages that it completes. */
  push(piece: string): SseMessage[] {
    const out: SseMessage[] = [];
    let text = this.rest + piece;
    if (this.skipLineFeed && text.startsWith("\n")) text = text.slice(1);
    if (text.length > 0) this.skipLineFeed = false;
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const c = text[at];
      if (c !== "\n" && c !== "\r") continue;
      this.line(text.slice(start, at), out);
      if (c === "\r") {
        if (at + 1 === text.length) this.skipLineFeed = true;
        else if (text[at + 1] === "\n") at++;
      }
      start = at + 1;
    }
    this.rest = text.slice(start);
    return out;
  }

  private line(line: string, out: SseMessage[]): void {
    if (line === "") {
      if (this.data.length > 0) out.push({ id: this.id, event: this.event || "message", data: this.data.join("\n") });
      this.event = "";
      this.data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment, the server's sign of life
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
  }
}
