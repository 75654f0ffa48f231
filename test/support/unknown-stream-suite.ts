/** What a stream is whose only server is away: unknown, in plan and apply, on one version of the server. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { NatsServers } from "../../src/cli/deployment.ts";
import { applyStreams } from "../../src/cli/stream-step.ts";
import { keepSteps } from "../../src/deploy/report.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { circl, temporaryFolder } from "../cli/circl.ts";
import { modelWith, orders, realModel } from "./definitions.ts";
import { createAll, request } from "./jetstream.ts";
import { Cluster, stop } from "./nats-server.ts";
import { tool } from "./tools.ts";

/** @param version its name in tools/tools.json */
export function unknownStreamSuite(version: string): void {
  // A deploy gives the stream a minute.
  test("a plan is not green, an apply changes nothing of it, and nothing is deleted", {
    timeout: 240_000,
  }, async () => {
    const model = realModel("staging");
    await using cluster = await Cluster.start(model, { binary: tool(version) });
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
    const server = () => `127.0.0.1:${cluster.servers[other]?.clientPort}`;
    const run = (args: readonly string[]) =>
      circl([...args, "--tls-ca", cluster.target().tls?.ca ?? ""], {
        env: {
          CIRCL_SERVER: server(),
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
    const applied = await run(["apply", "staging", "--auto-approve"]);
    expect(applied.stdout).toMatch(/\nNo changes\. .* unknown\.\n$/);
    expect(applied.stderr).toMatch(/circl_oms.* cannot be asked, and nothing of that was applied\./);
    expect(applied.code).toBe(3);

    // A deploy waits for it, and then begins nothing on streams of which it does not know one.
    using folder = temporaryFolder();
    const passwordFile = join(folder.path, "password");
    writeFileSync(passwordFile, "loopback-only");
    const reached = {
      server: server(),
      tlsCa: cluster.target().tls?.ca ?? "",
      user: "sync",
      passwordFile,
      timeout: "5000",
    };
    const servers = { connection: async () => reached } as unknown as NatsServers;
    const steps = keepSteps(() => {});
    const changed: string[] = [];
    const deployed = applyStreams(
      { model, options: reached, servers },
      steps,
      () => false,
      (names) => changed.push(...names),
    );
    await expect(deployed).rejects.toMatchObject({
      name: "StreamsUnasked",
      message: expect.stringMatching(/^streams were not applied: .*circl_oms.* cannot be asked$/),
    });
    expect(changed).toEqual([]);

    const deleting = await run(["apply", "staging", "--auto-approve", "--allow-delete", "superfluous"]);
    expect(deleting.code).toBe(3);
    expect(deleting.stdout).toMatch(/P001 delete: nothing is deleted while .*circl_oms/);
    expect(deleting.stderr).toContain("Nothing was applied.");
  });
}
