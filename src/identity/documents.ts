/**
 * The documents of the secret store. Each is one flat JSON object in which every key is there, "" for none: the templates
 * that read them fail on a key that is missing (External Secrets sets `missingkey=error`).
 */

/** The server's half of an NKey: public keys. `previous` is valid as well while clients move to `current`. Without both nobody logs in. */
export interface NkeyDocument {
  readonly current: string;
  readonly previous: string;
}
/**
 * The server's half of a password: bcrypt hashes. Two user names, because the server refuses one name with two passwords. An entry
 * without a user name is the public key of an NKey: what an identity moves to before the environment says so.
 */
export interface PasswordDocument {
  readonly currentUser: string;
  readonly current: string;
  readonly previousUser: string;
  readonly previous: string;
}
/** The client's half of an NKey. */
export interface SeedDocument {
  readonly seed: string;
}
/** The client's half of a password. `seed` is the NKey that it moves to, beside the password or in its place. */
export interface LoginDocument {
  readonly user: string;
  readonly password: string;
  readonly seed: string;
}
/** Tile38 has one password for everybody, and no second one while it changes. */
export interface Tile38Document {
  readonly password: string;
}
/** The key that JetStream's files are encrypted with; `previous` opens what is not yet written anew. */
export interface EncryptionDocument {
  readonly current: string;
  readonly previous: string;
}

export interface DocumentTypes {
  readonly nkey: NkeyDocument;
  readonly password: PasswordDocument;
  readonly seed: SeedDocument;
  readonly login: LoginDocument;
  readonly tile38: Tile38Document;
  readonly encryption: EncryptionDocument;
}
export type DocumentType = keyof DocumentTypes;

const PUBLIC_KEY = /^U[A-Z2-7]{55}$/;
const HASH = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;
const USER = /^[a-z0-9-]+$/;
/** What every configuration file, URL and shell takes as it is. */
const PLAIN = /^[A-Za-z0-9]{32,}$/;
const orNone = (...patterns: readonly RegExp[]): RegExp =>
  new RegExp(["^$", ...patterns.map(({ source }) => source)].join("|"));
const SEED = /^SU[A-Z2-7]{56}$/;
const VISIBLE = /^[!-~]+$/;

/** What each key may hold. Everything lands in a configuration file, so that anything else could end a string there. */
const SHAPES: { readonly [T in DocumentType]: Readonly<Record<keyof DocumentTypes[T], RegExp>> } = {
  nkey: { current: orNone(PUBLIC_KEY), previous: orNone(PUBLIC_KEY) },
  password: {
    ...{ currentUser: orNone(USER), current: orNone(HASH, PUBLIC_KEY) },
    ...{ previousUser: orNone(USER), previous: orNone(HASH, PUBLIC_KEY) },
  },
  seed: { seed: SEED },
  login: { user: orNone(USER), password: orNone(VISIBLE), seed: orNone(SEED) },
  // Tile38 trims what a client sends, and reads broken JSON as far as it can.
  tile38: { password: /^(?!.*["\\])[!-~]+$/ },
  encryption: { current: PLAIN, previous: orNone(PLAIN) },
};

/** What is left of a password once the environment says that its identity has an NKey. Read by nobody, gone with the next write. */
const LEFT_OVER: Partial<Readonly<Record<DocumentType, Readonly<Record<string, RegExp>>>>> = {
  nkey: { currentUser: /^$/, previousUser: /^$/ },
  seed: { user: orNone(USER), password: orNone(VISIBLE) },
};

/** A document that is not what it must be. Values are never in the message. */
export class BrokenDocument extends Error {
  override readonly name = "BrokenDocument";
}

/** @throws BrokenDocument that names every key that is missing, unknown or of another form */
export function parseDocument<T extends DocumentType>(type: T, id: string, text: string): DocumentTypes[T] {
  const shape: Readonly<Record<string, RegExp>> = SHAPES[type];
  const found = objectIn(text);
  if (!found) throw broken(id, ["is no JSON object"], type);
  const wrong = [
    ...Object.entries(shape).flatMap(([key, pattern]) => {
      const value = found[key];
      if (value === undefined) return [`"${key}" is missing`];
      return typeof value === "string" && pattern.test(value) ? [] : [`"${key}" is not of the form it must have`];
    }),
    ...Object.entries(found).flatMap(([key, value]) =>
      key in shape || LEFT_OVER[type]?.[key]?.test(String(value)) ? [] : [`"${key}" means nothing here`],
    ),
    // A key has no user name, a hash has one.
    ...(type === "password" ? ["current", "previous"] : []).flatMap((key) =>
      HASH.test(String(found[key])) === (found[`${key}User`] !== "") ? [] : [`"${key}" and "${key}User" go together`],
    ),
    ...(type === "login" && (found.user === "") !== (found.password === "")
      ? ['"user" and "password" go together']
      : []),
    ...(type === "login" && found.user === "" && found.seed === "" ? ["it opens nothing"] : []),
  ];
  if (wrong.length > 0) throw broken(id, wrong, type);
  return found as unknown as DocumentTypes[T];
}

const broken = (id: string, wrong: readonly string[], type: DocumentType): BrokenDocument =>
  new BrokenDocument(
    `${id}: ${wrong.join(", ")}. It must hold ${Object.keys(SHAPES[type]).join(", ")}, all as text and "" for none: ` +
      "write its last good version again.",
  );

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
