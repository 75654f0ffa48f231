/** Where a deploy or a rollback may not even look at a cluster: these contexts lead nowhere. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { circl, repositoryCopy } from "./circl.ts";

describe.each(["deploy", "rollback"])("circl %s", (command) => {
  test.each([
    ["argocd", "Argo CD"],
    ["flux", "Flux"],
  ])("leaves an environment alone that %s delivers", async (delivery, tool) => {
    using copy = repositoryCopy();
    const file = join(copy.path, "environments/production.ts");
    const named = 'name: "production",';
    writeFileSync(file, readFileSync(file, "utf8").replace(named, `${named} delivery: "${delivery}",`));
    const { code, stdout, stderr } = await circl([command, "production", "--kubectl", "gke-production"], {
      root: copy.path,
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(
      `! production is delivered by ${tool} (delivery "${delivery}"), which would undo what this`,
    );
    expect(stderr).toContain("way out: Commit dist/production and let it sync");
    expect(stderr).toContain("Nothing was applied: 1 problem.");
  });

  test("takes a duration to wait, and says so before it asks or writes anything", async () => {
    const { code, stdout, stderr } = await circl([
      ...[command, "production", "--kubectl", "gke-production", "--rollout-timeout", "half an hour"],
    ]);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toContain('--rollout-timeout is "half an hour", expected a duration such as "35m"');
  });

  test("takes no context but the environment's", async () => {
    const { code, stderr } = await circl([command, "production", "--kubectl", "gke-staging"]);
    expect(code).toBe(1);
    expect(stderr).toContain("! --kubectl gke-staging is not the context of production, which is gke-production");
    expect(stderr).toContain("Nothing was applied: 1 problem.");
  });
});

test("circl deploy wants a report that it can write, before it deploys what the report is of", async () => {
  const { code, stdout, stderr } = await circl([
    ...["deploy", "production", "--kubectl", "gke-production", "--report", "nowhere/deploy.md"],
  ]);
  expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
  expect(stderr).toContain("--report nowhere/deploy.md cannot be written: ENOENT");
});
