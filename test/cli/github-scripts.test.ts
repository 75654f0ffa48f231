/** What the workflows write at GitHub, on a stub of it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startGitHub, type Text } from "../support/github-stub.ts";
import { temporaryFolder } from "./circl.ts";

const text = (id: number, login: string, body: string, title = ""): Text => ({
  id,
  number: id,
  title,
  body,
  state: "open",
  user: { login },
});
const BOT = "github-actions[bot]";
const own = { HEAD_REPOSITORY: "circl/backbone", HEAD_BRANCH: "faster", HEAD_SHA: "abc" };
const pulls = [{ number: 12, head: { sha: "abc", label: "circl:faster" } }];

/** A file with `content`, until the test ends. */
function fileWith(content: string): { readonly path: string } & Disposable {
  const folder = temporaryFolder();
  const path = join(folder.path, "text.md");
  writeFileSync(path, content);
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test("a pull request gets one comment, which the next run replaces", async () => {
  await using github = await startGitHub({ pulls, comments: [text(5, "somebody", "<!-- circl comment -->\n\nmine")] });
  for (const says of ["first", "second"]) {
    using file = fileWith(`<!-- circl comment -->\n\n${says}`);
    expect(await github.run("comment.js", [file.path], own)).toMatchObject({ code: 0 });
  }
  expect(github.comments.map(({ body }) => body)).toEqual([
    "<!-- circl comment -->\n\nmine",
    "<!-- circl comment -->\n\nsecond",
  ]);
  expect(github.asked.filter((request) => request.startsWith("P"))).toEqual([
    "POST /issues/12/comments",
    "PATCH /issues/comments/1001",
  ]);
});

test("the comment is found behind a hundred others", async () => {
  const others = Array.from({ length: 130 }, (_, i) => text(i + 1, "somebody", "chat"));
  await using github = await startGitHub({
    pulls,
    comments: [...others, text(500, BOT, "<!-- circl comment -->\n\nold")],
  });
  using file = fileWith("new");
  await github.run("comment.js", [file.path], own);
  expect(github.comments).toHaveLength(131);
  expect(github.comments.at(-1)?.body).toBe("<!-- circl comment -->\n\nnew");
});

test("what a fork says is marked as its own, and cannot be longer than GitHub takes", async () => {
  await using github = await startGitHub({ pulls: [{ number: 12, head: { sha: "abc", label: "mallory:faster" } }] });
  using file = fileWith(`<!-- circl comment -->\n\n${"All is well. ".repeat(10_000)}`);
  await github.run("comment.js", [file.path], { ...own, HEAD_REPOSITORY: "mallory/backbone" });
  const [{ body } = { body: "" }] = github.comments;
  expect(body).toContain("\n\n_Said by the code of the fork mallory/backbone. No cluster was asked._\n\nAll is well.");
  expect(body.length).toBeLessThan(65_536);
});

test("a commit that is no longer the last of its branch is not spoken of", async () => {
  await using github = await startGitHub({ pulls });
  using file = fileWith("old");
  const { code, stdout } = await github.run("comment.js", [file.path], { ...own, HEAD_SHA: "before" });
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: "no open pull request has before as its last commit: nothing to say\n",
  });
  expect(github.comments).toEqual([]);
});

test("a trouble has one issue while it lasts, and a closed one afterwards", async () => {
  await using github = await startGitHub({ issues: [text(1, "somebody", "", "Drift of staging")] });
  for (const says of ["one field", "two fields"]) {
    using file = fileWith(says);
    expect(await github.run("issue.js", ["Drift of staging", "open", file.path])).toMatchObject({ code: 0 });
  }
  const seen = "Seen by https://github.example/circl/backbone/actions/runs/77";
  expect(github.issues.slice(1)).toMatchObject([
    { title: "Drift of staging", body: `${seen}\n\ntwo fields`, state: "open" },
  ]);
  await github.run("issue.js", ["Drift of production", "close"]);
  expect(github.issues[1]?.state).toBe("open");
  await github.run("issue.js", ["Drift of staging", "close"]);
  expect(github.issues.map(({ state }) => state)).toEqual(["open", "closed"]);
  expect(github.comments.at(-1)?.body).toBe("Over, says https://github.example/circl/backbone/actions/runs/77");
});

test("a look that failed before it said anything opens the issue too", async () => {
  await using github = await startGitHub();
  await github.run("issue.js", ["Drift of staging", "open", "/nowhere/drift.md"]);
  expect(github.issues[0]?.body).toMatch(/It left no report: the log of that run says why\.$/);
});

test.each([
  ["a token that GitHub refuses", ["Drift", "open"], { GITHUB_TOKEN: "stale" }, "GitHub answers 401 to GET /issues"],
  ["a state that does not exist", ["Drift", "opened"], {}, "expected TITLE open|close [FILE]"],
] as const)("%s fails the step", async (_, args, env, says) => {
  await using github = await startGitHub();
  const { code, stderr } = await github.run("issue.js", args, env);
  expect(code).toBe(1);
  expect(stderr).toContain(says);
});
