/** An empty cluster with nodes that run pods, the operators that real ones have, and `circl` as a pipeline runs it against them. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { makeEverything } from "../../src/identity/keeper.ts";
import { CLIENT_NAMESPACE_LABEL, DOCUMENTS, storeKey } from "../../src/kubernetes/names.ts";
import { inboxPrefix } from "../../src/model/identity.ts";
import type { Nodes } from "../../src/proof/agent/nodes.ts";
import { issueCertificates } from "../../src/proof/certificates.ts";
import type { ControlPlane } from "../../src/proof/control-plane.ts";
import { synchroniseSecrets } from "../../src/proof/external-secrets.ts";
import { admitClients, startMachines } from "../../src/proof/machines.ts";
import { startTogether } from "../../src/proof/parts.ts";
import { circl, type Outcome } from "../cli/circl.ts";
import { bootControlPlane } from "./control-plane.ts";
import { realModel } from "./definitions.ts";
import { podTools } from "./environment.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";
import { tool } from "./tools.ts";

export const CONTEXT = "gke-production";
export const model = realModel("production");
const { kubernetes } = model.environment;
const dist = fileURLToPath(new URL("../../dist/production", import.meta.url));

export interface DeployTarget extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly nodes: Nodes;
  readonly documents: MemoryStore;
  /** Of the test; holds copies of dist. */
  readonly folder: string;
  /** For programs that are to see this cluster as the environment's. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command on production with the identity of stream-sync. */
  run(command: string, ...args: readonly string[]): Promise<Outcome>;
  /** Deploys without asking; the manifests count as those of `commit`. */
  deploy(commit: string, ...args: readonly string[]): Promise<Outcome>;
  kubectl(...args: readonly string[]): Promise<string>;
  /** Lets the operators begin, where they were not there from the start. */
  operate(): void;
  /** A copy of dist in which `edit` has changed a file's text; it must change it. */
  variant(name: string, file: string, edit: (text: string) => string): string;
}

/** Boots it. `withNodes` false: pods stay pending, which is enough for what never gets to them. */
export const bootDeployTarget = ({ withNodes = true } = {}): Promise<DeployTarget> =>
  startTogether(async (parts) => {
    const folder = mkdtempSync(join(tmpdir(), "circl-deploy-"));
    parts.use({ [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }) });
    const plane = parts.use(await bootControlPlane());
    const nodes = withNodes ? await startMachines(plane, { tools: podTools, folder }, parts) : undefined;
    await admitClients(plane.kubectl, { namespaces: [kubernetes.clientNamespace], label: CLIENT_NAMESPACE_LABEL });
    const documents = memoryStore();
    await makeEverything(model, documents);
    const operate = () => {
      parts.use(playOperators(plane, documents, join(folder, "authorities")));
    };
    if (nodes) operate();
    const env = environmentFor(folder, plane.kubeconfig, documents);
    const run = (command: string, ...args: readonly string[]) => circl([command, "production", ...args], { env });
    return {
      plane,
      nodes: nodes as Nodes,
      documents,
      folder,
      env,
      kubectl: (...args) => plane.kubectl(args),
      operate,
      run,
      deploy: (commit, ...args) => run("deploy", "--kubectl", CONTEXT, "--auto-approve", "--commit", commit, ...args),
      variant(name, file, edit) {
        const place = join(folder, "variants", name);
        cpSync(dist, place, { recursive: true });
        const before = readFileSync(join(place, file), "utf8");
        const after = edit(before);
        if (after === before) throw new Error(`${name} changes nothing in ${file}`);
        writeFileSync(join(place, file), after);
        return place;
      },
      [Symbol.asyncDispose]: parts[Symbol.asyncDispose],
    };
  });

export interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation?: number };
  readonly status?: { readonly podIP?: string };
}

/** What `kubectl get` finds. */
export async function itemsOf({ kubectl }: DeployTarget, ...what: readonly string[]): Promise<readonly Item[]> {
  const { items, ...one } = JSON.parse(await kubectl("get", ...what, "--output=json"));
  return items ?? [one];
}

const natsPods = (target: DeployTarget): Promise<readonly Item[]> =>
  itemsOf(target, "pods", `--namespace=${kubernetes.namespace}`, "--selector=app.kubernetes.io/name=nats");

/** Of each NATS pod; a pod that is replaced has another. */
export const natsIdentities = async (target: DeployTarget): Promise<readonly string[]> =>
  (await natsPods(target)).map(({ metadata }) => `${metadata.name} ${metadata.uid}`);

/** What a pipeline sets: kubectl with the context that the environment names, and the credentials of stream-sync. */
function environmentFor(folder: string, kubeconfig: string, documents: MemoryStore): Readonly<Record<string, string>> {
  const config = parse(readFileSync(kubeconfig, "utf8"));
  const renamed = {
    ...config,
    contexts: [...config.contexts, { ...config.contexts[0], name: CONTEXT }],
    "current-context": CONTEXT,
  };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(renamed), { mode: 0o600 });
  const document = documents.documents.get(storeKey(model.environment, DOCUMENTS.client("stream-sync"))) ?? "{}";
  writeFileSync(join(folder, "stream-sync.nk"), JSON.parse(document).seed, { mode: 0o600 });
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "kubectl"), forwarding(tool("kubectl")));
  chmodSync(join(bin, "kubectl"), 0o755);
  return {
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    KUBECONFIG: join(folder, "kubeconfig"),
    CIRCL_NKEY: join(folder, "stream-sync.nk"),
    CIRCL_INBOX_PREFIX: inboxPrefix({ name: "stream-sync" }, model),
    CIRCL_TIMEOUT: "20000",
  };
}

/**
 * kubectl itself, but for port-forward, which takes a kubelet: the node agent has none, and pods can be reached at their addresses
 * from the machine that is their node.
 */
const forwarding = (kubectl: string): string => String.raw`#!${process.execPath}
const { spawn, execFileSync } = require("node:child_process");
const { createServer, connect } = require("node:net");
const args = process.argv.slice(2);
if (!args.includes("port-forward")) {
  const child = spawn(${JSON.stringify(kubectl)}, args, { stdio: "inherit" });
  child.once("exit", (code) => process.exit(code ?? 1));
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));
} else {
  const at = args.indexOf("port-forward");
  const [kind, name] = args.find((arg) => /^(pod|service)\//.test(arg)).split("/");
  const port = Number(args.find((arg) => /^:\d+$/.test(arg)).slice(1));
  const ask = (...more) => execFileSync(${JSON.stringify(kubectl)}, [...args.slice(0, at), "get", ...more], { encoding: "utf8" }).trim();
  try {
    const addresses = kind === "pod"
      ? [ask("pod", name, "--output=jsonpath={.status.podIP}")]
      : ask("endpoints", name, "--output=jsonpath={.subsets[*].addresses[*].ip}").split(/\s+/);
    if (!addresses[0]) throw new Error("pod is not running");
    const server = createServer((near) => {
      const far = connect(port, addresses[0]);
      for (const [a, b] of [[near, far], [far, near]]) a.on("error", () => b.destroy()).pipe(b);
    });
    server.listen(0, "127.0.0.1", () => console.log("Forwarding from 127.0.0.1:" + server.address().port + " -> " + port));
  } catch (error) {
    console.error("error: " + error.message.split("\n").at(-1));
    process.exit(1);
  }
}
`;

interface Awaited {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly generation: number };
  readonly status?: { readonly conditions?: readonly { readonly observedGeneration?: number }[] };
}

/** cert-manager and External Secrets: make what is asked for as soon as it is, and say that it is ready. */
function playOperators(plane: ControlPlane, documents: MemoryStore, authorities: string): AsyncDisposable {
  let running = true;
  const pending = async (kind: string): Promise<Awaited[]> => {
    const { items } = JSON.parse(await plane.kubectl(["get", kind, "--all-namespaces", "--output=json"]));
    return (items as Awaited[]).filter(
      ({ metadata, status }) => status?.conditions?.[0]?.observedGeneration !== metadata.generation,
    );
  };
  const done = async ({ kind, metadata: { name, namespace, generation } }: Awaited) => {
    const conditions = [{ type: "Ready", status: "True", observedGeneration: generation, reason: "Done", message: "" }];
    const said = kind === "Certificate" ? conditions : conditions.map((one) => ({ ...one, lastTransitionTime: NOW() }));
    const patch = JSON.stringify({ status: { conditions: said } });
    await plane.kubectl([
      "patch",
      `${kind.toLowerCase()}s`,
      name,
      `--namespace=${namespace}`,
      "--subresource=status",
      "--type=merge",
      `--patch=${patch}`,
    ]);
  };
  const turn = async () => {
    const certificates = await pending("certificates.cert-manager.io");
    if (certificates.length > 0) await issueCertificates(plane.kubectl, authorities);
    for (const certificate of certificates) await done(certificate);
    const secrets = await pending("externalsecrets.external-secrets.io");
    if (secrets.length > 0)
      await synchroniseSecrets({ kubectl: plane.kubectl, documents, template: tool("secret-template") });
    for (const secret of secrets) await done(secret);
  };
  const work = (async () => {
    while (running) {
      // Objects come one after the other: an issuer may not be there yet. The next turn takes what this one could not.
      await turn().catch(() => {});
      await sleep(1_000);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      running = false;
      await work;
    },
  };
}

const NOW = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
