import { describe, expect, test } from "vitest";
import {
  type Deployment,
  deploymentsIn,
  lastDone,
  previousOf,
  recordOf,
  runningNow,
  unseenReload,
} from "../../../src/deploy/record.ts";

const run = (commit: string, result: Deployment["result"], more: Partial<Deployment> = {}): Deployment => ({
  kind: "deploy",
  commit,
  digest: `of ${commit}`,
  who: "alice",
  started: "2026-11-22T09:00:00.000Z",
  result,
  ...more,
});

test("what is written is read back, and the last twenty are kept", () => {
  const runs = Array.from({ length: 25 }, (_, i) => run(`c${i}`, "done"));
  expect(deploymentsIn(recordOf(runs, "ns", undefined))).toEqual(runs.slice(0, 20));
  expect(deploymentsIn(undefined)).toEqual([]);
});

test("a record that somebody has broken says what to do, and is not overwritten", () => {
  const broken = { ...recordOf([], "ns", undefined), data: { "deploys.json": "{" } };
  expect(() => deploymentsIn(broken)).toThrow(
    /ConfigMap circl-deploys, key deploys\.json, is no JSON\. Put the text right and give it back to circl: kubectl/,
  );
});

test("the record is written only over the version that was read", () => {
  expect(recordOf([], "ns", "17").metadata).toEqual({ name: "circl-deploys", namespace: "ns", resourceVersion: "17" });
});

describe("a reload that nobody saw", () => {
  const noted = (digest: string) => ({ reload: { what: "keys", from: "", digest, before: [] } }) as const;

  test("is that of the newest run that began one, until a run has ended well", () => {
    const runs = [run("d", "failed"), run("c", "running", noted("c")), run("b", "failed", noted("b"))];
    expect(unseenReload([...runs, run("a", "done")])?.digest).toBe("c");
    expect(unseenReload(runs)?.digest).toBe("c");
    expect(unseenReload([run("d", "done"), ...runs])).toBeUndefined();
    expect(unseenReload([run("d", "failed"), run("a", "done", noted("a"))])).toBeUndefined();
  });
});

describe("what to go back to", () => {
  test("is the last that came to its end, not one that failed or was cut off", () => {
    expect(lastDone([run("c", "running"), run("b", "failed"), run("a", "done")])?.commit).toBe("a");
    expect(lastDone([run("b", "failed")])).toBeUndefined();
  });

  const back = (commit: string) => run(commit, "done", { kind: "rollback" });

  test("by hand it is the one before that with other manifests", () => {
    const runs = [run("b", "done"), run("b", "done"), run("x", "failed"), run("a", "done")];
    expect(previousOf(runs)?.commit).toBe("a");
    expect(previousOf([run("b", "done")])).toBeUndefined();
    expect(previousOf([])).toBeUndefined();
  });

  test.each(["failed", "running"] as const)(
    "by hand, of a deploy that %s and was not put back, it is what stood before",
    (result) => {
      expect(previousOf([run("c", result), run("b", "done"), run("a", "done")])?.commit).toBe("b");
    },
  );

  test("by hand, of a deploy that was put back, it is what stood before what was put back", () => {
    expect(previousOf([back("b"), run("c", "failed"), run("b", "done"), run("a", "done")])?.commit).toBe("a");
  });

  test("by hand, after a rollback by hand, it goes further back and not to what was left", () => {
    const runs = [back("b"), run("c", "done"), run("b", "done"), run("a", "done")];
    expect(previousOf(runs)?.commit).toBe("a");
    expect(previousOf(runs.slice(0, 3))).toBeUndefined();
  });

  test("a run that failed before it wrote anything changes nothing of that", () => {
    const nothing = run("c", "failed", { untouched: true });
    expect(previousOf([nothing, run("b", "done"), run("a", "done")])?.commit).toBe("a");
  });

  test("is not forgotten behind twenty failures", () => {
    const failures = Array.from({ length: 30 }, (_, i) => run(`f${i}`, "failed"));
    const good = [run("c", "done"), run("b", "done"), run("a", "done")];
    const read = deploymentsIn(recordOf([...failures, ...good], "ns", undefined));
    expect(read).toEqual([...failures.slice(0, 20), ...good.slice(0, 2)]);
    expect(previousOf([back("c"), ...read])?.commit).toBe("b");
  });
});

describe("a run that goes on", () => {
  const at = (text: string) => Date.parse(text);

  test("is one that said so within two minutes", () => {
    const running = run("a", "running", { renewed: "2026-11-22T09:05:00.000Z" });
    expect(runningNow([running], at("2026-11-22T09:06:59Z"))).toBe(running);
    expect(runningNow([running], at("2026-11-22T09:07:01Z"))).toBeUndefined();
  });

  test("is none that has ended, and none that is not the newest", () => {
    expect(runningNow([run("b", "done"), run("a", "running")], at("2026-11-22T09:00:10Z"))).toBeUndefined();
    expect(runningNow([], 0)).toBeUndefined();
  });
});
