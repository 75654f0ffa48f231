/** Who was not let in, how often, and since when. */
import { type Refusal, type Who, whoOf } from "./advisory.ts";

/** Attempts of one user from one host. A client tries every server, and again: they are counted, not listed. */
export interface FailedLogins {
  readonly who: Who;
  readonly attempts: number;
  /** RFC 3339. */
  readonly first: string;
  readonly last: string;
  readonly servers: readonly string[];
  readonly reason: string;
}

/** The most recent last. */
export function failedLogins(refusals: readonly Refusal[]): FailedLogins[] {
  const found = new Map<string, FailedLogins>();
  for (const refusal of refusals) {
    const { account: _, ...who } = whoOf(refusal);
    const key = JSON.stringify([who, refusal.reason]);
    const before = found.get(key);
    found.set(key, {
      // Nobody is in an account before they are let in.
      who: { ...who, account: "" },
      attempts: (before?.attempts ?? 0) + 1,
      first: before?.first ?? refusal.timestamp,
      last: refusal.timestamp,
      servers: [...new Set([...(before?.servers ?? []), refusal.server.name])].sort(),
      reason: refusal.reason,
    });
  }
  return [...found.values()].sort((a, b) => (a.last < b.last ? -1 : 1));
}
