/** One environment as dist says it, on a real control plane, with its streams, and with clients in a pod of their own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection, nkeyAuthenticator, type TlsOptions } from "nats";
import { afterAll, beforeAll } from "vitest";
import { environments } from "../../../environments/index.ts";
import { buildApp, writeApp } from "../../../src/app.ts";
import { openWriter, type Target } from "../../../src/connect/nats.ts";
import { carryOut, holders, prepare } from "../../../src/identity/keeper.ts";
import { apply } from "../../../src/jetstream/apply.ts";
import { plan } from "../../../src/jetstream/plan.ts";
import {
  CLIENT_NAMESPACE_LABEL,
  clientSecret,
  DOCUMENTS,
  NATS,
  PORTS,
  SERVICE_LABEL,
  serviceHost,
  storeKey,
} from "../../../src/kubernetes/names.ts";
import type { EnvironmentInput } from "../../../src/model/environment.ts";
import { inboxPrefix } from "../../../src/model/identity.ts";
import { type Definitions, type Model, resolveModel } from "../../../src/model/resolve.ts";
import type { Nodes } from "../../../src/proof/agent/nodes.ts";
import { type BootedEnvironment, bootEnvironment } from "../../../src/proof/environment.ts";
import type { Kubectl } from "../../../src/proof/kubectl.ts";
import { policy } from "../../../src/rules/changes.ts";
import { crdFiles } from "../../../tools/build.js";
import { tools } from "../../../tools/tool.js";
import { eventually, live, programPaths } from "../../support/control-plane.ts";
import { realDefinitions } from "../../support/definitions.ts";
import { BOOT_PROGRAMS, mayBoot } from "../../support/environment.ts";
import { type MemoryStore, memoryStore } from "../../support/memory-store.ts";
import { tool, without } from "../../support/tools.ts";
import { type ClientProcess, startClientProcess } from "./client-process.ts";

export interface Site extends AsyncDisposable {
  readonly model: Model;
  readonly kubectl: Kubectl;
  readonly nodes: Nodes;
  /** In a pod of the clients' namespace, with the label of a service. */
  readonly clients: ClientProcess;
  /** Lets kubectl bring the cluster to another model; `ready` tells when it is there. */
  readonly apply: (model: Model) => Promise<void>;
  /** Brings the streams to what another model says, whatever that loses. */
  readonly applyStreams: (model: Model) => Promise<void>;
  /** Waits until every StatefulSet is as it should be. */
  readonly ready: () => Promise<void>;
  readonly tile38Password: string;
  /** Connects as an identity from the machine that probes the pods, to one server. */
  readonly connect: (identity: string, pod?: string) => Promise<NatsConnection>;
  /** How our own commands connect from the machine that probes the pods, to one server. */
  readonly target: (identity: string, pod?: string) => Target;
}

/** The model of a real environment with something laid over it. @throws if the definitions have faults then */
export function changedModel(
  name: "staging" | "production",
  environment: EnvironmentInput,
  streams: Definitions["streams"] = {},
): Model {
  const { model, faults } = resolveModel(name, {
    ...realDefinitions,
    environments: { ...environments, [name]: [...environments[name], environment] },
    streams: { ...realDefinitions.streams, ...streams },
  });
  if (!model) throw new Error(faults.map(({ place, says }) => `${place} ${says}`).join("\n"));
  return model;
}

/** Services whose credentials the clients have. */
const SERVICES = ["bff", "dms", "geo", "iot", "oms"];
const CLIENTS_POD = "load";

export interface SiteOptions {
  /** Makes a disk of a claim's size and says where; undefined leaves it to the nodes. */
  readonly makeDisk?: (size: string) => string | undefined;
}

/** Whether this machine cannot boot an environment; it says so itself. */
export const cannotBoot = (): boolean => without(...BOOT_PROGRAMS, "nats-server-2.15") || !mayBoot();

/** One site for all tests of a file, opened before the first and closed after the last. */
export function useSite(model: Model, options: SiteOptions = {}): () => Site {
  let opened: Site | undefined;
  beforeAll(async () => {
    opened = await openSite(model, options);
  }, 1_200_000);
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
  }, 120_000);
  return () => {
    if (!opened) throw new Error("there is no site");
    return opened;
  };
}

/** Boots what dist would say of `model`, and applies its streams. @throws what a part of it says; nothing is left then */
export async function openSite(model: Model, options: SiteOptions = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "circl-site-"));
  const parts: AsyncDisposable[] = [];
  const dispose = async () => {
    for (const part of parts.splice(0).toReversed()) await part[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  };
  const use = <T extends AsyncDisposable>(part: T): T => {
    parts.push(part);
    return part;
  };
  try {
    const { environment } = model;
    const store = memoryStore();
    await carryOut(await prepare("create", model, holders(model), store), environment, store, async () => {});
    const booted = use(await boot(model, manifestsOf(model, folder), store, options));
    const { plane, nodes, ready } = booted;
    await ready();
    const target = targets(model, nodes, store, folder);
    await applyStreams(model, target("stream-sync"));
    const clients = use(await startClients(booted, environment.kubernetes.clientNamespace, folder));
    return {
      model,
      kubectl: plane.kubectl,
      nodes,
      clients,
      apply: async (next) => {
        const manifests = manifestsOf(next, folder);
        await plane.kubectl(["apply", "--server-side", "--force-conflicts", "--filename", manifests]);
        await booted.refreshSecrets();
      },
      applyStreams: (next) => applyStreams(next, target("stream-sync")),
      ready,
      tile38Password: JSON.parse(store.documents.get(storeKey(environment, DOCUMENTS.tile38)) ?? "{}").password,
      target,
      connect: (identity, pod) => connectTo(target(identity, pod)),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function manifestsOf(model: Model, folder: string): string {
  const manifests = mkdtempSync(join(folder, "dist-"));
  writeApp(buildApp(model, manifests));
  return manifests;
}

function boot(
  { environment }: Model,
  manifests: string,
  documents: MemoryStore,
  options: SiteOptions,
): Promise<BootedEnvironment> {
  const { namespace, clientNamespace } = environment.kubernetes;
  return bootEnvironment({
    paths: programPaths(),
    definitions: crdFiles(),
    tools: { pathOf: tool, versionOf: (name) => tools[name]?.version },
    manifests,
    namespace,
    clients: { namespaces: [clientNamespace], label: CLIENT_NAMESPACE_LABEL },
    documents,
    ...options,
    log: (line) => console.log(line),
  });
}

/** The stream-sync step, with all that it checks. */
async function applyStreams(model: Model, target: Target): Promise<void> {
  await using writer = await openWriter(target);
  const planned = await plan(model, writer, policy, Date.now() * 1e6);
  const { failed, notStarted } = await apply(planned, writer, {
    holder: "proof",
    lockWait: 0,
    interrupted: () => false,
    progress: () => {},
    readyTimeout: 180_000,
  });
  const problems = [...failed.map(({ name, error }) => `${name}: ${error.message}`), ...notStarted];
  if (problems.length > 0) throw new Error(`not all streams are there: ${problems.join(", ")}`);
}

function targets(model: Model, nodes: Nodes, { documents }: MemoryStore, folder: string): Site["target"] {
  const { environment } = model;
  const namespace = environment.kubernetes.namespace;
  return (identity, pod = `${NATS.name}-0`) => {
    const { seed } = JSON.parse(documents.get(storeKey(environment, DOCUMENTS.client(identity))) ?? "{}");
    const nkeyFile = join(folder, `${identity}.nk`);
    writeFileSync(nkeyFile, seed, { mode: 0o600 });
    const ca = join(folder, "ca.crt");
    writeFileSync(ca, documents.get(storeKey(environment, DOCUMENTS.trust)) ?? "");
    return {
      servers: [`${nodes.pod(namespace, pod).address}:${PORTS.natsClient}`],
      nkeyFile,
      inboxPrefix: inboxPrefix({ name: identity }, model),
      tls: { ca },
      tlsName: serviceHost(NATS.clientService, environment),
      timeout: 10_000,
    };
  };
}

const connectTo = ({
  servers,
  nkeyFile = "",
  inboxPrefix: inbox = "",
  tls,
  tlsName,
}: Target): Promise<NatsConnection> =>
  connect({
    servers: [...servers],
    authenticator: nkeyAuthenticator(readFileSync(nkeyFile)),
    inboxPrefix: inbox,
    // Handed on to Node's own tls.connect.
    tls: { caFile: tls?.ca ?? "", servername: tlsName } as TlsOptions,
    maxReconnectAttempts: -1,
  });

/** Puts a pod of a service there, and the clients' process into its network. */
async function startClients(
  { plane: { kubectl }, nodes }: BootedEnvironment,
  namespace: string,
  folder: string,
): Promise<ClientProcess> {
  await kubectl(["apply", "--server-side", "--filename=-"], JSON.stringify(clientPod(namespace, CLIENTS_POD, "bff")));
  await kubectl(["wait", "--for=condition=Ready", `pod/${CLIENTS_POD}`, `--namespace=${namespace}`, "--timeout=180s"]);
  const secrets = join(folder, "secrets");
  for (const service of SERVICES) {
    const [secret] = await live<{ readonly data: Readonly<Record<string, string>> }>(
      (args) => kubectl([...args.filter((word) => !word.startsWith("--namespace=")), `--namespace=${namespace}`]),
      "secret",
      clientSecret(service),
    );
    mkdirSync(join(secrets, service), { recursive: true });
    for (const [file, base64] of Object.entries(secret?.data ?? {})) {
      writeFileSync(join(secrets, service, file), Buffer.from(base64, "base64"), { mode: 0o600 });
    }
  }
  const { pid } = await eventually(
    async () => nodes.pod(namespace, CLIENTS_POD).containers[0]?.process ?? { pid: 0 },
    (process) => process.pid > 0,
  );
  return startClientProcess({ secrets, inside: { pid, hosts: nodes.pod(namespace, CLIENTS_POD).hosts } });
}

/** A pod that does nothing. @param service whose label it carries; nobody's where it is empty */
export const clientPod = (namespace: string, name: string, service: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: service === "" ? {} : { [SERVICE_LABEL]: service } },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "client", image: "docker.io/busybox:1.36", command: ["sleep", "infinity"] }],
  },
});
