/**
 * A cluster in memory behind our own port to Kubernetes (src/deploy/cluster.ts), for what a real API server cannot do on demand: to go
 * away between two writes, to refuse one of them, to have pods that are broken before a deploy begins. What holds of a rollout on the
 * real one is seen by test/proof/deploys.
 */
import type { Applied, Cluster, Kind, Reference } from "../../src/deploy/cluster.ts";
import { idOf, type KubeObject } from "../../src/deploy/object.ts";
import { type ControllerState, turn } from "./fake-controller.ts";

/** One question or write, as a fault sees it: `apply StatefulSet nats`. Dry runs are no writes. */
export type Fault = (operation: string) => Applied | Error | undefined;

export interface FakeCluster extends Cluster {
  /** Writes, and pods that the controller took away by itself, in their order. */
  readonly written: readonly string[];
  /** Called before everything; what it gives back is the answer. */
  fault: Fault;
  /** Whether a container of this pod template runs and gets ready. */
  serves: (template: KubeObject, pod: string) => boolean;
  /** Puts an object there as it is, as somebody else would. */
  put(object: KubeObject): void;
  find(kind: string, name: string): KubeObject | undefined;
  /** Lets controllers do what there is to do. */
  settle(): void;
}

export function fakeCluster(objects: readonly KubeObject[] = []): FakeCluster {
  const store = new Map<string, KubeObject>();
  const written: string[] = [];
  let version = 0;
  const state: ControllerState = { store, written, serves: () => true };
  const put = (object: KubeObject) => {
    version += 1;
    const uid = object.metadata.uid ?? `uid-${version}`;
    const metadata = { generation: 1, ...object.metadata, uid, resourceVersion: String(version) };
    store.set(idOf(object), { ...object, metadata });
  };
  for (const object of objects) put(object);
  const key = ({ apiVersion, kind, name, namespace }: Reference) =>
    idOf({ apiVersion, kind, metadata: { name, ...(namespace ? { namespace } : {}) } });
  const ask = (operation: string): Applied | undefined => {
    turn(state);
    const answer = fake.fault(operation);
    if (answer instanceof Error) throw answer;
    return answer;
  };

  const fake: FakeCluster = {
    context: "fake",
    written,
    fault: () => undefined,
    get serves() {
      return state.serves;
    },
    set serves(serves) {
      state.serves = serves;
    },
    put,
    settle: () => {
      for (let i = 0; i < 50; i++) turn(state);
    },
    find: (kind, name) => [...store.values()].find((object) => object.kind === kind && object.metadata.name === name),
    version: async () => "1.33.4",
    knows: async () => true,
    may: async () => true,
    get: async (reference) => {
      ask(`get ${reference.kind} ${reference.name}`);
      return store.get(key(reference));
    },
    list: async (kind, where = {}) => {
      ask(`list ${kind.kind}`);
      return [...store.values()].filter(
        (object) =>
          isOfKind(object, kind) &&
          (!where.namespace || object.metadata.namespace === where.namespace) &&
          (where.labels ?? "")
            .split(",")
            .filter(Boolean)
            .every((label) => object.metadata.labels?.[label.split("=")[0] ?? ""] === label.split("=")[1]),
      );
    },
    apply: async (object, { dryRun = false } = {}) => {
      const answer = ask(`${dryRun ? "try" : "apply"} ${object.kind} ${object.metadata.name}`);
      if (answer) return answer;
      const before = store.get(idOf(object));
      const expected = object.metadata.resourceVersion;
      if (expected && expected !== before?.metadata.resourceVersion)
        return { outcome: "refused", status: 409, says: "the object has been modified" };
      if (before?.kind === "StatefulSet" && differ(before.spec.volumeClaimTemplates, object.spec.volumeClaimTemplates))
        return { outcome: "refused", status: 422, says: "spec: Forbidden: updates to statefulset spec" };
      const after = merged(before, object);
      if (dryRun) return { outcome: "taken", object: after };
      written.push(`apply ${object.kind} ${object.metadata.name}${partitionOf(object)}`);
      if (!before || differ({ ...before, status: 0 }, { ...after, status: 0 })) put(after);
      return { outcome: "taken", object: store.get(idOf(object)) as KubeObject };
    },
    patch: async (reference, patch) => {
      ask(`patch ${reference.kind} ${reference.name}`);
      const before = store.get(key(reference)) as KubeObject;
      written.push(`patch ${reference.kind} ${reference.name}`);
      put({ ...before, spec: { ...before.spec, ...(patch as KubeObject).spec } });
    },
    remove: async (reference, { orphan = false } = {}) => {
      ask(`remove ${reference.kind} ${reference.name}`);
      written.push(`remove ${reference.kind} ${reference.name}${orphan ? ", orphaning" : ""}`);
      store.delete(key(reference));
    },
  };
  return fake;
}

const isOfKind = (object: KubeObject, { apiVersion, kind }: Kind): boolean =>
  object.kind === kind && object.apiVersion === apiVersion;

const differ = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);

/** What is declared over what is there; fields of a spec that are declared no longer go, as those of one owner do. */
function merged(before: KubeObject | undefined, object: KubeObject): KubeObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  if (!before) return { ...object, metadata: { ...metadata, generation: 1 } };
  const moved = differ(before.spec, object.spec) || differ(before.data, object.data);
  const generation = (before.metadata.generation ?? 1) + (moved ? 1 : 0);
  return {
    ...object,
    metadata: { ...before.metadata, ...metadata, generation },
    ...(before.status ? { status: before.status } : {}),
  };
}

function partitionOf({ kind, spec }: KubeObject): string {
  if (kind !== "StatefulSet") return "";
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  return type === "OnDelete" ? ", on delete" : rollingUpdate?.partition ? `, held at ${rollingUpdate.partition}` : "";
}
