/** The only door into the model: definitions in, one immutable model of one environment out. */
import * as v from "valibot";
import { type Environment, type EnvironmentInput, environmentSchema, mergeLayers } from "./environment.ts";
import { type Fault, type Locate, toFault } from "./fault.ts";
import { type Service, type ServiceInput, serviceSchema } from "./service.ts";
import { type Publisher, type Stream, type StreamInput, streamSchema } from "./stream.ts";
import { collide } from "./subject.ts";

/** Everything that is defined, for all environments. */
export interface Definitions {
  /** Layers by environment: what all share first, what differs last. */
  readonly environments: Readonly<Record<string, readonly EnvironmentInput[]>>;
  /** Streams by the file that defines them, without its ending: `iot` for `streams/iot.ts`. */
  readonly streams: Readonly<Record<string, readonly StreamInput[]>>;
  readonly services: Readonly<Record<string, ServiceInput>>;
}

export interface Model {
  /** The key that this environment was asked for by. */
  readonly key: string;
  readonly environment: Environment;
  readonly services: readonly Service[];
  readonly streams: readonly Stream[];
  /** Names of all environments, to tell a misspelt one. */
  readonly environmentNames: readonly string[];
  /** The layers that `environment` was made of, to name the file that says something. */
  readonly layers: readonly EnvironmentInput[];
}

/**
 * Merges layers, parses units, fills in defaults, and follows dead letters back to whoever may send them.
 * Never throws for bad definitions: each fault is reported, and there is no model then.
 */
export function resolveModel(
  name: string,
  definitions: Definitions,
): { readonly model?: Model; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const parse = <T extends v.GenericSchema>(schema: T, input: unknown, locate: Locate) => {
    const result = v.safeParse(schema, input);
    if (!result.success) faults.push(...result.issues.map((issue) => toFault(issue, schema, locate)));
    return result.success ? (result.output as v.InferOutput<T>) : undefined;
  };

  const layers = definitions.environments[name] ?? [];
  const environment = parse(environmentSchema, mergeLayers(layers), (path) => ({
    room: "environments",
    place: environmentPlace(name, layers, path),
  }));
  const services = Object.entries(definitions.services).map(([key, input]) => ({
    name: key,
    ...parse(serviceSchema, input, (path) => ({ room: "streams", place: `streams/services.ts: ${dot(key, path)}` })),
  }));
  const streams = Object.entries(definitions.streams).flatMap(([file, inputs]) =>
    inputs.map((input, i) => {
      const owner = typeof input?.name === "string" ? input.name : `[${i}]`;
      const locate: Locate = (path) => ({ room: "streams", place: `streams/${file}.ts: ${dot(owner, path)}` });
      return { file: `streams/${file}.ts`, parsed: parse(streamSchema, input, locate) };
    }),
  );
  if (!environment || faults.length > 0) return { faults };

  const figuresOf = environment.streamFigures ?? environment.name;
  const resolved = streams.flatMap(({ file, parsed }) => (parsed ? [resolveStream(parsed, figuresOf, file)] : []));
  // Few of many: looking through all for each would take the square of their number.
  const failing = resolved.filter(({ deadLetters }) => deadLetters !== undefined);
  return {
    model: deepFreeze({
      key: name,
      environment,
      services: services as Service[],
      streams: resolved.map((stream) => ({
        ...stream,
        publishers: [...stream.publishers, ...deadLetterers(stream, failing)],
      })),
      environmentNames: Object.keys(definitions.environments),
      layers,
    }),
    faults,
  };
}

/** `environments/production.ts: nats.tls`: the file of the last layer that says something about `path`. */
export function environmentPlace(name: string, layers: readonly EnvironmentInput[], path: string): string {
  const says = (layer: unknown): boolean =>
    path
      .split(/[.[\]]+/)
      .filter(Boolean)
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], layer) !== undefined;
  const last = layers.findLastIndex(says);
  return `environments/${last === 0 && layers.length > 1 ? "base" : name}.ts: ${path}`;
}

function resolveStream(stream: v.InferOutput<typeof streamSchema>, environment: string, file: string): Stream {
  const { in: overlays = {}, ...base } = stream;
  const merged = { ...base, ...overlays[environment] };
  return {
    retention: "limits",
    storage: "file",
    discard: "old",
    replicas: 1,
    maxConsumers: -1,
    maxMsgs: -1,
    maxBytes: -1,
    maxAge: 0,
    maxMsgSize: -1,
    ...merged,
    // The server takes the name as subject where nothing else says what to capture.
    subjects: merged.subjects ?? (merged.sources?.length || merged.mirror ? [] : [merged.name]),
    sources: merged.sources ?? [],
    publishers: merged.publishers ?? [],
    readers: merged.readers ?? [],
    consumers: merged.consumers ?? [],
    overlays: Object.keys(overlays),
    file,
  };
}

/** Whoever consumes a stream may publish its failures, so the stream that takes them has these publishers too. */
function deadLetterers(taker: Stream, streams: readonly Stream[]): Publisher[] {
  return streams.flatMap((stream) => {
    const subject = stream.deadLetters;
    if (!subject || !taker.subjects.some((own) => collide(own, subject))) return [];
    const services = new Set(stream.consumers.map((consumer) => consumer.service));
    return [...services].map((service) => ({ service, subject, deadLettersOf: stream.name }));
  });
}

const dot = (owner: string, path: string): string =>
  path === "" || path.startsWith("[") ? owner + path : `${owner}.${path}`;

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
