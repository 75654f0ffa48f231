/** Deploys that replace pods while clients run: one that ends well, and one that is rolled back. One story, test by test. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startLoad } from "../../../src/proof/load/load.ts";
import { root } from "../../cli/circl.ts";
import { bootDeployTarget, CONTEXT, type DeployTarget, model, natsIdentities } from "../../support/deploy-target.ts";
import { cannotBoot } from "../../support/environment.ts";

const FIRST = "a".repeat(40);
const SECOND = "b".repeat(40);
const THIRD = "c".repeat(40);

describe.skipIf(cannotBoot())("circl deploy", () => {
  let target: DeployTarget;
  let rolls: string;
  const publishing = () => startLoad(target, model, root, 20);

  beforeAll(async () => {
    target = await bootDeployTarget();
    rolls = target.variant("rolls", "30-nats.k8s.yaml", (text) =>
      text
        .replace('lame_duck_grace_period: "10s"', 'lame_duck_grace_period: "9s"')
        .replace(/restart-config: \w+/, "restart-config: other"),
    );
    const { code, stderr } = await target.deploy(FIRST);
    expect(code, stderr).toBe(0);
  });
  afterAll(() => target?.[Symbol.asyncDispose]());

  test("a change that takes a restart replaces one server after the other, and no message is lost", async () => {
    const before = await natsIdentities(target);
    const load = await publishing();
    const { code, stdout, stderr } = await target.deploy(SECOND, "--dist", rolls);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("restart: nats-2, then nats-1, then nats-0: each leaves its groups first");
    const replaced = [...stderr.matchAll(/servers: (nats-\d) is replaced, ready and current/g)].map(([, pod]) => pod);
    expect(replaced).toEqual(["nats-2", "nats-1", "nats-0"]);
    expect((await natsIdentities(target)).filter((identity) => before.includes(identity))).toEqual([]);
    await load.more(100);
    expect(await load.stop()).toMatchObject({ unconfirmed: 0, lost: 0, duplicated: 0 });
  });

  test("a rollout that never gets ready is rolled back and verified, and no message is lost", async () => {
    const broken = target.variant("broken", "30-nats.k8s.yaml", (text) =>
      text.replace(
        "- /etc/nats-config/nats.conf\n          command",
        "- /etc/nats-config/nobody.conf\n          command",
      ),
    );
    const load = await publishing();
    const { code, stdout, stderr } = await target.deploy(
      THIRD,
      "--dist",
      broken,
      "--previous",
      rolls,
      "--rollout-timeout",
      "6m",
    );
    expect(code, stderr).toBe(1);
    expect(stdout).toContain(`${THIRD} FAILED and was rolled back`);
    expect(stdout).toMatch(/nats-2 is not ready: container nats CrashLoopBackOff, \d+ restarts/);
    expect(stdout).toContain(`Commit ${SECOND} is there again, and verified.`);
    const left = await target.run("diff", "--kubectl", CONTEXT, "--dist", rolls, "--detailed-exitcode");
    expect(left).toMatchObject({ code: 0 });
    await load.more(100);
    expect(await load.stop()).toMatchObject({ unconfirmed: 0, lost: 0, duplicated: 0 });
  });

  test("a rollback by hand goes to what was there before", async () => {
    const previous = join(root, "dist/production");
    const { code, stdout, stderr } = await target.run(
      "rollback",
      "--kubectl",
      CONTEXT,
      "--auto-approve",
      "--previous",
      previous,
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`${FIRST} is deployed and verified`);
    expect(await target.run("diff", "--kubectl", CONTEXT, "--detailed-exitcode")).toMatchObject({ code: 0 });
  });

  test("history tells all of it, newest first", async () => {
    const { stdout } = await target.run("history", "--kubectl", CONTEXT, "--json");
    const runs = (JSON.parse(stdout).deployments as { kind: string; commit: string; result: string }[]).map(
      ({ kind, commit, result }) => `${kind} ${commit[0]} ${result}`,
    );
    expect(runs).toEqual(["rollback a done", "rollback b done", "deploy c failed", "deploy b done", "deploy a done"]);
    const text = await target.run("history", "--kubectl", CONTEXT);
    expect(text.stdout).toContain("nats-2 is not ready");
  });
});
