/** What the model wants on the server, in the server's own words: complete StreamConfigs and ConsumerConfigs. */
import { heldData } from "../model/personal-data.ts";
import type { Model } from "../model/resolve.ts";
import type { Consumer, Stream } from "../model/stream.ts";
import { formatDuration } from "../units.ts";

export type WireConfig = Readonly<Record<string, unknown>>;

export interface DesiredState {
  readonly streams: readonly WireConfig[];
  readonly consumers: readonly { readonly stream_name: string; readonly config: WireConfig }[];
}

export const desiredState = (model: Model): DesiredState => ({
  streams: model.streams.map((stream) => streamConfig(stream, model)),
  consumers: model.streams.flatMap((stream) =>
    stream.consumers.map((consumer) => ({ stream_name: stream.name, config: consumerConfig(consumer, model) })),
  ),
});

/** Sizes in bytes and durations in nanoseconds, as the API takes them. */
export function streamConfig(stream: Stream, model: Model): WireConfig {
  const { kind, publishers, readers, consumers, deadLetters, alerts, overlays, file, ...wire } = stream;
  const { subjects, sources, metadata, ...config } = wire;
  return Object.assign(toWire(config) as object, {
    ...(subjects.length > 0 ? { subjects } : {}),
    ...(sources.length > 0 ? { sources: toWire(sources) } : {}),
    metadata: Object.assign(ownership(model), dataStatement(stream, model), metadata),
  });
}

export function consumerConfig({ service, name, alerts, metadata, ...consumer }: Consumer, model: Model): WireConfig {
  const named = { name, durable_name: name, deliver_policy: "all", replay_policy: "instant" };
  return Object.assign(named, toWire(consumer), {
    metadata: Object.assign(ownership(model), { "circl.dev/service": service }, metadata),
  });
}

/** The mark by which sync knows its own assets. */
const ownership = (model: Model) => ({ "circl.dev/environment": model.environment.name });

/** What personal data the stream holds and how long it lives here at most, for whoever looks at the server alone. */
function dataStatement(stream: Stream, model: Model): Record<string, string> {
  const held = heldData(stream, model);
  const personal = held.filter(({ data }) => data.sensitivity === "personal");
  if (personal.length === 0) {
    const unstated = held.some(({ data }) => data.sensitivity === "unstated");
    return { "circl.dev/sensitivity": unstated ? "unstated" : "internal" };
  }
  const fields = personal.flatMap(({ data }) => (data.sensitivity === "personal" ? data.fields : []));
  const purposes = personal.flatMap(({ data }) => (data.sensitivity === "personal" ? [data.purpose] : []));
  return {
    "circl.dev/sensitivity": "personal",
    "circl.dev/personal-fields": [...new Set(fields)].join(","),
    "circl.dev/purpose": [...new Set(purposes)].join("; "),
    "circl.dev/personal-data-lives": formatDuration(Math.max(...personal.map(({ lives }) => lives))),
  };
}

/** `maxMsgSize` -> `max_msg_size`, at every depth; the one name that differs is `replicas`. */
function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [wireName(key), toWire(inner)]));
}

/** The server's name of a field of definitions. */
export const wireName = (key: string): string => {
  const known = wireNames.get(key);
  if (known !== undefined) return known;
  const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  wireNames.set(key, name);
  return name;
};
/** A thousand streams have the same few dozen names. */
const wireNames = new Map([["replicas", "num_replicas"]]);
