/**
 * Whose work a change breaks, by name: publishers and readers as streams/ declares them, and readers that only the server
 * has, whose service stands in the metadata of each consumer that an apply made.
 */
import type { Model } from "../model/resolve.ts";
import type { Publisher } from "../model/stream.ts";
import type { WireConfig } from "./desired.ts";
import { consumerConfig } from "./desired.ts";
import type { Observed } from "./observe.ts";

/** A service and what it does that the change breaks. */
export interface Client {
  /** From streams/services.ts; missing for a consumer that no apply of ours made. */
  readonly service?: string;
  readonly does: "publishes" | "reads";
  /** A subject, a consumer (`circl_iot/bff-iot`) or a bucket's stream. */
  readonly what: string;
}

/** `text`, and behind it who is meant: "publishes are refused: oms (publishes orders.created)". */
export const naming = (text: string, clients: readonly Client[]): string =>
  clients.length === 0
    ? text
    : `${text}: ${clients.map(({ service = "unnamed", does, what }) => `${service} (${does} ${what})`).join(", ")}`;

const publishing = ({ service, subject }: Publisher): Client => ({ service, does: "publishes", what: subject });

/** Declared publishers of all streams that `fits`, each once. */
export function publishersOf(model: Model, fits: (publisher: Publisher, stream: string) => boolean): Client[] {
  const found = model.streams.flatMap(({ name, publishers }) =>
    publishers.filter((publisher) => fits(publisher, name)).map(publishing),
  );
  return [...new Map(found.map((client) => [`${client.service} ${client.what}`, client])).values()];
}

/** Who publishes into `stream`. */
export const publishersInto = (model: Model, stream: string): Client[] =>
  publishersOf(model, (_, name) => name === stream);

/** Who reads a bucket or an object store without a consumer of its own: its readers, and its publishers do as well. */
export function readersOf(model: Model, stream: string): Client[] {
  const bucket = model.streams.find(({ name, kind }) => name === stream && kind !== undefined);
  const services = new Set(bucket ? [...bucket.readers, ...bucket.publishers.map(({ service }) => service)] : []);
  return [...services].map((service) => ({ service, does: "reads", what: stream }));
}

/** The service that reads a consumer, as the consumer says itself. */
export const readerOf = (consumer: string, { metadata }: WireConfig): Client => {
  const service = (metadata as Readonly<Record<string, string>> | undefined)?.["circl.dev/service"];
  return { ...(service ? { service } : {}), does: "reads", what: consumer };
};

/** A consumer as it will be: as streams/ declares it, else as the server has it. */
export interface Read {
  readonly client: Client;
  readonly config: WireConfig;
  /** Whether the server has it now. */
  readonly live: boolean;
}

/** Every consumer of `stream`, declared or not. */
export function consumersOf(stream: string, model: Model, { consumers }: Pick<Observed, "consumers">): Read[] {
  const known = consumers.get(stream)?.known ?? [];
  const declared = (model.streams.find(({ name }) => name === stream)?.consumers ?? []).map((consumer) =>
    consumerConfig(consumer, model),
  );
  const others = known.filter(({ name }) => !declared.some((config) => config.name === name));
  const read = (name: string, config: WireConfig): Read => ({
    client: readerOf(`${stream}/${name}`, config),
    config,
    live: known.some((info) => info.name === name),
  });
  return [
    ...declared.map((config) => read(String(config.name), config)),
    ...others.map(({ name, config }) => read(name, config)),
  ];
}

/** What a consumer filters for; empty where it takes everything. */
export const filtersIn = ({ filter_subject, filter_subjects }: WireConfig): readonly string[] =>
  filter_subject ? [String(filter_subject)] : ((filter_subjects ?? []) as readonly string[]);
