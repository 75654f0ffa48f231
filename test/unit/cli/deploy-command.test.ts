/** What `circl deploy` leaves for pipelines: exit code, JSON and a report in Markdown, however it ends. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type DeployOptions, deployTo } from "../../../src/cli/commands/deploy.ts";
import type { Run } from "../../../src/cli/deployment-run.ts";
import { deploymentMarkdown } from "../../../src/cli/output/deployment.ts";
import { plainLook } from "../../../src/cli/output/terminal.ts";
import { referenceOf } from "../../../src/deploy/cluster.ts";
import { type Deployment, recordOf } from "../../../src/deploy/record.ts";
import { root, temporaryFolder } from "../../cli/circl.ts";
import { before, edited, model, namespace, options, production, serversOf } from "../../support/deployed-production.ts";
import type { FakeCluster, Fault } from "../../support/fake-cluster.ts";

let [stdout, stderr] = ["", ""];
beforeEach(() => {
  [stdout, stderr] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Production whose servers are yet to come, so that there are no streams to plan. */
async function withoutServers() {
  const cluster = production();
  for (const object of before.objects) if (object.kind === "StatefulSet") await cluster.remove(referenceOf(object));
  return cluster;
}

async function deploying(more: Partial<DeployOptions>, manifests = before, among = withoutServers(), yes = false) {
  const cluster = await among;
  const { length } = cluster.written;
  using folder = temporaryFolder();
  const report = join(folder.path, "deploy.md");
  const task = { model, cluster, servers: serversOf(cluster), manifests, commit: "c".repeat(40), root };
  const planStreams = () => Promise.reject(new Error("nobody is there to be asked"));
  const code = await deployTo(
    { ...task, planStreams, options: { ...options, json: true, report, ...more } },
    async () => yes,
  );
  return {
    code,
    written: cluster.written.slice(length),
    report: readFileSync(report, "utf8"),
    json: JSON.parse(stdout),
  };
}

describe("circl deploy that applies nothing", () => {
  test("because it is a dry run says what it would do", async () => {
    const { report, json, ...ended } = await deploying({ dryRun: true });
    expect(ended).toEqual({ code: 0, written: [] });
    expect(json).toMatchObject({ formatVersion: 1, dryRun: true, summary: { create: 3, blocked: 0 } });
    expect(report).toMatch(
      /^## production: nothing was applied\n\n- It was a dry run\.\n\n<!-- circl diff production -->/,
    );
    expect(report).toContain("+ StatefulSet nats (circl-backbone)");
    expect(stderr).toContain("note: streams are planned once the servers answer");
  });

  test("because nobody says yes says so", async () => {
    const { report, ...ended } = await deploying({});
    expect(ended).toMatchObject({ code: 3, written: [], json: { summary: { create: 3 }, says: ["Nobody said yes."] } });
    expect(report).toContain("- Nobody said yes.");
  });

  test("because something is blocked says what", async () => {
    const renamed = edited((text) => text.replace('name: \\"circl-production\\"', 'name: \\"another\\"'));
    const { report, ...ended } = await deploying({}, renamed);
    const why = "What is marked with ! must be settled first.";
    expect(ended).toMatchObject({ code: 3, written: [], json: { summary: { blocked: 1 }, says: [why] } });
    expect(report).toContain(`- ${why}`);
    expect(report).toContain("blocked: cluster.name is the servers' identity");
  });

  test("because something stands in the way says what, and the way out", async () => {
    const cluster = await withoutServers();
    await cluster.remove({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", name: "premium-rwo" });
    const { report, ...ended } = await deploying({}, before, Promise.resolve(cluster));
    const says = "claim data of nats wants the storage class premium-rwo, and there is none";
    expect(ended).toMatchObject({
      code: 1,
      written: [],
      json: { environment: "production", obstacles: [{ says }, {}] },
    });
    expect(report).toContain(`- ${says}. There is none at all. Set the volume's storageClass`);
  });

  const running: Deployment = {
    ...{ kind: "deploy", commit: "d".repeat(40), digest: "x", who: "bob", result: "running" },
    started: new Date().toISOString(),
  };
  const forbidden = { outcome: "refused", status: 403, says: "forbidden" } as const;
  const refusing =
    (wanted: string): Fault =>
    (operation) =>
      operation === wanted ? forbidden : undefined;

  test.each<[string, (cluster: FakeCluster) => unknown, RegExp]>([
    [
      "another run goes on",
      (cluster) => cluster.put(recordOf([running], namespace, undefined)),
      /^a deploy of bob runs/,
    ],
    [
      "the record may not be written",
      (cluster) => {
        cluster.fault = refusing("apply ConfigMap circl-deploys");
      },
      /^ConfigMap circl-deploys was not written: forbidden$/,
    ],
    [
      "the record cannot be read",
      (cluster) => cluster.put({ ...recordOf([], namespace, undefined), data: { "deploys.json": "{" } }),
      /is no JSON\. Put the text right/,
    ],
    [
      "the namespace is refused",
      async (cluster) => {
        await cluster.remove({ apiVersion: "v1", kind: "Namespace", name: namespace });
        cluster.fault = refusing(`apply Namespace ${namespace}`);
      },
      /^Namespace \S+ was not applied: forbidden$/,
    ],
  ])("because %s says so", async (_, breakIt, why) => {
    const cluster = await withoutServers();
    await breakIt(cluster);
    const { report, ...ended } = await deploying({}, before, Promise.resolve(cluster), true);
    const says = [expect.stringMatching(why)];
    expect(ended).toMatchObject({ code: 1, written: [], json: { formatVersion: 1, environment: "production", says } });
    expect(report).toMatch(/^## production: nothing was applied\n\n- /);
    expect(stderr).toContain(`Nothing was applied. ${ended.json.says[0]}`);
  });
});

test("the report of a run has its steps with times, what is left to say, and what changed", () => {
  const run: Run = {
    ...{ kind: "deploy", commit: "abc", result: "rolled back", seconds: 75 },
    steps: [
      { name: "servers", outcome: "failed", seconds: 70, says: ["nats: held", "nats-2 is not ready: a | b"] },
      { name: "servers", outcome: "done", seconds: 5, says: [] },
    ],
    says: ["nats-2 is not ready", "Commit b is there again, and verified."],
  };
  const where = { title: "Service nats", kind: "Service", name: "nats", namespace: "ns" };
  const unchanged = { ...where, action: "none", fields: [], impacts: [], conflicts: [] } as const;
  const comparison = { environment: "production", with: "the cluster of gke-production", changes: [unchanged] };
  expect(deploymentMarkdown(run, comparison, plainLook)).toBe(
    [
      "## production: abc FAILED and was rolled back (75 s)",
      "",
      "| step | result | time | |",
      "|---|---|---|---|",
      "| servers | failed | 70 s | nats-2 is not ready: a \\| b |",
      "| servers | done | 5 s |  |",
      "",
      "- nats-2 is not ready",
      "- Commit b is there again, and verified.",
      "",
      "<!-- circl diff production -->",
      "### Manifests of production: No changes. 1 unchanged.",
      "",
    ].join("\n"),
  );
});
