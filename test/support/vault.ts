/** Real credentials in a store of the test, and servers that know them as the rendered auth.conf says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ConnectionOptions, connect, type NatsConnection, nkeyAuthenticator } from "nats";
import { carryOut, holders, makeEverything, prepare } from "../../src/identity/keeper.ts";
import type { Action } from "../../src/identity/rotation.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { identities, inboxPrefix } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import { renderAuth } from "../../src/nats/auth-template.ts";
import { createAll } from "./jetstream.ts";
import { memoryStore } from "./memory-store.ts";
import { Cluster, type ClusterOptions } from "./nats-server.ts";
import { reload, setAuth } from "./reload.ts";

export interface Vault extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly documents: Map<string, string>;
  /** Runs one of our commands; between its halves the servers take what they must know. */
  readonly run: (action: Action, ...names: string[]) => Promise<void>;
  /** auth.conf of the documents as they are. */
  readonly auth: () => string;
  /** Connects with the client's half as it is now. */
  readonly as: (name: string, options?: ConnectionOptions) => Promise<NatsConnection>;
}

/** All credentials, and the streams. */
export async function startVault(model: Model, options: ClusterOptions = {}): Promise<Vault> {
  const store = memoryStore();
  const { documents } = store;
  const { name: environment } = model.environment;
  const everybody = holders(model);
  await makeEverything(model, store);
  const auth = (): string =>
    renderAuth(
      model,
      Object.fromEntries(
        identities(model).map(({ name }) => [
          name,
          JSON.parse(documents.get(`${environment}-nats-identity-${name}`) ?? "{}"),
        ]),
      ),
    );
  const cluster = await Cluster.start(model, { ...options, auth: auth() });
  const as = (name: string, more: ConnectionOptions = {}): Promise<NatsConnection> => {
    const client = JSON.parse(documents.get(`${environment}-nats-client-${name}`) ?? "{}");
    const ca = () => readFileSync(join(cluster.root, "tls/nats-server-tls/ca.crt"), "utf8");
    return connect({
      servers: cluster.servers.map(({ clientPort }) => `127.0.0.1:${clientPort}`),
      ...(client.seed
        ? { authenticator: nkeyAuthenticator(new TextEncoder().encode(client.seed)) }
        : { user: client.user, pass: client.password }),
      inboxPrefix: inboxPrefix({ name }, model),
      ...(model.environment.nats.tls ? { tls: { ca: ca() } } : {}),
      timeout: 10_000,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      ...more,
    });
  };
  const run = async (action: Action, ...names: string[]): Promise<void> => {
    const who = everybody.filter(({ name }) => names.includes(name));
    const take = async () => {
      setAuth(cluster, auth());
      await reload(cluster);
    };
    await carryOut(await prepare(action, model, who, store), model.environment, store, take);
    await take();
  };
  try {
    const sync = await as("stream-sync");
    await createAll(sync, desiredState(model));
    await sync.close();
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return { cluster, documents, run, auth, as, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}
