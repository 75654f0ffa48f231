/** Another authority for the servers' certificates, as docs/rotation.md goes about it, with a publisher and a consumer running. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { handshake } from "../support/handshake.ts";
import { startLoad } from "../support/load.ts";
import { issueCertificates } from "../support/nats-server.ts";
import { reload, setCertificates } from "../support/reload.ts";
import { without } from "../support/tools.ts";
import { startVault } from "../support/vault.ts";

const SERVER = { dnsNames: ["localhost", "127.0.0.1"], usages: ["server auth", "client auth"] };
const ROUTE = { subject: "circl.iot.status.updated", stream: "circl_iot", durable: "bff-iot" };

describe.skipIf(without("nats-server", "test-ca"))("another authority", { timeout: 300_000 }, () => {
  test.each(["staging", "production"] as const)(
    "of %s is reached without a refused handshake by clients that trust both, and not by those that trust one too long",
    async (name) => {
      await using vault = await startVault(realModel(name));
      const { cluster } = vault;
      const tls = join(cluster.root, "tls");
      await issueCertificates(join(tls, "next"), { server: SERVER });
      const [former, next] = ["nats-server-tls", "next/server"].map((folder) =>
        readFileSync(join(tls, folder, "ca.crt"), "utf8"),
      );
      const both = `${former}${next}`;
      const trusting = (ca = "") => ({ tls: { ca } });
      /** Who gets through to every server: the trust of each kind of client. */
      const welcome = async () => {
        const tried = Object.entries({ former, both, next }).map(async ([trust, ca = ""]) => {
          const made = await Promise.all(cluster.servers.map(({ clientPort }) => handshake(clientPort, { ca })));
          const refused = made.flatMap(({ error }) => error ?? []);
          for (const error of refused) expect(error).toMatch(/unable to (verify|get)|self-signed|signature failure/);
          return refused.length === 0 ? [trust] : [];
        });
        return (await Promise.all(tried)).flat();
      };
      const connections = async (ca: string | undefined) =>
        [await vault.as("iot", trusting(ca)), await vault.as("bff", trusting(ca))] as const;

      const load = startLoad(...(await connections(former)), ROUTE);
      await load.more(50);
      expect(await welcome()).toEqual(["former", "both"]);
      // First the clients: their ca.crt holds both certificates, and they restart at leisure.
      await load.moveTo(...(await connections(both)));
      await load.more(50);
      // Then the servers. Connections that are up stay up, new ones come.
      setCertificates(cluster, "nats-server-tls", "next/server");
      await reload(cluster);
      await load.more(50);
      expect(await welcome()).toEqual(["both", "next"]);
      await load.moveTo(...(await connections(both)));
      await load.more(50);
      // Last the clients again, with the new one alone.
      await load.moveTo(...(await connections(next)));
      await load.more(50);
      expect(await load.stop()).toMatchObject({ failed: [], lost: [] });
    },
  );
});
