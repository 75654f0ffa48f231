import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/deploy/object.ts";
import { rollOut } from "../../../src/deploy/rollout.ts";
import { waitEvery } from "../../../src/deploy/waiting.ts";
import { resolveModel } from "../../../src/model/resolve.ts";
import { realDefinitions } from "../../support/definitions.ts";
import { type FakeCluster, fakeCluster } from "../../support/fake-cluster.ts";
import { objectOf, objectsOf } from "../../support/manifests.ts";
import { objectNamed, replacing } from "./objects.ts";
import { inputTo } from "./rollout-input.ts";

const nats = objectNamed("StatefulSet", "nats");

/** As synth writes it where somebody gives production's servers larger volumes. */
function synthesized(size: `${number}GiB`): KubeObject {
  const { production } = realDefinitions.environments;
  const environments = {
    ...realDefinitions.environments,
    production: [...(production ?? []), { nats: { volume: { size } } }],
  };
  const { model } = resolveModel("production", { ...realDefinitions, environments });
  if (!model) throw new Error("the definitions have faults");
  return JSON.parse(JSON.stringify(objectOf(objectsOf(model), "StatefulSet", "nats")));
}

const allowed: KubeObject = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "premium-rwo" },
  ...{ allowVolumeExpansion: true },
};

function running(): FakeCluster {
  const cluster = fakeCluster([{ ...nats, metadata: { ...nats.metadata, generation: 1 } }, allowed]);
  cluster.settle();
  return cluster;
}

const pods = (cluster: FakeCluster) => cluster.written.filter((what) => /Pod|controller/.test(what));

describe("volumes that grow", () => {
  test("as synth writes them change the pods too, which are replaced one by one and held", async () => {
    const larger = synthesized("60GiB");
    expect(larger.spec.template).not.toEqual(nats.spec.template);
    const cluster = running();
    await rollOut(larger, inputTo(cluster));
    expect(cluster.written).toEqual([
      "patch PersistentVolumeClaim data-nats-0",
      "patch PersistentVolumeClaim data-nats-1",
      "patch PersistentVolumeClaim data-nats-2",
      "remove StatefulSet nats, orphaning",
      "apply StatefulSet nats, held at 3",
      "apply StatefulSet nats, held at 2",
      "the controller replaces nats-2",
      "apply StatefulSet nats, held at 1",
      "the controller replaces nats-1",
      "apply StatefulSet nats",
      "the controller replaces nats-0",
    ]);
  });

  test("alone replace no pod", async () => {
    const cluster = running();
    await rollOut(replacing(nats, '"storage":"50Gi"', '"storage":"60Gi"'), inputTo(cluster));
    expect(pods(cluster)).toEqual([]);
    expect(cluster.find("PersistentVolumeClaim", "data-nats-1")?.spec.resources.requests.storage).toBe("60Gi");
  });

  test("are held too where the run ended between taking the set away and making it anew", async () => {
    const larger = synthesized("60GiB");
    const cluster = running();
    cluster.fault = (operation) => (operation === "apply StatefulSet nats" ? new Error("cut off") : undefined);
    await expect(rollOut(larger, inputTo(cluster))).rejects.toThrow("cut off");
    expect(cluster.find("StatefulSet", "nats")).toBeUndefined();
    cluster.fault = () => undefined;
    await rollOut(larger, inputTo(cluster));
    expect(cluster.written.slice(4, 7)).toEqual([
      "apply StatefulSet nats, held at 3",
      "apply StatefulSet nats, held at 2",
      "the controller replaces nats-2",
    ]);
  });

  test("are finished by a set that is there again, and held, where Ctrl-C comes while it is away", async () => {
    const cluster = running();
    const interrupted = waitEvery(1, {
      onTurn: () => {
        if (cluster.written.includes("remove StatefulSet nats, orphaning")) throw new Error("Ctrl-C");
      },
    });
    await expect(rollOut(synthesized("60GiB"), inputTo(cluster, { waiting: interrupted }))).rejects.toThrow("Ctrl-C");
    expect(cluster.written.slice(3)).toEqual([
      "remove StatefulSet nats, orphaning",
      "apply StatefulSet nats, held at 3",
    ]);
    expect(cluster.find("StatefulSet", "nats")?.spec.updateStrategy.rollingUpdate).toEqual({ partition: 3 });
  });

  test("of a class that does not let them stay as they are, and so does the set", async () => {
    const cluster = running();
    cluster.put({ ...allowed, ...{ allowVolumeExpansion: false } });
    await expect(rollOut(synthesized("60GiB"), inputTo(cluster))).rejects.toThrow(
      "data-nats-0 cannot grow: storage class premium-rwo does not allow it",
    );
    expect(cluster.written).toEqual([]);
  });
});
