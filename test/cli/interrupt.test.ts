import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { acquireLock, LOCK_STREAM } from "../../src/jetstream/lock.ts";
import { realModel } from "../support/definitions.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { circl, root } from "./circl.ts";

const NOTE = "Finishing the changes in flight; Ctrl-C again ends at once.\n";

/** `circl apply local` that the server does not answer to about circl_iot until `release`. */
async function heldApply(cluster: Cluster) {
  let reportHeld = () => {};
  const held = new Promise<void>((done) => {
    reportHeld = done;
  });
  const proxy = await FaultProxy.start(cluster.servers[0]?.clientPort ?? 0, (_, subject) => {
    if (subject !== "$JS.API.STREAM.CREATE.circl_iot") return "none";
    reportHeld();
    return "hold";
  });
  const child = spawn(process.execPath, [join(root, "bin/circl"), "apply", "local", "--auto-approve"], {
    cwd: root,
    env: { ...process.env, ...connecting(`127.0.0.1:${proxy.port}`) },
  });
  const { said, ended } = listening(child);
  await Promise.race([held, ended]);
  return { proxy, child, said, ended };
}

/** What a process says, and its exit code. */
function listening(child: ChildProcessWithoutNullStreams) {
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.stderr += chunk;
  });
  return { said, ended: once(child, "close").then(([code]) => code as number | null) };
}

const streamConfigs = desiredState(realModel("local")).streams;

const connecting = (server: string) => ({
  CIRCL_SERVER: server,
  CIRCL_USER: "sync",
  CIRCL_PASSWORD: "loopback-only",
  CIRCL_TIMEOUT: "60000",
});
const directly = (cluster: Cluster) => ({ env: connecting(`127.0.0.1:${cluster.servers[0]?.clientPort}`) });

describe.skipIf(without("nats-server"))("Ctrl-C while circl apply runs", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s lets the changes in flight finish, says what is done and what is not begun, and gives 130",
    async (signal) => {
      await using cluster = await Cluster.start(realModel("local"));
      const { proxy, child, said, ended } = await heldApply(cluster);
      await using _ = proxy;
      child.kill(signal);
      await expect.poll(() => said.stderr, { timeout: 30_000 }).toContain(NOTE);
      expect(child.exitCode).toBeNull();
      proxy.release();
      expect(await ended).toBe(130);
      const report = /\nnot started: (.*)\nApply complete: (\d+) done, 0 failed, (\d+) not started\. Apply again/;
      const [, notStarted = "", done, left] = report.exec(said.stdout) ?? [said.stdout];
      expect(notStarted.split(", ")).toContain("circl_iot_location");
      expect(notStarted.split(", ")).toHaveLength(Number(left));
      expect(said.stderr.match(/ created \S+\n/g)).toHaveLength(Number(done));
      expect(said.stderr).toContain(" created circl_iot\n");
      expect(Number(done) + Number(left)).toBe(17);

      // Nothing is locked, and the rest is what is left to do.
      const again = await circl(["apply", "local", "--auto-approve"], directly(cluster));
      expect(again.code).toBe(0);
      expect(again.stdout).toContain(`Apply complete: ${left} done, 0 failed, 0 not started.`);
    },
  );

  test("twice ends at once; the lock stays until its time is over, and the next apply finishes", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const { proxy, child, said, ended } = await heldApply(cluster);
    await using _ = proxy;
    child.kill("SIGINT");
    await expect.poll(() => said.stderr, { timeout: 30_000 }).toContain(NOTE);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(said.stdout).not.toContain("Apply complete");

    const locked = await circl(["apply", "local", "--auto-approve"], directly(cluster));
    expect(locked.code).toBe(1);
    expect(locked.stderr).toMatch(/applies since .*\. Wait with --lock-timeout; /);
    const connection = await cluster.connect();
    await request(connection, `STREAM.PURGE.${LOCK_STREAM}`);
    await connection.close();
    const finished = await circl(["apply", "local", "--auto-approve"], directly(cluster));
    expect(finished.code).toBe(0);
    expect(finished.stdout).toMatch(/\nApply complete: \d+ done, 0 failed, 0 not started\.\n$/);
    expect((await circl(["plan", "local", "--detailed-exitcode"], directly(cluster))).code).toBe(0);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s while it waits for another apply ends the wait, and nothing is applied",
    async (signal) => {
      await using cluster = await Cluster.start(realModel("local"));
      const server = `127.0.0.1:${cluster.servers[0]?.clientPort}`;
      await using writer = await openWriter(cluster.target());
      const lock = streamConfigs.find(({ name }) => name === LOCK_STREAM);
      await writer.write("STREAM.CREATE", [LOCK_STREAM], lock);
      await using _ = await acquireLock(writer, "alice@laptop", { wait: 0 });
      const child = spawn(
        process.execPath,
        [join(root, "bin/circl"), "apply", "local", "--auto-approve", "--lock-timeout", "600"],
        {
          cwd: root,
          env: { ...process.env, ...connecting(server) },
        },
      );
      const { said, ended } = listening(child);
      await expect
        .poll(() => said.stderr, { timeout: 30_000 })
        .toMatch(/^waiting for alice@laptop, who applies since .*; Ctrl-C ends the wait\n$/);
      child.kill(signal);
      expect(await ended).toBe(130);
      expect(said.stdout).toMatch(/\nApply complete: 0 done, 0 failed, 16 not started\. /);
      expect((await writer.read<{ streams: readonly string[] }>("STREAM.NAMES")).streams).toEqual([LOCK_STREAM]);
    },
  );
});
