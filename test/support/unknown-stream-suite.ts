/** What a stream is whose only server is away: unknown, in plan and apply, on one version of the server. */
import { expect, test, vi } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { circl } from "../cli/circl.ts";
import { modelWith, orders, realModel } from "./definitions.ts";
import { createAll, request } from "./jetstream.ts";
import { Cluster, stop } from "./nats-server.ts";
import { tool } from "./tools.ts";

/** @param server its name in tools/tools.json */
export function unknownStreamSuite(server: string): void {
  test("a plan is not green, an apply changes nothing of it, and nothing is deleted", async () => {
    const model = realModel("staging");
    await using cluster = await Cluster.start(model, { binary: tool(server) });
    const connection = await cluster.connect();
    await createAll(connection, desiredState(model));
    const gone = (await request(connection, "STREAM.INFO.circl_oms")).cluster?.leader;
    const holder = cluster.servers[Number(gone?.at(-1))];
    const other = cluster.servers.findIndex((server) => server !== holder);
    // Ours, and no longer declared; with three replicas it goes on.
    const [superfluous] = desiredState(modelWith({ streams: [{ ...orders, name: "superfluous" }] })).streams;
    const metadata = { "circl.dev/environment": "staging" };
    const created = await request(connection, "STREAM.CREATE.superfluous", { ...superfluous, metadata });
    expect(created.error).toBeUndefined();
    await connection.close();
    if (!holder) throw new Error("no leader");
    await stop(holder.process);
    const run = (args: readonly string[]) =>
      circl([...args, "--tls-ca", cluster.target().tls?.ca ?? ""], {
        env: {
          CIRCL_SERVER: `127.0.0.1:${cluster.servers[other]?.clientPort}`,
          CIRCL_USER: "sync",
          CIRCL_PASSWORD: "loopback-only",
          CIRCL_TIMEOUT: "5000",
        },
      });
    await vi.waitFor(
      async () => expect((await run(["plan", "staging"])).stdout).toContain("? stream circl_oms  unknown: "),
      { timeout: 60_000, interval: 250 },
    );

    const detailed = await run(["plan", "staging", "--detailed-exitcode"]);
    expect(detailed.stdout).toMatch(/\nNo changes\. .* unknown\.\n$/);
    expect(detailed.code).toBe(3);
    expect((await run(["apply", "staging", "--auto-approve"])).stdout).toMatch(/\nNo changes\. .* unknown\.\n$/);

    const deleting = await run(["apply", "staging", "--auto-approve", "--allow-delete", "superfluous"]);
    expect(deleting.code).toBe(3);
    expect(deleting.stdout).toMatch(/P001 delete: nothing is deleted while .*circl_oms/);
    expect(deleting.stderr).toContain("Nothing was applied.");
  });
}
