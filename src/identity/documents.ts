/**
 * The documents of the secret store. Each is one flat JSON object in which every key is there, "" for none: the templates
 * that read them fail on a key that is missing (External Secrets sets `missingkey=error`).
 */
import { isPublicKey, isSeed } from "./key-material.ts";

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

/** Whether a text is what a key of a document may hold. */
type Form = (text: string) => boolean;

const of =
  (pattern: RegExp): Form =>
  (text) =>
    pattern.test(text);
const orNone =
  (...forms: readonly Form[]): Form =>
  (text) =>
    text === "" || forms.some((fits) => fits(text));

// With one character wrong it still has the shape: whoever works with it would fail, not say that it is broken.
const publicKey: Form = (text) => /^U[A-Z2-7]{55}$/.test(text) && isPublicKey(text);
const seed: Form = (text) => /^SU[A-Z2-7]{56}$/.test(text) && isSeed(text);
const hash = of(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/);
const user = of(/^[a-z0-9-]+$/);
/** What every configuration file, URL and shell takes as it is. */
const plain = of(/^[A-Za-z0-9]{32,}$/);
const visible = of(/^[!-~]+$/);

/** What each key may hold. Everything lands in a configuration file, so that anything else could end a string there. */
const SHAPES: { readonly [T in DocumentType]: Readonly<Record<keyof DocumentTypes[T], Form>> } = {
  nkey: { current: orNone(publicKey), previous: orNone(publicKey) },
  password: {
    ...{ currentUser: orNone(user), current: orNone(hash, publicKey) },
    ...{ previousUser: orNone(user), previous: orNone(hash, publicKey) },
  },
  seed: { seed },
  login: { user: orNone(user), password: orNone(visible), seed: orNone(seed) },
  // Tile38 trims what a client sends, and reads broken JSON as far as it can.
  tile38: { password: of(/^(?!.*["\\])[!-~]+$/) },
  encryption: { current: plain, previous: orNone(plain) },
};

/** What is left of a password once the environment says that its identity has an NKey. Read by nobody, gone with the next write. */
const LEFT_OVER: Partial<Readonly<Record<DocumentType, Readonly<Record<string, Form>>>>> = {
  nkey: { currentUser: orNone(), previousUser: orNone() },
  seed: { user: orNone(user), password: orNone(visible) },
};

/** A document that is not what it must be. Values are never in the message. */
export class BrokenDocument extends Error {
  override readonly name = "BrokenDocument";
}

/** @throws BrokenDocument that names every key that is missing, unknown or of another form */
export function parseDocument<T extends DocumentType>(type: T, id: string, text: string): DocumentTypes[T] {
  const shape: Readonly<Record<string, Form>> = SHAPES[type];
  const found = objectIn(text);
  if (!found) throw broken(id, ["is no JSON object"], type);
  const wrong = [
    ...Object.entries(shape).flatMap(([key, fits]) => {
      const value = found[key];
      if (value === undefined) return [`"${key}" is missing`];
      return typeof value === "string" && fits(value) ? [] : [`"${key}" is not of the form it must have`];
    }),
    ...Object.entries(found).flatMap(([key, value]) =>
      key in shape || LEFT_OVER[type]?.[key]?.(String(value)) ? [] : [`"${key}" means nothing here`],
    ),
    // A key has no user name, a hash has one.
    ...(type === "password" ? ["current", "previous"] : []).flatMap((key) =>
      hash(String(found[key])) === (found[`${key}User`] !== "") ? [] : [`"${key}" and "${key}User" go together`],
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
