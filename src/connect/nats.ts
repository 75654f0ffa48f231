/** Connections to NATS: credentials in, a client that can only read or one that can also write out. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  headers,
  type NatsConnection,
  nkeyAuthenticator,
} from "nats";
import {
  ApiError,
  ConnectionFailure,
  type MessageReader,
  READ_VERBS,
  type Reader,
  type ReadVerb,
  type WireError,
  type Writer,
  type WriteVerb,
} from "../jetstream/api.ts";
import { explainFailure } from "./failure.ts";
import { storedMessages } from "./messages.ts";
import { presence } from "./presence.ts";

/** Where and as whom. Secrets are named by file, or come from the environment; never as an argument. */
export interface Target {
  readonly servers: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly nkeyFile?: string;
  readonly credsFile?: string;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Name that the server's certificate must have. @default the host that is dialled */
  readonly tlsName?: string;
  /** Where replies go; a user with a private inbox may listen nowhere else. @default _INBOX */
  readonly inboxPrefix?: string;
  /** Milliseconds for the connection and for each request. */
  readonly timeout: number;
}

/** @throws ConnectionFailure with the reason and the next step */
export async function openReader(target: Target): Promise<Reader & MessageReader & AsyncDisposable> {
  const { server, read, presence: present, messages, ...client } = await open(target);
  return { server, read, presence: present, messages, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

/** @throws ConnectionFailure with the reason and the next step */
export const openWriter = (target: Target): Promise<Writer & AsyncDisposable> => open(target);

async function open(target: Target): Promise<Writer & MessageReader & AsyncDisposable> {
  const where = target.servers.join(", ");
  const connection = await connect(connectionOptions(target)).catch((error: unknown) => {
    throw explainFailure(error, "connecting", where);
  });
  const once = async <T>(verb: ReadVerb | WriteVerb, names: readonly string[], body: object): Promise<T> =>
    request<T>(connection, ["$JS.API", verb, ...names].join("."), body, target.timeout).catch((error: unknown) => {
      throw explainFailure(error, `${verb}${names.length > 0 ? ` ${names.join(" ")}` : ""}`, where);
    });
  const ask = <T>(verb: ReadVerb | WriteVerb, names: readonly string[], body: object = {}): Promise<T> =>
    retried((attempt) =>
      once<T>(verb, names, body).catch((error: unknown) => {
        // The answer to the first attempt was lost, not the delete itself.
        if (attempt > 1 && verb.endsWith(".DELETE") && isGone(error)) return {} as T;
        throw error;
      }),
    );
  const { info } = connection;
  return {
    server: {
      url: connection.getServer(),
      name: info?.server_name ?? "",
      version: info?.version ?? "",
      ...(info?.cluster ? { cluster: info.cluster } : {}),
    },
    // The types say so too; but what is cast or comes from JavaScript must not write either.
    read: async (verb, names = [], body) => {
      if (!READ_VERBS.includes(verb)) throw new TypeError(`${verb} is no request that only reads`);
      return await ask(verb, names, body);
    },
    presence: (expected) => presence(connection, expected),
    write: ask,
    messages: (range) => storedMessages(connection, range, target.timeout),
    publishAfter: async (subject, payload, last) => {
      const expected = headers();
      expected.set("Nats-Expected-Last-Subject-Sequence", String(last));
      const reply = await connection
        .request(subject, payload, { timeout: target.timeout, headers: expected })
        .catch((error: unknown) => {
          throw explainFailure(error, `publishing to ${subject}`, where);
        });
      const answer = reply.json<{ readonly seq: number; readonly error?: WireError }>();
      if (answer.error) throw new ApiError(subject, answer.error);
      return answer.seq;
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** A lost leader is replaced within seconds, and requests of that time are dropped without an answer. */
const ATTEMPTS = 4;
const PAUSE = 500;

/** Every request here may be sent again: a create or update with the same body changes nothing the second time. */
async function retried<T>(work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof ConnectionFailure) || !error.passing) throw error;
      await sleep(PAUSE * attempt);
    }
  }
}

/** Stream or consumer not found. */
const isGone = (error: unknown): boolean => error instanceof ApiError && [10059, 10014].includes(error.errCode);

async function request<T>(connection: NatsConnection, subject: string, body: object, timeout: number): Promise<T> {
  const reply = await connection.request(subject, JSON.stringify(body), { timeout });
  const answer = reply.json<T & { readonly error?: WireError }>();
  if (answer.error) throw new ApiError(subject, answer.error);
  return answer;
}

export function connectionOptions({
  servers,
  user,
  password,
  token,
  nkeyFile,
  credsFile,
  tls,
  tlsName,
  inboxPrefix,
  timeout,
}: Target): ConnectionOptions {
  const authenticator = nkeyFile
    ? nkeyAuthenticator(new Uint8Array(Buffer.from(readFileSync(nkeyFile, "utf8").trim())))
    : credsFile
      ? credsAuthenticator(new Uint8Array(readFileSync(credsFile)))
      : undefined;
  return {
    servers: [...servers],
    name: "circl",
    ...(inboxPrefix ? { inboxPrefix } : {}),
    timeout,
    maxReconnectAttempts: 3,
    ...(user ? { user } : {}),
    ...(password ? { pass: password } : {}),
    ...(token ? { token } : {}),
    ...(authenticator ? { authenticator } : {}),
    ...(tls
      ? {
          tls: {
            ...(tls.ca ? { caFile: tls.ca } : {}),
            ...(tls.cert ? { certFile: tls.cert } : {}),
            ...(tls.key ? { keyFile: tls.key } : {}),
            // Handed on to Node's own tls.connect.
            ...(tlsName ? { servername: tlsName } : {}),
          },
        }
      : {}),
  };
}
