/** The volumes of a pod as folders of the machine, filled as a kubelet fills them. */
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Api, Kept } from "./api.ts";
import { type VolumeFile, writeAtomically } from "./atomic-folder.ts";
import type { Sources } from "./environment-variables.ts";
import { fieldOf } from "./fields.ts";
import type { Claim, PersistentVolume, Pod, Volume, VolumeSource } from "./objects.ts";

export interface VolumeInput extends Sources {
  readonly api: Api;
  readonly claims: Kept<Claim>;
  readonly disks: Kept<PersistentVolume>;
}

type Files = Map<string, VolumeFile>;

/**
 * Makes or brings up to date the volumes of a pod below `folder`, and says where each is. What has not changed is not written.
 *
 * @throws Error that names what is missing; the pod waits for it
 */
export async function fillVolumes(
  pod: Pod,
  folder: string,
  written: Map<string, string>,
  input: VolumeInput,
): Promise<ReadonlyMap<string, string>> {
  const places = new Map<string, string>();
  const group = pod.spec.securityContext?.fsGroup;
  for (const volume of pod.spec.volumes ?? []) {
    const path = volume.persistentVolumeClaim
      ? diskOf(pod, volume.persistentVolumeClaim.claimName, input)
      : join(folder, volume.name);
    places.set(volume.name, path);
    if (volume.persistentVolumeClaim || volume.emptyDir) {
      if (!written.has(volume.name)) giveTo(path, group);
      written.set(volume.name, "");
      continue;
    }
    const files = await filesOf(pod, volume, input);
    const state = JSON.stringify(
      [...files].map(([name, { content, mode }]) => [name, mode, content.toString("base64")]),
    );
    if (written.get(volume.name) === state) continue;
    writeAtomically(path, files, group);
    written.set(volume.name, state);
  }
  return places;
}

/** The group of the pod may write, and what is made there belongs to it. */
function giveTo(path: string, group: number | undefined): void {
  mkdirSync(path, { recursive: true });
  if (group !== undefined) chownSync(path, 0, group);
  chmodSync(path, group === undefined ? 0o777 : 0o2775);
}

function diskOf({ metadata }: Pod, name: string, { claims, disks }: VolumeInput): string {
  const claim = claims.find(metadata.namespace, name);
  const disk = claim?.status.phase === "Bound" && disks.find("", claim.spec.volumeName ?? "");
  const path = disk ? disk.spec.hostPath?.path : undefined;
  if (path === undefined || !existsSync(path)) throw new Error(`the claim ${name} is not bound to a disk that is here`);
  return path;
}

async function filesOf(pod: Pod, volume: Volume, input: VolumeInput): Promise<Files> {
  const files: Files = new Map();
  const sources: readonly VolumeSource[] = volume.projected?.sources ?? [volume];
  for (const source of sources) await addFiles(files, pod, source, volume.projected?.defaultMode, input);
  return files;
}

async function addFiles(files: Files, pod: Pod, source: VolumeSource, mode: number | undefined, input: VolumeInput) {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  const { namespace } = pod.metadata;
  const add = (path: string, content: Buffer, own?: number) => files.set(path, { content, mode: own ?? mode ?? 0o644 });
  const pick = (data: ReadonlyMap<string, Buffer> | undefined, wanted: NonNullable<typeof configMap>, what: string) => {
    if (!data) {
      if (wanted.optional) return;
      throw new Error(`${what} is not there`);
    }
    for (const { key, path } of wanted.items ?? [...data.keys()].map((name) => ({ key: name, path: name }))) {
      const content = data.get(key);
      if (content) add(path, content, wanted.defaultMode);
      else if (!wanted.optional) throw new Error(`${what} has no ${key}`);
    }
  };
  if (configMap) {
    const found = input.configMaps.find(namespace, configMap.name);
    const text = Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
    const data = [...text, ...decoded(found?.binaryData)];
    pick(found && new Map(data), configMap, `the ConfigMap ${configMap.name}`);
  }
  if (secret) {
    const name = secret.secretName ?? secret.name ?? "";
    const found = input.secrets.find(namespace, name);
    pick(found && new Map(decoded(found.data)), { ...secret, name }, `the Secret ${name}`);
  }
  for (const { path, fieldRef } of downwardAPI?.items ?? []) {
    add(path, Buffer.from(fieldOf(pod, fieldRef?.fieldPath ?? "", pod.status.podIP ?? "")), downwardAPI?.defaultMode);
  }
  if (serviceAccountToken) {
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec.serviceAccountName ?? "default"}`;
    const { audience } = serviceAccountToken;
    const spec = { expirationSeconds: 3600, ...(audience ? { audiences: [audience] } : {}) };
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
    const { status } = await input.api.send<{ status: { token: string } }>("POST", `${account}/token`, request);
    add(serviceAccountToken.path, Buffer.from(status.token));
  }
}

const decoded = (data: Readonly<Record<string, string>> = {}) =>
  Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, "base64")] as const);
