/** prepare.sh on real folders: every state that a kill can leave, and every document that must not start a server. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { Sandbox } from "../support/tile38-server.ts";
import { without } from "../support/tools.ts";

const LEADER = { requirepass: "secret", leaderauth: "secret", server_id: "a", maxmemory: "100" };
const FOLLOWER = { requirepass: "secret", leaderauth: "secret", follow_host: "leader", follow_port: 9851 };

describe.skipIf(without("busybox", "tile38-server"))("prepare.sh", () => {
  const sandbox = new Sandbox(realModel("production"));
  afterAll(() => sandbox[Symbol.asyncDispose]());
  let folders = 0;

  /** Runs it in a fresh folder; the server's place is taken by `echo`. */
  async function prepare(
    role: string,
    document: unknown,
    { data = {}, config }: { data?: Record<string, string>; config?: string } = {},
  ) {
    const root = join(sandbox.root, `case-${folders++}`);
    for (const folder of ["data", "run", "document"]) mkdirSync(join(root, folder), { recursive: true });
    for (const [name, text] of Object.entries(data)) writeFileSync(join(root, "data", name), text);
    if (config !== undefined) writeFileSync(join(root, "run/config"), config);
    const file = join(root, "document/config");
    if (document !== undefined) {
      writeFileSync(file, typeof document === "string" ? document : JSON.stringify(document), { mode: 0o440 });
    }
    const target = join(root, "run/config");
    const { code, said } = await sandbox.run(
      "prepare.sh",
      ...[role, file, target, join(root, "data/appendonly.aof")],
      ...["printf", "started %s %s", "with", "arguments"],
    );
    const left = readdirSync(join(root, "data")).sort();
    return {
      code,
      said,
      started: said.endsWith("started with arguments"),
      files: Object.fromEntries(left.map((name) => [name, readFileSync(join(root, "data", name), "utf8")])),
      config: existsSync(target) ? readFileSync(target, "utf8") : undefined,
      mode: existsSync(target) ? (statSync(target).mode & 0o777).toString(8) : undefined,
    };
  }

  const live = "appendonly.aof";
  const bak = "appendonly.aof-bak";
  const shrink = "appendonly.aof-shrink";

  test.each<[string, Record<string, string>, Record<string, string>, string]>([
    ["nothing: the first start", {}, {}, "starts empty"],
    ["a whole file", { [live]: "old" }, { [live]: "old" }, "starts with 3 bytes"],
    ["a shrink killed while it wrote", { [live]: "old", [shrink]: "ne" }, { [live]: "old" }, "while it wrote"],
    [
      "a shrink killed between its renames",
      { [bak]: "old", [shrink]: "new" },
      { [live]: "old" },
      "between its renames",
    ],
    ["the same without what it wrote", { [bak]: "old" }, { [live]: "old" }, "between its renames"],
    [
      "the same, and a start without this script",
      { [live]: "", [bak]: "old", [shrink]: "new" },
      { [live]: "old" },
      "between its renames",
    ],
    ["a shrink killed after its renames", { [live]: "new", [bak]: "old" }, { [live]: "new" }, "before it tidied up"],
    ["a shrink of nothing, killed after its renames", { [live]: "", [bak]: "old" }, { [live]: "old" }, "is back"],
  ])("starts the leader from %s", async (_, data, files, said) => {
    const result = await prepare("leader", LEADER, { data });
    expect(result).toMatchObject({ code: 0, started: true, files });
    expect(result.said).toContain(said);
    expect(result.files).toEqual(files);
  });

  test("keeps both where the server has gone on without the older one", async () => {
    const { files, said, started } = await prepare("leader", LEADER, {
      data: { [live]: "later", [bak]: "old", [shrink]: "new" },
    });
    expect(started).toBe(true);
    const [aside = "", ...others] = Object.keys(files).filter((name) => name !== live);
    expect(aside).toMatch(/^appendonly\.aof-bak-\d{8}T\d{6}Z$/);
    expect(others).toEqual([]);
    expect(files).toEqual({ [live]: "later", [aside]: "old" });
    expect(said).toContain('"level":"error"');
  });

  test("does not start a leader whose only data may be half written", async () => {
    const result = await prepare("leader", LEADER, { data: { [shrink]: "new" } });
    expect(result).toMatchObject({ code: 1, started: false, files: { [shrink]: "new" } });
    expect(result.said).toContain("may be incomplete");
  });

  test("starts a follower with nothing of what it had", async () => {
    const data = { [live]: "old", [bak]: "old", [shrink]: "old", "queue.db": "queue" };
    expect(await prepare("follower", FOLLOWER, { data })).toMatchObject({
      code: 0,
      started: true,
      files: { "queue.db": "queue" },
    });
    expect((await prepare("follower", FOLLOWER, { data })).files).toEqual({ "queue.db": "queue" });
  });

  test("leaves a promoted follower its configuration and its data, and rescues them like a leader's", async () => {
    const config = '{\n\t"leaderauth": "secret",\n\t"requirepass": "secret"\n}\n';
    const result = await prepare("follower", FOLLOWER, { config, data: { [bak]: "old", [shrink]: "new" } });
    expect(result).toMatchObject({ code: 0, started: true, config, files: { [live]: "old" } });
    expect(result.said).toContain("promoted");
  });

  test("takes a new document over what the last start left, and keeps it from others", async () => {
    const config = JSON.stringify({ ...FOLLOWER, requirepass: "former" });
    expect(await prepare("follower", FOLLOWER, { config })).toMatchObject({
      config: JSON.stringify(FOLLOWER),
      mode: "600",
    });
    expect(await prepare("leader", LEADER)).toMatchObject({ config: JSON.stringify(LEADER), mode: "600" });
  });

  test("takes a document in any layout", async () => {
    expect(await prepare("leader", JSON.stringify(LEADER, null, "\t"))).toMatchObject({ started: true });
    expect(await prepare("leader", `\n ${JSON.stringify(LEADER, null, 2)}\r\n`)).toMatchObject({ started: true });
  });

  test.each<[string, string, unknown, string]>([
    ["no document", "leader", undefined, "cannot be read"],
    ["an empty document", "leader", "", "is empty"],
    ["blanks", "leader", " \n", "no flat JSON object"],
    ["text", "leader", "secret", "no flat JSON object"],
    ["broken JSON that the server reads half of", "leader", '{"requirepass":"a"b","leaderauth":"x"}', "no flat JSON"],
    ["a document that ends early", "leader", '{"requirepass":"secret","leader', "no flat JSON object"],
    ["an empty password", "leader", { ...LEADER, requirepass: "" }, "no flat JSON object"],
    ["a password with a newline", "leader", { ...LEADER, requirepass: "secret\n" }, "no flat JSON object"],
    ["nested values", "leader", { ...LEADER, logconfig: {} }, "no flat JSON object"],
    ["no password", "leader", { leaderauth: "secret" }, "has no requirepass"],
    ["a misspelt password", "leader", { RequirePass: "secret" }, "no flat JSON object"],
    ["the followers' document", "leader", FOLLOWER, "the leader follows nobody"],
    ["the leader's document", "follower", LEADER, "two leaders"],
    ["another role", "reader", FOLLOWER, "is no role"],
  ])("does not start with %s", async (_, role, document, said) => {
    const result = await prepare(role, document, { data: { [live]: "old" } });
    expect(result).toMatchObject({ code: 1, started: false, files: { [live]: "old" } });
    expect(result.config).toBeUndefined();
    expect(result.said).toContain(said);
    expect(result.said).not.toContain("secret");
  });
});
