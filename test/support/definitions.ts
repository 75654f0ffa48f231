/** Definitions for tests: the real ones, and small ones that a test breaks in one place. */
import { environments } from "../../environments/index.ts";
import { defineBucket, defineObjectStore } from "../../src/model/bucket.ts";
import type { EnvironmentInput } from "../../src/model/environment.ts";
import { type Definitions, type Model, resolveModel } from "../../src/model/resolve.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { streams } from "../../streams/index.ts";
import { services } from "../../streams/services.ts";

export const realDefinitions: Definitions = { environments, streams, services };

/** The model of a real environment. @throws if the definitions have faults */
export function realModel(environment: "staging" | "production" | "local"): Model {
  return modelOf(environment, realDefinitions);
}

export interface Change {
  /** Laid over production. */
  readonly environment?: EnvironmentInput;
  readonly key?: string;
  readonly streams?: readonly StreamInput[];
  readonly services?: Definitions["services"];
}

/** A stream that breaks no rule. */
export const orders: StreamInput = {
  name: "orders",
  subjects: ["orders.>"],
  replicas: 3,
  maxBytes: "1GiB",
  maxAge: "7d",
  maxMsgSize: "1MiB",
  publishers: [{ service: "oms", subject: "orders.created", data: { sensitivity: "internal" } }],
};

const data = { sensitivity: "internal" } as const;

/** A bucket that bff writes and oms reads, and an object store of geo. */
export const stores: readonly StreamInput[] = [
  defineBucket({
    bucket: "flags",
    maxBytes: "16MiB",
    publishers: [{ service: "bff", subject: "$KV.flags.>", data }],
    readers: ["oms"],
  }),
  defineObjectStore({
    bucket: "maps",
    maxBytes: "1MiB",
    publishers: [
      { service: "geo", subject: "$O.maps.C.>", data },
      { service: "geo", subject: "$O.maps.M.>", data },
    ],
  }),
];

/** The stream that an apply locks with. */
export const lock: StreamInput = {
  name: "circl_lock",
  subjects: ["circl.sync.lock"],
  maxMsgsPerSubject: 1,
  maxBytes: "1MiB",
  publishers: [{ service: "stream-sync", subject: "circl.sync.lock", data }],
};

/** A model of production with small streams, changed by `change`. */
export function modelWith({
  environment = {},
  key = "production",
  streams: some = [orders],
  services: who = services,
}: Change): Model {
  return modelOf(key, {
    environments: { ...environments, [key]: [...environments.production, environment] },
    streams: { test: some },
    services: who,
  });
}

function modelOf(name: string, definitions: Definitions): Model {
  const { model, faults } = resolveModel(name, definitions);
  if (!model) throw new Error(faults.map(({ place, says }) => `${place} ${says}`).join("\n"));
  return model;
}
