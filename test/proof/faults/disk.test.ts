/** A volume that a stream without a limit fills: JetStream refuses before the filesystem is full, and is well again with room. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NATS } from "../../../src/kubernetes/names.ts";
import type { StreamInput } from "../../../src/model/stream.ts";
import { streams as lock } from "../../../streams/sync.ts";
import { eventually } from "../../support/control-plane.ts";
import { modelWith, orders } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { type LoopDisks, makeLoopDisks } from "./loop-disks.ts";
import { openSite, type Site } from "./site.ts";
import { serversOf } from "./strikes.ts";

const { maxBytes: _, ...unbounded } = orders;
const model = (stream: StreamInput) =>
  modelWith({ environment: { nats: { volume: { size: "2GiB" } } }, streams: [...lock, stream] });
const MESSAGE = new Uint8Array(512 * 1024);
const MEBIBYTE = 1_048_576;
/** What JetStream says where a limit of its own is reached. */
const POLICY = /\b(resource limits exceeded for account|insufficient (storage )?resources|maximum bytes exceeded)\b/;

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
    let stored = 0;
    let refusal: PromiseSettledResult<unknown> | undefined;
    // 2 GiB of messages, as four times the disk would take.
    for (let attempts = 0; refusal === undefined && attempts < 16_384; attempts += 8) {
      const ends = await Promise.allSettled(Array.from({ length: 8 }, publish));
      stored += ends.filter(({ status }) => status === "fulfilled").length;
      // A busy machine lets requests time out, which refuses nothing.
      refusal = ends.find((end) => end.status === "rejected" && POLICY.test(String(end.reason)));
    }
    const free = disks.leastFree();
    console.log(`refused after ${stored / 2} MiB with ${Math.round(free / MEBIBYTE)} MiB free`);
    // Not a server that is full, which would give its stream up, and not the filesystem: the account of all three.
    expect(refusal).toMatchObject({ status: "rejected", reason: { message: "resource limits exceeded for account" } });
    expect(free).toBeGreaterThan(128 * MEBIBYTE);
    // No server gave JetStream up or was restarted for it.
    for (const pod of serversOf(opened)) {
      const run = opened.nodes.pod(opened.model.environment.kubernetes.namespace, pod);
      const server = run.containers.find(({ container }) => container.name === NATS.name);
      expect({ pod, ready: server?.ready, restarts: server?.restarts }).toEqual({ pod, ready: true, restarts: 0 });
    }

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
