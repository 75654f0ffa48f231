/** Plays the disk driver of the cloud: a claim gets a folder that outlives pods, stays in its zone, and grows when asked. */
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Claim, PersistentVolume } from "./agent/objects.ts";
import { ZONE } from "./agent/registration.ts";
import { type Api, ApiFailure, openApi } from "./api.ts";
import { startTogether } from "./parts.ts";

const PROVISIONER = "pd.csi.storage.gke.io";
const DISKS = "/api/v1/persistentvolumes";

export interface DisksInput {
  /** Of an administrator. */
  readonly kubeconfig: string;
  readonly folder: string;
  readonly makeDisk?: MakeDisk | undefined;
  /** Zone of each node, by its name. */
  readonly zones: Readonly<Record<string, string>>;
  /** Told of what could not be done; it is done at the next event of the claim. */
  readonly log?: (line: string) => void;
}

/** Makes a disk of a claim's size, as Kubernetes says it, elsewhere. @returns where; undefined leaves it to a folder here */
export type MakeDisk = (size: string) => string | undefined;

/** Serves claims until disposal. @throws Error where the API server refuses */
export const startDisks = ({ kubeconfig, folder, makeDisk, zones, log }: DisksInput): Promise<AsyncDisposable> =>
  startTogether(async (parts) => {
    const api = parts.use(openApi(kubeconfig));
    let closing = false;
    const failed = (error: Error) => {
      // A disk that is there, as its claim has not been seen to be bound yet, or that is gone already.
      if (!closing && !(error instanceof ApiFailure && [404, 409].includes(error.status)))
        log?.(`disks: ${error.message}`);
    };
    // Several events of a claim may come before it is bound: its disk is made once.
    const made = new Map<string, string>();
    const provision = async (claim: Claim) => {
      const { metadata, spec, status } = claim;
      const { storage } = spec.resources.requests;
      const zone = zones[metadata.annotations?.["volume.kubernetes.io/selected-node"] ?? ""];
      if (status.phase === "Pending" && !spec.volumeName && zone) {
        const path = made.get(metadata.uid) ?? makeDisk?.(storage) ?? join(folder, metadata.uid);
        made.set(metadata.uid, path);
        mkdirSync(path, { recursive: true });
        await api.send("POST", DISKS, diskFor(claim, zone, path));
      }
      if (status.phase === "Bound" && status.capacity && status.capacity.storage !== storage) {
        // Whether a class allows it, and that nothing shrinks, the API server has seen to.
        await api.patch(`${DISKS}/${spec.volumeName}`, { spec: { capacity: { storage } } });
        const grown = { status: { capacity: { storage }, conditions: [] } };
        await api.patch(
          `/api/v1/namespaces/${metadata.namespace}/persistentvolumeclaims/${metadata.name}/status`,
          grown,
        );
      }
    };
    const reclaim = async ({ metadata, spec, status }: PersistentVolume) => {
      if (status.phase !== "Released" || spec.persistentVolumeReclaimPolicy !== "Delete") return;
      await rm(spec.hostPath?.path ?? "", { recursive: true, force: true });
      await api.send("DELETE", `${DISKS}/${metadata.name}`);
    };
    await createStorageClasses(api);
    await api.keep<PersistentVolume>(DISKS, (disk, gone) => void (gone || reclaim(disk).catch(failed)));
    // Events follow each other while a disk is being made: one is served after the other.
    let serving: Promise<void> = Promise.resolve();
    await api.keep<Claim>("/api/v1/persistentvolumeclaims", (claim, gone) => {
      if (!gone) serving = serving.then(() => provision(claim)).catch(failed);
    });
    return {
      async [Symbol.asyncDispose]() {
        closing = true;
        await parts[Symbol.asyncDispose]();
        await serving;
      },
    };
  });

/** The classes that GKE has; the first is the default. Disks are made where the pod is placed. */
async function createStorageClasses(api: Api): Promise<void> {
  for (const name of ["standard-rwo", "premium-rwo"]) {
    const annotations = { "storageclass.kubernetes.io/is-default-class": String(name === "standard-rwo") };
    await api.send("POST", "/apis/storage.k8s.io/v1/storageclasses", {
      metadata: { name, annotations },
      provisioner: PROVISIONER,
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Delete",
      allowVolumeExpansion: true,
    });
  }
}

const diskFor = ({ metadata: { name, namespace, uid }, spec }: Claim, zone: string, path: string) => ({
  metadata: { name: `pvc-${uid}`, annotations: { "pv.kubernetes.io/provisioned-by": PROVISIONER } },
  spec: {
    capacity: { storage: spec.resources.requests.storage },
    accessModes: spec.accessModes,
    storageClassName: spec.storageClassName,
    persistentVolumeReclaimPolicy: "Delete",
    claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
    hostPath: { path, type: "" },
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: "In", values: [zone] }] }] },
    },
  },
});
