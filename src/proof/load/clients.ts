/** A pod of clients in an environment that has booted, with the Secrets that their own pods would have. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { clientSecret, SERVICE_LABEL } from "../../kubernetes/names.ts";
import type { Model } from "../../model/resolve.ts";
import { applyAll } from "../certificates.ts";
import type { BootedEnvironment } from "../environment.ts";
import { type RemoteTraffic, startRemotely } from "./remote.ts";
import type { TrafficPlan } from "./traffic.ts";

export interface Clients extends AsyncDisposable {
  /** Begins one load; another that still runs is ended. */
  readonly start: (plan: TrafficPlan) => Promise<RemoteTraffic>;
}

export const CLIENTS = "proof-clients";
const IMAGE = "docker.io/library/node:20-alpine";
const PORT = 8080;

/**
 * Puts the pod there, and waits until it listens to the node, whose packets pass every policy.
 *
 * @param services whose Secrets it has; it carries the label of the first
 * @param root the repository's folder
 * @throws Error where services live in different namespaces; KubectlFailure with the pod that is not ready
 */
export async function startClients(
  { plane: { kubectl }, nodes }: Pick<BootedEnvironment, "plane" | "nodes">,
  model: Model,
  root: string,
  services: readonly string[],
): Promise<Clients> {
  const namespace = namespaceOf(model, services);
  const data = { "main.mjs": await bundle(root) };
  await applyAll(kubectl, [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: CLIENTS, namespace }, data },
    podOf(namespace, services),
  ]);
  const here = `--namespace=${namespace}`;
  await kubectl(["wait", "--for=condition=Ready", `pod/${CLIENTS}`, here, "--timeout=240s"]);
  return {
    start: (plan) => startRemotely(`http://${nodes.pod(namespace, CLIENTS).address}:${PORT}`, plan),
    async [Symbol.asyncDispose]() {
      await kubectl(["delete", "pod", CLIENTS, here, "--wait", "--timeout=240s"]);
    },
  };
}

/** A pod mounts the Secrets of its own namespace alone. */
function namespaceOf({ services, environment }: Model, names: readonly string[]): string {
  const homes = services
    .filter(({ name }) => names.includes(name))
    .map(({ namespace }) => namespace ?? environment.kubernetes.clientNamespace);
  const [home, ...others] = [...new Set(homes)];
  if (home === undefined || others.length > 0)
    throw new Error(`the load takes ${names.join(", ")} in one namespace, and they are in ${homes.join(", ")}`);
  return home;
}

async function bundle(root: string): Promise<string> {
  // Found from the repository: bundled with the rest of this it would look for its program in the wrong place.
  const { build }: typeof import("esbuild") = createRequire(join(root, "package.json"))("esbuild");
  const { outputFiles = [] } = await build({
    entryPoints: [join(root, "src/proof/load/main.ts")],
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // Of nats, which is CommonJS and calls for Node's own modules.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

const podOf = (namespace: string, services: readonly string[]) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: CLIENTS, namespace, labels: { [SERVICE_LABEL]: services[0] } },
  spec: {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "clients",
        image: IMAGE,
        command: ["node", "/app/main.mjs", "/etc/circl", String(PORT)],
        ports: [{ name: "orders", containerPort: PORT }],
        readinessProbe: { httpGet: { port: "orders", path: "/" }, periodSeconds: 1, timeoutSeconds: 10 },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [
          { name: "script", mountPath: "/app", readOnly: true },
          ...services.map((service) => ({ name: service, mountPath: `/etc/circl/${service}`, readOnly: true })),
        ],
      },
    ],
    volumes: [
      { name: "script", configMap: { name: CLIENTS } },
      ...services.map((service) => ({
        name: service,
        secret: { secretName: clientSecret(service), defaultMode: 0o440 },
      })),
    ],
  },
});
