/* SPDX-License-Identifier: Apache-2.0 */
/* Words for how devices are reached and how they prove who they are. */
import type { Security, Transport } from "../api/types";

export const SECURITY_TEXTS: Record<Security, string> = {
  nosec: "none", psk: "pre-shared key", rpk: "raw public key", x509: "certificate",
};
export const TRANSPORT_TEXTS: Record<Transport, string> = { udp: "UDP", dtls: "DTLS", tcp: "TCP", tls: "TLS" };
