/** A volume that a stream without a limit fills: JetStream refuses before the filesystem is full, and is well again with room. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NATS, PORTS } from "../../../src/kubernetes/names.ts";
import { defineConsumer, type StreamInput } from "../../../src/model/stream.ts";
import { streams as lock } from "../../../streams/sync.ts";
import { eventually } from "../../support/control-plane.ts";
import { modelWith, orders } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { type LoopDisks, makeLoopDisks } from "./loop-disks.ts";
import { openSite, type Site } from "./site.ts";
import { runOf, serversOf } from "./strikes.ts";

const { maxBytes: _, ...rest } = orders;
/** Without a limit; who reads it learns which messages there are, and not half a mebibyte of each. */
const unbounded: StreamInput = {
  ...rest,
  consumers: [defineConsumer({ name: "dms-orders", service: "dms", headersOnly: true })],
};
const model = (stream: StreamInput) =>
  modelWith({ environment: { nats: { volume: { size: "2GiB" } } }, streams: [...lock, stream] });
const MESSAGE = new Uint8Array(512 * 1024);
const MEBIBYTE = 1_048_576;
/** What JetStream says where a limit of its own is reached. */
const POLICY = /\b(resource limits exceeded for account|insufficient (storage )?resources|maximum bytes exceeded)\b/;

/** ms that it may take to publish as much as the disk has. */
const FILLING = 3_600_000;

/** Reads the stream from its start, until every one of these sequences has come. @throws with how many have not */
async function expectAll(site: Site, sequences: readonly number[]): Promise<void> {
  const dms = await site.connect("dms");
  const consumer = await dms.jetstream().consumers.get("orders", "dms-orders");
  const messages = await consumer.consume();
  const read = new Set<number>();
  const reading = (async () => {
    for await (const message of messages) {
      read.add(message.seq);
      message.ack();
    }
  })();
  await eventually(
    async () => sequences.filter((sequence) => !read.has(sequence)).length,
    (missing) => missing === 0,
    "every order that was acknowledged to be read",
    10,
  );
  await messages.close();
  await reading;
  await dms.close();
}

/** Share of its storage that a server has filled, by its metrics. */
async function shareFilled(site: Site, pod: string): Promise<number> {
  const url = `http://${runOf(site, pod)?.address}:${PORTS.natsMetrics}/metrics`;
  const page = await (await fetch(url, { signal: AbortSignal.timeout(30_000) })).text();
  const sample = (series: string) => Number(new RegExp(`^${series}\\{.*\\} (\\S+)$`, "m").exec(page)?.[1]);
  return sample("nats_varz_jetstream_stats_storage") / sample("nats_varz_jetstream_config_max_storage");
}

describe.skipIf(cannotBoot())("a volume of 2 GiB", () => {
  let disks: LoopDisks | undefined;
  let opened: Site | undefined;
  beforeAll(async () => {
    const made = makeLoopDisks();
    disks = made;
    opened = await openSite(model(unbounded), { makeDisk: (size) => (size === "2Gi" ? made.make(size) : undefined) });
  });
  afterAll(async () => {
    try {
      await opened?.[Symbol.asyncDispose]();
    } finally {
      disks?.[Symbol.dispose]();
    }
  });

  test("is never full: publishes are refused by the account's limit, and taken again once the stream has a limit", async () => {
    if (!opened || !disks) throw new Error("there is no site");
    const oms = await opened.connect("oms");
    const publish = () => oms.jetstream().publish("orders.created", MESSAGE);
    const acknowledged: number[] = [];
    let refusal: PromiseSettledResult<unknown> | undefined;
    for (const end = Date.now() + FILLING; refusal === undefined && Date.now() < end; ) {
      const ends = await Promise.allSettled(Array.from({ length: 8 }, publish));
      for (const one of ends) if (one.status === "fulfilled") acknowledged.push(one.value.seq);
      // A busy machine lets requests time out, which refuses nothing.
      refusal = ends.find((one) => one.status === "rejected" && POLICY.test(String(one.reason)));
    }
    const free = disks.leastFree();
    console.log(`refused after ${acknowledged.length / 2} MiB with ${Math.round(free / MEBIBYTE)} MiB free`);
    // Not a server that is full, which would give its stream up, and not the filesystem: the account of all three.
    expect(refusal).toMatchObject({ status: "rejected", reason: { message: "resource limits exceeded for account" } });
    expect(free).toBeGreaterThan(128 * MEBIBYTE);
    // No server gave JetStream up or was restarted for it.
    for (const pod of serversOf(opened)) {
      const run = opened.nodes.pod(opened.model.environment.kubernetes.namespace, pod);
      const server = run.containers.find(({ container }) => container.name === NATS.name);
      expect({ pod, ready: server?.ready, restarts: server?.restarts }).toEqual({ pod, ready: true, restarts: 0 });
    }

    // Nothing that was acknowledged on the way there gave way to it.
    await expectAll(opened, acknowledged);
    const filled = await Promise.all(serversOf(opened).map((pod) => shareFilled(opened as Site, pod)));
    console.log(
      `servers say that they have filled ${filled.map((share) => share.toFixed(2)).join(", ")} of their storage`,
    );
    // What NatsStorageFilling compares.
    expect(Math.max(...filled)).toBeGreaterThan(0.8);

    await opened.applyStreams(model({ ...unbounded, maxBytes: "512MiB" }));
    await eventually(
      () =>
        publish().then(
          () => true,
          () => false,
        ),
      (taken) => taken,
      "a publish to be taken",
    );
    const room = await eventually(
      async () => disks?.leastFree() ?? 0,
      (left) => left > 1_024 * MEBIBYTE,
      "the disks to have room again",
    );
    console.log(`with a limit of 512 MiB: ${Math.round(room / MEBIBYTE)} MiB free`);
    await oms.close();
  });
});
