/**
 * A real Kubernetes control plane on loopback, without containers: etcd, kube-apiserver, kube-controller-manager and
 * kube-scheduler as children of this process, with Pod Security admission and RBAC as a cluster has them. There is no
 * kubelet, so pods are created and placed and do not run.
 */
import {
  apiServer,
  type ControlPlaneProgram,
  certificateOf,
  controllerManager,
  etcd,
  type Site,
  scheduler,
  serverUrl,
} from "./control-plane-programs.ts";
import { accountFile, makeCredentials, writeKubeconfigs } from "./credentials.ts";
import { type Kubectl, kubectlWith } from "./kubectl.ts";
import { freePorts } from "./ports.ts";
import { type Program, type ProgramInput, startProgram } from "./program.ts";
import { makeScratchFolder } from "./scratch-folder.ts";

export interface ControlPlaneInput {
  /** Executable of each program. */
  readonly paths: Readonly<Record<ControlPlaneProgram | "kubectl", string>>;
  /** Files with custom resource definitions that are there from the start. */
  readonly definitions?: readonly string[];
  /** Ends the start, which then rejects. */
  readonly signal?: AbortSignal;
}

/** Stopped and removed by disposal, with everything in it. */
export interface ControlPlane extends AsyncDisposable {
  /** The API server's address. */
  readonly server: string;
  /** File for any client; its user may do everything. */
  readonly kubeconfig: string;
  /** In the order they were started. */
  readonly programs: readonly Program[];
  readonly kubectl: Kubectl;
}

/**
 * Starts a control plane in a folder of its own below the system's temporary one, and waits until it is of use: the API
 * answers, controllers and scheduler run, the definitions are established. Where that fails nothing is left behind.
 *
 * @throws Error that names the program, its last lines and the next step; the signal's reason
 */
export async function startControlPlane({ paths, definitions = [], signal }: ControlPlaneInput): Promise<ControlPlane> {
  signal?.throwIfAborted();
  const scratch = await makeScratchFolder("circl-control-plane-");
  const folder = scratch.path;
  const programs: Program[] = [];
  const dispose = async () => {
    for (const program of programs.toReversed()) await program.stop();
    await scratch[Symbol.asyncDispose]();
  };
  const start = async (input: ProgramInput) => {
    const program = await startProgram(input);
    programs.push(program);
    return program;
  };
  try {
    const site = { folder, paths, ports: await pickPorts(), credentials: makeCredentials(folder) };
    await (await start(etcd(site))).ready(signal);
    await (await start(apiServer(site))).ready(signal);
    writeKubeconfigs(folder, site.credentials, serverUrl(site), certificateOf(site, "kube-apiserver"));
    const kubeconfig = accountFile(folder, "admin");
    const kubectl = kubectlWith({ path: paths.kubectl, kubeconfig, home: folder, programs, ...(signal && { signal }) });
    const others = [await start(controllerManager(site)), await start(scheduler(site))];
    await establish(kubectl, definitions);
    for (const program of others) await program.ready(signal);
    // Controllers are at work, and bare pods can be created.
    await kubectl(["wait", "--for=create", "serviceaccount/default", "--timeout=180s"]);
    return { server: serverUrl(site), kubeconfig, programs, kubectl, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    // What an interrupted wait throws says less than the reason of the interruption.
    signal?.throwIfAborted();
    throw error;
  }
}

async function pickPorts(): Promise<Site["ports"]> {
  const [client = 0, peer = 0, api = 0, controllers = 0, placement = 0] = await freePorts(5);
  return {
    etcd: client,
    "etcd-peer": peer,
    "kube-apiserver": api,
    "kube-controller-manager": controllers,
    "kube-scheduler": placement,
  };
}

/** Server-side, as some definitions are larger than the annotation of a client-side apply may be. */
async function establish(kubectl: Kubectl, definitions: readonly string[]): Promise<void> {
  if (definitions.length === 0) return;
  const files = definitions.flatMap((file) => ["--filename", file]);
  await kubectl(["apply", "--server-side", ...files]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=180s", ...files]);
}
