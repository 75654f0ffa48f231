import { StorageType } from "nats";
import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { apply } from "../../src/jetstream/apply.ts";
import { plan } from "../../src/jetstream/plan.ts";
import { defineBucket, defineObjectStore } from "../../src/model/bucket.ts";
import { policy } from "../../src/rules/changes.ts";
import { checkModel } from "../../src/rules/index.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const environment = {
  name: "local",
  streamFigures: "staging",
  development: true,
  nats: { servers: 1, tls: false },
  certificates: "none",
} as const;
const settings = defineBucket({
  bucket: "settings",
  description: "Settings of the apps",
  history: 5,
  maxBytes: "10MiB",
  maxValueSize: "64KiB",
  ttl: "90d",
  replicas: 3,
  in: { staging: { replicas: 1, ttl: "1m" } },
});
const photos = defineObjectStore({ bucket: "photos", maxBytes: "100MiB", replicas: 1 });
const flags = defineBucket({
  bucket: "flags",
  maxBytes: "1MiB",
  replicas: 1,
  ttl: "1h",
  markerTtl: "1m",
  republish: { src: "$KV.flags.>", dest: "copies.flags.>" },
  metadata: { team: "iot" },
  placement: { tags: [] },
});
const near = defineBucket({ bucket: "near", mirrorOf: "settings", maxBytes: "10MiB", replicas: 1 });
const model = modelWith({ key: "local", environment, streams: [...lock, settings, photos, flags, near] });
const now = () => Date.now() * 1e6;

test("buckets break no rule; a bucket with a dot in its name does", () => {
  expect(checkModel(model).filter(({ severity }) => severity === "error")).toEqual([]);
  const dotted = modelWith({ key: "local", environment, streams: [defineBucket({ bucket: "a.b", maxBytes: "1MiB" })] });
  expect(checkModel(dotted).map(({ code }) => code)).toContain("S004");
});

describe.skipIf(without("nats-server"))("buckets on a real server", () => {
  test("are what clients expect, and need no change after that", async () => {
    await using cluster = await Cluster.start(model);
    await using writer = await openWriter(cluster.target());
    const options = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 10_000 };
    const { failed } = await apply(await plan(model, writer, policy, now()), writer, options);
    expect(failed).toEqual([]);

    const connection = await cluster.connect();
    const kv = await connection.jetstream().views.kv("settings");
    for (let i = 0; i < 7; i++) await kv.put("theme", `value ${i}`);
    expect((await kv.get("theme"))?.string()).toBe("value 6");
    expect(await kv.status()).toMatchObject({ history: 5, ttl: 60_000, replicas: 1, storage: StorageType.File });

    const { streams } = await connection.jetstreamManager();
    const last = { last_by_subj: "$KV.settings.theme" };
    const copied = async () => Buffer.from((await streams.getMessage("KV_near", last)).data).toString();
    await expect.poll(() => copied().catch(String), { timeout: 20_000 }).toBe("value 6");
    const watched = connection.subscribe("copies.flags.>", { max: 1 });
    await (await connection.jetstream().views.kv("flags")).put("dark", "on");
    for await (const message of watched) expect(message.string()).toBe("on");

    const store = await connection.jetstream().views.os("photos");
    await store.putBlob({ name: "cat" }, new Uint8Array(300_000));
    expect((await store.getBlob("cat"))?.length).toBe(300_000);
    await connection.close();

    const { summary } = await plan(model, writer, policy, now());
    expect(summary).toMatchObject({ create: 0, update: 0, unchanged: 5 });
  });
});
