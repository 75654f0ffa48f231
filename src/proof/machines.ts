/** What a control plane lacks of a cluster: one node in each of three zones, disks for claims, and the namespaces of clients. */
import { join } from "node:path";
import type { Tools } from "./agent/images.ts";
import { type Nodes, startNodes } from "./agent/nodes.ts";
import type { ControlPlane } from "./control-plane.ts";
import { type MakeDisk, startDisks } from "./disks.ts";
import type { Kubectl } from "./kubectl.ts";
import type { Parts } from "./parts.ts";

const ZONES = { "node-a": "zone-a", "node-b": "zone-b", "node-c": "zone-c" };

export interface MachinesInput {
  /** Programs that images stand for. */
  readonly tools: Tools;
  /** For logs, disks and what pods keep. */
  readonly folder: string;
  readonly makeDisk?: MakeDisk | undefined;
  readonly log?: (line: string) => void;
}

/** Starts disks and nodes as parts of something. @throws Error where the system or the API server refuses */
export async function startMachines(
  { kubeconfig }: Pick<ControlPlane, "kubeconfig">,
  { tools, folder, makeDisk, log }: MachinesInput,
  parts: Parts,
): Promise<Nodes> {
  const told = log ? { log } : {};
  parts.use(await startDisks({ kubeconfig, zones: ZONES, folder: join(folder, "disks"), makeDisk, ...told }));
  return parts.use(await startNodes({ kubeconfig, zones: ZONES, tools, folder, ...told }));
}

/** Namespaces of clients, which are not ours, and the label (its value is "true") that lets their pods in. */
export interface ClientNamespaces {
  readonly namespaces: readonly string[];
  readonly label: string;
}

/** Makes them. @throws KubectlFailure */
export async function admitClients(kubectl: Kubectl, { namespaces, label }: ClientNamespaces): Promise<void> {
  for (const name of namespaces) {
    await kubectl(["create", "namespace", name]);
    await kubectl(["label", "namespace", name, `${label}=true`]);
  }
}
