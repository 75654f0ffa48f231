/** Who can do what, as a document that is kept and compared, and the question asked the other way round. */
import { canMatch, filtersOf, heldSubjects } from "../model/capture.ts";
import { hasOwnAccount, type Identity, identities, inboxPrefix } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { SERVER, type Stream } from "../model/stream.ts";
import { collide, covers } from "../model/subject.ts";
import { type Crossings, crossingsOf } from "./auth-crossings.ts";
import { type Grant, type Permissions, permissionsOf } from "./permissions.ts";

/** What `circl access --json` prints. A field that changes its meaning changes `formatVersion`. */
export interface AccessDocument {
  readonly formatVersion: 1;
  readonly environment: string;
  readonly identities: readonly AccessEntry[];
}
export interface AccessEntry extends Identity, Permissions {
  readonly inboxPrefix: string;
  /** What its account gets from the one with the streams; missing for who is in that one, or in SYS. Nothing else goes through. */
  readonly imports?: Crossings;
}

export const accessOf = (model: Model): AccessDocument => ({
  formatVersion: 1,
  environment: model.environment.name,
  identities: identities(model).map((identity) => ({
    ...identity,
    inboxPrefix: inboxPrefix(identity, model),
    ...permissionsOf(identity, model),
    ...(hasOwnAccount(identity) ? { imports: crossingsOf(identity, model) } : {}),
  })),
});

export type Action = "publish" | "subscribe";

/** One way in which somebody may. */
export interface Way {
  readonly name: string;
  readonly kind: Identity["kind"] | "server";
  /** The subject that is granted. */
  readonly subject: string;
  readonly why: string;
  /** Whether every subject that was asked for is in it, or only some: asked for `circl.>`, granted `circl.oms.order.>`. */
  readonly extent: "all" | "some";
}

/**
 * Everybody who may publish to `subject`, or have the server send messages there; or who may get messages on it: by subscribing, by
 * a consumer of a stream that holds it, or by reading or making consumers of that stream.
 */
export const whoCan = (action: Action, subject: string, model: Model): Way[] =>
  action === "publish" ? whoPublishes(subject, model) : whoReads(subject, model);

function whoPublishes(subject: string, model: Model): Way[] {
  const servers = model.streams.flatMap(({ publishers, file }) =>
    publishers
      .filter((publisher) => publisher.service === SERVER && collide(publisher.subject, subject))
      .map((publisher) =>
        way({ name: SERVER, kind: "server" }, publisher.subject, `says so itself (${file})`, subject),
      ),
  );
  return [...byName([...granted("publish", subject, model), ...diverted(subject, model)]), ...servers];
}

/** A consumer delivers, and a stream republishes, to whatever subject it names in the account with the streams. */
const DIVERSIONS = [
  { request: "$JS.API.STREAM.UPDATE.*", why: "may have any stream republish there" },
  { request: "$JS.API.CONSUMER.CREATE.>", why: "may make consumers, which deliver where it says" },
] as const;

/** Nothing that is sent there comes from the server's own subjects, or to an inbox, which is heard in its owner's account. */
const BEYOND = ["$SYS.>", "$JS.>"];

function diverted(subject: string, model: Model): Way[] {
  if (subject.startsWith("_INBOX") || BEYOND.some((beyond) => covers(beyond, subject))) return [];
  return identities(model).flatMap((identity) => {
    const { publish } = permissionsOf(identity, model);
    const found = DIVERSIONS.find(({ request }) => publish.some((grant) => collide(grant.subject, request)));
    return found ? [{ ...way(identity, found.request, found.why, subject), extent: "all" as const }] : [];
  });
}

function whoReads(subject: string, model: Model): Way[] {
  const holding = model.streams.filter((stream) => canMatch(subject, heldSubjects(stream, model)));
  const through = identities(model).flatMap((identity) => {
    const { publish } = permissionsOf(identity, model);
    return holding.flatMap((stream) => [
      ...consumed(identity, stream, subject, model),
      ...REACHES.flatMap(({ requests, why }) => {
        const grant = publish.find((candidate) => requests(stream.name).some((one) => collide(candidate.subject, one)));
        return grant ? [{ ...way(identity, grant.subject, why(stream.name), subject), extent: "all" as const }] : [];
      }),
    ]);
  });
  return byName([...granted("subscribe", subject, model), ...through]);
}

const byName = (ways: readonly Way[]): Way[] =>
  ways.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** Requests by which a stream is read without a consumer that was declared. */
const REACHES = [
  {
    requests: (stream: string) => [`$JS.API.CONSUMER.CREATE.${stream}.>`],
    why: (stream: string) => `may make consumers of ${stream}`,
  },
  {
    requests: (stream: string) => [
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}.>`,
    ],
    why: (stream: string) => `reads single messages of ${stream}`,
  },
] as const;

const consumed = (identity: Identity, stream: Stream, subject: string, model: Model): Way[] =>
  stream.consumers
    .filter(({ service }) => service === identity.name)
    .flatMap((consumer) => {
      const filters = filtersOf(consumer);
      return (filters.length > 0 ? filters : heldSubjects(stream, model))
        .filter((filter) => collide(filter, subject))
        .map((filter) => way(identity, filter, `durable ${consumer.name} on ${stream.name} (${stream.file})`, subject));
    });

const granted = (action: Action, subject: string, model: Model): Way[] =>
  identities(model).flatMap((identity) =>
    permissionsOf(identity, model)
      [action].filter((grant) => collide(grant.subject, subject))
      .flatMap((grant) => grant.why.map((why) => way(identity, grant.subject, why, subject))),
  );

const way = ({ name, kind }: Pick<Way, "name" | "kind">, subject: string, why: string, asked: string): Way => ({
  name,
  kind,
  subject,
  why,
  extent: covers(subject, asked) ? "all" : "some",
});

export interface AccessChange {
  readonly identity: string;
  readonly change: "granted" | "taken" | "joined" | "left" | "altered";
  /** `publish circl.oms.order.>`, `credential password -> nkey`. */
  readonly what: string;
  readonly why: string;
}

/** What somebody may now and could not before, and the reverse. Reasons that merely read otherwise are no change. */
export function diffAccess(before: AccessDocument, after: AccessDocument): AccessChange[] {
  const find = ({ identities: all }: AccessDocument, name: string) => all.find((entry) => entry.name === name);
  const names = new Set([...before.identities, ...after.identities].map(({ name }) => name));
  return [...names].sort().flatMap((name) => {
    const [old, now] = [find(before, name), find(after, name)];
    const summary = (entry: AccessEntry) => `${entry.kind} in ${entry.account}, ${entry.credential}`;
    return [
      ...(now && !old ? [{ identity: name, change: "joined" as const, what: summary(now), why: now.description }] : []),
      ...(old && !now ? [{ identity: name, change: "left" as const, what: summary(old), why: old.description }] : []),
      ...(old && now ? altered(old, now) : []),
      ...(["publish", "subscribe"] as const).flatMap((action) => [
        ...lackingIn(now?.[action], old?.[action]).map((grant) => moved(name, "taken", action, grant)),
        ...lackingIn(old?.[action], now?.[action]).map((grant) => moved(name, "granted", action, grant)),
      ]),
    ];
  });
}

/** Those of `grants` that `others` do not have. */
const lackingIn = (others: readonly Grant[] = [], grants: readonly Grant[] = []): Grant[] =>
  grants.filter(({ subject }) => !others.some((other) => other.subject === subject));

const moved = (
  identity: string,
  change: "granted" | "taken",
  action: Action,
  { subject, why }: Grant,
): AccessChange => ({
  identity,
  change,
  what: `${action} ${subject}`,
  why: why.join("; "),
});

const altered = (old: AccessEntry, now: AccessEntry): AccessChange[] =>
  (["kind", "role", "account", "credential", "inboxPrefix"] as const)
    .filter((field) => old[field] !== now[field])
    .map((field) => ({
      identity: now.name,
      change: "altered",
      what: `${field} ${old[field] ?? "none"} -> ${now[field] ?? "none"}`,
      why: now.description,
    }));
