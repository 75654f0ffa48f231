/** Three servers without room for another message: who refuses it, and how `circl apply` makes room. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { apply, type Outcome } from "../../src/jetstream/apply.ts";
import { plan } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { accountStore, fileStore } from "../../src/nats/budget.ts";
import { policy } from "../../src/rules/changes.ts";
import { MiB } from "../../src/units.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { reload, replaceFile } from "../support/reload.ts";
import { without } from "../support/tools.ts";

const { maxBytes: _, ...unbounded } = orders;
const modelOf = (stream: StreamInput, size: "128MiB" | "256MiB") =>
  modelWith({ environment: { nats: { volume: { size } } }, streams: [...lock, stream] });
const full = modelOf(unbounded, "128MiB");
const smaller = modelOf({ ...orders, maxBytes: "32MiB" }, "128MiB");
const larger = modelOf(unbounded, "256MiB");
const storeOf = (model: Model): string => `max_file_store: ${fileStore(model) / MiB}MiB`;
const MESSAGE = new Uint8Array(MiB / 2);

/** The account as dist has it. @param limits its `jetstream` block */
const auth = (limits: string) => `accounts {
  SYS { users: [ { user: "sys", password: "loopback-only" } ] }
  CIRCL { jetstream ${limits}, users: [ { user: "sync", password: "loopback-only" } ] }
}
SYSTEM_ACCOUNT: SYS
`;
const limited = `{ max_file: ${accountStore(full, "file")}, max_mem: ${accountStore(full, "memory")} }`;

async function applied(model: Model, cluster: Cluster): Promise<Outcome> {
  await using writer = await openWriter(cluster.target());
  return await apply(await plan(model, writer, policy, Date.now() * 1e6), writer, {
    holder: "test",
    lockWait: 0,
    interrupted: () => false,
    progress: () => {},
    readyTimeout: 60_000,
  });
}

const publish = (connection: NatsConnection) =>
  connection
    .jetstream()
    .publish("orders.created", MESSAGE, { timeout: 10_000 })
    .then(
      () => "taken",
      (error: unknown) => String(error),
    );

/** Publishes until a message is refused, slowly at the end: servers tell each other every 1.5 s what they have stored. */
async function fill(connection: NatsConnection, quick: number): Promise<{ stored: number; refusal: string }> {
  for (let stored = 0; stored < 400; stored++) {
    const answer = await publish(connection);
    if (answer !== "taken") return { stored, refusal: answer };
    if (stored >= quick) await sleep(2_000);
  }
  throw new Error("nothing was refused");
}

describe.skipIf(without("nats-server", "test-ca"))("three servers without room", () => {
  test("are full for the account first: streams keep their leaders, and take the limit that makes room", {
    timeout: 300_000,
  }, async () => {
    await using cluster = await Cluster.start(full, { auth: auth(limited) });
    expect(await applied(full, cluster)).toMatchObject({ failed: [], notStarted: [] });
    const connection = await cluster.connect();
    const { stored, refusal } = await fill(connection, 186);
    expect(refusal).toBe("NatsError: resource limits exceeded for account");
    expect(stored).toBeLessThan(2 * 102);
    expect(await publish(connection)).toBe(refusal);

    expect(await applied(smaller, cluster)).toEqual({ done: [orders.name], failed: [], notStarted: [] });
    await expect.poll(() => publish(connection), { timeout: 60_000, interval: 500 }).toBe("taken");
    await connection.close();
  });

  test("that are full themselves let their streams go, until a reload gives them more", {
    timeout: 300_000,
  }, async () => {
    await using cluster = await Cluster.start(full, { auth: auth("enabled") });
    expect(await applied(full, cluster)).toMatchObject({ failed: [], notStarted: [] });
    const connection = await cluster.connect();
    const { refusal } = await fill(connection, 400);
    expect(refusal).toMatch(/503|insufficient resources/);
    await using reader = await openWriter(cluster.target());
    const unknown = async () => (await plan(smaller, reader, policy, Date.now() * 1e6)).summary.unknown;
    await expect.poll(unknown, { timeout: 60_000, interval: 500 }).toBe(1);
    expect(await applied(smaller, cluster)).toEqual({ done: [], failed: [], notStarted: [] });

    for (const { root } of cluster.servers) {
      const file = join(root, "etc/nats-config/nats.conf");
      replaceFile(file, readFileSync(file, "utf8").replace(storeOf(full), storeOf(larger)));
    }
    await reload(cluster);
    // It has a leader again a moment later, and may lose it once more as the servers come back one by one.
    const again = { done: [orders.name], failed: [], notStarted: [] };
    await expect.poll(() => applied(smaller, cluster), { timeout: 120_000, interval: 500 }).toEqual(again);
    expect(await publish(connection)).toBe("taken");
    await connection.close();
  });
});
