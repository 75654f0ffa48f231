/** Which servers a plan may be made for: those whose rules are known here. */
import { atLeast, parseVersion } from "../model/version.ts";
import type { PresentServer } from "./api.ts";

/** The oldest line that the tests let judge what is refused, what is lost and what is kept. */
const OLDEST = "2.12";

/** A server is older than what is known of servers here: what it would do with a plan, nobody can say. */
export class ServerTooOld extends Error {
  override readonly name = "ServerTooOld";
}

/** @throws ServerTooOld for servers that name an older version; one that names none is taken for a new one */
export function assertKnownVersions(servers: readonly PresentServer[]): void {
  const old = servers.filter(({ version }) => {
    const known = parseVersion(version);
    return known !== undefined && !atLeast(known, OLDEST);
  });
  if (old.length === 0) return;
  const which = old.map(({ name, version }) => `${name} runs nats-server ${version}`).join(", ");
  throw new ServerTooOld(
    `${which}, and plan and apply know the rules of ${OLDEST} and later: older servers drop fields without a word, and lose messages in other ` +
      "cases than a plan would say. Update the servers first; `circl status` and `circl import` work with these.",
  );
}
