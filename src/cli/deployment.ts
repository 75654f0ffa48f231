/** What deploy and rollback share: the cluster, its NATS servers, the clock and the words on the terminal. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { askMonitor } from "../connect/monitor.ts";
import { openReader } from "../connect/nats.ts";
import type { Cluster } from "../deploy/cluster.ts";
import { type MetaGroup, metaProblems, streamProblems } from "../deploy/nats-state.ts";
import type { Loaded, LoadedByPod } from "../deploy/reload.ts";
import { podNames } from "../deploy/stateful-set-impact.ts";
import { ConnectionFailure } from "../jetstream/api.ts";
import type { Observed } from "../jetstream/observe.ts";
import { assertCluster } from "../jetstream/plan.ts";
import { observeSteady } from "../jetstream/steady.ts";
import { NATS, PORTS } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { isDuration, nanoseconds } from "../units.ts";
import { type ConnectionOptions, reach } from "./connection.ts";
import { UsageError } from "./failures.ts";
import { log } from "./output/terminal.ts";
import { visible } from "./output/visible.ts";

export interface DeploymentOptions extends ConnectionOptions {
  readonly kubectl?: string;
  readonly autoApprove?: boolean;
  /** For example "35m". */
  readonly rolloutTimeout: string;
}

/** The NATS servers of a cluster, each question over a connection of its own: the pod behind it may be the next that goes. */
export interface NatsServers extends Disposable {
  /** How they are reached, with the authority of their certificates. */
  connection(): Promise<ConnectionOptions>;
  observe(): Promise<Observed>;
  /** Problems of meta group and streams, and of `pod` where one is named. Not to be reached is a problem, not a failure. */
  problems(pod?: string): Promise<readonly string[]>;
  /** The configuration that each server runs with; without those that do not answer. */
  loaded(): Promise<LoadedByPod>;
}

export function natsServers(model: Model, options: DeploymentOptions, cluster: Cluster): NatsServers {
  const { nats, kubernetes } = model.environment;
  const ask = (pod: string, ...paths: readonly string[]) =>
    askMonitor(
      { context: options.kubectl ?? "", namespace: kubernetes.namespace, pod, port: PORTS.natsMonitor },
      paths,
    );
  let folder: string | undefined;
  const connection = async (): Promise<ConnectionOptions> => {
    if (!nats.tls || options.tlsCa || options.context) return options;
    folder ??= keepAuthority(await authorityIn(cluster, kubernetes.namespace));
    return { ...options, tlsCa: join(folder, "ca.crt") };
  };
  const observeAll = async (): Promise<Observed> => {
    await using reached = await reach(await connection(), model.environment);
    await using reader = await openReader(reached.target);
    assertCluster(model, reader.server);
    return await observeSteady(
      reader,
      model.streams.map(({ name }) => name),
    );
  };
  /** What every server says of the meta group, and whether the one that was asked for is current in it. */
  const askServers = async (about: string | undefined): Promise<readonly string[]> => {
    const answers = await Promise.all(
      podNames(NATS.name, nats.servers).map(async (pod) => {
        const [state, health] = await ask(pod, "/jsz", "/healthz?js-meta-only=true");
        return {
          pod,
          group: (state?.body as { meta_cluster?: MetaGroup } | undefined)?.meta_cluster,
          health: health?.status,
        };
      }),
    );
    const behind = answers.filter(({ pod, health }) => pod === about && health !== 200);
    return [
      ...behind.map(({ pod, health }) => `${pod} is not current in the meta group (/healthz says ${health})`),
      ...metaProblems(new Map(answers.map(({ pod, group }) => [pod, group])), nats.servers),
    ];
  };
  return {
    connection,
    observe: observeAll,
    async problems(pod) {
      try {
        return [...(await askServers(pod)), ...streamProblems(await observeAll())];
      } catch (error) {
        if (["ConnectionFailure", "ApiError"].includes((error as Error).name)) return [(error as Error).message];
        throw error;
      }
    },
    async loaded() {
      const answers = await Promise.all(
        podNames(NATS.name, nats.servers).map((pod) =>
          ask(pod, "/varz").then(
            ([varz]) => [[pod, varz?.body as Loaded] as const],
            () => [],
          ),
        ),
      );
      return new Map(answers.flat());
    },
    [Symbol.dispose]: () => {
      if (folder) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The authority of the servers' certificates as the cluster has it. Before the very first deploy nobody can have it in a file.
 * @throws ConnectionFailure where whoever runs this may not read the Secret, or it is not there
 */
async function authorityIn(cluster: Cluster, namespace: string): Promise<string> {
  const name = NATS.serverCertificate;
  const secret = await cluster.get({ apiVersion: "v1", kind: "Secret", name, namespace });
  const authority = secret?.data?.["ca.crt"];
  if (authority) return Buffer.from(authority, "base64").toString();
  throw new ConnectionFailure(
    `there is no ca.crt in Secret ${name} of ${namespace}. Give --tls-ca FILE, or let cert-manager make it.`,
    {},
  );
}

function keepAuthority(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "circl-authority-"));
  writeFileSync(join(folder, "ca.crt"), text);
  return folder;
}

/** Progress with the time since the start: `  1m05s  servers: nats-2 is replaced, ready and current`. */
export function progressFrom(began: number): (step: string, text: string) => void {
  return (step, text) => {
    const seconds = Math.round((Date.now() - began) / 1_000);
    const time = `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
    for (const line of text.split("\n")) log(`${time.padStart(7)}  ${visible(`${step}: ${line}`)}`);
  };
}

/** Milliseconds. @throws UsageError */
export function patienceOf({ rolloutTimeout }: DeploymentOptions): number {
  if (!isDuration(rolloutTimeout)) {
    throw new UsageError(`--rollout-timeout is "${rolloutTimeout}", expected a duration such as "35m"`);
  }
  return nanoseconds(rolloutTimeout) / 1e6;
}

/** Who runs this, for the record. */
export function whoRuns(): string {
  const { GITHUB_ACTOR, GITHUB_RUN_ID, USER, LOGNAME } = process.env;
  if (GITHUB_ACTOR) return `${GITHUB_ACTOR}${GITHUB_RUN_ID ? ` (run ${GITHUB_RUN_ID})` : ""}`;
  return `${USER ?? LOGNAME ?? `uid ${process.getuid?.() ?? "unknown"}`}@${hostname()}`;
}
