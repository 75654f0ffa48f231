/**
 * An environment as dist says it, on a control plane and nodes of its own: kubectl applies the manifests as they are, and what
 * other operators of a cluster do (cert-manager, External Secrets) is played from the very objects that were applied.
 */
import { join } from "node:path";
import type { RenderedSecret } from "../identity/rendered.ts";
import type { Tools } from "./agent/images.ts";
import type { Nodes } from "./agent/nodes.ts";
import { applyAll, issueCertificates, secretObject } from "./certificates.ts";
import { type ControlPlane, type ControlPlaneInput, startControlPlane } from "./control-plane.ts";
import type { MakeDisk } from "./disks.ts";
import { type Documents, synchroniseSecrets } from "./external-secrets.ts";
import { admitClients, type ClientNamespaces, startMachines } from "./machines.ts";
import { startTogether } from "./parts.ts";
import { makeScratchFolder } from "./scratch-folder.ts";

export interface BootInput extends ControlPlaneInput {
  /** Programs that images stand for, and secret-template. */
  readonly tools: Tools;
  /** Folder of the manifests. */
  readonly manifests: string;
  readonly namespace: string;
  readonly clients: ClientNamespaces;
  /** The secret store, with all credentials. */
  readonly documents: Documents;
  /** Secrets that are made by hand where there is no External Secrets; those without a namespace are mounted nowhere. */
  readonly secrets?: readonly RenderedSecret[];
  /** Makes a disk of a claim's size. @default a folder, which has all the room of the machine */
  readonly makeDisk?: MakeDisk | undefined;
  /** Told of each step, and of what the nodes cannot do. */
  readonly log?: (line: string) => void;
}

/** Stopped and removed by disposal, with everything in it. */
export interface BootedEnvironment extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly nodes: Nodes;
  /** Issues certificates anew and renders secrets again, as the two operators do from time to time. */
  refreshSecrets(): Promise<void>;
  /** Waits until every StatefulSet has what it wants. @throws KubectlFailure with the pod that is not ready */
  ready(): Promise<void>;
}

/** How long an environment may take to be ready, as kubectl says it; a machine with two cores takes one to three minutes. */
const PATIENCE = "900s";

/** Starts everything and applies the manifests; `ready` waits for the pods. @throws what a part of it says; nothing is left then */
export const bootEnvironment = (input: BootInput): Promise<BootedEnvironment> =>
  startTogether(async (parts) => {
    const { tools, manifests, namespace, clients, documents, makeDisk, secrets = [] } = input;
    const { log = () => {} } = input;
    const scratch = parts.use(await makeScratchFolder("circl-nodes-"));
    log("starting etcd, kube-apiserver, kube-controller-manager and kube-scheduler");
    const plane = parts.use(await startControlPlane(input));
    const { kubectl } = plane;
    log("starting three nodes");
    const nodes = await startMachines(plane, { tools, folder: scratch.path, makeDisk, log }, parts);
    await admitClients(kubectl, clients);
    log(`applying ${manifests}`);
    // The schema of all kinds, which kubectl asks for first, is made when it is asked for: that takes a busy machine long.
    await kubectl(["apply", "--server-side", "--request-timeout=180s", "--filename", manifests]);
    const byHand = secrets.filter(({ namespace: home }) => home !== undefined).map((secret) => secretObject(secret));
    if (byHand.length > 0) await applyAll(kubectl, byHand);
    const refreshSecrets = async () => {
      await issueCertificates(kubectl, join(scratch.path, "authorities"));
      await synchroniseSecrets({ kubectl, documents, template: tools.pathOf("secret-template") });
    };
    log("playing cert-manager and External Secrets");
    await refreshSecrets();
    const ready = async () => {
      const sets = await kubectl(["get", "statefulsets", `--namespace=${namespace}`, "--output=name"]);
      for (const set of sets.trim().split("\n")) {
        await kubectl(["rollout", "status", set, `--namespace=${namespace}`, `--timeout=${PATIENCE}`]);
      }
    };
    return { plane, nodes, refreshSecrets, ready, [Symbol.asyncDispose]: parts[Symbol.asyncDispose] };
  });
