/** What holds a rollout up: a server whose streams are not complete does, a consumer that is broken does not. */
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { NATS, PORTS } from "../../../src/kubernetes/names.ts";
import { eventually } from "../../support/control-plane.ts";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { useSite } from "./site.ts";
import { runOf, uidsOf } from "./strikes.ts";

/** Enough for a copy that takes seconds, of bytes that do not compress. */
const MESSAGES = 12_000;
const BATCH = 50;
const BODY = randomBytes(64 * 1024);
/** In the order in which a rollout replaces them. */
const [VICTIM, ...OTHERS] = [`${NATS.name}-2`, `${NATS.name}-1`, `${NATS.name}-0`] as const;

interface Health {
  readonly errors?: readonly { readonly type: string; readonly consumer?: string }[];
}
interface Jsz {
  readonly account_details?: readonly {
    readonly stream_detail: readonly { readonly name: string; readonly state: { readonly messages: number } }[];
  }[];
}

describe.skipIf(cannotBoot())("production", () => {
  const site = useSite(realModel("production"));
  beforeAll(async () => {
    const oms = await site().connect("oms");
    const jetstream = oms.jetstream({ timeout: 30_000 });
    // Three attempts at most: the stream remembers an id for two minutes.
    const store = (number: number) =>
      eventually(
        () =>
          jetstream.publish("circl.oms.order.created", BODY, { msgID: `order-${number}` }).then(
            () => undefined,
            (error: Error) => error.message,
          ),
        (failed) => failed === undefined,
        "an order to be stored",
        1,
      );
    for (let sent = 0; sent < MESSAGES; sent += BATCH)
      await Promise.all(Array.from({ length: BATCH }, (_, i) => store(sent + i)));
    await oms.close();
  });

  /** What the server in a pod says about itself; undefined where it does not answer. */
  const ask = async <T>(pod: string, path: string): Promise<T | undefined> => {
    const url = `http://${runOf(site(), pod)?.address}:${PORTS.natsMonitor}${path}`;
    return fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
      async (reply) => (await reply.json()) as T,
      () => undefined,
    );
  };
  const isStarted = (pod: string): boolean =>
    runOf(site(), pod)?.containers.find(({ container }) => container.name === NATS.name)?.started ?? false;
  const messagesOn = async (pod: string): Promise<number> => {
    const answer = await ask<Jsz>(pod, "/jsz?accounts=1&streams=1");
    const streams = answer?.account_details?.flatMap(({ stream_detail }) => stream_detail) ?? [];
    return streams.find(({ name }) => name === "circl_oms")?.state.messages ?? 0;
  };
  /** Folder of this machine that is the disk of a pod. */
  const diskOf = async (pod: string): Promise<string> => {
    const claim = ["get", "persistentvolumeclaim", `${NATS.dataClaim}-${pod}`, namespace()];
    const volume = await site().kubectl([...claim, "--output=jsonpath={.spec.volumeName}"]);
    return site().kubectl(["get", "persistentvolume", volume, "--output=jsonpath={.spec.hostPath.path}"]);
  };

  const namespace = () => `--namespace=${site().model.environment.kubernetes.namespace}`;
  const restart = () => site().kubectl(["rollout", "restart", `statefulset/${NATS.name}`, namespace()]);

  test("a rollout goes no further than to a server without its volume before that one has every stream again", async () => {
    const [[victim], others] = [uidsOf(site(), [VICTIM]), uidsOf(site(), OTHERS)];
    await site().kubectl([
      "delete",
      "persistentvolumeclaim",
      `${NATS.dataClaim}-${VICTIM}`,
      namespace(),
      "--wait=false",
    ]);
    await restart();
    const seen = new Set<string>();
    await eventually(
      async () => {
        const health = await ask<Health>(VICTIM, "/healthz?details=true");
        const now = uidsOf(site(), OTHERS);
        const [uid] = uidsOf(site(), [VICTIM]);
        // Asked for after the others: they were as they are said to be while it was not started yet.
        const started = uid !== undefined && uid !== victim && isStarted(VICTIM);
        if (uid !== victim) for (const { type } of health?.errors ?? []) seen.add(type);
        if (!started) expect(now).toEqual(others);
        return { started, seen: [...seen] };
      },
      ({ started }) => started,
      `${VICTIM} without its volume to count as started`,
      15,
    );
    const [there, wanted] = [await messagesOn(VICTIM), await messagesOn(OTHERS[1])];
    console.log(`held back by: ${[...seen].join(", ")}; ${there} of ${wanted} messages when it counted as started`);
    expect(seen).toContain("STREAM");
    expect(there).toBe(wanted);
    expect(there).toBe(MESSAGES);
    await site().ready();
    // It was this rollout that waited: it went on to the end.
    expect(uidsOf(site(), OTHERS).filter((uid) => uid === undefined || others.includes(uid))).toEqual([]);
  });

  test("a rollout goes past a server with a consumer that it cannot restore, which says so", async () => {
    const folder = join(await diskOf(VICTIM), "jetstream/CIRCL/streams/circl_oms/obs/bff-orders");
    chownSync(folder, 0, 0);
    chmodSync(folder, 0o000);
    const before = uidsOf(site(), [VICTIM, ...OTHERS]);
    await restart();
    await site().ready();
    expect(uidsOf(site(), [VICTIM, ...OTHERS]).filter((uid) => uid === undefined || before.includes(uid))).toEqual([]);
    const health = await eventually(
      () => ask<Health>(VICTIM, "/healthz?details=true"),
      // Of streams that have just moved it says more for a moment.
      (answer) => answer?.errors?.length === 1,
      `${VICTIM} to say that one thing is wrong`,
    );
    console.log(`ready with: ${JSON.stringify(health?.errors)}`);
    expect(health?.errors).toMatchObject([{ type: "CONSUMER", consumer: "bff-orders" }]);
  });
});
