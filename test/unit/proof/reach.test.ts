import { expect, test } from "vitest";
import { memoryStore } from "../../../src/identity/store.ts";
import type { ContainerRun } from "../../../src/proof/agent/container-run.ts";
import type { PodRun } from "../../../src/proof/agent/pod-run.ts";
import { natsTarget } from "../../../src/proof/reach.ts";
import { realModel } from "../../support/definitions.ts";

const model = realModel("production");
const labels = { "app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "server" };

/** What is asked of a pod here. */
const server = (address: string, ready: boolean) =>
  ({
    pod: { metadata: { labels } },
    address,
    containers: [{ ready, container: { ports: [{ containerPort: 4222 }] } } as unknown as ContainerRun],
  }) as unknown as PodRun;

async function targetAmong(...pods: readonly PodRun[]) {
  const documents = memoryStore();
  await documents.write("production-nats-client-oms", JSON.stringify({ user: "oms", password: "loopback-only" }));
  const local = { ...model, environment: { ...model.environment, nats: { ...model.environment.nats, tls: false } } };
  return natsTarget(local, pods, documents, "oms", "/nowhere");
}

test("a client goes to every server that is ready", async () => {
  const pods = [server("10.64.0.10", true), server("10.64.0.11", false), server("10.64.0.12", true)];
  expect((await targetAmong(...pods)).servers).toEqual(["10.64.0.10:4222", "10.64.0.12:4222"]);
});

test("a client is not sent to its own machine where no server is ready", async () => {
  await expect(targetAmong(server("10.64.0.10", false))).rejects.toThrow(
    "no NATS server is ready that oms could connect to",
  );
});
