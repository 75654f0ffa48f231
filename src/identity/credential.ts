/** The two halves of a credential, and how they stand to each other. */
import { secondName } from "../model/user-name.ts";
import type { LoginDocument, NkeyDocument, PasswordDocument, SeedDocument } from "./documents.ts";
import { createNkey, createPassword, hashPassword, isPasswordOf, publicKeyOf } from "./key-material.ts";

/** One way to log in, as the server's half names it: an NKey's `key`, or the hash of a password with its `user`. */
export interface Entry {
  readonly user: string;
  readonly key: string;
}

export type ServerHalf = NkeyDocument | PasswordDocument;
export type ClientHalf = SeedDocument | LoginDocument;

/** A fresh credential: what the client keeps, and what the server is told. */
export interface Fresh {
  readonly client: ClientHalf;
  readonly entry: Entry;
}

/** What NKeys and passwords do differently; `rotation.ts` is the same for both. */
export interface Scheme {
  readonly type: "nkey" | "password";
  readonly clientType: "seed" | "login";
  /** @param taken the user name that is in use: a password in rotation needs a second one */
  fresh(name: string, taken?: string): Fresh;
  current(server: ServerHalf): Entry;
  previous(server: ServerHalf): Entry | undefined;
  document(current: Entry, previous?: Entry): ServerHalf;
  /** By which nobody logs in. */
  readonly nobody: ServerHalf;
  /** What the server must be told of a client's half. */
  entryOf(client: ClientHalf): Entry;
  opens(client: ClientHalf, entry: Entry): boolean;
}

const nkey: Scheme = {
  type: "nkey",
  clientType: "seed",
  fresh: () => {
    const { seed, publicKey } = createNkey();
    return { client: { seed }, entry: { user: "", key: publicKey } };
  },
  current: ({ current }) => ({ user: "", key: current }),
  previous: ({ previous }) => (previous === "" ? undefined : { user: "", key: previous }),
  document: (current, previous) => ({ current: current.key, previous: previous?.key ?? "" }),
  nobody: { current: "", previous: "" },
  entryOf: (client) => ({ user: "", key: publicKeyOf((client as SeedDocument).seed) }),
  opens: (client, { key }) => publicKeyOf((client as SeedDocument).seed) === key,
};

const password: Scheme = {
  type: "password",
  clientType: "login",
  fresh: (name, taken) => {
    // In rotation, what has moved to an NKey stays with NKeys.
    if (taken === "") return moved({ user: "", password: "", seed: "" });
    const user = taken === name ? secondName(name) : name;
    const secret = createPassword();
    return { client: { user, password: secret, seed: "" }, entry: { user, key: hashPassword(secret) } };
  },
  current: (server) => ({ user: (server as PasswordDocument).currentUser, key: server.current }),
  previous: (server) =>
    server.previous === "" ? undefined : { user: (server as PasswordDocument).previousUser, key: server.previous },
  document: (current, previous) => ({
    currentUser: current.user,
    current: current.key,
    previousUser: previous?.user ?? "",
    previous: previous?.key ?? "",
  }),
  nobody: { currentUser: "", current: "", previousUser: "", previous: "" },
  entryOf: (client) => {
    const { user, password: secret, seed } = client as LoginDocument;
    return seed === "" ? { user, key: hashPassword(secret) } : { user: "", key: publicKeyOf(seed) };
  },
  opens: (client, { user, key }) => {
    const login = client as LoginDocument;
    if (user === "") return login.seed !== "" && publicKeyOf(login.seed) === key;
    return login.user === user && isPasswordOf(login.password, key);
  },
};

/** A new NKey beside what the client has: a client that does not know it yet goes on with its password. */
export function moved(client: LoginDocument): Fresh {
  const { seed, publicKey } = createNkey();
  return { client: { ...client, seed }, entry: { user: "", key: publicKey } };
}

export const schemes = { nkey, password } as const;

/**
 * How both halves stand:
 * - missing: there is nothing yet
 * - unregistered: a client has its half and no server knows it (a create that was cut off)
 * - steady: one credential is valid, and the client has it
 * - rotating: two are valid, and the client has the new one
 * - unshared: two are valid, and the client still has the old one (a rotate that was cut off)
 * - lost: servers know a credential, and the client's half is gone
 * - revoked: servers let nobody in, whatever the client has (revoke --without-new)
 * - torn: the client has what no server knows (a revoke that was cut off, or two writers at once)
 */
export type Standing = "missing" | "unregistered" | "steady" | "rotating" | "unshared" | "lost" | "revoked" | "torn";

export interface Halves {
  readonly server?: ServerHalf | undefined;
  readonly client?: ClientHalf | undefined;
}

export function standingOf(scheme: Scheme, { server, client }: Halves): Standing {
  if (!server) return client ? "unregistered" : "missing";
  const previous = scheme.previous(server);
  if (scheme.current(server).key === "" && !previous) return "revoked";
  if (!client) return "lost";
  if (scheme.opens(client, scheme.current(server))) return previous ? "rotating" : "steady";
  return previous && scheme.opens(client, previous) ? "unshared" : "torn";
}
