/** Names for public keys: servers report an NKey user by its key, and only the secret store knows whose that is. */
import * as v from "valibot";
import type { Who } from "./advisory.ts";
import type { Audit } from "./audit.ts";

/** What `circl identity list --json` prints, as far as it is read here. */
const schema = v.object({
  identities: v.array(
    v.object({ name: v.string(), current: v.optional(v.string()), previous: v.optional(v.string()) }),
  ),
});

/** Identities by public key or user name. @throws Error for text that is no such document */
export function readIdentities(json: string): ReadonlyMap<string, string> {
  const { identities } = v.parse(schema, JSON.parse(json));
  return new Map(
    identities.flatMap(({ name, current, previous }) =>
      [current, previous].flatMap((user): [string, string][] => (user ? [[user, name]] : [])),
    ),
  );
}

/** The same audit, with the identity of everybody who has one. */
export function withIdentities(audit: Audit, identities: ReadonlyMap<string, string>): Audit {
  const named = <T extends { readonly who: Who }>(event: T): T => {
    const identity = identities.get(event.who.user);
    return identity ? { ...event, who: { ...event.who, identity } } : event;
  };
  const { changes } = audit;
  return { ...audit, ...(changes ? { changes: changes.map(named) } : {}), failedLogins: audit.failedLogins.map(named) };
}
