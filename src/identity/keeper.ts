/** Carries credentials from one state to the next in a store. Everything is read and judged before anything is written. */
import pLimit from "p-limit";
import { DOCUMENTS, storeKey } from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { type ClientHalf, type Halves, schemes } from "./credential.ts";
import { BrokenDocument, type DocumentType, type DocumentTypes, parseDocument } from "./documents.ts";
import { type Action, Refused, replacement, type Transition, transition, withdrawal } from "./rotation.ts";
import { changeEncryptionKey, changeTile38Password, replacedTile38Password } from "./shared-secret.ts";
import { type SecretStore, StoreFailure } from "./store.ts";

/** Something that the store keeps a secret for: an identity, or one of the two secrets that have no client's half. */
export interface Holder {
  readonly name: string;
  readonly kind: "service" | "tool" | "person" | "server";
  readonly credential: "nkey" | "password" | "tile38" | "encryption";
}

/** Everything that an environment needs, identities first. */
export function holders(model: Model): readonly Holder[] {
  const server = (name: string, credential: Holder["credential"]): Holder => ({ name, kind: "server", credential });
  return [
    ...identities(model).map(({ name, kind, credential }) => ({ name, kind, credential })),
    ...(model.environment.nats.encryption === "none" ? [] : [server("encryption-key", "encryption")]),
    server("tile38-password", "tile38"),
  ];
}

/** Ids of the documents of a holder: the server's half, and the client's where there is one. */
export function documentIds(
  environment: Environment,
  { name, credential }: Holder,
): { server: string; client?: string } {
  const id = (document: string): string => storeKey(environment, document);
  if (credential === "tile38") return { server: id(DOCUMENTS.tile38) };
  if (credential === "encryption") return { server: id(DOCUMENTS.encryption) };
  return { server: id(DOCUMENTS.identity(name)), client: id(DOCUMENTS.client(name)) };
}

/** What will be done for one holder. */
export interface Prepared extends Transition {
  readonly holder: Holder;
}

/** Several holders in whose way something stands. */
export class Impossible extends Error {
  override readonly name = "Impossible";
}

/**
 * What `action` comes to for every holder. Writes nothing.
 * @throws Impossible with everything that stands in the way; StoreFailure
 */
export async function prepare(
  action: Action,
  { environment }: Model,
  who: readonly Holder[],
  store: SecretStore,
): Promise<readonly Prepared[]> {
  const problems: string[] = [];
  const prepared = await eachOf(who, async (holder) => {
    try {
      return { holder, ...(await transitionOf(action, environment, holder, store)) };
    } catch (error) {
      if (!(error instanceof Refused || error instanceof BrokenDocument)) throw error;
      problems.push(error.message);
      return undefined;
    }
  });
  if (problems.length > 0) throw new Impossible(["nothing was written:", ...problems.sort()].join("\n- "));
  return prepared.filter((one) => one !== undefined);
}

async function transitionOf(
  action: Action,
  environment: Environment,
  holder: Holder,
  store: SecretStore,
): Promise<Transition> {
  const { server } = documentIds(environment, holder);
  // What is stored can be read with this key alone: nothing is made in its place.
  if (holder.credential === "encryption") {
    return changeEncryptionKey(action, await readDocument("encryption", server, store));
  }
  try {
    if (holder.credential === "tile38")
      return changeTile38Password(action, await readDocument("tile38", server, store));
    const scheme = schemes[holder.credential];
    return transition(action, holder.name, scheme, await readHalves(environment, holder, store));
  } catch (error) {
    // The way out of what cannot be read.
    if (!(error instanceof BrokenDocument)) throw error;
    if (holder.credential === "tile38") {
      if (action === "revoke") return replacedTile38Password();
    } else {
      if (action === "revoke") {
        return replacement(holder.name, schemes[holder.credential], await readableHalves(environment, holder, store));
      }
      if (action === "withdraw") return withdrawal(schemes[holder.credential]);
    }
    throw error;
  }
}

/**
 * Writes what was prepared, in an order that may be cut off anywhere: first all that servers must
 * know, then what clients get once `serversReady` is done.
 * @throws StoreFailure, also where somebody else has changed what servers know meanwhile; what was written until then holds,
 *   and the same command completes the rest
 */
export async function carryOut(
  prepared: readonly Prepared[],
  environment: Environment,
  store: SecretStore,
  serversReady: () => Promise<void>,
): Promise<void> {
  const writes = writesOf(prepared, environment);
  await writeAll(
    writes.map((ofHolder) => ofHolder.filter(({ afterServers }) => !afterServers)),
    store,
  );
  const later = writes.map((ofHolder) => ofHolder.filter(({ afterServers }) => afterServers));
  if (later.flat().length === 0) return;
  await serversReady();
  await mustBeAsWritten(
    writes.filter((_, i) => later[i]?.length),
    store,
  );
  await writeAll(later, store);
}

/** It may have been long: handed out after somebody's revoke, a credential would open nothing, and hide the one that does. */
async function mustBeAsWritten(writes: readonly (readonly Write[])[], store: SecretStore): Promise<void> {
  const earlier = writes.flat().filter(({ afterServers }) => !afterServers);
  // A store may end a text with a line feed of its own.
  const changed = (
    await eachOf(earlier, async ({ id, text }) => ((await store.read(id))?.trim() === text ? [] : [id]))
  ).flat();
  if (changed.length === 0) return;
  throw new StoreFailure(
    `somebody else changed ${changed.join(", ")} meanwhile: nothing was handed out to clients. ` +
      "See `identity list` for how it stands, and agree who goes on.",
  );
}

/**
 * Makes every credential of `model` in a store that no server reads yet.
 * @throws Impossible, StoreFailure
 */
export async function makeEverything(model: Model, store: SecretStore): Promise<void> {
  const prepared = await prepare("create", model, holders(model), store);
  await carryOut(prepared, model.environment, store, async () => {});
}

const writesOf = (prepared: readonly Prepared[], environment: Environment): readonly (readonly Write[])[] =>
  prepared.map(({ holder, steps }) => {
    const ids = documentIds(environment, holder);
    return steps.map(({ half, document, afterServers = false }) => {
      const id = half === "server" ? ids.server : ids.client;
      if (!id) throw new Error(`${holder.name} has no client's half`);
      return { id, text: JSON.stringify(document), afterServers };
    });
  });

interface Write {
  readonly id: string;
  readonly text: string;
  readonly afterServers: boolean;
}

/** The store as it will be: everything that is made of documents can be tried before the first is written. */
export function asWritten(prepared: readonly Prepared[], environment: Environment, store: SecretStore): SecretStore {
  const planned = new Map(
    writesOf(prepared, environment)
      .flat()
      .map(({ id, text }) => [id, text]),
  );
  return { ...store, read: async (id) => planned.get(id) ?? (await store.read(id)) };
}

/** Those of one holder in their order, several holders at once. After a failure nothing more is begun. */
async function writeAll(writes: readonly (readonly Write[])[], store: SecretStore): Promise<void> {
  const failures: unknown[] = [];
  await eachOf(writes, async (ofHolder) => {
    for (const { id, text } of ofHolder) {
      if (failures.length > 0) return;
      await store.write(id, text).catch((error: unknown) => failures.push(error));
    }
  });
  if (failures.length > 0) throw failures[0];
}

/** What a client has in its hands. */
export interface Held {
  readonly name: string;
  readonly client: ClientHalf;
}

/** Of those whom something will be done to, without those whose half is gone or cannot be read. @throws StoreFailure */
export async function heldByClients(
  prepared: readonly Prepared[],
  environment: Environment,
  store: SecretStore,
): Promise<readonly Held[]> {
  const held = await eachOf(prepared, async ({ holder, steps }): Promise<Held | undefined> => {
    const { client: id } = documentIds(environment, holder);
    if (!id || steps.length === 0) return undefined;
    const client = await readable(readDocument(schemeOf(holder).clientType, id, store));
    return client && { name: holder.name, client };
  });
  return held.filter((one) => one !== undefined);
}

/** How a server names a login in its list of connections: the public key of an NKey, or the user name of a password. */
export interface Login {
  readonly name: string;
  readonly user: string;
}

/** What ends with a finish. @throws BrokenDocument; StoreFailure */
export async function endingLogins(
  prepared: readonly Prepared[],
  environment: Environment,
  store: SecretStore,
): Promise<readonly Login[]> {
  const found = await eachOf(prepared, async ({ holder, steps }): Promise<readonly Login[]> => {
    if (holder.kind === "server" || steps.length === 0) return [];
    const scheme = schemeOf(holder);
    const server = await readDocument(scheme.type, documentIds(environment, holder).server, store);
    const previous = server && scheme.previous(server);
    return previous ? [{ name: holder.name, user: previous.user || previous.key }] : [];
  });
  return found.flat();
}

/** @throws BrokenDocument; StoreFailure */
export async function readHalves(environment: Environment, holder: Holder, store: SecretStore): Promise<Halves> {
  const [server, client] = await Promise.all(halvesOf(environment, holder, store));
  return { server, client };
}

async function readableHalves(environment: Environment, holder: Holder, store: SecretStore): Promise<Halves> {
  const [reading, readingToo] = halvesOf(environment, holder, store);
  const [server, client] = await Promise.all([readable(reading), readable(readingToo)]);
  return { server, client };
}

const halvesOf = (environment: Environment, holder: Holder, store: SecretStore) => {
  const { type, clientType } = schemeOf(holder);
  const { server, client = "" } = documentIds(environment, holder);
  return [readDocument(type, server, store), readDocument(clientType, client, store)] as const;
};

/** Nothing for what is broken. */
const readable = <T>(reading: Promise<T>): Promise<T | undefined> =>
  reading.catch((error: unknown) => {
    if (!(error instanceof BrokenDocument)) throw error;
    return undefined;
  });

const schemeOf = ({ credential }: Holder) => schemes[credential === "password" ? "password" : "nkey"];

/** @throws BrokenDocument; StoreFailure */
export async function readDocument<T extends DocumentType>(
  type: T,
  id: string,
  store: SecretStore,
): Promise<DocumentTypes[T] | undefined> {
  const text = await store.read(id);
  return text === undefined ? undefined : parseDocument(type, id, text);
}

/** A process of gcloud takes a second and 100 MB: several at once, but not all. */
const AT_ONCE = 4;

export const eachOf = <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> =>
  pLimit(AT_ONCE).map(items, work);
