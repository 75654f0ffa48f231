/** One pod as a node runs it, without a control plane: what manifests ask of a kubelet, seen from the outside. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imagesIn } from "../../src/proof/agent/images.ts";
import { type Network, openNetwork } from "../../src/proof/agent/network.ts";
import type { Container, Pod } from "../../src/proof/agent/objects.ts";
import { type PodRun, runPod } from "../../src/proof/agent/pod-run.ts";
import { tools } from "../../tools/tool.js";
import { eventually } from "../support/control-plane.ts";
import { mayBoot, podTools } from "../support/environment.ts";
import { without } from "../support/tools.ts";

const OPEN = "table ip circl\ndelete table ip circl\ntable ip circl {\n}\n";
const DATA: Record<string, string> = { "a.conf": "first" };
const kept = { values: () => [], find: () => undefined };
const configMaps = {
  values: () => [],
  find: (namespace: string, name: string) => ({ metadata: { name, namespace, uid: name }, data: { ...DATA } }),
};
const shell = (script: string) => ({ exec: { command: ["sh", "-c", script] } });

const init: Container = {
  name: "init",
  image: "docker.io/busybox:1.36",
  command: ["sh", "-c", "cp /config/a.conf /work/from-init; id -u > /work/user"],
  volumeMounts: [
    { name: "config", mountPath: "/config", readOnly: true },
    { name: "work", mountPath: "/work" },
  ],
};
const server: Container = {
  name: "server",
  image: `docker.io/nats:${tools["nats-server"]?.version}-alpine`,
  args: ["--http_port", "8222", "--name", "$(POD)"],
  env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
  ports: [{ name: "monitor", containerPort: 8222 }],
  securityContext: { readOnlyRootFilesystem: true },
  volumeMounts: [
    { name: "config", mountPath: "/config", readOnly: true },
    { name: "work", mountPath: "/work" },
  ],
  // It stays long enough to be seen: what the pod kept goes with it.
  lifecycle: { preStop: shell("echo bye > /work/goodbye; sleep 5") },
  startupProbe: { ...shell("test -f /work/from-init"), periodSeconds: 1, timeoutSeconds: 20 },
  readinessProbe: { httpGet: { port: "monitor", path: "/healthz" }, periodSeconds: 1, timeoutSeconds: 5 },
  livenessProbe: {
    httpGet: { port: "monitor", path: "/healthz" },
    periodSeconds: 1,
    timeoutSeconds: 5,
    failureThreshold: 2,
  },
};
const pod: Pod = {
  metadata: { name: "one", namespace: "home", uid: "1" },
  spec: {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 10,
    securityContext: { runAsUser: 10_001, runAsGroup: 10_001, fsGroup: 10_001 },
    volumes: [
      { name: "config", configMap: { name: "c" } },
      { name: "work", emptyDir: {} },
    ],
    initContainers: [init],
    containers: [server],
  },
  status: { phase: "Pending" },
};

describe.skipIf(without("nats-server", "busybox") || !mayBoot())("a pod", () => {
  const folder = mkdtempSync(join(tmpdir(), "circl-pod-"));
  const place = join(folder, "pod");
  const imageOf = imagesIn(join(folder, "images"), podTools);
  let network: Network;
  let run: PodRun;
  let status: Pod["status"] | undefined;
  const start = (object: Pod, at: string): PodRun => {
    mkdirSync(at, { recursive: true });
    return runPod(object, {
      network,
      volumes: { configMaps, secrets: kept, claims: kept, disks: kept },
      imageOf,
      folder: at,
      logs: join(folder, "logs"),
      surroundings: (_, address) => ({ hosts: `127.0.0.1 localhost\n${address} one\n`, filter: OPEN }),
      report: (_, said) => {
        status = said as Pod["status"];
      },
    });
  };
  const main = () => run.containers.find(({ container }) => container.name === "server");
  const ready = () =>
    eventually(
      async () => main()?.ready,
      (is) => is === true,
    );
  const work = (file: string) => join(place, "volumes/work", file);
  beforeAll(async () => {
    network = await openNetwork();
    run = start(pod, place);
  });
  afterAll(async () => {
    await run?.stop(0);
    await network?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test("gets ready once its init container is through and its probes say so, under its user and name", async () => {
    await ready();
    expect(readFileSync(work("from-init"), "utf8")).toBe("first");
    expect(readFileSync(work("user"), "utf8")).toBe("10001\n");
    expect(statSync(work("user"))).toMatchObject({ uid: 10_001, gid: 10_001 });
    const varz = await fetch(`http://${run.address}:8222/varz`).then((reply) => reply.json());
    expect(varz).toMatchObject({ server_name: "one" });
    expect(status).toMatchObject({ phase: "Running", podIP: run.address, hostIP: network.gateway });
    expect(await main()?.process?.exec(["sh", "-c", "touch /x"], 20_000)).not.toBe(0);
  });

  test("sees a changed ConfigMap as a whole, without a restart", async () => {
    DATA["a.conf"] = "second";
    await run.refresh();
    const same = ["sh", "-c", '[ "$(cat /config/a.conf)" = second ]'];
    expect(await main()?.process?.exec(same, 20_000)).toBe(0);
    expect(main()?.restarts).toBe(0);
  });

  test("is started again when it was killed, and when it does not answer any more", async () => {
    main()?.process?.signal("SIGKILL");
    await eventually(
      async () => main()?.restarts,
      (restarts) => restarts === 1,
    );
    expect(main()?.lastState.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
    await ready();
    main()?.process?.signal("SIGSTOP");
    // Twice in a row: it waits before the next start, and says so.
    await eventually(
      async () => main()?.state.waiting?.reason,
      (reason) => reason === "CrashLoopBackOff",
    );
    expect(main()?.ready).toBe(false);
    await ready();
    expect(main()?.restarts).toBe(2);
  });

  test("is told to end before it is ended, and leaves nothing", async () => {
    rmSync(work("goodbye"));
    const goodbye = eventually(
      async () => existsSync(work("goodbye")),
      (said) => said,
    );
    const stopped = run.stop(10_000);
    await goodbye;
    await stopped;
    expect(existsSync(place)).toBe(false);
    await expect(fetch(`http://${run.address}:8222/varz`, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow();
    expect(readdirSync(join(folder, "logs")).sort()).toEqual(["init", "server"]);
  });

  test("says nothing of its end where its node loses power, and can be run once more", async () => {
    const one = { ...pod, metadata: { ...pod.metadata, name: "dark" } };
    const first = start(one, join(folder, "dark"));
    const isReady = ({ containers }: PodRun) =>
      containers.some(({ container, ready: is }) => container === server && is);
    await eventually(
      async () => isReady(first),
      (is) => is,
    );
    const before = status;
    await first.kill();
    expect(status).toBe(before);
    expect(status).toMatchObject({ phase: "Running" });
    const again = start(one, join(folder, "dark"));
    await eventually(
      async () => isReady(again),
      (is) => is,
    );
    await again.stop(0);
    expect(status?.phase).not.toBe("Running");
  });

  test("that asks for more than is known here waits, and says for what", async () => {
    const odd = { ...pod, metadata: { ...pod.metadata, name: "odd" }, spec: { ...pod.spec, hostNetwork: true } };
    const other = start(odd, join(folder, "odd"));
    await eventually(
      async () => status?.conditions?.find(({ type }) => type === "Ready")?.message,
      (message) => message === "the node agent does not know: namespaces of the node",
    );
    expect(other.address).toBeUndefined();
    await other.stop(0);
  });
});
