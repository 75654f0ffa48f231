/** What a change of an object does to what runs. */
import { bytesOf as bytes, confChanges } from "./conf-changes.ts";
import { type FieldDifference, liesIn, renderPath } from "./differences.ts";
import type { KubeObject } from "./object.ts";
import { statefulSetImpacts } from "./stateful-set-impact.ts";

/**
 * nothing: no process notices. reload: servers take it over as they run. restart: pods are replaced one after the other.
 * guided: takes steps beside an apply, which deploy does. blocked: must not be applied as it is.
 */
export type Consequence = "nothing" | "reload" | "restart" | "guided" | "blocked";

export interface Impact {
  readonly consequence: Consequence;
  /** What happens, to which pods and with which risk. */
  readonly says: string;
  /** The way out, where it is blocked; what to do beside it, where there is something. */
  readonly hint?: string;
}

/** What is known of the live servers, where they were asked, and of what they are to get. */
export interface Facts {
  /** Why the servers were not asked, where somebody tried. */
  readonly unasked?: string;
  /** These manifests have ended well here once: what stands in the way of new ones is none of what would bring them back. */
  readonly deployedBefore?: true;
  /** Highest API level that a stream or consumer needs. */
  readonly assetLevel?: number;
  /** Bytes of the file store that streams reserve on each server. */
  readonly reservedStore?: number;
}

export interface Versions {
  readonly before: KubeObject;
  readonly after: KubeObject;
  readonly fields: readonly FieldDifference[];
  readonly facts: Facts;
}

/** What happens when `before` becomes `after`. Never empty. */
export function impactsOf(versions: Versions): readonly Impact[] {
  const { after, fields } = versions;
  if (fields.length === 0) return [NOTHING];
  const immutable = immutableImpacts(after.kind, fields);
  if (immutable.length > 0) return immutable;
  switch (after.kind) {
    case "StatefulSet":
      return statefulSetImpacts(versions);
    case "ConfigMap":
      return configMapImpacts(versions);
    case "ExternalSecret":
      return [
        /^nats-auth$/.test(after.metadata.name)
          ? reload("External Secrets renders auth.conf anew, and the servers take over accounts and permissions")
          : nothing("External Secrets renders the Secret anew; whoever reads it takes it at its next start"),
      ];
    case "Certificate":
      return [reload("cert-manager may issue the certificate anew, and the servers take it over")];
    case "NetworkPolicy":
      return [nothing("the cluster's network takes it over at once: whoever it no longer lets through is cut off")];
    case "Service":
      return [nothing("new connections are led by it; those that stand stay")];
    default:
      return [NOTHING];
  }
}

const nothing = (says: string): Impact => ({ consequence: "nothing", says });
const reload = (says: string): Impact => ({ consequence: "reload", says });
const NOTHING = nothing("no process notices");

/** Fields that the API server lets nobody change, beside those of StatefulSets. */
const IMMUTABLE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Service: [["spec", "clusterIP"]],
  PriorityClass: [["value"], ["preemptionPolicy"]],
  PersistentVolumeClaim: [
    ["spec", "storageClassName"],
    ["spec", "accessModes"],
  ],
};

function immutableImpacts(kind: string, fields: readonly FieldDifference[]): Impact[] {
  const fixed = IMMUTABLE[kind] ?? [];
  return fields
    .filter((field) => fixed.some((prefix) => liesIn(field, ...prefix)))
    .map(({ path }) => ({
      consequence: "blocked",
      says: `${renderPath(path)} cannot be changed on an object that exists`,
      hint: "Take the change back, or give the object another name and let the old one be pruned.",
    }));
}

/** Files that servers read while they run, by ConfigMap and key. All others are read at a start, or by Grafana. */
function configMapImpacts({ before, after, fields, facts }: Versions): Impact[] {
  const changed = fields.filter((field) => liesIn(field, "data")).map(({ path }) => path[1] ?? "");
  if (!changed.includes("nats.conf")) {
    return [nothing(changed.some((key) => key.endsWith(".sh")) ? "scripts are read when they run next" : NOTHING.says)];
  }
  return confImpacts(before.data?.["nats.conf"] ?? "", after.data?.["nats.conf"] ?? "", facts);
}

function confImpacts(before: string, after: string, facts: Facts): Impact[] {
  const { reservedStore } = facts;
  const changes = confChanges(before, after);
  const keys = (...taken: readonly string[]) =>
    changes.filter((change) => taken.includes(change.taken)).map(({ key }) => key);
  const [identity, restarting, reloading] = [keys("identity"), keys("restart", "shrinks"), keys("reload")];
  return [
    ...identity.map(
      (key): Impact => ({
        consequence: "blocked",
        says: `${key} is the servers' identity: with another one they no longer find their own streams (nats-server#7418)`,
        hint: "Take the change back. Another name takes a new cluster beside this one, and streams that copy from it.",
      }),
    ),
    ...changes
      .filter(({ taken, key }) => taken === "shrinks" && key.endsWith("max_file_store"))
      .filter(({ to = "" }) => reservedStore === undefined || bytes(to) < reservedStore)
      .map(({ from, to }) => shrinks(`${from} -> ${to}`, facts)),
    ...(restarting.length > 0
      ? [{ consequence: "restart", says: `only a restart takes over ${restarting.join(", ")}` } as const]
      : []),
    // One key that a reload refuses makes it refuse all, so what else has changed waits for the restart too.
    ...(reloading.length > 0 && restarting.length + identity.length === 0
      ? [reload(`the servers take over ${reloading.join(", ")} as they run`)]
      : []),
    ...(changes.length === 0 ? [reload("comments and order alone: the servers read it again")] : []),
  ];
}

const shrinks = (sizes: string, { reservedStore, unasked }: Facts): Impact => ({
  consequence: "blocked",
  says: `jetstream.max_file_store ${sizes}: a store that shrinks, ${
    reservedStore === undefined
      ? `and how much streams reserve ${unasked ? `is not known: ${unasked}` : "was not asked"}`
      : `and streams reserve ${Math.ceil(reservedStore / 2 ** 30)} GiB of each server`
  }`,
  hint: "Lower maxBytes of the streams first and apply that. `circl deploy` and `circl rollback` ask the servers what is reserved, `circl diff` does not.",
});
