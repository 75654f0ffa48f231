/** How credentials stand in a store. Nothing of what is told here is secret. */
import type { Environment } from "../model/environment.ts";
import type { Model } from "../model/resolve.ts";
import { type Entry, type Halves, type Scheme, type Standing, schemes, standingOf } from "./credential.ts";
import { BrokenDocument } from "./documents.ts";
import { documentIds, eachOf, type Holder, readDocument, readHalves } from "./keeper.ts";
import type { SecretStore } from "./store.ts";

/** How a holder stands in the store. */
export interface Status {
  readonly holder: Holder;
  readonly standing: Standing | "broken";
  /** What is wrong with a document that cannot be read. */
  readonly problem?: string;
  /** Since when the server's half is as it is. */
  readonly since?: Date;
  /** Public keys, or user names of passwords. */
  readonly current?: string;
  readonly previous?: string;
}

/**
 * @param reads with "public" nothing that opens anything: no client's half is fetched, no password and no key. Whether a client's
 *   half is there is told, whether it fits is not, and a rotation of the encryption key is not seen.
 * @throws StoreFailure
 */
export const survey = (
  { environment }: Model,
  who: readonly Holder[],
  store: SecretStore,
  reads: "everything" | "public" = "everything",
): Promise<readonly Status[]> =>
  eachOf(who, async (holder): Promise<Status> => {
    const since = await store.writtenAt(documentIds(environment, holder).server);
    const at = since ? { since } : {};
    if (!since && reads === "public" && isShared(holder)) return { holder, standing: "missing" };
    try {
      return { holder, ...at, ...(await (reads === "public" ? publicStatus : fullStatus)(environment, holder, store)) };
    } catch (error) {
      if (!(error instanceof BrokenDocument)) throw error;
      return { holder, ...at, standing: "broken", problem: error.message };
    }
  });

type Found = Pick<Status, "standing" | "current" | "previous">;

const isShared = ({ credential }: Holder): boolean => credential === "tile38" || credential === "encryption";

async function fullStatus(environment: Environment, holder: Holder, store: SecretStore): Promise<Found> {
  const { server } = documentIds(environment, holder);
  if (holder.credential === "tile38") {
    return { standing: (await readDocument("tile38", server, store)) ? "steady" : "missing" };
  }
  if (holder.credential === "encryption") {
    const document = await readDocument("encryption", server, store);
    return { standing: !document ? "missing" : document.previous === "" ? "steady" : "rotating" };
  }
  const scheme = schemes[holder.credential];
  const halves = await readHalves(environment, holder, store);
  return { standing: standingOf(scheme, halves), ...keysOf(scheme, halves) };
}

async function publicStatus(environment: Environment, holder: Holder, store: SecretStore): Promise<Found> {
  if (holder.credential === "tile38" || holder.credential === "encryption") return { standing: "steady" };
  const scheme = schemes[holder.credential];
  const ids = documentIds(environment, holder);
  const [server, client] = await Promise.all([
    readDocument(scheme.type, ids.server, store),
    store.writtenAt(ids.client ?? ""),
  ]);
  if (!server) return { standing: client ? "unregistered" : "missing" };
  const shown = keysOf(scheme, { server });
  if (scheme.current(server).key === "" && !shown.previous) return { standing: "revoked", ...shown };
  if (!client) return { standing: "lost", ...shown };
  return { standing: shown.previous ? "rotating" : "steady", ...shown };
}

function keysOf(scheme: Scheme, { server }: Halves): Pick<Status, "current" | "previous"> {
  if (!server) return {};
  // A hash is not for showing.
  const shown = ({ user, key }: Entry): string => user || key;
  const previous = scheme.previous(server);
  return { current: shown(scheme.current(server)), ...(previous ? { previous: shown(previous) } : {}) };
}
