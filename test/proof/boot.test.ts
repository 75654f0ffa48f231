/** What lies in dist runs: booted as it is, tried as its clients would, killed and rolled under load, and gone without a trace. */
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkCluster } from "../../src/proof/cluster.ts";
import { addressesOf, podsWith, SERVER } from "../../src/proof/reach.ts";
import {
  applyStreams,
  checkStreams,
  exchangeMessages,
  exchangePositions,
  scrapeMetrics,
} from "../../src/proof/smoke.ts";
import { killServer, rollServers } from "../../src/proof/trials.ts";
import { policy } from "../../src/rules/changes.ts";
import { eventually, live } from "../support/control-plane.ts";
import { type Booted, bootReal, cannotBoot } from "../support/environment.ts";
import { handshake } from "../support/handshake.ts";

interface LivePod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses: readonly {
      readonly name: string;
      readonly ready: boolean;
      readonly restartCount: number;
    }[];
  };
}

const SERVERS = ["nats-0", "nats-1", "nats-2"];
const PODS = {
  production: [...SERVERS, "tile38-follower-0", "tile38-follower-1", "tile38-leader-0"],
  staging: [...SERVERS, "tile38-follower-0", "tile38-leader-0"],
};

describe.skipIf(cannotBoot()).each(["production", "staging"] as const)("%s", (environment) => {
  let subject: Booted;
  const begun = Date.now();
  beforeAll(async () => {
    subject = await bootReal(environment);
  });
  afterAll(async () => {
    const gateway = subject?.booted.nodes.gateway;
    const folders = [subject?.folder, subject?.booted.nodes.logs, subject?.booted.plane.kubeconfig];
    await subject?.[Symbol.asyncDispose]();
    const addresses = Object.values(networkInterfaces()).flatMap((cards) =>
      (cards ?? []).map(({ address }) => address),
    );
    expect(addresses).not.toContain(gateway);
    expect(folders.filter((path) => path && existsSync(path))).toEqual([]);
  });
  // The hour's shrink may be due meanwhile: what a job makes is no pod of these.
  const pods = () => live<LivePod>(subject.booted.plane.kubectl, "pods", "--selector=!job-name");

  test("becomes ready: every container runs, its probes are green, and none was ever restarted", async () => {
    await subject.booted.ready();
    process.stderr.write(`${environment}: ready ${Math.round((Date.now() - begun) / 1000)} s after its start\n`);
    const found = await pods();
    expect(found.map(({ metadata }) => metadata.name)).toEqual(PODS[environment]);
    for (const { metadata, status } of found) {
      expect(status.phase).toBe("Running");
      const unwell = status.containerStatuses.filter(({ ready, restartCount }) => !ready || restartCount > 0);
      expect({ pod: metadata.name, unwell }).toEqual({ pod: metadata.name, unwell: [] });
    }
  });

  test("has nodes that say again that they live, and their pods are ready, where controllers took them for dead", async () => {
    const { kubectl } = subject.booted.plane;
    const there = [
      ["node", "node-a"],
      ["pod", "nats-0", "--namespace=circl-backbone"],
    ];
    const ready = "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status}";
    const patch = JSON.stringify({ status: { conditions: [{ type: "Ready", status: "Unknown" }] } });
    const doubt = ["--subresource=status", "--type=strategic", `--patch=${patch}`, ready];
    for (const what of there) expect(await kubectl(["patch", ...what, ...doubt])).toBe("Unknown");
    const said = () => Promise.all(there.map((what) => kubectl(["get", ...what, ready])));
    expect(await eventually(said, (all) => all.every((one) => one === "True"))).toEqual(["True", "True"]);
  });

  test("lies in a namespace that Pod Security guards: these very pods were admitted to it", async () => {
    const [namespace] = await live<{ metadata: { labels: Record<string, string> } }>(
      subject.booted.plane.kubectl,
      "namespace/circl-backbone",
    );
    expect(namespace?.metadata.labels["pod-security.kubernetes.io/enforce"]).toBe("restricted");
  });

  test("runs as nobody, without a capability, and cannot write to its root", () => {
    for (const { containers } of subject.booted.nodes.pods()) {
      for (const { process: running } of containers) {
        if (!running) continue;
        const status = readFileSync(`/proc/${running.pid}/status`, "utf8");
        expect(status).toMatch(/^Uid:\t10001\t10001\t10001\t10001$/m);
        expect(status).toMatch(/^CapEff:\t0{16}$/m);
        expect(status).toMatch(/^NoNewPrivs:\t1$/m);
        expect(readFileSync(`/proc/${running.pid}/mounts`, "utf8")).toMatch(/^overlay \/ overlay ro,/m);
      }
    }
  });

  test("is one cluster with one meta leader, and its routes speak TLS or not at all", async () => {
    const cluster = `circl-${environment}-nats`;
    expect(await checkCluster(subject)).toMatch(
      new RegExp(
        `^3 servers, each with routes to all others, under TLS that asks both sides for certificates; meta leader ${cluster}-[012]$`,
      ),
    );
    const servers = serversOf(subject);
    expect(Object.keys(servers)).toEqual(SERVERS);
    for (const host of Object.values(servers)) {
      const { protocol, fingerprint } = await handshake(6222, { host, rejectUnauthorized: false }, "route");
      expect({ protocol, certificate: fingerprint !== undefined }).toEqual({
        protocol: "TLSv1.3",
        certificate: true,
      });
    }
  });

  test("takes its streams by plan and apply, and has all their replicas", async () => {
    expect(await applyStreams(subject, policy)).toMatch(/^17 streams and consumers/);
    expect(await checkStreams(subject)).toBe(
      environment === "production" ? "8 streams, 24 of 24 replicas current" : "8 streams, 8 of 8 replicas current",
    );
  });

  test("carries messages of every service to every consumer, positions to followers, and figures to Prometheus", async () => {
    expect(await exchangeMessages(subject)).toBe("10 subjects published with acknowledgement, 9 consumers read");
    expect(await exchangePositions(subject)).toMatch(/^set on the leader, read from it and from [12] followers$/);
    expect(await scrapeMetrics(subject)).toMatch(/^[56] exporters, \d+ series$/);
  });

  test("runs a job of its CronJob to the end", async () => {
    const { kubectl } = subject.booted.plane;
    const here = "--namespace=circl-backbone";
    await kubectl(["create", "job", "shrink-now", "--from=cronjob/tile38-aof-shrink", here]);
    await kubectl(["wait", "--for=condition=complete", "job/shrink-now", "--timeout=240s", here]);
  });

  test("grows a claim where its class allows, and the API server shrinks none", async () => {
    const grow = (storage: string) => [
      "patch",
      "persistentvolumeclaim/data-nats-0",
      "--namespace=circl-backbone",
      `--patch={"spec":{"resources":{"requests":{"storage":"${storage}"}}}}`,
    ];
    await subject.booted.plane.kubectl(grow("90Gi"));
    const capacity = async () => {
      const [claim] = await live<{ status: { capacity: { storage: string } } }>(
        subject.booted.plane.kubectl,
        "persistentvolumeclaim/data-nats-0",
      );
      return claim?.status.capacity.storage;
    };
    expect(await eventually(capacity, (storage) => storage === "90Gi")).toBe("90Gi");
    await expect(subject.booted.plane.kubectl(grow("1Gi"))).rejects.toThrow(/can not be less than/);
  });

  test("serves a certificate that was renewed without a restart: the reloader hears of it", async () => {
    const served = async () => {
      const prints = Object.entries(serversOf(subject)).map(
        async ([pod, host]) => [pod, await fingerprint(host)] as const,
      );
      return new Map(await Promise.all(prints));
    };
    const before = await served();
    const shown = (prints: ReadonlyMap<string, string | undefined>) => SERVERS.filter((pod) => prints.get(pod));
    expect(shown(before)).toEqual(SERVERS);
    await subject.booted.refreshSecrets();
    const renewed = (prints: ReadonlyMap<string, string | undefined>) =>
      shown(prints).filter((pod) => prints.get(pod) !== before.get(pod));
    const all = (prints: ReadonlyMap<string, string | undefined>) => renewed(prints).length === SERVERS.length;
    expect(renewed(await eventually(served, all))).toEqual(SERVERS);
    const restarts = (await pods()).flatMap(({ status }) => status.containerStatuses.map((one) => one.restartCount));
    expect(new Set(restarts)).toEqual(new Set([0]));
  });

  test("loses and doubles nothing when a server is killed", async () => {
    const said = await killServer(subject);
    process.stderr.write(`${environment}: a server is killed: ${said}\n`);
    expect(said).toMatch(/^\d{4,} messages confirmed, none lost or doubled/);
    expect((await pods()).flatMap(({ status }) => status.containerStatuses.map((one) => one.restartCount))).toContain(
      1,
    );
  });

  test("loses and doubles nothing when its servers are rolled", async () => {
    const said = await rollServers(subject);
    process.stderr.write(`${environment}: servers are rolled: ${said}\n`);
    expect(said).toMatch(/^\d{4,} messages confirmed, none lost or doubled/);
  });
});

/** Addresses of the servers that are ready, by pod. */
const serversOf = ({ booted }: Booted): Readonly<Record<string, string>> =>
  Object.fromEntries(
    podsWith(booted.nodes.pods(), SERVER)
      .flatMap((run) => addressesOf([run], SERVER).map((address) => [run.pod.metadata.name, address] as const))
      .sort(),
  );

/** Of the certificate that a server shows now; its authority is not asked. */
const fingerprint = async (host: string): Promise<string | undefined> =>
  (await handshake(4222, { host, rejectUnauthorized: false })).fingerprint;
