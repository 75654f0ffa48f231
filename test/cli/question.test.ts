/** The one question of an apply, asked on a real terminal. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import { realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { root } from "./circl.ts";

describe.skipIf(without("nats-server"))("Apply this?", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(realModel("local"));
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  /** What `circl apply local` says on a terminal, and its exit code, when `keys` are pressed at the question. */
  async function answered(keys: string) {
    const [server = ""] = cluster.target().servers;
    const command = `"${process.execPath}" "${join(root, "bin/circl")}" apply local`;
    // util-linux: runs a command on a terminal of its own and hands on its exit code.
    const child = spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
      cwd: root,
      env: { ...process.env, CIRCL_SERVER: server, CIRCL_USER: "sync", CIRCL_PASSWORD: "loopback-only" },
    });
    let said = "";
    child.stdout.on("data", (chunk) => {
      const asked = said.includes("is taken: ");
      said += chunk;
      if (!asked && said.includes("is taken: ")) child.stdin.write(keys);
    });
    const [code] = await once(child, "close");
    return { code, said };
  }
  const streams = async () => {
    await using reader = await openReader(cluster.target());
    return (await reader.read<{ streams: number }>("INFO")).streams;
  };

  test.each([
    ["Ctrl-C", "\u0003"],
    ["Ctrl-D", "\u0004"],
    ["half an answer and Ctrl-C", "ye\u0003"],
  ])("%s ends it with 130, and nothing is applied", async (_, keys) => {
    const { code, said } = await answered(keys);
    expect(said).toMatch(/Nothing was applied: interrupted\.\r\n$/);
    expect(said).not.toContain("fault of circl");
    expect(code).toBe(130);
    expect(await streams()).toBe(0);
  });

  test("anything but yes is a no", async () => {
    const { code, said } = await answered("y\r");
    expect(said).toMatch(/Nothing was applied\.\r\n$/);
    expect(code).toBe(3);
    expect(await streams()).toBe(0);
  });

  test("yes applies", async () => {
    expect((await answered("yes\r")).code).toBe(0);
    expect(await streams()).toBeGreaterThan(0);
  });
});
