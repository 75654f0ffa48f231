/**
 * What the account of an identity gets from the account that has the streams: what its permissions name, and nothing else. A server
 * sends answers to whatever subject they are asked for at, as itself and past all permissions, but in the account of who asked:
 * where nothing else is imported they reach nothing else.
 */
import { AUDIT_PREFIX } from "../model/audit.ts";
import { type Identity, inboxPrefix, STREAMS_ACCOUNT } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { covers } from "../model/subject.ts";
import { AUDIT_HEARD } from "./auth-audit.ts";
import { type ConfigBlock, duration } from "./config-file.ts";
import { permissionsOf } from "./permissions.ts";

/**
 * Imported by every account, though few may ask it: a server that does not find it answers all of `$JS.API.>` itself, with "not
 * enabled for account", beside the answer that was asked for (jetstream.go, enableJetStreamInfoServiceImportOnly).
 */
const ACCOUNT_INFO = "$JS.API.INFO";

/** Answered by more than one message: fetches, and direct gets in batches. */
const MANY_ANSWERS = /^\$JS\.API\.(CONSUMER\.MSG\.NEXT\..+|DIRECT\.GET\.[^.]+)$/;

/** How long the server keeps the way back for a further answer, unless told otherwise (const.go). Nanoseconds. */
const WAY_BACK = 120e9;

export interface Crossings {
  /** Asked or published there, heard here. */
  readonly services: readonly string[];
  /** Said here, heard there. */
  readonly streams: readonly string[];
}

/** Subjects keep their names: a client sees no difference. */
export function crossingsOf(identity: Identity, model: Model): Crossings {
  const { publish, subscribe } = permissionsOf(identity, model);
  const services = outermost([ACCOUNT_INFO, ...publish.map(({ subject }) => subject)]);
  // Who may make a consumer has it deliver to an inbox, which is a subject of the account with the streams.
  const makesConsumers = services.some((subject) => subject.startsWith("$JS.API.CONSUMER.CREATE."));
  const inbox = `${inboxPrefix(identity, model)}.>`;
  const heard = subscribe
    .map(({ subject }) => subject)
    .filter((subject) => subject !== LOGINS && (subject !== inbox || makesConsumers));
  return { services, streams: outermost(heard) };
}

/** Logins are told in SYS. */
const LOGINS = `${AUDIT_PREFIX}.>`;
export const hearsLogins = (identity: Identity, model: Model): boolean =>
  permissionsOf(identity, model).subscribe.some(({ subject }) => subject === LOGINS);

/** Requests say who asks, for the audit. Messages do not: nobody would read it, and it is JSON in each of them. */
export function importsOf(identity: Identity, model: Model): ConfigBlock[] {
  const { services, streams } = crossingsOf(identity, model);
  const account = STREAMS_ACCOUNT;
  return [
    ...services.map((subject) => ({
      service: { account, subject },
      ...(subject.startsWith("$JS.API.") ? { share: true } : {}),
    })),
    ...streams.map((subject) => ({ stream: { account, subject } })),
    ...(hearsLogins(identity, model) ? AUDIT_HEARD : []),
  ];
}

/** What `identities` import, each subject for those accounts alone that do. */
export function exportsOf(identities: readonly Identity[], model: Model): ConfigBlock[] {
  const importers = { services: new Map<string, string[]>(), streams: new Map<string, string[]>() };
  for (const identity of identities) {
    const crossings = crossingsOf(identity, model);
    for (const kind of ["services", "streams"] as const) {
      for (const subject of crossings[kind]) {
        importers[kind].set(subject, [...(importers[kind].get(subject) ?? []), identity.account]);
      }
    }
  }
  const sorted = (kind: keyof typeof importers) => [...importers[kind]].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...sorted("services").map(([service, accounts]) => ({ service, ...answers(service, model), accounts })),
    ...sorted("streams").map(([stream, accounts]) => ({ stream, accounts })),
  ];
}

function answers(service: string, { streams }: Model): ConfigBlock {
  if (!MANY_ANSWERS.test(service)) return {};
  const longest = streams
    .flatMap(({ name, consumers }) => consumers.map((consumer) => ({ ...consumer, stream: name })))
    .find(({ name, stream }) => service === `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`)?.maxExpires;
  const threshold = longest && longest > WAY_BACK ? { response_threshold: duration(longest) } : {};
  return { response_type: "stream", ...threshold };
}

/** Without those that another one covers: two imports that match a message would each bring it. */
const outermost = (subjects: readonly string[]): string[] =>
  [...new Set(subjects)]
    .filter((subject, _, all) => !all.some((other) => other !== subject && covers(other, subject)))
    .sort();
