/** Images and what their versions know. */
import type { Model } from "../../model/resolve.ts";
import { atLeast, parseVersion, SUPPORTED_MINORS } from "../../model/version.ts";
import type { ConfigBlock } from "../../nats/config-file.ts";
import { serverConfig } from "../../nats/server-config.ts";
import { inEnvironment } from "../place.ts";
import type { Rule } from "../rule.ts";

const IMAGES = ["nats", "reloader", "exporter", "tile38"] as const;

const inexactTag: Rule<Model> = {
  code: "E020",
  severity: "error",
  title: "An image tag that names no exact version",
  reason:
    "A moving tag makes two pods of one StatefulSet run two versions after a restart, and rules cannot tell what the server knows. " +
    "The old system ran tile38:latest.",
  hint: 'Name all three numbers, for example "2.14.9-alpine".',
  *check(model) {
    for (const name of IMAGES) {
      const { tag } = model.environment.images[name];
      if (!parseVersion(tag)) yield { place: inEnvironment(model, `images.${name}.tag`), says: `is "${tag}"` };
    }
  },
};

const noShell: Rule<Model> = {
  code: "E021",
  severity: "error",
  title: "A NATS image without a shell",
  reason:
    "The startup probe tells a stream that has not caught up from a broken consumer by reading the body of /healthz?details=true, " +
    "which takes sh and nc; the scratch image has neither, so the pod would never start.",
  hint: 'Use the tag that ends in "-alpine".',
  *check(model) {
    const { tag } = model.environment.images.nats;
    if (!/-alpine/.test(tag)) yield { place: inEnvironment(model, "images.nats.tag"), says: `is "${tag}"` };
  },
};

const unsupportedLine: Rule<Model> = {
  code: "E022",
  severity: "warning",
  title: "A NATS line that gets no fixes",
  reason:
    "Only the newest lines of nats-server get fixes (upgrading_cluster.md), and stream-sync is tested against these alone.",
  hint: `Use ${SUPPORTED_MINORS.join(", ")}: one minor at a time.`,
  *check(model) {
    const { tag } = model.environment.images.nats;
    const version = parseVersion(tag);
    if (version && !SUPPORTED_MINORS.some((minor) => minor === `${version.major}.${version.minor}`)) {
      yield { place: inEnvironment(model, "images.nats.tag"), says: `is "${tag}"` };
    }
  },
};

/** The version that first knew a key; older servers refuse to start on it ("unknown field"). Source: whats_new_2xx.md. */
const KEY_SINCE: Readonly<Record<string, string>> = {
  "cluster.connect_backoff": "2.12",
  server_metadata: "2.12",
  feature_flags: "2.14",
};

const unknownKey: Rule<Model> = {
  code: "E023",
  severity: "error",
  title: "A server setting that this NATS version does not know",
  reason: "nats-server refuses to start on an unknown field, so after a downgrade every pod crash-loops at once.",
  hint: "Remove the setting or use a newer server.",
  *check(model) {
    const version = parseVersion(model.environment.images.nats.tag);
    for (const key of version ? configKeys(serverConfig(model)) : []) {
      const since = KEY_SINCE[key];
      if (version && since && !atLeast(version, since)) {
        yield {
          place: inEnvironment(model, "images.nats.tag"),
          says: `is "${model.environment.images.nats.tag}", but nats.conf has ${key}, which exists since ${since}`,
        };
      }
    }
  },
};

/** `cluster.connect_backoff`: every key of a configuration with the blocks it lies in. */
const configKeys = (block: ConfigBlock, prefix = ""): string[] =>
  Object.entries(block).flatMap(([key, value]) => [
    prefix + key,
    ...(typeof value === "object" && !Array.isArray(value) ? configKeys(value as ConfigBlock, `${prefix}${key}.`) : []),
  ]);

const oldTile38: Rule<Model> = {
  code: "E024",
  severity: "error",
  title: "A Tile38 that cannot be run safely",
  reason:
    "Before 1.36.4 a leader hangs on SIGTERM and is killed mid-write (tidwall/tile38#783); our probes and metrics are tested with 1.37.",
  hint: "Use 1.37.0 or newer.",
  *check(model) {
    const { tag } = model.environment.images.tile38;
    const version = parseVersion(tag);
    if (version && !atLeast(version, "1.37")) {
      yield { place: inEnvironment(model, "images.tile38.tag"), says: `is "${tag}"` };
    }
  },
};

const oldKubernetes: Rule<Model> = {
  code: "E025",
  severity: "error",
  title: "A Kubernetes version that these manifests do not fit",
  reason:
    "Retention of claims, minDomains and the eviction of unready pods are on by default only since 1.27 and 1.28.",
  hint: "Use 1.28 or newer.",
  *check(model) {
    const minor = Number(model.environment.kubernetes.version.split(".")[1]);
    if (minor < 28) {
      yield {
        place: inEnvironment(model, "kubernetes.version"),
        says: `is ${model.environment.kubernetes.version}`,
      };
    }
  },
};

export const versionRules = [inexactTag, noShell, unsupportedLine, unknownKey, oldTile38, oldKubernetes];
