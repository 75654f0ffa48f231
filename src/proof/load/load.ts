/**
 * Load on an environment that has booted: a publisher and a consumer as pods of two services, with the Secrets, names and
 * network policies that their own pods would have.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clientSecret, SERVICE_LABEL } from "../../kubernetes/names.ts";
import type { Model } from "../../model/resolve.ts";
import { applyAll } from "../certificates.ts";
import type { BootedEnvironment } from "../environment.ts";
import { parseIds } from "./id-ranges.ts";

export interface Route {
  readonly publisher: string;
  readonly subject: string;
  readonly consumer: string;
  readonly stream: string;
  readonly durable: string;
}

/** Orders: every stage of an environment has them, and nothing else publishes them. */
export const ORDERS: Route = {
  publisher: "oms",
  subject: "circl.oms.order.proof",
  consumer: "dms",
  stream: "circl_oms",
  durable: "dms-orders",
};

export interface Load {
  /** Messages confirmed until now. */
  confirmed(): number;
  /** Resolves when so many more are confirmed. @throws Error where that takes minutes */
  more(count: number): Promise<void>;
  /** Ends it, waits until the consumer has what was confirmed, and says what came of it. */
  stop(): Promise<LoadOutcome>;
}

export interface LoadOutcome {
  readonly confirmed: number;
  /** Sent and never confirmed. */
  readonly unconfirmed: number;
  /** Confirmed and never received. */
  readonly lost: number;
  /** Stored twice. */
  readonly duplicated: number;
  /** Given to the consumer again, which at-least-once delivery allows. */
  readonly redelivered: number;
  /** The longest time between two confirmations, in ms. */
  readonly longestPause: number;
}

const IMAGE = "docker.io/library/node:20-alpine";
const SCRIPT = "proof-load";
const PATIENCE = 240_000;

/** Starts `rate` messages a second, and resolves once the first are through. @param root the repository's folder */
export async function startLoad(
  { plane, nodes }: Pick<BootedEnvironment, "plane" | "nodes">,
  { services, environment }: Model,
  root: string,
  rate: number,
  route: Route = ORDERS,
): Promise<Load> {
  const namespaceOf = (service: string): string =>
    services.find(({ name }) => name === service)?.namespace ?? environment.kubernetes.clientNamespace;
  const script = await bundle(root);
  const run = randomUUID().slice(0, 8);
  const pods = [
    pod("proof-consumer", route.consumer, [run, "consume", route.stream, route.durable]),
    pod("proof-publisher", route.publisher, [run, "publish", route.subject, String(rate)]),
  ];
  const place = (kind: string, service: string) => ({ apiVersion: "v1", kind, namespace: namespaceOf(service) });
  await applyAll(
    plane.kubectl,
    [...new Set([route.consumer, route.publisher].map(namespaceOf))].map((namespace) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: SCRIPT, namespace },
      data: { "client.mjs": script },
    })),
  );
  const uids = new Map<string, string>();
  for (const { service, ...object } of pods) {
    const { kind, apiVersion, namespace } = place("Pod", service);
    const metadata = { name: object.name, namespace, labels: { [SERVICE_LABEL]: service } };
    const created = await plane.kubectl(
      ["create", "--validate=false", "--filename=-", "--output=jsonpath={.metadata.uid}"],
      JSON.stringify({ apiVersion, kind, metadata, spec: object.spec }),
    );
    uids.set(object.name, created);
  }
  const said = (name: string): readonly Report[] => reportsIn(nodes.logs, uids.get(name) ?? "");
  const confirmed = (): number => said("proof-publisher").at(-1)?.confirmed ?? 0;
  const received = (): number => said("proof-consumer").at(-1)?.received ?? 0;
  const until = async (holds: () => boolean, what: string) => {
    for (const end = Date.now() + PATIENCE; !holds(); await sleep(250)) {
      if (Date.now() > end) throw new Error(`${what}: ${confirmed()} confirmed, ${received()} received`);
    }
  };
  const end = async (name: string, service: string): Promise<Report> => {
    await plane.kubectl(["delete", "pod", name, `--namespace=${namespaceOf(service)}`, "--wait", "--timeout=240s"]);
    const last = said(name).at(-1);
    if (last?.ids === undefined) throw new Error(`${name} ended without a report: see ${nodes.logs}`);
    return last;
  };
  const more = (count: number) => {
    const goal = confirmed() + count;
    return until(() => confirmed() >= goal, `no ${count} more messages were confirmed`);
  };
  await more(1);
  return {
    confirmed,
    more,
    async stop() {
      const sent = await end("proof-publisher", route.publisher);
      const ids = parseIds(sent.ids ?? "");
      // It may have been given some that were never confirmed, so that reaching the number is only the earliest time to look.
      await until(() => received() >= ids.size, "the consumer did not catch up").catch(() => {});
      const got = await end("proof-consumer", route.consumer);
      const seen = parseIds(got.ids ?? "");
      return {
        confirmed: ids.size,
        unconfirmed: (sent.sent ?? 0) - ids.size,
        lost: [...ids].filter((id) => !seen.has(id)).length,
        duplicated: parseIds(got.twice ?? "").size,
        redelivered: got.redelivered ?? 0,
        longestPause: sent.longest ?? 0,
      };
    },
  };
}

/** What a pod of the load says; ids once it ends. */
interface Report {
  readonly confirmed?: number;
  readonly received?: number;
  readonly longest?: number;
  readonly redelivered?: number;
  readonly sent?: number;
  readonly twice?: string;
  readonly ids?: string;
}

/** Of a pod; none before its container has started. */
function reportsIn(logs: string, uid: string): readonly Report[] {
  const folder = existsSync(logs) ? readdirSync(logs).find((name) => name.endsWith(`_${uid}`)) : undefined;
  const container = join(logs, folder ?? uid, "client");
  const files = existsSync(container) ? readdirSync(container).map((file) => join(container, file)) : [];
  return files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line)),
  );
}

async function bundle(root: string): Promise<string> {
  // Found from the repository: bundled with the rest of this it would look for its program in the wrong place.
  const { build }: typeof import("esbuild") = createRequire(join(root, "package.json"))("esbuild");
  const { outputFiles = [] } = await build({
    entryPoints: [join(root, "src/proof/load/client.ts")],
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

const pod = (name: string, service: string, args: readonly string[]) => ({
  name,
  service,
  spec: {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 120,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "client",
        image: IMAGE,
        command: ["node", "/app/client.mjs", ...args],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [
          { name: "script", mountPath: "/app", readOnly: true },
          { name: "backbone", mountPath: "/etc/circl", readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: "script", configMap: { name: SCRIPT } },
      { name: "backbone", secret: { secretName: clientSecret(service), defaultMode: 0o440 } },
    ],
  },
});
