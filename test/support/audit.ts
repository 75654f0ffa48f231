/** Clusters whose audit streams hear of logins. */
import type { NatsConnection } from "nats";
import { expect } from "vitest";
import type { DesiredState } from "../../src/jetstream/desired.ts";
import { AUDITED_EVENTS, auditImports } from "../../src/nats/auth-audit.ts";
import { renderBlock } from "../../src/nats/config-file.ts";
import { createAll } from "./jetstream.ts";

/** Creates everything, the audit first: it then knows how the others were created. */
export async function createAudited(connection: NatsConnection, { streams, consumers }: DesiredState): Promise<void> {
  const isAudit = ({ name }: (typeof streams)[number]) => String(name).startsWith("circl_audit");
  const ordered = [...streams.filter(isAudit), ...streams.filter((stream) => !isAudit(stream))];
  const replies = await createAll(connection, { streams: ordered, consumers });
  expect([...replies].filter(([, { error }]) => error)).toEqual([]);
}

const users = (...names: readonly string[]): string =>
  `users: [ ${names.map((name) => `{ user: "${name}", password: "loopback-only" }`).join(", ")} ]`;

export const AUDITED_AUTH = auditedAuth();

/**
 * An auth file with the exports and imports by which CIRCL hears of logins, and three users who may do everything.
 * @param nkey public key of one more user
 */
export function auditedAuth(nkey?: string): string {
  const more = nkey ? `, { nkey: ${nkey} } ]` : " ]";
  return `accounts {
  SYS {
    ${users("sys")}
${renderBlock({ exports: AUDITED_EVENTS.map((stream) => ({ stream, accounts: ["CIRCL"] })) }, "    ")}
  }
  CIRCL {
    jetstream: enabled
    ${users("sync", "alice", "bob").replace(/ \]$/, more)}
${renderBlock({ imports: auditImports(["CIRCL", "SYS"]) }, "    ")}
  }
}
SYSTEM_ACCOUNT: SYS
`;
}
