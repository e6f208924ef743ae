/* SPDX-License-Identifier: Apache-2.0 */
/* One error type for everything a request can come back with: the server's problem documents
 * (RFC 9457), an answer that is no problem document, and no answer at all. */
import { parseJson } from "./json";
import type { ProblemBody } from "./types";

export class Problem extends Error {
  readonly slug: string;
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly coapCode: string | undefined = undefined,
    readonly pointer: string | undefined = undefined,
    type = "",
  ) {
    super(detail ? `${title}: ${detail}` : title);
    this.name = "Problem";
    this.slug = type.slice(type.lastIndexOf("/") + 1);
  }

  /** From an HTTP answer that is not a success; the text need not be a problem document. */
  static fromAnswer(status: number, text: string): Problem {
    let body: ProblemBody = {};
    try {
      const parsed = parseJson(text);
      if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) body = parsed as ProblemBody;
    } catch {
      // Something between us and the server answered; its text would tell an operator nothing.
    }
    const title = typeof body.title === "string" ? body.title : `The server answered with status ${status}`;
    const detail = typeof body.detail === "string" ? body.detail : "";
    return new Problem(status, title, detail,
      typeof body.coapCode === "string" ? body.coapCode : undefined,
      typeof body.pointer === "string" ? body.pointer : undefined,
      typeof body.type === "string" ? body.type : "");
  }

  static from(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof SyntaxError) return new Problem(0, "Unreadable answer", error.message, undefined, undefined, "/problems/unreadable");
    return new Problem(0, "The server can’t be reached", "No answer came. Is dunlind running, and the network up?",
      undefined, undefined, "/problems/network");
  }
}
