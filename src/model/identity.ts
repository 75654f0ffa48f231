/** Who logs in to NATS. Everything that an identity may do follows from the streams; here is only who there is. */
import type { Role } from "./environment.ts";
import type { Model } from "./resolve.ts";
import { STREAM_SYNC } from "./stream.ts";

export interface Identity {
  /** `oms`, `stream-sync`: a-z, 0-9 and "-". Its user, its documents in the secret store and its inbox carry it. */
  readonly name: string;
  readonly kind: "service" | "tool" | "person";
  /** One of its own, unless its work is in `CIRCL` or `SYS` itself. */
  readonly account: string;
  readonly description: string;
  /** A password only where the environment says so (`nats.clients.passwords`). */
  readonly credential: "nkey" | "password";
  /** What a person may do. */
  readonly role?: Role;
}

/** The account that has JetStream. Only stream-sync logs in to it: everybody else gets from it what auth-crossings.ts hands over. */
export const STREAMS_ACCOUNT = "CIRCL";
/** Where the servers speak about themselves. It cannot have JetStream. */
export const SYSTEM_ACCOUNT = "SYS";

/** Plans and reports: reads what stream-sync would change, and cannot write. */
export const STREAM_PLAN = "stream-plan";
/** Watches: what every stream and consumer is at, and what the servers notice. */
export const MONITOR = "monitor";

const TOOLS: Readonly<Record<string, string>> = {
  [STREAM_SYNC]: "circl apply: creates, changes and deletes streams and consumers",
  [STREAM_PLAN]: "circl plan, status and import: reads streams and consumers",
  [MONITOR]: "Watches streams, consumers and advisories",
};

const ROLES: Readonly<Record<Role, string>> = {
  "operator-read": "Looks: streams, consumers, advisories, dead letters",
  "operator-streams": "Repairs: moves leaders, pauses consumers, removes dead letters",
  "operator-system": "Asks the servers about themselves, and who connects",
};

/** Every identity of an environment, sorted by name: its services, our tools, and the people it names. */
export function identities({ services, environment }: Pick<Model, "services" | "environment">): readonly Identity[] {
  const { people, clients } = environment.nats;
  const named: readonly Omit<Identity, "credential">[] = [
    ...services.map(({ name, description }) => ({ name, kind: "service" as const, account: name, description })),
    ...Object.entries(TOOLS).map(([name, description]) => ({
      name,
      kind: "tool" as const,
      account: name === STREAM_SYNC ? STREAMS_ACCOUNT : name,
      description,
    })),
    ...Object.entries(people).map(([name, role]) => ({
      name,
      kind: "person" as const,
      role,
      account: role === "operator-system" ? SYSTEM_ACCOUNT : name,
      description: ROLES[role],
    })),
  ];
  return named
    .map((who) => ({
      ...who,
      credential: clients.passwords.includes(who.name) ? ("password" as const) : ("nkey" as const),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Whether it comes to the streams from an account that nobody else is in. */
export const hasOwnAccount = ({ account }: Pick<Identity, "account">): boolean =>
  account !== STREAMS_ACCOUNT && account !== SYSTEM_ACCOUNT;

/** Where the answers to its requests come: its own prefix, which nobody else may listen on, or the one that all share. */
export const inboxPrefix = ({ name }: Pick<Identity, "name">, { environment }: Pick<Model, "environment">): string =>
  environment.nats.clients.inboxes === "private" ? `_INBOX_${name}` : "_INBOX";
