/** Plays the disk driver of the cloud: a claim gets a folder that outlives pods, stays in its zone, and grows when asked. */
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Api, Kept } from "./api.ts";
import type { Claim, PersistentVolume } from "./objects.ts";

/** Label of nodes and disks. */
export const ZONE = "topology.kubernetes.io/zone";
const PROVISIONER = "pd.csi.storage.gke.io";
const CLAIMS = "/api/v1/persistentvolumeclaims";
const DISKS = "/api/v1/persistentvolumes";

export interface Disks {
  readonly claims: Kept<Claim>;
  readonly disks: Kept<PersistentVolume>;
}

export interface DisksInput {
  readonly api: Api;
  readonly folder: string;
  /** Makes a disk of a claim's size, as Kubernetes says it, elsewhere. @returns where; undefined leaves it to a folder here */
  readonly makeDisk?: MakeDisk | undefined;
  readonly zoneOf: (node: string) => string | undefined;
  /** Told of what could not be done; it is done at the next event of the claim. */
  readonly failed: (error: unknown) => void;
}

export type MakeDisk = (size: string) => string | undefined;

/** The classes that GKE has; the first is the default. Disks are made where the pod is placed. */
export async function createStorageClasses(api: Api): Promise<void> {
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

/** Serves claims until the API is closed. */
export async function serveDisks({ api, folder, makeDisk, zoneOf, failed }: DisksInput): Promise<Disks> {
  const provision = async (claim: Claim) => {
    const { metadata, spec, status } = claim;
    const zone = zoneOf(metadata.annotations?.["volume.kubernetes.io/selected-node"] ?? "");
    if (status.phase === "Pending" && !spec.volumeName && zone) {
      const path = makeDisk?.(spec.resources.requests.storage) ?? join(folder, metadata.uid);
      mkdirSync(path, { recursive: true });
      await api.send("POST", DISKS, diskFor(claim, zone, path));
    }
    const { storage } = spec.resources.requests;
    if (status.phase === "Bound" && status.capacity && status.capacity.storage !== storage) {
      // Whether a class allows it, and that nothing shrinks, the API server has seen to.
      await api.patch(`${DISKS}/${spec.volumeName}`, { spec: { capacity: { storage } } });
      const grown = { status: { capacity: { storage }, conditions: [] } };
      await api.patch(`/api/v1/namespaces/${metadata.namespace}/persistentvolumeclaims/${metadata.name}/status`, grown);
    }
  };
  const reclaim = async ({ metadata, spec, status }: PersistentVolume) => {
    if (status.phase !== "Released" || spec.persistentVolumeReclaimPolicy !== "Delete") return;
    await rm(spec.hostPath?.path ?? "", { recursive: true, force: true });
    await api.send("DELETE", `${DISKS}/${metadata.name}`);
  };
  const disks = await api.keep<PersistentVolume>(DISKS, (disk, gone) => void (gone || reclaim(disk).catch(failed)));
  // Events follow each other while a disk is being made; each claim is served by one at a time.
  const serving = new Map<string, Promise<void>>();
  const claims = await api.keep<Claim>(CLAIMS, (claim, gone) => {
    const { uid } = claim.metadata;
    if (gone) serving.delete(uid);
    else
      serving.set(
        uid,
        (serving.get(uid) ?? Promise.resolve()).then(() => provision(claim)).catch(ignoreExisting(failed)),
      );
  });
  return { claims, disks };
}

/** A disk whose claim has not been seen to be bound yet. */
const ignoreExisting = (failed: (error: unknown) => void) => (error: unknown) => {
  if ((error as { status?: number }).status !== 409) failed(error);
};

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
