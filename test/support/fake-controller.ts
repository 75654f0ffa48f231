/** What the StatefulSet controller and the kubelet make of the objects of a fake cluster, one step at a time. */
import { idOf, type KubeObject } from "../../src/deploy/object.ts";

export interface ControllerState {
  readonly store: Map<string, KubeObject>;
  readonly written: string[];
  serves: (template: KubeObject, pod: string) => boolean;
}

const REVISION = "controller-revision-hash";
const LONG_AGO = "2026-11-22T09:00:00Z";

/** One turn of every StatefulSet: revisions, claims, pods, and one pod that is replaced where its strategy says so. */
export function turn(state: ControllerState): void {
  for (const object of [...state.store.values()]) {
    if (object.kind === "PersistentVolumeClaim") resize(state, object);
    if (object.kind === "StatefulSet") reconcile(state, object);
    if (object.kind === "ExternalSecret" || object.kind === "Certificate") makeReady(state, object);
  }
}

/** What External Secrets and cert-manager say once they are done. */
function makeReady({ store }: ControllerState, object: KubeObject): void {
  const conditions = [{ type: "Ready", status: "True", observedGeneration: object.metadata.generation }];
  store.set(idOf(object), { ...object, status: { conditions } });
}

function resize({ store }: ControllerState, claim: KubeObject): void {
  store.set(idOf(claim), { ...claim, status: { capacity: claim.spec.resources.requests } });
}

function reconcile(state: ControllerState, set: KubeObject): void {
  const { store, written } = state;
  const { namespace = "", name, generation } = set.metadata;
  const updateRevision = revisionOf(name, set.spec.template);
  const templates: Record<string, KubeObject> = { ...set.status?.templates, [updateRevision]: set.spec.template };
  const currentRevision: string = set.status?.currentRevision ?? updateRevision;
  const replicas: number = set.spec.replicas ?? 1;
  const onDelete = set.spec.updateStrategy?.type === "OnDelete";
  const partition: number = onDelete ? replicas : (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
  const podAt = (i: number) => store.get(idOf(podNamed(`${name}-${i}`, namespace)));

  for (let i = 0; i < replicas; i++) {
    const pod = podAt(i);
    const wanted = onDelete || i >= partition ? updateRevision : currentRevision;
    if (!pod) create(state, set, `${name}-${i}`, wanted);
    else run(state, pod, templates[pod.metadata.labels?.[REVISION] ?? ""] ?? set.spec.template);
  }
  const isNew = (i: number) => podAt(i)?.metadata.labels?.[REVISION] === updateRevision;
  const serves = (i: number) => podAt(i)?.status?.conditions?.[0]?.status === "True";
  for (let i = replicas - 1; i >= partition; i--) {
    if (!isNew(i)) {
      written.push(`the controller replaces ${name}-${i}`);
      store.delete(idOf(podNamed(`${name}-${i}`, namespace)));
      break;
    }
    if (!serves(i)) break;
  }
  const all = Array.from({ length: replicas }, (_, i) => i);
  const complete = !onDelete && partition === 0 && all.every((i) => isNew(i) && serves(i));
  store.set(idOf(set), {
    ...set,
    status: {
      observedGeneration: generation,
      updateRevision,
      currentRevision: complete ? updateRevision : currentRevision,
      replicas,
      readyReplicas: all.filter(serves).length,
      templates,
    },
  });
}

const podNamed = (name: string, namespace: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
});

let pods = 0;

function create({ store }: ControllerState, set: KubeObject, name: string, revision: string): void {
  const { namespace = "" } = set.metadata;
  pods += 1;
  const labels = { ...set.spec.selector.matchLabels, [REVISION]: revision };
  const pod = { ...podNamed(name, namespace), metadata: { name, namespace, labels, uid: `pod-${pods}` } };
  store.set(idOf(pod), pod);
  for (const template of (set.spec.volumeClaimTemplates ?? []) as readonly KubeObject[]) {
    const claim: KubeObject = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: `${template.metadata.name}-${name}`, namespace },
      spec: { storageClassName: "standard", ...template.spec },
    };
    if (!store.has(idOf(claim))) store.set(idOf(claim), claim);
  }
}

/** The kubelet: a container that serves is ready at once, another one crashes again and again. */
function run({ store, serves }: ControllerState, pod: KubeObject, template: KubeObject): void {
  const ready = serves(template, pod.metadata.name);
  const crash = { name: "nats", restartCount: 9, state: { waiting: { reason: "CrashLoopBackOff" } } };
  store.set(idOf(pod), {
    ...pod,
    status: {
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: LONG_AGO }],
      containerStatuses: ready ? [{ name: "nats", restartCount: 0, state: { running: {} } }] : [crash],
    },
  });
}

function revisionOf(name: string, template: unknown): string {
  let hash = 0;
  for (const character of JSON.stringify(template)) hash = (hash * 31 + character.charCodeAt(0)) % 1_000_000_007;
  return `${name}-${hash.toString(36)}`;
}
