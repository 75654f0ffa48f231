import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { circl, root, temporaryFolder } from "./circl.ts";

test("one command says who can publish order events in production", async () => {
  const { code, stdout } = await circl(["access", "production", "--who-can", "publish", "circl.oms.order.created"]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: "oms          publishes to circl_oms (streams/oms.ts)\nstream-sync  may have any stream republish there\n",
  });
  const nobody = await circl(["access", "production", "--who-can", "publish", "$SYS.nothing"]);
  expect(nobody).toMatchObject({ code: 0, stdout: "Nobody may publish to $SYS.nothing.\n" });
});

test("docs/security.md shows what it really says", async () => {
  const page = readFileSync(join(root, "docs/security.md"), "utf8");
  const [, options = "", shown] = /\$ bin\/circl (access production --who-can .+)\n([\s\S]*?)```/.exec(page) ?? [];
  expect((await circl(options.split(" "))).stdout).toBe(shown);
});

test.each([[], ["--verbose"], ["--who-can", "publish", "circl.>"]])("%j fits in 100 columns", async (...options) => {
  const { code, stdout } = await circl(["access", "production", ...options.flat()]);
  expect(code).toBe(0);
  expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  for (const name of ["bff", "dms", "iot", "oms", "stream-sync"]) expect(stdout).toMatch(new RegExp(`^${name} `, "m"));
});

test("--json is versioned and says every subject with its reasons, and --diff compares with it", async () => {
  using folder = temporaryFolder();
  const { stdout } = await circl(["access", "staging", "--json"]);
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ formatVersion: 1, environment: "staging" });
  const oms = document.identities.find(({ name }: { name: string }) => name === "oms");
  expect(oms).toMatchObject({ kind: "service", account: "oms", credential: "nkey", inboxPrefix: "_INBOX_oms" });
  expect(oms.publish).toContainEqual({
    subject: "circl.oms.order.>",
    why: ["publishes to circl_oms (streams/oms.ts)"],
  });
  expect(oms.imports.services).toContain("$JS.API.CONSUMER.MSG.NEXT.circl_oms.oms-commands");
  const file = join(folder.path, "before.json");
  writeFileSync(file, stdout);
  const same = await circl(["access", "staging", "--diff", file, "--detailed-exitcode"]);
  expect(same).toMatchObject({ code: 0, stdout: "staging: everybody may what they could before.\n" });
  oms.publish = oms.publish.filter(({ subject }: { subject: string }) => subject !== "circl.oms.order.>");
  writeFileSync(file, JSON.stringify(document));
  const other = await circl(["access", "staging", "--diff", file, "--detailed-exitcode"]);
  expect(other.code).toBe(2);
  expect(other.stdout).toBe(
    "staging:\n+ oms  publish circl.oms.order.>  publishes to circl_oms (streams/oms.ts)\n\n" +
      "1 granted, 0 taken away, 0 identities come or go, 0 altered.\n",
  );
  const comment = await circl(["access", "staging", "--diff", file, "--format", "markdown"]);
  expect(comment.stdout).toContain("### Access to staging: 1 granted, 0 taken away,");
  expect(comment.stdout).toContain(
    "```diff\n+ oms  publish circl.oms.order.>  publishes to circl_oms (streams/oms.ts)\n```",
  );
  expect((await circl(["access", "staging", "--diff", file])).code).toBe(0);
  expect(JSON.parse((await circl(["access", "staging", "--diff", file, "--json"])).stdout).changes).toHaveLength(1);
});

test.each([
  [["--who-can", "read", "circl.x"], 64, '--who-can is "read circl.x", expected publish or subscribe and one subject'],
  [["--who-can", "publish"], 64, '--who-can is "publish", expected'],
  [["--who-can", "publish", "a..b"], 64, 'the subject "a..b" has an empty token'],
  [["--format", "markdown"], 64, "--format markdown needs --diff"],
  [["--diff", "nowhere.json"], 1, "nowhere.json cannot be read. Make it: circl access <environment> --json"],
  [["--diff", "package.json"], 1, "package.json is no document of circl access --json"],
  [["--diff", "README.md"], 1, "README.md is no document of circl access --json"],
] as const)("%j is refused with the way out", async (options, expected, says) => {
  const { code, stderr, stdout } = await circl(["access", "staging", ...options]);
  expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
  expect(stderr).toContain(says);
});
