/** The volumes of a pod as folders of the machine, filled as a kubelet fills them. */
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Kept } from "../api.ts";
import { writeAtomically } from "./atomic-folder.ts";
import type { Claim, ConfigMap, PersistentVolume, Pod, Secret, Volume } from "./objects.ts";

export interface VolumeInput {
  readonly configMaps: Kept<ConfigMap>;
  readonly secrets: Kept<Secret>;
  readonly claims: Kept<Claim>;
  readonly disks: Kept<PersistentVolume>;
}

/**
 * Makes or brings up to date the volumes of a pod below `folder`, and says where each is. What has not changed is not written.
 *
 * @throws Error that names what is missing; the pod waits for it
 */
export function fillVolumes(
  pod: Pod,
  folder: string,
  written: Map<string, string>,
  input: VolumeInput,
): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  const group = pod.spec.securityContext?.fsGroup;
  for (const volume of pod.spec.volumes ?? []) {
    const claim = volume.persistentVolumeClaim?.claimName;
    const path = claim === undefined ? join(folder, volume.name) : diskOf(pod, claim, input);
    places.set(volume.name, path);
    const files = filesOf(pod, volume, input);
    const state = JSON.stringify([...(files ?? [])].map(([name, content]) => [name, content.toString("base64")]));
    if (written.get(volume.name) === state) continue;
    const { defaultMode = 0o644 } = volume.secret ?? volume.configMap ?? {};
    if (files) writeAtomically(path, files, defaultMode, group);
    else giveTo(path, group);
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
  const disk = claim?.status.phase === "Bound" ? disks.find("", claim.spec.volumeName ?? "") : undefined;
  const path = disk?.spec.hostPath?.path;
  if (path === undefined || !existsSync(path)) throw new Error(`the claim ${name} is not bound to a disk that is here`);
  return path;
}

/** What lies in a volume from the start; undefined for those that pods fill. */
function filesOf({ metadata }: Pod, { configMap, secret }: Volume, input: VolumeInput) {
  if (!configMap && !secret) return undefined;
  const [what, name = ""] = configMap ? ["ConfigMap", configMap.name] : ["Secret", secret?.secretName];
  const found = (configMap ? input.configMaps : input.secrets).find(metadata.namespace, name);
  if (!found) throw new Error(`the ${what} ${name} is not there`);
  const encoding = configMap ? "utf8" : "base64";
  return new Map(Object.entries(found.data ?? {}).map(([file, text]) => [file, Buffer.from(text, encoding)]));
}
