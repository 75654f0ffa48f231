import { describe, expect, test } from "vitest";
import { rollOut } from "../../../src/deploy/rollout.ts";
import { ConnectionFailure } from "../../../src/jetstream/api.ts";
import { type FakeCluster, fakeCluster } from "../../support/fake-cluster.ts";
import { objectNamed, replacing, withSpec } from "./objects.ts";
import { inputTo } from "./rollout-input.ts";

const nats = objectNamed("StatefulSet", "nats");
const better = replacing(nats, '"cpu":"2"', '"cpu":"3"');
const broken = replacing(nats, "2.14.9-alpine", "2.14.8-alpine");
const crashes = (template: unknown) => JSON.stringify(template).includes("2.14.8-alpine");

/** A cluster in which `set` is deployed. */
function running(set = nats): FakeCluster {
  const cluster = fakeCluster([{ ...set, metadata: { ...set.metadata, generation: 1 } }]);
  cluster.settle();
  return cluster;
}

describe("a rollout", () => {
  test("replaces the last pod first, each held until the one above has proved itself", async () => {
    const cluster = running();
    const asked: string[] = [];
    const proven = async (pod?: string) => {
      asked.push(`${pod ?? "all"} after ${cluster.written.filter((what) => /replaces/.test(what)).length}`);
      return [];
    };
    await rollOut(better, inputTo(cluster, { proven }));
    expect(cluster.written).toEqual([
      "apply StatefulSet nats, held at 3",
      "apply StatefulSet nats, held at 2",
      "the controller replaces nats-2",
      "apply StatefulSet nats, held at 1",
      "the controller replaces nats-1",
      "apply StatefulSet nats",
      "the controller replaces nats-0",
    ]);
    expect(asked).toEqual(["all after 0", "nats-2 after 1", "nats-1 after 2", "nats-0 after 3"]);
  });

  test("takes no pod while NATS lacks anything, and says what", async () => {
    const cluster = running();
    const proven = async () => ["stream orders: nats-1 is 7 behind"];
    await expect(rollOut(better, inputTo(cluster, { proven, patience: 20 }))).rejects.toThrow(
      /^no pod of nats is taken away while stream orders: nats-1 is 7 behind \(after 0 s\)$/,
    );
    expect(cluster.written).toEqual(["apply StatefulSet nats, held at 3"]);
  });

  test("stops at the pod that does not get ready, and the others stay", async () => {
    const cluster = running();
    cluster.serves = (template) => !crashes(template);
    await expect(rollOut(broken, inputTo(cluster))).rejects.toThrow(
      "nats-2 is not ready: container nats CrashLoopBackOff, 9 restarts",
    );
    expect(cluster.written.filter((what) => what.startsWith("the controller"))).toEqual([
      "the controller replaces nats-2",
    ]);
  });

  test("back takes the broken pod first and no other, and NATS is asked", async () => {
    const cluster = running();
    cluster.serves = (template) => !crashes(template);
    await rollOut(broken, inputTo(cluster)).catch(() => {});
    const before = cluster.written.length;
    const asked: (string | undefined)[] = [];
    await rollOut(
      nats,
      inputTo(cluster, {
        proven: async (pod) => {
          asked.push(pod);
          return [];
        },
      }),
    );
    const written = cluster.written.slice(before);
    expect(written.filter((what) => /Pod|controller/.test(what))).toEqual(["remove Pod nats-2"]);
    expect(written.at(-1)).toBe("apply StatefulSet nats");
    expect(asked[0]).toBeUndefined();
  });

  test.each([["nats-0"], ["nats-1"], ["nats-2"]])(
    "mends a set whose %s is broken already, that pod first",
    async (name) => {
      const cluster = running(nats);
      cluster.serves = (template, pod) => pod !== name || JSON.stringify(template).includes('"cpu":"3"');
      cluster.settle();
      const said: string[] = [];
      await rollOut(better, inputTo(cluster, { say: (text) => said.push(text) }));
      const taken = cluster.written.filter((what) => /Pod|controller/.test(what));
      expect(taken[0]).toBe(`remove Pod ${name}`);
      expect(taken.slice(1)).toEqual(
        ["nats-2", "nats-1", "nats-0"].filter((pod) => pod !== name).map((pod) => `the controller replaces ${pod}`),
      );
      expect(said[0]).toBe(`${name} does not serve: it is replaced first`);
      expect(cluster.find("StatefulSet", "nats")?.spec.updateStrategy).toEqual({ type: "RollingUpdate" });
    },
  );

  test("mends a set of which nothing serves, all pods at once", async () => {
    const cluster = running();
    // Alone none of them has a majority: none gets ready before the others are there.
    const taken = () => cluster.written.slice(before).filter((what) => /Pod|controller/.test(what));
    let before = 0;
    cluster.serves = (template) => !crashes(template) && (before === 0 || taken().length === 3);
    cluster.put({ ...(cluster.find("StatefulSet", "nats") ?? nats), spec: broken.spec });
    for (const i of [0, 1, 2])
      await cluster.remove({ apiVersion: "v1", kind: "Pod", name: `nats-${i}`, namespace: "circl-backbone" });
    cluster.settle();
    before = cluster.written.length;
    await rollOut(better, inputTo(cluster));
    expect(taken()).toEqual(["remove Pod nats-0", "remove Pod nats-1", "remove Pod nats-2"]);
  });

  test("asks again for the end of a pod where the answer was lost, and of that pod alone", async () => {
    const cluster = running();
    cluster.serves = (template, pod) => pod !== "nats-1" || JSON.stringify(template).includes('"cpu":"3"');
    cluster.settle();
    let lost = 0;
    cluster.fault = (operation) => {
      if (operation !== "remove Pod nats-1" || lost > 0) return undefined;
      lost += 1;
      return new ConnectionFailure("away", { passing: true });
    };
    await rollOut(better, inputTo(cluster));
    expect([lost, cluster.written.filter((what) => what === "remove Pod nats-1").length]).toEqual([1, 1]);
  });

  test("starts a crashing pod anew where only what lies beside it was mended", async () => {
    const cluster = running();
    cluster.serves = (_, pod) => pod !== "nats-1" || cluster.written.includes("remove Pod nats-1");
    cluster.settle();
    const before = cluster.written.length;
    await rollOut(nats, inputTo(cluster));
    expect(cluster.written.slice(before)).toEqual(["apply StatefulSet nats", "remove Pod nats-1"]);
  });

  test("of a set that is as declared replaces nothing, and asks nobody", async () => {
    const cluster = running();
    const proven = async () => ["never asked"];
    await rollOut(nats, inputTo(cluster, { proven }));
    expect(cluster.written).toEqual(["apply StatefulSet nats"]);
  });

  test("that was cut off goes on where it stopped", async () => {
    const cluster = running();
    cluster.fault = (operation) =>
      operation === "apply StatefulSet nats" && cluster.written.includes("the controller replaces nats-1")
        ? new Error("cut off")
        : undefined;
    await expect(rollOut(better, inputTo(cluster))).rejects.toThrow("cut off");
    cluster.fault = () => undefined;
    const before = cluster.written.length;
    await rollOut(better, inputTo(cluster));
    expect(cluster.written.slice(before).filter((what) => what.startsWith("the controller"))).toEqual([
      "the controller replaces nats-0",
    ]);
  });

  test("that meets a pod which goes away by itself waits for it before it takes another", async () => {
    const cluster = running();
    const away = inputTo(cluster, { patience: 20 });
    cluster.serves = (_, pod) => pod !== "nats-0" || !cluster.written.includes("the controller replaces nats-2");
    await expect(rollOut(better, away)).rejects.toThrow(
      /^nats-1 is not replaced while another is away: nats-0 is not ready: container nats CrashLoopBackOff/,
    );
  });

  test("of a new set just applies it", async () => {
    const cluster = fakeCluster();
    await rollOut(withSpec(nats, { replicas: 1 }), inputTo(cluster, { proven: async () => ["nobody is there yet"] }));
    expect(cluster.written).toEqual(["apply StatefulSet nats"]);
  });
});
