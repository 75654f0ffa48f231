import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { circl, root, temporaryFolder } from "./circl.ts";

/** A copy of dist/production with one change in a file. */
function variant(folder: string, file: string, from: string, to: string): string {
  const place = join(folder, "base/production");
  cpSync(join(root, "dist/production"), place, { recursive: true });
  const text = readFileSync(join(place, file), "utf8");
  expect(text).toContain(from);
  writeFileSync(join(place, file), text.replace(from, to));
  return join(folder, "base");
}

test("dist against itself has no changes", async () => {
  expect(await circl(["diff", "production", "--against", "dist", "--detailed-exitcode"])).toEqual({
    code: 0,
    stdout: "production: dist against dist\n\nNo changes. 60 unchanged.\n",
    stderr: "",
  });
});

test("a change is said with what happens, and is exit code 2 where that is asked for", async () => {
  using folder = temporaryFolder();
  const base = variant(folder.path, "30-nats.k8s.yaml", "max_payload: 8MiB", "max_payload: 4MiB");
  const { code, stdout } = await circl(["diff", "production", "--against", base, "--detailed-exitcode"]);
  expect(code).toBe(2);
  expect(stdout).toContain(`
~ ConfigMap nats-config (circl-backbone)
    nats.conf: max_payload 4MiB -> 8MiB
    reload: the servers take over max_payload as they run.

0 to create, 1 to change, 59 unchanged. Servers reload, no pod is replaced.
`);
  expect((await circl(["diff", "production", "--against", base])).code).toBe(0);
});

test("what dist has no more is exit code 2 only for who prunes, for nothing else would ever change it", async () => {
  using folder = temporaryFolder();
  const base = variant(folder.path, "30-nats.k8s.yaml", "name: nats-metrics", "name: nats-figures");
  const ours = join(folder.path, "ours");
  cpSync(join(base, "production"), join(ours, "production"), { recursive: true });
  const more = `apiVersion: v1
kind: ConfigMap
metadata:
  name: of-before
  namespace: circl-backbone
  labels: { app.kubernetes.io/managed-by: circl, app.kubernetes.io/part-of: circl-backbone, circl.dev/environment: production }
`;
  writeFileSync(join(base, "production", "60-more.k8s.yaml"), more);
  const diff = ["diff", "production", "--against", base, "--dist", ours, "--detailed-exitcode"];
  const { code, stdout } = await circl(diff);
  expect(stdout).toContain("- ConfigMap of-before (circl-backbone)  only there");
  expect([code, (await circl([...diff, "--prune"])).code]).toEqual([0, 2]);
});

test("a blocked change is exit code 3, in every format", async () => {
  using folder = temporaryFolder();
  const base = variant(folder.path, "30-nats.k8s.yaml", "storage: 50Gi", "storage: 60Gi");
  const text = await circl(["diff", "production", "--against", base]);
  expect(text.code).toBe(3);
  expect(text.stdout).toContain("blocked: claim data 60Gi -> 50Gi: a volume cannot shrink.");
  const markdown = await circl(["diff", "production", "--against", base, "--format", "markdown"]);
  expect(markdown.stdout).toMatch(
    /^<!-- circl diff production -->\n### Manifests of production: 0 to create, 1 to change, 59 unchanged\. 1 object blocked\./,
  );
  const { stdout } = await circl(["diff", "production", "--against", base, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    formatVersion: 1,
    summary: { create: 0, update: 1, unchanged: 59, superfluous: 0, blocked: 1 },
    changes: [
      {
        title: "StatefulSet nats",
        fields: [{ field: "spec.volumeClaimTemplates.data.spec.resources.requests.storage" }],
      },
    ],
  });
});

test("an object that only the other side has is listed, with our mark alone", async () => {
  using folder = temporaryFolder();
  const extra = `kind: ConfigMap
metadata:
  name: left-behind
  namespace: circl-backbone
  labels: { app.kubernetes.io/managed-by: circl, app.kubernetes.io/part-of: circl-backbone, circl.dev/environment: production }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: of-others, namespace: circl-backbone }
---
apiVersion: v1
kind: Namespace`;
  const base = variant(folder.path, "00-namespace.k8s.yaml", "kind: Namespace", extra);
  const { code, stdout } = await circl(["diff", "production", "--against", base]);
  expect(code).toBe(0);
  expect(stdout).toContain("- ConfigMap left-behind (circl-backbone)  only there\n");
  expect(stdout).not.toContain("of-others");
});

test.each([
  [["diff", "production"], "against what? Give --against DIR or --kubectl CONTEXT, one of them"],
  [["diff", "production", "--against", "src"], "there are no manifests in src"],
  [["deploy", "production"], "deploy where? Give --kubectl gke-production"],
  [["rollback", "production"], "roll back where? Give --kubectl gke-production"],
  [["history", "production"], "history of which cluster? Give --kubectl gke-production"],
])("%j is wrong usage", async (args, says) => {
  const { code, stderr } = await circl(args);
  expect({ code, says: stderr.split("\n")[0] }).toEqual({ code: 64, says: `error: ${says}` });
});

test.each(["deploy", "rollback"])(
  "%s goes to no other context than the environment's, and does not even ask it",
  async (command) => {
    expect(await circl([command, "production", "--kubectl", "gke-staging"])).toEqual({
      code: 1,
      stdout: "",
      stderr: `! --kubectl gke-staging is not the context of production, which is gke-production
  way out: Give --kubectl gke-production, or name the environment that you mean (kubernetes.context
           in environments/).
Nothing was applied: 1 problem.
`,
    });
  },
);
