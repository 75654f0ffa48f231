/** What the Secret of a service holds: everything that an application needs to reach the backbone, as files to be mounted. */

import type { StoreValue } from "../kubernetes/external-secret.ts";
import { DOCUMENTS, NATS, PORTS, serviceHost, storeKey, TILE38 } from "../kubernetes/names.ts";
import { type Identity, inboxPrefix } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { guardedPassword } from "../tile38/config-template.ts";

/** Values by their key in the template. */
export type ClientValues = Readonly<Record<string, string>>;

/** How values of the store come into a file: as they are, or as JSON. */
interface Filling {
  readonly text: (key: string) => string;
  readonly json: (key: string) => string;
  /** Goes before a file that must not hold a password that Tile38 cannot take. */
  readonly guard: (key: string) => string;
  readonly fixed: (text: string) => string;
}

/** Where each value comes from: the client's half of its identity, Tile38's password, the authority's certificate. */
export function clientSources({ name, credential }: Identity, { environment, services }: Model): StoreValue[] {
  const from = (secretKey: string, document: string, property?: string): StoreValue => ({
    secretKey,
    remoteRef: { key: storeKey(environment, document), ...(property ? { property } : {}) },
  });
  const login = credential === "nkey" ? ["seed"] : ["user", "password", "seed"];
  return [
    ...login.map((property) => from(property, DOCUMENTS.client(name), property)),
    ...(environment.nats.tls ? [from("ca", DOCUMENTS.trust)] : []),
    ...(environment.nats.clients.certificates
      ? [
          from("certificate", DOCUMENTS.certificate(name), "tls.crt"),
          from("key", DOCUMENTS.certificate(name), "tls.key"),
        ]
      : []),
    ...(services.find((service) => service.name === name)?.tile38
      ? [from("tile38_password", DOCUMENTS.tile38, "password")]
      : []),
  ];
}

/** Files as templates of an ExternalSecret. */
export const clientTemplate = (identity: Identity, model: Model): Record<string, string> =>
  files(identity, model, {
    text: (key) => `{{ .${key} }}`,
    json: (key) => `{{ .${key} | toRawJson }}`,
    guard: guardedPassword,
    fixed: (text) => text.replaceAll("{{", '{{ "{{" }}'),
  });

/** The same files with the values put in, for environments without a secret store. */
export const renderClient = (identity: Identity, model: Model, values: ClientValues): Record<string, string> =>
  files(identity, model, {
    text: (key) => given(identity, values, key),
    json: (key) => JSON.stringify(given(identity, values, key)),
    guard: () => "",
    fixed: (text) => text,
  });

/** @throws Error that names what is missing */
function given({ name }: Identity, values: ClientValues, key: string): string {
  const value = values[key];
  if (value === undefined) throw new Error(`the Secret of ${name} needs "${key}", which its documents do not give`);
  return value;
}

function files(identity: Identity, model: Model, { text, json, guard, fixed }: Filling): Record<string, string> {
  const { environment, services } = model;
  const tile38 = services.find(({ name }) => name === identity.name)?.tile38;
  const host = serviceHost(tile38 === "write" ? TILE38.writeService : TILE38.readService, environment);
  return {
    "nats.json": fixed(`${JSON.stringify(connection(identity, model), null, 2)}\n`),
    ...(identity.credential === "nkey"
      ? { "nats.nk": text("seed") }
      : // The seed is there once it moves to an NKey, and empty until then.
        { "nats.user": text("user"), "nats.password": text("password"), "nats.nk": text("seed") }),
    ...(environment.nats.tls ? { "ca.crt": text("ca") } : {}),
    ...(environment.nats.clients.certificates ? { "tls.crt": text("certificate"), "tls.key": text("key") } : {}),
    ...(tile38
      ? {
          "tile38.json": `${guard("tile38_password")}{"host":${JSON.stringify(host)},"port":${PORTS.tile38},"password":${json("tile38_password")}}\n`,
        }
      : {}),
  };
}

/** What is no secret: where, which inbox, and which subjects and durables are its own. */
function connection({ name }: Identity, model: Model) {
  const { environment, streams } = model;
  const host = serviceHost(NATS.clientService, environment);
  const uses = streams.flatMap(({ publishers }) => publishers).filter(({ service }) => service === name);
  const subjects = (deadLetters: boolean): string[] => [
    ...new Set(
      uses.filter(({ deadLettersOf }) => (deadLettersOf !== undefined) === deadLetters).map(({ subject }) => subject),
    ),
  ];
  return {
    name,
    servers: [`${environment.nats.tls ? "tls" : "nats"}://${host}:${PORTS.natsClient}`],
    inboxPrefix: inboxPrefix({ name }, model),
    publishes: subjects(false),
    deadLetters: subjects(true),
    consumers: streams.flatMap((stream) =>
      stream.consumers
        .filter(({ service }) => service === name)
        .map(({ name: durable, deliverSubject, deliverGroup }) => ({
          stream: stream.name,
          durable,
          // Of consumers that are pushed alone: where to listen, and as which group.
          ...(deliverSubject ? { deliverSubject } : {}),
          ...(deliverGroup ? { deliverGroup } : {}),
        })),
    ),
    buckets: streams
      .filter(
        ({ kind, readers, publishers }) =>
          kind && (readers.includes(name) || publishers.some(({ service }) => service === name)),
      )
      .map((stream) => stream.name.replace(/^(KV|OBJ)_/, "")),
  };
}
