/** Tile38 with the documents that External Secrets makes of the templates in dist. */
import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { renderTemplate } from "../support/identities.ts";
import { objectOf, objectsOf } from "../support/manifests.ts";
import { Sandbox } from "../support/tile38-server.ts";
import { without } from "../support/tools.ts";

/** Every kind of character that a password may have and that JSON, shells or templates could trip over. */
const password = "loopback$'`{{only}}<&>%#!";

describe.skipIf(without("busybox", "tile38-server", "secret-template"))("Tile38's rendered documents", () => {
  test.each(["staging", "production"] as const)("of %s let in who has the password, and a follower", async (name) => {
    const model = realModel(name);
    const objects = objectsOf(model);
    const document = (role: "leader" | "follower") => {
      const { template } = objectOf(objects, "ExternalSecret", `tile38-${role}-config`).spec.target;
      return renderTemplate(template.data, { password }).config ?? "";
    };
    const following = (port: number) => {
      const { follow_host: _, ...shared } = JSON.parse(document("follower"));
      return JSON.stringify({ ...shared, follow_host: "127.0.0.1", follow_port: port });
    };
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader", 0, document("leader"));
    await leader.until("/healthz");
    const write = "set fleet truck1 point 33 -112";
    expect(await leader.ask(write, null)).toMatchObject({ ok: false, err: "authentication required" });
    expect(await leader.ask(write, "wrong")).toMatchObject({ ok: false, err: "invalid password" });
    expect(await leader.ask(write, password)).toMatchObject({ ok: true });

    const follower = await sandbox.start("follower", "follower", leader.port, following(leader.port));
    await follower.until("/healthz");
    expect(await follower.ask("get fleet truck1", null)).toMatchObject({ ok: false, err: "authentication required" });
    await expect
      .poll(() => follower.ask("get fleet truck1", password), { timeout: 20_000 })
      .toMatchObject({ ok: true, object: { type: "Point" } });
  });

  test("a follower with another password gets nothing", async () => {
    const model = realModel("production");
    const objects = objectsOf(model);
    const { template } = objectOf(objects, "ExternalSecret", "tile38-leader-config").spec.target;
    await using sandbox = new Sandbox(model);
    const leader = await sandbox.start("leader", "leader", 0, renderTemplate(template.data, { password }).config);
    await leader.until("/healthz");
    await leader.ask("set fleet truck1 point 33 -112", password);
    const stranger = { requirepass: "other", leaderauth: "other", follow_host: "127.0.0.1", follow_port: leader.port };
    const follower = await sandbox.start("follower", "follower", leader.port, JSON.stringify(stranger));
    await expect.poll(() => follower.log, { timeout: 20_000 }).toMatch(/invalid password/);
    expect(await follower.status("/healthz")).toBe(500);
    expect(await follower.ask("get fleet truck1", "other")).toMatchObject({ ok: false, err: "catching up to leader" });
  });
});
