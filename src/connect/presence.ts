/** Which servers an account is on, by asking all of them: what an ordinary user may know of a cluster, even of an empty one. */
import { type NatsConnection, RequestStrategy } from "nats";
import type { Presence } from "../jetstream/api.ts";

/** Every account may ask this of itself (events.go, registerSystemImports). */
const SUBJECT = "$SYS.REQ.ACCOUNT.PING.STATZ";

/** Milliseconds to wait for a server that does not answer: it is looked for, not needed. */
const LONGEST = 1_000;

interface Answer {
  readonly server?: { readonly name?: string; readonly ver?: string };
  readonly data?: { readonly account_statz?: readonly { readonly acc?: string }[] };
}

/**
 * @param expected how many servers there should be: with as many answers nothing more is waited for
 * @returns nothing where the user may not ask
 */
export async function presence(connection: NatsConnection, expected: number): Promise<Presence | undefined> {
  const servers = new Map<string, string>();
  const accounts = new Set<string>();
  try {
    // Servers without a client of the account say nothing unless asked to.
    const answers = await connection.requestMany(SUBJECT, JSON.stringify({ include_unused: true }), {
      strategy: RequestStrategy.Count,
      maxMessages: expected,
      maxWait: LONGEST,
    });
    for await (const answer of answers) {
      const { server, data } = answer.json<Answer>();
      if (server?.name && server.ver) servers.set(server.name, server.ver);
      for (const { acc } of data?.account_statz ?? []) if (acc) accounts.add(acc);
    }
  } catch {
    // Refused, or nobody there to answer: then it is not known, and a plan does not depend on it.
  }
  const [account] = accounts;
  if (servers.size === 0) return undefined;
  const found = [...servers].map(([name, version]) => ({ name, version })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { servers: found, ...(account ? { account } : {}) };
}
