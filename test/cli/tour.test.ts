/** The tour of the README, walked: plan, apply, and nothing left to do, on one server and on three. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { circl, root } from "./circl.ts";

describe.skipIf(without("nats-server", "test-ca"))("plan, apply, plan", () => {
  test.each(["local", "staging", "production"] as const)("%s", async (name) => {
    const model = realModel(name);
    await using cluster = await Cluster.start(model);
    const { tls } = cluster.target();
    const env = {
      CIRCL_SERVER: `127.0.0.1:${cluster.servers[0]?.clientPort}`,
      CIRCL_USER: "sync",
      CIRCL_PASSWORD: "loopback-only",
      CIRCL_TIMEOUT: "20000",
      ...(tls?.ca ? { CIRCL_TLS_CA: tls.ca } : {}),
    };
    const run = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await circl(args, { env });
      expect({ args, code }, stderr).toEqual({ args, code: 0 });
      return stdout.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:4222");
    };
    const planned = await run("plan", name);
    const applied = await run("apply", name, "--auto-approve");
    const again = await run("apply", name);
    expect(planned).toMatch(/\nPlan: 16 to create, 0 to update, 0 to delete, 0 blocked\.\n$/);
    expect(applied).toBe(`${planned}Apply complete: 16 done, 0 failed, 0 not started.\n`);
    expect(again).toMatch(/\n\nNo changes\. 16 unchanged\.\n$/);
    if (name !== "local") return;
    const readme = readFileSync(join(root, "README.md"), "utf8");
    expect(readme).toContain(`$ bin/circl plan local\n${planned}`);
    expect(readme).toContain(`$ bin/circl apply local --auto-approve | tail -1\n${applied.split("\n").at(-2)}\n`);
    expect(readme).toContain(`$ bin/circl apply local\n${again}`);
  });
});
