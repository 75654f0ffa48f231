/** What holds a rollout up: a server whose streams are not complete does, a consumer that is broken does not. */
import { chmodSync, chownSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { NATS, PORTS } from "../../../src/kubernetes/names.ts";
import { eventually } from "../../support/control-plane.ts";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot, useSite } from "./site.ts";
import { allReady, loseVolume, remove, runOf } from "./strikes.ts";

/** Enough for a copy that takes seconds. */
const MESSAGES = 4_000;
const BODY = new Uint8Array(64 * 1024);
const VICTIM = `${NATS.name}-2`;
const OTHER = `${NATS.name}-1`;

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
    for (let sent = 0; sent < MESSAGES; sent += 50) {
      const batch = Array.from({ length: 50 }, () => oms.jetstream().publish("circl.oms.order.created", BODY));
      await Promise.all(batch);
    }
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
    const claim = `${NATS.dataClaim}-${pod}`;
    const namespace = `--namespace=${site().model.environment.kubernetes.namespace}`;
    const volume = await site().kubectl([
      "get",
      "persistentvolumeclaim",
      claim,
      namespace,
      "--output=jsonpath={.spec.volumeName}",
    ]);
    return site().kubectl(["get", "persistentvolume", volume, "--output=jsonpath={.spec.hostPath.path}"]);
  };

  test("a server without its volume is not taken for started before it has every stream again", async () => {
    await loseVolume(site(), VICTIM, NATS.dataClaim);
    const seen = new Set<string>();
    await eventually(
      async () => {
        const health = await ask<Health>(VICTIM, "/healthz?details=true");
        for (const { type } of health?.errors ?? []) seen.add(type);
        return { started: isStarted(VICTIM), seen: [...seen] };
      },
      ({ started }) => started,
      `${VICTIM} without its volume to count as started`,
      10,
    );
    const [there, wanted] = [await messagesOn(VICTIM), await messagesOn(OTHER)];
    console.log(`held back by: ${[...seen].join(", ")}; ${there} of ${wanted} messages when it counted as started`);
    expect(seen).toContain("STREAM");
    expect(there).toBe(wanted);
    expect(there).toBe(MESSAGES);
    await allReady(site(), NATS.name);
  });

  test("a server with a consumer that it cannot restore is ready all the same, and says which", async () => {
    const folder = join(await diskOf(VICTIM), "jetstream/CIRCL/streams/circl_oms/obs/bff-orders");
    chownSync(folder, 0, 0);
    chmodSync(folder, 0o000);
    await remove(site(), VICTIM);
    await allReady(site(), NATS.name);
    const health = await eventually(
      () => ask<Health>(VICTIM, "/healthz?details=true"),
      (answer) => answer !== undefined,
      `${VICTIM} to say how it is`,
    );
    console.log(`ready with: ${JSON.stringify(health?.errors)}`);
    expect(health?.errors).toMatchObject([{ type: "CONSUMER", consumer: "bff-orders" }]);
  });
});
