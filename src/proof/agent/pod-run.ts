/** One pod from its place on a node to its end: volumes, network, init containers, sidecars, containers, and back. */
import { mkdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startContainer } from "./container.ts";
import { type ContainerRun, runContainer } from "./container-run.ts";
import { environmentOf, expand } from "./environment-variables.ts";
import type { Image } from "./images.ts";
import type { Network } from "./network.ts";
import type { Container, Pod } from "./objects.ts";
import { type PodProgress, statusOf } from "./pod-status.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import { refuseUnknown } from "./unknown.ts";
import { fillVolumes, type VolumeInput } from "./volumes.ts";

export interface PodRunInput {
  readonly network: Network;
  readonly volumes: VolumeInput;
  readonly imageOf: (reference: string) => Promise<Image>;
  /** For what the pod keeps until its end. */
  readonly folder: string;
  /** For the logs of its containers, which outlive it. */
  readonly logs: string;
  /** What lies in /etc/hosts, and the packet filter, for a pod with this address. */
  readonly surroundings: (pod: Pod, address: string) => { readonly hosts: string; readonly filter: string };
  /** Tells the API; called again for each change. */
  readonly report: (pod: Pod, status: object) => void;
}

export interface PodRun {
  readonly pod: Pod;
  readonly address: string | undefined;
  /** File of this machine that is /etc/hosts in its containers. */
  readonly hosts: string;
  readonly containers: readonly ContainerRun[];
  /** Takes a newer version of the object. */
  update(pod: Pod): void;
  /** Says how it is, whether or not that has changed. */
  report(): void;
  /** Brings volumes, names and packet filter up to date. */
  refresh(): Promise<void>;
  /** Ends it with grace, in ms; resolves once nothing of it runs. */
  stop(grace: number): Promise<void>;
  /** Ends it at once and says nothing of it, as a power cut does. */
  kill(): Promise<void>;
}

export function runPod(first: Pod, input: PodRunInput): PodRun {
  let pod = first;
  let progress: Omit<PodProgress, "pod"> = {
    startTime: `${new Date().toISOString().slice(0, 19)}Z`,
    hostIP: input.network.gateway,
    podIP: undefined,
    init: [],
    main: [],
    phase: "Pending",
    waitingFor: undefined,
  };
  let sandbox: Sandbox | undefined;
  let places: ReadonlyMap<string, string> = new Map();
  const written = new Map<string, string>();
  const stopping = new AbortController();
  const { spec, metadata } = pod;
  const hosts = join(input.folder, "hosts");
  let powered = true;
  const change = (next: Partial<typeof progress> = {}) => {
    progress = { ...progress, ...next };
    if (powered) input.report(pod, statusOf({ pod, ...progress }));
  };

  const fill = () => {
    places = fillVolumes(pod, join(input.folder, "volumes"), written, input.volumes);
  };
  let settled: { readonly hosts: string; readonly filter: string } | undefined;
  const settle = async (into: Sandbox, address: string) => {
    const next = input.surroundings(pod, address);
    // In place: a mounted file is the one that it was when it was mounted.
    if (next.hosts !== settled?.hosts) await writeFile(hosts, next.hosts);
    if (next.filter !== settled?.filter) await into.filter(next.filter);
    settled = next;
  };

  const begin = (container: Container, restarts: Pod["spec"]["restartPolicy"]) =>
    runContainer({
      container,
      restarts,
      address: progress.podIP ?? "",
      grace: spec.terminationGracePeriodSeconds * 1000,
      changed: () => change(),
      start: async (count) => {
        const folder = join(input.folder, "containers", `${container.name}-${count}`);
        const logs = join(input.logs, container.name);
        for (const path of [folder, logs]) mkdirSync(path, { recursive: true });
        const image = await input.imageOf(container.image);
        const env = environmentOf(container, pod, input.volumes.secrets);
        const argv = [...(container.command ?? [image.entrypoint]), ...(container.args ?? [])];
        const { fsGroup } = spec.securityContext ?? {};
        const own = { ...spec.securityContext, ...container.securityContext };
        if (!sandbox) throw new Error("the pod has no network");
        return startContainer({
          image,
          sandbox,
          sharesProcesses: spec.shareProcessNamespace ?? false,
          folder,
          log: join(logs, `${count}.log`),
          argv: argv.map((word) => expand(word, env)),
          env,
          user: { uid: own.runAsUser ?? 0, gid: own.runAsGroup ?? 0, groups: fsGroup === undefined ? [] : [fsGroup] },
          readOnlyRoot: own.readOnlyRootFilesystem ?? false,
          mounts: [
            { source: hosts, target: "/etc/hosts", readOnly: true },
            ...(container.volumeMounts ?? []).map(({ name, mountPath, readOnly = false }) => ({
              source: places.get(name) ?? "",
              target: mountPath,
              readOnly,
            })),
          ],
        });
      },
    });

  const live = async (): Promise<void> => {
    change();
    for (;;) {
      try {
        refuseUnknown(pod);
        fill();
        break;
      } catch (error) {
        change({ waitingFor: (error as Error).message });
        await sleep(500, undefined, { signal: stopping.signal });
      }
    }
    sandbox = await startSandbox(spec.hostname ?? metadata.name);
    const podIP = await input.network.connect(sandbox.pid);
    await settle(sandbox, podIP);
    change({ podIP, waitingFor: undefined });
    for (const container of spec.initContainers ?? []) {
      if (stopping.signal.aborted) return;
      const run = begin(container, spec.restartPolicy === "Never" ? "Never" : "OnFailure");
      change({ init: [...progress.init, run] });
      if ((await run.over) !== 0) return change({ phase: "Failed" });
    }
    if (stopping.signal.aborted) return;
    const main = spec.containers.map((container) => begin(container, spec.restartPolicy));
    change({ main, phase: "Running" });
    const exits = await Promise.all(main.map(({ over }) => over));
    await disconnect();
    change({ phase: exits.every((code) => code === 0) ? "Succeeded" : "Failed" });
  };
  /** Ends whatever still runs in it. */
  const disconnect = async () => {
    const [ended, address] = [sandbox, progress.podIP];
    sandbox = undefined;
    await ended?.[Symbol.asyncDispose]();
    if (ended && address) input.network.release(address);
  };
  const life = live().catch((error: unknown) => {
    if (!stopping.signal.aborted) change({ waitingFor: (error as Error).message });
  });

  let stopped: Promise<void> | undefined;
  return {
    get pod() {
      return pod;
    },
    get address() {
      return progress.podIP;
    },
    hosts,
    get containers() {
      return [...progress.init, ...progress.main];
    },
    update(next) {
      pod = next;
    },
    report: () => change(),
    async refresh() {
      if (!sandbox || !progress.podIP || stopped) return;
      await settle(sandbox, progress.podIP);
      fill();
    },
    stop(grace) {
      stopped ??= (async () => {
        stopping.abort();
        await Promise.all([...progress.init, ...progress.main].map((run) => run.stop(grace)));
        // What it was about to start would else outlive it.
        await life;
        await disconnect();
        await rm(input.folder, { recursive: true, force: true });
      })();
      return stopped;
    },
    async kill() {
      powered = false;
      stopping.abort();
      await disconnect();
      await this.stop(0);
    },
  };
}
