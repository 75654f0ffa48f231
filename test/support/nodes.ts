/** Nodes and disks that exist in the API alone: enough for the scheduler to place pods, none of which ever run. */
import { HEARTBEAT, leaseOf, nodeObject, ZONE } from "../../src/proof/agent/registration.ts";
import type { Kubectl } from "../../src/proof/kubectl.ts";

export interface NodeInput {
  readonly name: string;
  readonly zone: string;
}

/** Registers nodes as a kubelet does, and lets them say that they live until disposal. */
export async function registerNodes(kubectl: Kubectl, ...nodes: readonly NodeInput[]): Promise<AsyncDisposable> {
  await kubectl(["create", "--filename=-"], list(nodes.map(({ name, zone }) => nodeObject(name, zone))));
  const renew = () => kubectl(["apply", "--server-side", "--filename=-"], list(nodes.map(({ name }) => leaseOf(name))));
  await renew();
  let renewal: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    renewal = renewal.then(renew);
    // A failure is told by disposal, which waits for it.
    renewal.catch(() => {});
  }, HEARTBEAT);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await renewal;
    },
  };
}

/** The class of the claims, which waits until a pod has a place; its disks are made by `provide`. */
export const storageClass = (name: string): string =>
  JSON.stringify({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name },
    provisioner: "pd.csi.storage.gke.io",
    volumeBindingMode: "WaitForFirstConsumer",
  });

export interface Claim {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly storageClassName: string;
    readonly accessModes: readonly string[];
    readonly resources: Requests;
  };
  readonly status: { readonly phase: string };
}
interface Requests {
  readonly requests: { readonly storage: string };
}

/** The node that the scheduler has chosen for the pod of a claim; undefined while it has none. */
export const chosenNode = ({ metadata }: Claim): string | undefined =>
  metadata.annotations?.["volume.kubernetes.io/selected-node"];

/** Plays the disk driver: makes the disk of a claim, in a zone that it never leaves. */
export const disk = ({ metadata: { name, namespace, uid }, spec }: Claim, zone: string) => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: `disk-${name}` },
  spec: {
    capacity: { storage: spec.resources.requests.storage },
    accessModes: spec.accessModes,
    storageClassName: spec.storageClassName,
    claimRef: { namespace, name, uid },
    csi: { driver: "pd.csi.storage.gke.io", volumeHandle: name },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: "In", values: [zone] }] }],
      },
    },
  },
});

/** A list as kubectl takes it. */
export const list = (items: readonly object[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });
