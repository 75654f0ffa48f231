/** Credentials for every identity of a model, made for one test, and servers that know them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, type NatsConnection, nkeyAuthenticator, nkeys } from "nats";
import type { Target } from "../../src/connect/nats.ts";
import { type Identity, identities, inboxPrefix } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import { type AuthDocument, authProperties, authTemplate, templateKey } from "../../src/nats/auth-template.ts";
import { Cluster, type ClusterOptions } from "./nats-server.ts";
import { tool } from "./tools.ts";

/** The two halves of each identity's document, by identity: what servers know, and what the client has. */
export interface Credentials {
  readonly documents: Readonly<Record<string, AuthDocument>>;
  readonly clients: Readonly<Record<string, ClientDocument>>;
}
type ClientDocument = { readonly seed: string } | { readonly user: string; readonly password: string };

/** Fresh keys, and hashes where an environment says passwords. */
export function credentialsOf(model: Model): Credentials {
  const made = identities(model).map((identity) => ({
    name: identity.name,
    ...(identity.credential === "nkey" ? nkeyLogin() : passwordLogin(identity)),
  }));
  return {
    documents: Object.fromEntries(made.map(({ name, document }) => [name, document])),
    clients: Object.fromEntries(made.map(({ name, client }) => [name, client])),
  };
}

interface Login {
  readonly document: AuthDocument;
  readonly client: ClientDocument;
}

function nkeyLogin(): Login {
  const pair = nkeys.createUser();
  return {
    document: { current: pair.getPublicKey(), previous: "" },
    client: { seed: new TextDecoder().decode(pair.getSeed()) },
  };
}

function passwordLogin({ name: user }: Identity): Login {
  const password = `loopback-only-${user}`;
  const { hash = "" } = renderTemplate({ hash: "{{ bcrypt .password }}" }, { password });
  return {
    document: { currentUser: user, current: hash, previousUser: "", previous: "" },
    client: { user, password },
  };
}

/** Renders as External Secrets would. @throws with what the program says */
export function renderTemplate(
  template: Readonly<Record<string, string>>,
  data: Readonly<Record<string, string>>,
): Record<string, string> {
  const { status, stdout, stderr } = spawnSync(tool("secret-template"), {
    input: JSON.stringify({ template, data }),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** auth.conf as External Secrets makes it of the documents. */
export function renderedAuth(model: Model, documents: Credentials["documents"]): string {
  const data = identities(model).flatMap((identity) =>
    authProperties(identity).flatMap((property) => {
      const value = documents[identity.name]?.[property];
      return value === undefined ? [] : [[templateKey(identity, property), value] as const];
    }),
  );
  return renderTemplate({ "auth.conf": authTemplate(model) }, Object.fromEntries(data))["auth.conf"] ?? "";
}

export interface Backbone extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly credentials: Credentials;
  /** Connects as an identity of the model. */
  readonly as: (name: string, options?: ConnectionOptions) => Promise<NatsConnection>;
  /** How our own commands connect as one. */
  readonly target: (name: string) => Target;
}

/** Servers with the rendered nats.conf and auth.conf. */
export async function startBackbone(model: Model, options: ClusterOptions = {}): Promise<Backbone> {
  const credentials = credentialsOf(model);
  const cluster = await Cluster.start(model, { ...options, auth: renderedAuth(model, credentials.documents) });
  const seeds = mkdtempSync(join(tmpdir(), "circl-seeds-"));
  const clientOf = (name: string) => {
    const client = credentials.clients[name];
    if (!client) throw new Error(`no identity ${name}`);
    return client;
  };
  return {
    cluster,
    credentials,
    as: (name, others = {}) => {
      const client = clientOf(name);
      const login: ConnectionOptions =
        "seed" in client
          ? { authenticator: nkeyAuthenticator(new TextEncoder().encode(client.seed)) }
          : { user: client.user, pass: client.password };
      return cluster.connect({ ...login, inboxPrefix: inboxPrefix({ name }, model), ...others });
    },
    target: (name) => {
      const { user: _, password: __, ...target } = cluster.target();
      const client = clientOf(name);
      if (!("seed" in client)) throw new Error(`${name} has no seed`);
      const nkeyFile = join(seeds, name);
      writeFileSync(nkeyFile, client.seed, { mode: 0o600 });
      return { ...target, nkeyFile, inboxPrefix: inboxPrefix({ name }, model) };
    },
    async [Symbol.asyncDispose]() {
      rmSync(seeds, { recursive: true, force: true });
      await cluster[Symbol.asyncDispose]();
    },
  };
}
