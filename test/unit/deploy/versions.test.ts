import { describe, expect, test } from "vitest";
import { versionStep } from "../../../src/deploy/versions.ts";

describe("a step between versions of nats-server", () => {
  test.each([
    ["2.14.9-alpine", "2.14.9-alpine", "same"],
    ["2.14.8-alpine", "2.14.9-alpine", "patch"],
    ["2.14.9-alpine", "2.14.8-alpine", "patch"],
    ["2.12.4-alpine", "2.14.9-alpine", "upgrade"],
    ["2.14.9-alpine", "2.15.1-alpine", "upgrade"],
    ["2.15.1-alpine", "2.14.9-alpine", "downgrade"],
  ])("%s -> %s is a %s, and may be done", (from, to, kind) => {
    const step = versionStep(from, to, 0);
    expect(step.kind).toBe(kind);
    expect(step).not.toHaveProperty("obstacle");
  });

  test("two minor lines at once are refused, with the one to go to first", () => {
    expect(versionStep("2.12.4-alpine", "2.15.1-alpine").obstacle).toMatchObject({
      says: "2.12.4-alpine -> 2.15.1-alpine: more than one minor line at once",
      hint: expect.stringContaining("Deploy 2.14 first"),
    });
    expect(versionStep("2.15.1-alpine", "2.12.4-alpine").obstacle?.hint).toContain("Deploy 2.14 first");
  });

  test("a downgrade below what live assets need is refused", () => {
    expect(versionStep("2.14.9-alpine", "2.12.4-alpine", 4).obstacle).toEqual({
      says: "live streams or consumers need API level 4, 2.12 knows 2: they would go offline",
      hint: "Take the settings that need it out of streams/, apply, then downgrade.",
    });
    expect(versionStep("2.14.9-alpine", "2.12.4-alpine", 2)).toEqual({ kind: "downgrade", notes: [] });
  });

  test("a downgrade that nobody asked the servers about says so", () => {
    expect(versionStep("2.14.9-alpine", "2.12.4-alpine").notes).toEqual([
      "whether live streams need a newer API level is not known: circl deploy and circl rollback ask servers that answer",
    ]);
  });

  test.each([
    ["2.12.4-alpine", "2.11.8-alpine", "Go to 2.11.9 or newer of that line."],
    ["2.10.27-alpine", "2.9.21-alpine", "Go to 2.9.22 or newer of that line."],
  ])("%s -> %s cannot be read", (from, to, hint) => {
    expect(versionStep(from, to, 0).obstacle?.hint).toBe(hint);
  });

  test("what the newer line does differently is said", () => {
    expect(versionStep("2.11.9-alpine", "2.12.4-alpine", 0).notes).toEqual([
      "2.12 refuses requests with unknown fields (strict): old clients that send them break",
    ]);
    expect(versionStep("2.11.9-alpine", "2.10.27-alpine", 0).notes).toEqual([
      "2.10 rebuilds the state of every stream at its first start: expect a slow one",
    ]);
  });

  test.each(["latest", "3.0.0"])("%s is on no line that is known here", (tag) => {
    expect(versionStep("2.14.9-alpine", tag).obstacle?.says).toContain("nobody knows here");
  });
});
