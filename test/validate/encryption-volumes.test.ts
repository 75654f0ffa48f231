import { describe, expect, test } from "vitest";
import type { Model } from "../../src/model/resolve.ts";
import { realModel } from "../support/definitions.ts";
import { filesWith, filled, look, PAYLOAD, WHOLE } from "../support/filled-cluster.ts";
import { metaReady } from "../support/nats-server.ts";
import { current, replace } from "../support/replicas.ts";
import { without } from "../support/tools.ts";

const B = "b".repeat(43);

describe.skipIf(without("nats-server", "test-ca"))(
  "encryption at rest and empty volumes",
  { timeout: 1_200_000 },
  () => {
    test("a key is rotated by empty volumes, one server after the other, and nothing is lost", async () => {
      await using cluster = await filled(realModel("staging"));
      const whole = async () => expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
      const former = cluster.keys.current;
      cluster.keys = { current: B, previous: former };
      // Restarts of any reason meanwhile go on with the key of the volume.
      await metaReady(await cluster.restart(2));
      await current(cluster);
      for (const i of [2, 1, 0]) {
        await replace(cluster, i);
        await whole();
      }
      cluster.keys = { current: B, previous: "" };
      for (const i of [2, 1, 0]) {
        await metaReady(await cluster.restart(i));
        await current(cluster);
      }
      await whole();
      for (const server of cluster.servers) expect(filesWith(server, PAYLOAD)).toEqual([]);
    });

    test("is turned on by a rollout and off by empty volumes, with nothing lost", async () => {
      const encrypted = realModel("staging");
      const { environment } = encrypted;
      const plain: Model = {
        ...encrypted,
        environment: { ...environment, nats: { ...environment.nats, encryption: "none" } },
      };
      await using cluster = await filled(plain);
      expect(filesWith(cluster.servers[2], PAYLOAD)).not.toEqual([]);
      cluster.model = encrypted;
      for (const i of [2, 1, 0]) {
        await metaReady(await cluster.restart(i));
        await current(cluster);
      }
      await expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
      for (const server of cluster.servers) expect(filesWith(server, PAYLOAD)).toEqual([]);
      cluster.model = plain;
      for (const i of [2, 1, 0]) {
        await expect(cluster.restart(i)).rejects.toThrow(/this volume is encrypted and nats.encryption is none/);
        await replace(cluster, i);
      }
      await expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
    });
  },
);
